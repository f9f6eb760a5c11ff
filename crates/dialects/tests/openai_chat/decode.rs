//! Recorded answers become the events and parts they mean.

use std::fmt::Write;

use bytes::Bytes;
use expect_test::expect_file;
use switchyard_dialects::openai_chat::{decode_completion, decode_error};
use switchyard_domain::tokens::TokenUsage;
use switchyard_interchange::{
    event::{ChatEvent, Delta, Finish, PartKind, StreamStep, UsageReport},
    failure::Failure,
    message::{Part, Reasoning, ReasoningContent},
};

use super::corpus;

#[test]
fn streams() {
    let mut table = String::new();
    for case in corpus::all().into_iter().filter(corpus::Case::is_stream) {
        writeln!(table, "# {}", case.id).expect("a string takes every write");
        match case.decode_stream() {
            Ok(steps) => table.push_str(&show_steps(&steps)),
            Err(failure) => {
                writeln!(table, "{}", show_failure(&failure)).expect("a string takes every write")
            }
        }
    }
    expect_file!["snapshots/streams.txt"].assert_eq(&table);
}

#[test]
fn completions() {
    let mut table = String::new();
    for case in corpus::all() {
        if case.status != 200 || case.is_stream() {
            continue;
        }
        writeln!(table, "# {}", case.id).expect("a string takes every write");
        let completion =
            decode_completion(Bytes::from(case.body)).expect("a string takes every write");
        for part in &completion.parts {
            writeln!(table, "{}", show_part(part)).expect("a string takes every write");
        }
        if !completion.citations.is_empty() {
            writeln!(table, "citations {}", completion.citations.len())
                .expect("a string takes every write");
        }
        writeln!(table, "{}", show_finish(&completion.finish)).expect("a string takes every write");
        writeln!(
            table,
            "{}",
            completion
                .usage
                .as_ref()
                .map_or("no usage".into(), show_usage)
        )
        .expect("a string takes every write");
        writeln!(table, "as it came: {}", completion.verbatim.is_some())
            .expect("a string takes every write");
    }
    expect_file!["snapshots/completions.txt"].assert_eq(&table);
}

#[test]
fn errors() {
    let mut table = String::new();
    for case in corpus::all().into_iter().filter(|case| case.status != 200) {
        let failure = decode_error(case.status, None, case.body.as_bytes());
        writeln!(table, "{}: {}", case.id, show_failure(&failure))
            .expect("a string takes every write");
    }
    expect_file!["snapshots/errors.txt"].assert_eq(&table);
}

fn show_failure(failure: &Failure) -> String {
    format!(
        "{} status={:?} code={:?} “{}”",
        failure.kind.as_str(),
        failure.status,
        failure.provider_code,
        failure.message
    )
}

/// Events, with the deltas of a part run together.
pub(crate) fn show_steps(steps: &[StreamStep]) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut run: Option<(u32, &str, String, usize)> = None;
    let flush = |run: &mut Option<(u32, &str, String, usize)>, lines: &mut Vec<String>| {
        if let Some((part, kind, text, count)) = run.take() {
            lines.push(format!("  {part} {kind} ×{count} {}", clip(&text)));
        }
    };
    for event in steps.iter().flat_map(|step| &step.events) {
        if let ChatEvent::Delta { part, delta } = event {
            let (kind, text) = show_delta(delta);
            match &mut run {
                Some((open, name, whole, count)) if *open == *part && *name == kind => {
                    whole.push_str(&text);
                    *count += 1;
                }
                _ => {
                    flush(&mut run, &mut lines);
                    run = Some((*part, kind, text, 1));
                }
            }
            continue;
        }
        flush(&mut run, &mut lines);
        lines.push(show_event(event));
    }
    flush(&mut run, &mut lines);
    let passed = steps.iter().filter(|step| step.verbatim.is_some()).count();
    lines.push(format!("as it came: {passed} of {}", steps.len()));
    lines.join("\n") + "\n"
}

fn show_delta(delta: &Delta) -> (&'static str, String) {
    match delta {
        Delta::Text(text) => ("text", text.expose().clone()),
        Delta::Signature(signature) => ("signature", signature.clone()),
        Delta::Arguments(arguments) => ("arguments", arguments.expose().clone()),
        Delta::Citation(citation) => ("cites", format!("{} ", citation.url)),
    }
}

fn show_event(event: &ChatEvent) -> String {
    match event {
        ChatEvent::Start { upstream_id, model } => {
            format!(
                "start {} {}",
                upstream_id.as_deref().unwrap_or("-"),
                model.as_deref().unwrap_or("-")
            )
        }
        ChatEvent::PartStart { part, kind } => format!("{part} {}", show_kind(kind)),
        ChatEvent::PartStop { part } => format!("{part} stop"),
        ChatEvent::Finish(finish) => show_finish(finish),
        ChatEvent::Usage(usage) => show_usage(usage),
        ChatEvent::Error(failure) => format!("error {}", show_failure(failure)),
        ChatEvent::Delta { .. } => unreachable!("shown in runs"),
    }
}

fn show_kind(kind: &PartKind) -> String {
    match kind {
        PartKind::Text => "text".to_owned(),
        PartKind::Refusal => "refusal".to_owned(),
        PartKind::Reasoning { format, .. } => format!("reasoning ({format})"),
        PartKind::ReasoningSummary { format, .. } => format!("summary ({format})"),
        PartKind::EncryptedReasoning { format, .. } => format!("encrypted ({format})"),
        PartKind::ToolCall { id, name } => format!("call {name} {id}"),
    }
}

fn show_part(part: &Part) -> String {
    match part {
        Part::Text { text, .. } => format!("text {}", clip(text.expose())),
        Part::Refusal { text } => format!("refusal {}", clip(text.expose())),
        Part::ToolCall(call) => {
            format!(
                "call {} {} {}",
                call.name,
                call.id,
                clip(call.arguments.expose())
            )
        }
        Part::Reasoning(reasoning) => show_reasoning(reasoning),
        other => format!("unexpected {other:?}"),
    }
}

fn show_reasoning(reasoning: &Reasoning) -> String {
    match &reasoning.content {
        ReasoningContent::Text { text, signature } => format!(
            "reasoning ({}{}) {}",
            reasoning.format,
            if signature.is_some() { ", signed" } else { "" },
            clip(text.expose())
        ),
        ReasoningContent::Summary { text } => format!("summary {}", clip(text.expose())),
        ReasoningContent::Encrypted { data } => format!("encrypted {}", clip(data.expose())),
    }
}

fn show_finish(finish: &Finish) -> String {
    format!(
        "finish {:?} ({})",
        finish.reason,
        finish.native.as_deref().unwrap_or("-")
    )
}

/// The buckets that are not empty.
fn show_usage(usage: &UsageReport) -> String {
    let TokenUsage {
        input_uncached,
        cache_read,
        cache_write_5m,
        cache_write_1h,
        audio_in,
        output_text,
        reasoning,
        audio_out,
        image_out,
        images_in,
    } = usage.tokens;
    let buckets = [
        ("in", input_uncached),
        ("read", cache_read),
        ("write5m", cache_write_5m),
        ("write1h", cache_write_1h),
        ("audio_in", audio_in),
        ("out", output_text),
        ("reasoning", reasoning),
        ("audio_out", audio_out),
        ("image_out", image_out),
        ("images_in", images_in),
    ];
    let mut line = "usage".to_owned();
    for (name, count) in buckets.into_iter().filter(|(_, count)| *count > 0) {
        write!(line, " {name}={count}").expect("a string takes every write");
    }
    if let Some(tier) = &usage.service_tier {
        write!(line, " tier={tier}").expect("a string takes every write");
    }
    line
}

/// The length and the beginning of a text.
fn clip(text: &str) -> String {
    let beginning: String = text.chars().take(48).collect();
    format!("[{}] {beginning:?}", text.len())
}
