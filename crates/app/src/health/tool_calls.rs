//! Whether the tool calls of an answer can be carried out: known names, well-formed arguments. What
//! the tools' schemas ask for is not checked.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde::de::IgnoredAny;
use switchyard_domain::secret::Private;
use switchyard_interchange::{
    event::{ChatEvent, Completion, Delta, Finish, FinishReason, PartKind},
    message::Part,
    tool::Tool,
};

/// How much of an answer's arguments is kept to be checked; a longer answer is not judged.
const ARGUMENT_BYTES_MAX: usize = 256 * 1_024;

/// What is wrong with an answer's tool calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToolCallsVerdict {
    /// Nothing.
    Sound,
    /// The arguments of one are no JSON.
    InvalidJson,
    /// One is to a tool that the request did not offer.
    UnknownName,
}

/// Watches an answer go by for its tool calls.
#[derive(Debug, Default)]
pub struct ToolCallWatch {
    /// Digests of the names offered; the names themselves are gone by the time that calls come.
    offered: Vec<u64>,
    calls: Vec<Call>,
    argument_bytes: usize,
    has_unknown_name: bool,
}

#[derive(Debug)]
struct Call {
    part: u32,
    arguments: Private<String>,
}

impl ToolCallWatch {
    /// For an answer to a request that offers these tools.
    pub fn new(offered: &[Tool]) -> Self {
        Self {
            offered: offered.iter().map(|tool| digest(&tool.name)).collect(),
            ..Self::default()
        }
    }

    /// Notes what belongs to a tool call.
    pub fn observe(&mut self, event: &ChatEvent) {
        match event {
            ChatEvent::PartStart {
                part,
                kind: PartKind::ToolCall { name, .. },
            } => {
                self.name(name);
                self.calls.push(Call {
                    part: *part,
                    arguments: Private::default(),
                });
            }
            ChatEvent::Delta {
                part,
                delta: Delta::Arguments(text),
            } => self.arguments(*part, text.expose()),
            ChatEvent::Start { .. }
            | ChatEvent::PartStart { .. }
            | ChatEvent::Delta { .. }
            | ChatEvent::PartStop { .. }
            | ChatEvent::Finish(_)
            | ChatEvent::Usage(_)
            | ChatEvent::Error(_) => {}
        }
    }

    /// Notes the tool calls of a whole answer.
    pub fn observe_completion(&mut self, completion: &Completion) {
        for part in &completion.parts {
            let Part::ToolCall(call) = part else { continue };
            self.name(&call.name);
            self.argument_bytes += call.arguments.expose().len();
            if self.argument_bytes <= ARGUMENT_BYTES_MAX {
                self.calls.push(Call {
                    part: 0,
                    arguments: call.arguments.clone(),
                });
            }
        }
    }

    /// `None` where the answer did not end with tool calls, or was too long to tell.
    pub fn verdict(&self, finish: Option<&Finish>) -> Option<ToolCallsVerdict> {
        if finish?.reason != FinishReason::ToolCalls {
            return None;
        }
        if self.has_unknown_name {
            return Some(ToolCallsVerdict::UnknownName);
        }
        if self.argument_bytes > ARGUMENT_BYTES_MAX {
            return None;
        }
        let is_json = |call: &Call| {
            let text = call.arguments.expose();
            text.is_empty() || serde_json::from_str::<IgnoredAny>(text).is_ok()
        };
        Some(if self.calls.iter().all(is_json) {
            ToolCallsVerdict::Sound
        } else {
            ToolCallsVerdict::InvalidJson
        })
    }

    fn name(&mut self, name: &str) {
        self.has_unknown_name |= !self.offered.contains(&digest(name));
    }

    fn arguments(&mut self, part: u32, text: &str) {
        self.argument_bytes += text.len();
        if self.argument_bytes > ARGUMENT_BYTES_MAX {
            self.calls.clear();
            return;
        }
        if let Some(call) = self.calls.iter_mut().rev().find(|call| call.part == part) {
            let mut arguments = std::mem::take(&mut call.arguments).into_inner();
            arguments.push_str(text);
            call.arguments = Private::new(arguments);
        }
    }
}

fn digest(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}
