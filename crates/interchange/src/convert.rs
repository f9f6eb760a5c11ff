//! Between the two forms of an answer: whole, and as a stream of events. Providers sometimes give
//! the form that was not asked for.

use switchyard_domain::secret::Private;

use crate::{
    event::{
        ChatEvent, Completion, Delta, Finish, FinishReason, PartKind, StreamStep, UsageReport,
    },
    failure::{Failure, FailureKind},
    message::{Citation, Part, Reasoning, ReasoningContent, ToolCall},
};

impl Completion {
    /// The events that a stream of this answer would have brought.
    pub fn into_step(self) -> StreamStep {
        let mut events = vec![ChatEvent::Start {
            upstream_id: self.upstream_id,
            model: self.model,
        }];
        let mut part = 0;
        for piece in self.parts {
            if let Some((kind, deltas)) = events_of(piece) {
                events.push(ChatEvent::PartStart { part, kind });
                events.extend(
                    deltas
                        .into_iter()
                        .map(|delta| ChatEvent::Delta { part, delta }),
                );
                events.push(ChatEvent::PartStop { part });
                part += 1;
            }
        }
        if let Some(last) = part.checked_sub(1) {
            events.extend(self.citations.into_iter().map(|citation| ChatEvent::Delta {
                part: last,
                delta: Delta::Citation(citation),
            }));
        }
        events.push(ChatEvent::Finish(self.finish));
        events.extend(self.usage.map(ChatEvent::Usage));
        StreamStep {
            events,
            verbatim: None,
        }
    }
}

impl Completion {
    /// The same answer without reasoning, in our own words: the provider's bytes hold it.
    #[must_use]
    pub fn without_reasoning(mut self) -> Self {
        self.parts
            .retain(|part| !matches!(part, Part::Reasoning(_)));
        self.verbatim = None;
        self
    }
}

/// Hides the reasoning parts of a stream, step by step.
#[derive(Debug, Default)]
pub struct ReasoningFilter {
    hidden: Vec<u32>,
}

impl ReasoningFilter {
    /// The step without what belongs to reasoning.
    #[must_use]
    pub fn step(&mut self, mut step: StreamStep) -> StreamStep {
        step.verbatim = None;
        step.events.retain(|event| match event {
            ChatEvent::PartStart { part, kind } => {
                let hide = matches!(
                    kind,
                    PartKind::Reasoning { .. }
                        | PartKind::ReasoningSummary { .. }
                        | PartKind::EncryptedReasoning { .. }
                );
                if hide {
                    self.hidden.push(*part);
                }
                !hide
            }
            ChatEvent::Delta { part, .. } | ChatEvent::PartStop { part } => {
                !self.hidden.contains(part)
            }
            ChatEvent::Start { .. }
            | ChatEvent::Finish(_)
            | ChatEvent::Usage(_)
            | ChatEvent::Error(_) => true,
        });
        step
    }
}

/// How a part streams; `None` for parts that no answer has.
fn events_of(part: Part) -> Option<(PartKind, Vec<Delta>)> {
    match part {
        Part::Text { text, .. } => Some((PartKind::Text, vec![Delta::Text(text)])),
        Part::Refusal { text } => Some((PartKind::Refusal, vec![Delta::Text(text)])),
        Part::ToolCall(ToolCall {
            id,
            name,
            arguments,
            ..
        }) => Some((
            PartKind::ToolCall { id, name },
            vec![Delta::Arguments(arguments)],
        )),
        Part::Reasoning(Reasoning {
            content,
            id,
            format,
        }) => Some(match content {
            ReasoningContent::Text { text, signature } => {
                let mut deltas = vec![Delta::Text(text)];
                deltas.extend(signature.map(Delta::Signature));
                (PartKind::Reasoning { id, format }, deltas)
            }
            ReasoningContent::Summary { text } => (
                PartKind::ReasoningSummary { id, format },
                vec![Delta::Text(text)],
            ),
            ReasoningContent::Encrypted { data } => (
                PartKind::EncryptedReasoning { id, format, data },
                Vec::new(),
            ),
        }),
        Part::Image { .. }
        | Part::File { .. }
        | Part::Audio { .. }
        | Part::Video { .. }
        | Part::ToolResult(_) => None,
    }
}

/// Adds a stream of events up to a whole answer.
#[derive(Debug, Default)]
pub struct Collector {
    upstream_id: Option<String>,
    model: Option<String>,
    open: Vec<OpenPart>,
    citations: Vec<Citation>,
    finish: Option<Finish>,
    usage: Option<UsageReport>,
}

#[derive(Debug)]
struct OpenPart {
    number: u32,
    kind: PartKind,
    text: String,
    signature: Option<String>,
}

impl Collector {
    /// Takes the next event. An error event ends the collection.
    pub fn push(&mut self, event: ChatEvent) -> Result<(), Failure> {
        match event {
            ChatEvent::Start { upstream_id, model } => {
                self.upstream_id = upstream_id;
                self.model = model;
            }
            ChatEvent::PartStart { part, kind } => self.open.push(OpenPart {
                number: part,
                kind,
                text: String::new(),
                signature: None,
            }),
            ChatEvent::Delta { part, delta } => self.grow(part, delta),
            ChatEvent::PartStop { .. } => {}
            ChatEvent::Finish(finish) => self.finish = Some(finish),
            ChatEvent::Usage(usage) => self.usage = Some(usage),
            ChatEvent::Error(failure) => return Err(failure),
        }
        Ok(())
    }

    fn grow(&mut self, number: u32, delta: Delta) {
        if let Delta::Citation(citation) = delta {
            self.citations.push(citation);
            return;
        }
        let Some(part) = self.open.iter_mut().find(|part| part.number == number) else {
            return;
        };
        match delta {
            Delta::Text(text) | Delta::Arguments(text) => part.text.push_str(text.expose()),
            Delta::Signature(more) => {
                part.signature
                    .get_or_insert_with(String::new)
                    .push_str(&more);
            }
            Delta::Citation(_) => {}
        }
    }

    /// The whole answer; a failure when the stream never finished.
    pub fn finish(self) -> Result<Completion, Failure> {
        let finish = self.finish.ok_or_else(|| {
            Failure::new(FailureKind::Protocol, "the provider's stream stopped short")
        })?;
        debug_assert!(
            finish.reason != FinishReason::Error,
            "errors are events of their own"
        );
        Ok(Completion {
            upstream_id: self.upstream_id,
            model: self.model,
            parts: self.open.into_iter().map(OpenPart::close).collect(),
            citations: self.citations,
            finish,
            usage: self.usage,
            verbatim: None,
        })
    }
}

impl OpenPart {
    fn close(self) -> Part {
        let text = Private::new(self.text);
        match self.kind {
            PartKind::Text => Part::Text { text, cache: None },
            PartKind::Refusal => Part::Refusal { text },
            PartKind::ToolCall { id, name } => Part::ToolCall(ToolCall {
                id,
                name,
                arguments: text,
                cache: None,
            }),
            PartKind::Reasoning { id, format } => Part::Reasoning(Reasoning {
                content: ReasoningContent::Text {
                    text,
                    signature: self.signature,
                },
                id,
                format,
            }),
            PartKind::ReasoningSummary { id, format } => Part::Reasoning(Reasoning {
                content: ReasoningContent::Summary { text },
                id,
                format,
            }),
            PartKind::EncryptedReasoning { id, format, data } => Part::Reasoning(Reasoning {
                content: ReasoningContent::Encrypted { data },
                id,
                format,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::REASONING_ANTHROPIC;

    #[test]
    fn an_answer_survives_being_streamed() {
        let parts = vec![
            Part::Reasoning(Reasoning {
                content: ReasoningContent::Text {
                    text: Private::new("hm".to_owned()),
                    signature: Some("c2ln".to_owned()),
                },
                id: None,
                format: REASONING_ANTHROPIC.to_owned(),
            }),
            Part::text("hi"),
            Part::ToolCall(ToolCall {
                id: "call_1".to_owned(),
                name: "weather".to_owned(),
                arguments: Private::new("{}".to_owned()),
                cache: None,
            }),
        ];
        let finish = Finish {
            reason: FinishReason::ToolCalls,
            native: None,
            stop_sequence: None,
        };
        let whole = Completion {
            upstream_id: Some("u".to_owned()),
            model: None,
            parts: parts.clone(),
            citations: Vec::new(),
            finish: finish.clone(),
            usage: None,
            verbatim: None,
        };
        let mut collector = Collector::default();
        for event in whole.into_step().events {
            collector.push(event).expect("no error event");
        }
        let again = collector.finish().expect("a finished stream");
        assert_eq!((again.parts, again.finish), (parts, finish));
        assert_eq!(again.upstream_id.as_deref(), Some("u"));
    }

    #[test]
    fn hidden_reasoning_leaves_no_event() {
        let start = |part, kind| ChatEvent::PartStart { part, kind };
        let delta = |part, text: &str| ChatEvent::Delta {
            part,
            delta: Delta::Text(Private::new(text.to_owned())),
        };
        let reasoning = PartKind::Reasoning {
            id: None,
            format: "unknown".to_owned(),
        };
        let mut filter = ReasoningFilter::default();
        let first = filter.step(StreamStep {
            events: vec![
                start(0, reasoning),
                delta(0, "hm"),
                start(1, PartKind::Text),
            ],
            verbatim: None,
        });
        assert_eq!(first.events, [start(1, PartKind::Text)]);
        let second = filter.step(StreamStep {
            events: vec![
                delta(0, "hm"),
                delta(1, "hi"),
                ChatEvent::PartStop { part: 0 },
            ],
            verbatim: None,
        });
        assert_eq!(second.events, [delta(1, "hi")]);
    }

    #[test]
    fn a_stream_without_an_end_is_no_answer() {
        assert!(Collector::default().finish().is_err());
    }
}
