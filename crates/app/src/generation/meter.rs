//! Metering: watches an answer go by and notes what it will be charged for.

use switchyard_domain::{
    clock::Timestamp,
    tokens::{TokenUsage, UsageSource},
};
use switchyard_interchange::{
    event::{
        ChatEvent, Completion, Delta, Finish, FinishReason, PartKind, StreamStep, UsageReport,
    },
    failure::Failure,
    message::{Part, Reasoning, ReasoningContent},
    tool::Tool,
};

use crate::health::ToolCallWatch;

/// Bytes of text per token that a local count assumes.
const BYTES_PER_TOKEN: u64 = 4;

/// What is known of one answer so far.
#[derive(Debug, Default)]
pub(super) struct Meter {
    pub(super) upstream_id: Option<String>,
    pub(super) first_token_at: Option<Timestamp>,
    pub(super) finish: Option<Finish>,
    pub(super) usage: Option<UsageReport>,
    produced_bytes: u64,
    reasoning_bytes: u64,
    /// Anything a caller could see: content, a tool call, an end.
    pub(super) has_begun: bool,
    /// Its tool calls.
    pub(super) tools: ToolCallWatch,
}

impl Meter {
    /// For an answer to a request that offers these tools.
    pub(super) fn for_tools(offered: &[Tool]) -> Self {
        Self {
            tools: ToolCallWatch::new(offered),
            ..Self::default()
        }
    }

    /// Why the answer ended, once it has.
    pub(super) fn finish_reason(&self) -> Option<FinishReason> {
        self.finish.as_ref().map(|finish| finish.reason)
    }

    /// Notes the events of one step. An error event is handed back: it ends the answer.
    pub(super) fn observe(&mut self, step: &StreamStep, now: Timestamp) -> Option<Failure> {
        for event in &step.events {
            self.tools.observe(event);
            match event {
                ChatEvent::Start { upstream_id, .. } => self.upstream_id.clone_from(upstream_id),
                ChatEvent::PartStart { kind, .. } => self.part(kind, now),
                ChatEvent::Delta { delta, .. } => self.delta(delta, now),
                ChatEvent::PartStop { .. } => {}
                ChatEvent::Finish(finish) => {
                    self.has_begun = true;
                    self.finish = Some(finish.clone());
                }
                ChatEvent::Usage(usage) => self.usage = Some(usage.clone()),
                ChatEvent::Error(failure) => return Some(failure.clone()),
            }
        }
        None
    }

    fn part(&mut self, kind: &PartKind, now: Timestamp) {
        match kind {
            PartKind::ToolCall { name, .. } => self.produced(name.len(), now),
            PartKind::EncryptedReasoning { data, .. } => {
                self.reasoning_bytes += data.expose().len() as u64;
                self.produced(0, now);
            }
            PartKind::Text
            | PartKind::Reasoning { .. }
            | PartKind::ReasoningSummary { .. }
            | PartKind::Refusal => {}
        }
    }

    fn delta(&mut self, delta: &Delta, now: Timestamp) {
        match delta {
            Delta::Text(text) | Delta::Arguments(text) => self.produced(text.expose().len(), now),
            Delta::Signature(_) | Delta::Citation(_) => {}
        }
    }

    fn produced(&mut self, bytes: usize, now: Timestamp) {
        self.has_begun = true;
        self.produced_bytes += bytes as u64;
        self.first_token_at.get_or_insert(now);
    }

    /// Notes a whole answer.
    pub(super) fn observe_completion(&mut self, completion: &Completion, now: Timestamp) {
        self.upstream_id.clone_from(&completion.upstream_id);
        self.finish = Some(completion.finish.clone());
        self.usage.clone_from(&completion.usage);
        self.has_begun = true;
        self.tools.observe_completion(completion);
        for part in &completion.parts {
            match part {
                Part::Text { text, .. } | Part::Refusal { text } => {
                    self.produced(text.expose().len(), now);
                }
                Part::ToolCall(call) => {
                    self.produced(call.name.len() + call.arguments.expose().len(), now);
                }
                Part::Reasoning(Reasoning { content, .. }) => match content {
                    ReasoningContent::Text { text, .. } | ReasoningContent::Summary { text } => {
                        self.produced(text.expose().len(), now);
                    }
                    ReasoningContent::Encrypted { data } => {
                        self.reasoning_bytes += data.expose().len() as u64;
                    }
                },
                Part::Image { .. }
                | Part::File { .. }
                | Part::Audio { .. }
                | Part::Video { .. }
                | Part::ToolResult(_) => {}
            }
        }
    }

    /// The usage to bill: the provider's word if it gave one, our own count if tokens were
    /// produced without it, nothing otherwise.
    pub(super) fn final_usage(&self, prompt_tokens_estimate: u64) -> (TokenUsage, UsageSource) {
        if let Some(report) = &self.usage {
            return (report.tokens, UsageSource::Upstream);
        }
        let bytes = self.produced_bytes + self.reasoning_bytes;
        if bytes == 0 {
            return (TokenUsage::default(), UsageSource::None);
        }
        let usage = TokenUsage {
            input_uncached: prompt_tokens_estimate,
            output_text: self.produced_bytes.div_ceil(BYTES_PER_TOKEN),
            reasoning: self.reasoning_bytes.div_ceil(BYTES_PER_TOKEN),
            ..TokenUsage::default()
        };
        (usage, UsageSource::LocalEstimate)
    }
}
