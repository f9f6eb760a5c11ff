//! Internal events and completions as short text, for snapshots.

use std::fmt::Write as _;

use switchyard_domain::tokens::TokenUsage;
use switchyard_interchange::{
    event::{ChatEvent, Completion, Delta, Finish, PartKind},
    failure::Failure,
    message::{Citation, Part, ReasoningContent},
};

const TEXT_CHARS_MAX: usize = 48;

/// Events, one a line; deltas of the same kind in a row are one line.
pub(crate) fn of_events(events: &[ChatEvent]) -> String {
    let mut out = String::new();
    let mut growing: Option<(u32, &str, String)> = None;
    for event in events {
        if let ChatEvent::Delta { part, delta } = event
            && let Some((kind, text)) = growth(delta)
        {
            match &mut growing {
                Some((at, of, grown)) if (*at, *of) == (*part, kind) => grown.push_str(text),
                _ => {
                    flush(&mut out, growing.take());
                    growing = Some((*part, kind, text.to_owned()));
                }
            }
            continue;
        }
        flush(&mut out, growing.take());
        write_event(&mut out, event);
    }
    flush(&mut out, growing);
    out
}

fn growth(delta: &Delta) -> Option<(&'static str, &str)> {
    match delta {
        Delta::Text(text) => Some(("text", text.expose())),
        Delta::Signature(signature) => Some(("signature", signature)),
        Delta::Arguments(json) => Some(("arguments", json.expose())),
        Delta::Citation(_) => None,
    }
}

fn flush(out: &mut String, growing: Option<(u32, &str, String)>) {
    if let Some((part, kind, text)) = growing {
        writeln!(out, "  {part} {kind} {}", short(&text)).expect("a string");
    }
}

fn write_event(out: &mut String, event: &ChatEvent) {
    let line = match event {
        ChatEvent::Start { upstream_id, model } => {
            format!(
                "start {} {}",
                shown(upstream_id.as_deref()),
                shown(model.as_deref())
            )
        }
        ChatEvent::PartStart { part, kind } => format!("+ {part} {}", kind_name(kind)),
        ChatEvent::Delta {
            part,
            delta: Delta::Citation(citation),
        } => {
            format!("  {part} cites {}", cited(citation))
        }
        ChatEvent::Delta { .. } => unreachable!("deltas are gathered"),
        ChatEvent::PartStop { part } => format!("- {part}"),
        ChatEvent::Finish(finish) => finished(finish),
        ChatEvent::Usage(report) => {
            format!(
                "usage {} tier {}",
                counts(&report.tokens),
                shown(report.service_tier.as_deref())
            )
        }
        ChatEvent::Error(failure) => failed(failure).trim_end().to_owned(),
    };
    out.push_str(&line);
    out.push('\n');
}

fn kind_name(kind: &PartKind) -> String {
    match kind {
        PartKind::Text => "text".to_owned(),
        PartKind::Reasoning { format, .. } => format!("reasoning {format}"),
        PartKind::EncryptedReasoning { format, data, .. } => {
            format!("encrypted {format} {}", short(data.expose()))
        }
        PartKind::ReasoningSummary { format, .. } => format!("summary {format}"),
        PartKind::ToolCall { id, name } => format!("call {name} {id}"),
        PartKind::Refusal => "refusal".to_owned(),
    }
}

/// A completion, a part a line.
pub(crate) fn of_completion(completion: &Completion) -> String {
    let mut out = format!(
        "start {} {}\n",
        shown(completion.upstream_id.as_deref()),
        shown(completion.model.as_deref())
    );
    for part in &completion.parts {
        let line = match part {
            Part::Text { text, .. } => format!("text {}", short(text.expose())),
            Part::Refusal { text } => format!("refusal {}", short(text.expose())),
            Part::ToolCall(call) => {
                format!(
                    "call {} {} {}",
                    call.name,
                    call.id,
                    short(call.arguments.expose())
                )
            }
            Part::Reasoning(reasoning) => match &reasoning.content {
                ReasoningContent::Text { text, signature } => format!(
                    "reasoning {} {} signature {}",
                    reasoning.format,
                    short(text.expose()),
                    short(signature.as_deref().unwrap_or_default())
                ),
                ReasoningContent::Summary { text } => format!("summary {}", short(text.expose())),
                ReasoningContent::Encrypted { data } => {
                    format!("encrypted {}", short(data.expose()))
                }
            },
            other => format!("{other:?}"),
        };
        writeln!(out, "{line}").expect("a string");
    }
    for citation in &completion.citations {
        writeln!(out, "cites {}", cited(citation)).expect("a string");
    }
    writeln!(out, "{}", finished(&completion.finish)).expect("a string");
    if let Some(usage) = &completion.usage {
        let tier = shown(usage.service_tier.as_deref());
        writeln!(out, "usage {} tier {tier}", counts(&usage.tokens)).expect("a string");
    }
    out
}

pub(crate) fn failed(failure: &Failure) -> String {
    format!(
        "failed {} code {} message {}\n",
        failure.kind.as_str(),
        shown(failure.provider_code.as_deref()),
        failure.message
    )
}

fn finished(finish: &Finish) -> String {
    format!(
        "finish {:?} native {} stop {}",
        finish.reason,
        shown(finish.native.as_deref()),
        shown(finish.stop_sequence.as_deref())
    )
}

fn cited(citation: &Citation) -> String {
    format!(
        "{} {:?}..{:?}",
        citation.url, citation.start_index, citation.end_index
    )
}

/// The buckets that are not empty.
fn counts(tokens: &TokenUsage) -> String {
    let buckets = [
        ("uncached", tokens.input_uncached),
        ("read", tokens.cache_read),
        ("write_5m", tokens.cache_write_5m),
        ("write_1h", tokens.cache_write_1h),
        ("text", tokens.output_text),
        ("reasoning", tokens.reasoning),
    ];
    let stated: Vec<String> = buckets
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| format!("{name}={count}"))
        .collect();
    stated.join(" ")
}

fn shown(text: Option<&str>) -> &str {
    text.unwrap_or("?")
}

fn short(text: &str) -> String {
    let count = text.chars().count();
    let start: String = text.chars().take(TEXT_CHARS_MAX).collect();
    if count > TEXT_CHARS_MAX {
        format!("{start:?}… ({count} characters)")
    } else {
        format!("{text:?}")
    }
}
