//! A provider's complete answer.

#[cfg(test)]
mod tests;

use bytes::Bytes;
use serde_json::value::RawValue;
use switchyard_interchange::{
    event::{Completion, Finish, FinishReason, UsageReport, Verbatim},
    failure::{Failure, FailureKind},
    message::{Citation, Part, REASONING_UNKNOWN, Reasoning, ReasoningContent, ToolCall},
    request::Dialect,
};

use super::{
    decode_error::decode_inner_error,
    decode_request::read_details,
    usage,
    wire_request::WireReasoningDetail,
    wire_response::{
        Count, Soft, WireAnnotation, WireAnswer, WireCall, WireChoice, WireCitation, WireSaid,
        WireText, filled, is_error,
    },
};

/// Decodes the body of a successful response. Hosts report errors in those too; they come back as
/// a failure.
pub fn decode_completion(body: Bytes) -> Result<Completion, Failure> {
    let Ok(mut wire) = serde_json::from_slice::<WireAnswer<'_>>(&body) else {
        return Err(decode_inner_error(&body).unwrap_or_else(|| protocol("is not JSON")));
    };
    if is_error(wire.error).is_some() {
        return Err(decode_inner_error(&body).unwrap_or_else(|| protocol("reports an error")));
    }
    let choices = wire.choices.take().unwrap_or_default();
    let is_only_choice = choices.count == 1;
    let Some(choice) = choices.first else {
        return Err(decode_inner_error(&body).unwrap_or_else(|| protocol("holds no choice")));
    };
    if let Some(error) = is_error(choice.error) {
        return Err(decode_inner_error(error.get().as_bytes())
            .unwrap_or_else(|| protocol("reports an error")));
    }
    let usage = read_usage(&wire, Some(&choice));
    let citations = read_citations(&wire, &choice);
    let finish_word = filled(&choice.finish_reason);
    let native = filled(&choice.native_finish_reason)
        .or(finish_word)
        .map(str::to_owned);
    let upstream_id = filled(&wire.id).map(str::to_owned);
    let (parts, is_regular) = match &choice.message {
        Some(said) => (read_parts(said, upstream_id.as_deref()), is_regular(said)),
        // A filter may withhold the message altogether.
        None => (Vec::new(), false),
    };
    if finish_word.map(reason_of) == Some(FinishReason::Error) {
        return Err(Failure::new(
            FailureKind::Server,
            "the provider failed while answering",
        ));
    }
    let finish = Finish {
        reason: finish_reason(finish_word, &parts),
        native,
        stop_sequence: None,
    };
    Ok(Completion {
        model: filled(&wire.model).map(str::to_owned),
        upstream_id,
        parts,
        citations,
        finish,
        usage,
        verbatim: (is_regular && is_only_choice).then(|| Verbatim {
            dialect: Dialect::OpenAiChat,
            json: body.clone().into(),
        }),
    })
}

fn protocol(what: &str) -> Failure {
    Failure::new(
        FailureKind::Protocol,
        format!("the provider's answer {what}"),
    )
}

/// The usage wherever this host put it.
pub(super) fn read_usage(
    wire: &WireAnswer<'_>,
    choice: Option<&WireChoice<'_>>,
) -> Option<UsageReport> {
    let tokens = wire
        .usage
        .and_then(usage::read)
        .or_else(|| choice.and_then(|choice| choice.usage).and_then(usage::read))
        .or_else(|| wire.x_groq.and_then(usage::read_groq))?;
    Some(UsageReport {
        tokens,
        service_tier: filled(&wire.service_tier).map(str::to_owned),
    })
}

/// The internal name of a finish reason. `None` where the host has not given one yet.
pub(super) fn reason_of(word: &str) -> FinishReason {
    match word.to_ascii_lowercase().as_str() {
        "length" | "max_tokens" | "model_length" | "max_output_tokens" => FinishReason::Length,
        "tool_calls" | "tool_call" | "function_call" | "tool_use" => FinishReason::ToolCalls,
        "content_filter" | "sensitive" | "safety" => FinishReason::ContentFilter,
        "error" | "insufficient_system_resource" | "network_error" => FinishReason::Error,
        "stop_sequence" => FinishReason::StopSequence,
        // `stop`, `eos`, `end_turn`, and whatever is invented next.
        _ => FinishReason::Stop,
    }
}

/// Whether an answer ends with calls is decided by the calls: hosts say `stop` beside them.
pub(super) fn settle_reason(
    reason: FinishReason,
    has_calls: bool,
    has_refusal: bool,
) -> FinishReason {
    match reason {
        FinishReason::Stop | FinishReason::StopSequence if has_calls => FinishReason::ToolCalls,
        FinishReason::ToolCalls if !has_calls => FinishReason::Stop,
        FinishReason::Stop if has_refusal => FinishReason::Refusal,
        reason => reason,
    }
}

fn finish_reason(word: Option<&str>, parts: &[Part]) -> FinishReason {
    let has_calls = parts.iter().any(|part| matches!(part, Part::ToolCall(_)));
    let has_refusal = parts
        .iter()
        .any(|part| matches!(part, Part::Refusal { .. }));
    // The body is whole, so a missing reason is only that: some hosts leave null keys out.
    settle_reason(
        word.map_or(FinishReason::Stop, reason_of),
        has_calls,
        has_refusal,
    )
}

fn read_parts(said: &WireSaid<'_>, upstream_id: Option<&str>) -> Vec<Part> {
    let mut parts = read_reasoning(said);
    match &said.content {
        Some(WireText::Text(text)) if !text.is_empty() => parts.push(Part::text(text.as_ref())),
        Some(WireText::Items(items)) => {
            for item in items {
                if let Some(thinking) = item.thinking.as_ref().map(plain).filter(|t| !t.is_empty())
                {
                    parts.push(unsigned_reasoning(thinking));
                } else if let Some(text) = filled(&item.text) {
                    parts.push(Part::text(text));
                }
            }
        }
        Some(WireText::Text(_) | WireText::Nothing) | None => {}
    }
    if let Some(text) = filled(&said.refusal) {
        parts.push(Part::Refusal { text: text.into() });
    }
    let calls = said.tool_calls.iter().flatten().enumerate();
    parts.extend(calls.filter_map(|(index, call)| read_call(call, index, upstream_id)));
    parts
}

/// The text of content that may be a list of items.
pub(super) fn plain(text: &WireText<'_>) -> String {
    match text {
        WireText::Nothing => String::new(),
        WireText::Text(text) => text.as_ref().to_owned(),
        WireText::Items(items) => items.iter().filter_map(|item| filled(&item.text)).collect(),
    }
}

fn read_reasoning(said: &WireSaid<'_>) -> Vec<Part> {
    let blocks = said.reasoning_details.map(details_of).unwrap_or_default();
    let blocks = read_details(blocks);
    if !blocks.is_empty() {
        return blocks.into_iter().map(Part::Reasoning).collect();
    }
    // Where both names are used, the text is the same.
    filled(&said.reasoning)
        .or_else(|| filled(&said.reasoning_content))
        .map(|text| unsigned_reasoning(text.to_owned()))
        .into_iter()
        .collect()
}

pub(super) fn details_of(raw: &RawValue) -> Vec<WireReasoningDetail<'_>> {
    serde_json::from_str(raw.get()).unwrap_or_default()
}

fn unsigned_reasoning(text: String) -> Part {
    Part::Reasoning(Reasoning {
        content: ReasoningContent::Text {
            text: text.into(),
            signature: None,
        },
        id: None,
        format: REASONING_UNKNOWN.to_owned(),
    })
}

fn read_call(call: &WireCall<'_>, index: usize, upstream_id: Option<&str>) -> Option<Part> {
    let function = call.function.as_ref()?;
    let name = filled(&function.name)?.to_owned();
    let arguments = function.arguments_text().unwrap_or_default();
    Some(Part::ToolCall(ToolCall {
        id: match filled(&call.id) {
            Some(id) => id.to_owned(),
            None => made_up_call_id(upstream_id, index),
        },
        name,
        arguments: if arguments.trim() == "null" {
            ""
        } else {
            arguments.as_ref()
        }
        .into(),
        cache: None,
    }))
}

/// An id for a call that came without one: the same for the same answer, so that a replay agrees.
pub(super) fn made_up_call_id(upstream_id: Option<&str>, index: usize) -> String {
    let answer: String = upstream_id
        .unwrap_or_default()
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(40)
        .collect();
    format!("call_{answer}_{index}")
}

/// Whether the message stands there as the format has it, so that it may be passed on.
fn is_regular(said: &WireSaid<'_>) -> bool {
    said.is_plain()
        && said.tool_calls.iter().flatten().all(|call| {
            filled(&call.id).is_some()
                && call.function.as_ref().is_some_and(|function| {
                    filled(&function.name).is_some() && function.arguments_are_text()
                })
        })
}

fn read_citations(wire: &WireAnswer<'_>, choice: &WireChoice<'_>) -> Vec<Citation> {
    let annotations = choice.message.as_ref().and_then(|said| said.annotations);
    let cited = annotations.map(annotations_of).unwrap_or_default();
    if cited.is_empty() {
        sources_of(wire)
    } else {
        cited
    }
}

pub(super) fn annotations_of(raw: &RawValue) -> Vec<Citation> {
    let annotations: Vec<WireAnnotation<'_>> = serde_json::from_str(raw.get()).unwrap_or_default();
    annotations
        .into_iter()
        .filter_map(|annotation| annotation.url_citation)
        .filter_map(|citation| read_citation(&citation))
        .collect()
}

/// The sources that some hosts list beside the answer.
pub(super) fn sources_of(wire: &WireAnswer<'_>) -> Vec<Citation> {
    let results: Vec<WireCitation<'_>> = wire
        .search_results
        .and_then(|raw| serde_json::from_str(raw.get()).ok())
        .unwrap_or_default();
    let read: Vec<Citation> = results.iter().filter_map(read_citation).collect();
    if !read.is_empty() {
        return read;
    }
    let urls: Vec<Soft<'_>> = wire
        .citations
        .and_then(|raw| serde_json::from_str(raw.get()).ok())
        .unwrap_or_default();
    urls.iter()
        .filter_map(Soft::filled)
        .map(|url| Citation {
            url: url.to_owned(),
            title: None,
            content: None,
            start_index: None,
            end_index: None,
        })
        .collect()
}

fn read_citation(wire: &WireCitation<'_>) -> Option<Citation> {
    let index = |count: Option<Count>| count.and_then(|count| count.0);
    Some(Citation {
        url: filled(&wire.url)?.to_owned(),
        title: filled(&wire.title).map(str::to_owned),
        content: filled(&wire.content).map(Into::into),
        start_index: index(wire.start_index),
        end_index: index(wire.end_index),
    })
}
