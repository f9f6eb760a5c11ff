//! A provider's complete answer becomes a [`Completion`].

use bytes::Bytes;
use serde_json::value::RawValue;
use switchyard_domain::secret::Private;
use switchyard_interchange::{
    event::{Completion, FinishReason, Verbatim},
    failure::{Failure, FailureKind},
    message::{Citation, Part, REASONING_ANTHROPIC, Reasoning, ReasoningContent, ToolCall},
    request::Dialect,
};

use super::{
    SCHEMA_TOOL,
    answer_wire::{AnswerBlock, CitationWire, MessageWire, StopDetails},
    decode_error, stop_reason,
    usage::UsageCounts,
};
use crate::json::Text;

/// Decodes the body of a successful response; one that holds an error all the same is a failure.
pub fn decode_completion(body: Bytes) -> Result<Completion, Failure> {
    let (mut completion, is_ours) = {
        let wire: MessageWire<'_> = serde_json::from_slice(&body)
            .map_err(|_| protocol("the provider's answer is not a message"))?;
        if wire.kind.as_deref() == Some("error") || (wire.error.is_some() && wire.content.is_none())
        {
            return Err(decode_error(200, None, &body));
        }
        if wire.content.is_none() && wire.stop_reason.is_none() {
            return Err(protocol("the provider's answer is not a message"));
        }
        decode_message(&wire)
    };
    // An answer to our own schema tool must not be seen in the provider's form.
    if !is_ours {
        completion.verbatim = Some(Verbatim {
            dialect: Dialect::AnthropicMessages,
            json: Private::new(body),
        });
    }
    Ok(completion)
}

/// The completion, and whether it answers a tool of our making.
fn decode_message(wire: &MessageWire<'_>) -> (Completion, bool) {
    let mut answer = Answer::default();
    for block in wire.content.as_deref().unwrap_or_default() {
        answer.add(block);
    }
    let finish = stop_reason::decode(
        wire.stop_reason.as_deref(),
        wire.stop_sequence.as_deref(),
        answer.has_calls,
    );
    if let (FinishReason::Refusal, true) = (finish.reason, answer.parts.is_empty())
        && let Some(explanation) = explanation(wire.stop_details.as_ref())
    {
        answer.parts.push(Part::Refusal {
            text: explanation.into(),
        });
    }
    let mut usage = UsageCounts::default();
    if let Some(stated) = &wire.usage {
        usage.merge(stated);
    }
    let completion = Completion {
        upstream_id: wire.id.as_deref().map(str::to_owned),
        model: wire.model.as_deref().map(str::to_owned),
        parts: answer.parts,
        citations: answer.citations,
        finish,
        usage: usage.report(),
        verbatim: None,
    };
    (completion, answer.is_ours)
}

/// What the provider says of a refusal.
pub(super) fn explanation<'a>(details: Option<&'a StopDetails<'_>>) -> Option<&'a str> {
    details?
        .explanation
        .as_deref()
        .filter(|text| !text.is_empty())
}

/// An answer, collected block by block.
#[derive(Default)]
struct Answer {
    parts: Vec<Part>,
    citations: Vec<Citation>,
    text_chars: u64,
    has_calls: bool,
    is_ours: bool,
}

impl Answer {
    fn add(&mut self, block: &AnswerBlock<'_>) {
        match block.kind.as_deref() {
            Some("text") => self.add_text(block),
            Some("thinking") => self.add_reasoning(ReasoningContent::Text {
                text: owned(block.thinking.as_ref()).into(),
                signature: block
                    .signature
                    .as_deref()
                    .filter(|text| !text.is_empty())
                    .map(str::to_owned),
            }),
            Some("redacted_thinking") => self.add_reasoning(ReasoningContent::Encrypted {
                data: owned(block.data.as_ref()).into(),
            }),
            Some("tool_use") => {
                let arguments = block.input.map_or("{}", RawValue::get);
                if block.name.as_deref() == Some(SCHEMA_TOOL) {
                    self.is_ours = true;
                    self.parts.push(Part::text(arguments));
                    return;
                }
                self.has_calls = true;
                self.parts.push(Part::ToolCall(ToolCall {
                    id: owned(block.id.as_ref()),
                    name: owned(block.name.as_ref()),
                    arguments: arguments.into(),
                    cache: None,
                }));
            }
            // What the provider's own tools did is only for clients of the same dialect.
            _ => {}
        }
    }

    fn add_text(&mut self, block: &AnswerBlock<'_>) {
        let text = owned(block.text.as_ref());
        let start = self.text_chars;
        self.text_chars += text.chars().count() as u64;
        for citation in block.citations.as_deref().unwrap_or_default() {
            self.citations
                .extend(decode_citation(citation).map(|citation| Citation {
                    start_index: Some(start),
                    end_index: Some(self.text_chars),
                    ..citation
                }));
        }
        self.parts.push(Part::text(text));
    }

    fn add_reasoning(&mut self, content: ReasoningContent) {
        let format = REASONING_ANTHROPIC.to_owned();
        self.parts.push(Part::Reasoning(Reasoning {
            content,
            id: None,
            format,
        }));
    }
}

/// A citation of something that has an address; of the caller's own documents there is none.
pub(super) fn decode_citation(wire: &CitationWire<'_>) -> Option<Citation> {
    let source = wire
        .source
        .as_deref()
        .filter(|source| source.starts_with("http"));
    let url = wire
        .url
        .as_deref()
        .or(source)
        .filter(|url| !url.is_empty())?;
    Some(Citation {
        url: url.to_owned(),
        title: wire.title.as_deref().map(str::to_owned),
        content: wire.cited_text.as_deref().map(Into::into),
        start_index: None,
        end_index: None,
    })
}

/// An answer that broke its own format.
pub(super) fn protocol(message: &str) -> Failure {
    Failure::new(FailureKind::Protocol, message)
}

fn owned(text: Option<&Text<'_>>) -> String {
    text.map(|text| text.to_string()).unwrap_or_default()
}
