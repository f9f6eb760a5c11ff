//! The one choice of an answer, written from its parts.

use switchyard_interchange::{
    event::Completion,
    message::{Part, Reasoning, ToolCall},
};

use super::write_annotations;
use crate::openai_chat::{
    encode_messages::{readable, write_reasoning_detail},
    write::{Array, Object},
};

pub(super) fn write_choice(object: &mut Object<'_>, completion: &Completion) {
    let mut choices = Array::start(object.key("choices"));
    let mut choice = choices.object();
    choice.integer("index", 0_u64);
    let mut message = Object::start(choice.key("message"));
    message.string("role", "assistant");
    write_content(&mut message, &completion.parts);
    write_reasoning(&mut message, &completion.parts, true);
    write_tool_calls(&mut message, &completion.parts);
    if !completion.citations.is_empty() {
        write_annotations(&mut message, &completion.citations);
    }
    message.end();
    choice.literal("logprobs", "null");
    write_finish(&mut choice, completion);
    choice.end();
    choices.end();
}

/// Both spellings of why the answer ended.
pub(super) fn write_finish(choice: &mut Object<'_>, completion: &Completion) {
    choice.string("finish_reason", completion.finish.reason.as_str());
    choice.string_or_null("native_finish_reason", completion.finish.native.as_deref());
}

/// The texts as one string; `null` beside calls or a refusal, because nothing was said then.
fn write_content(message: &mut Object<'_>, parts: &[Part]) {
    let spoke = parts.iter().any(|part| matches!(part, Part::Text { .. }));
    let acted = parts
        .iter()
        .any(|part| matches!(part, Part::ToolCall(_) | Part::Refusal { .. }));
    if spoke || !acted {
        let text: String = parts.iter().filter_map(text_of).collect();
        message.string("content", &text);
    } else {
        message.literal("content", "null");
    }
    let refusal = parts.iter().find_map(|part| match part {
        Part::Refusal { text } => Some(text.expose().as_str()),
        _ => None,
    });
    message.string_or_null("refusal", refusal);
}

fn text_of(part: &Part) -> Option<&str> {
    match part {
        Part::Text { text, .. } => Some(text.expose()),
        _ => None,
    }
}

/// The reasoning as one text, and as blocks that can be sent back.
pub(super) fn write_reasoning(message: &mut Object<'_>, parts: &[Part], with_blocks: bool) {
    let blocks: Vec<&Reasoning> = parts
        .iter()
        .filter_map(|part| match part {
            Part::Reasoning(block) => Some(block),
            _ => None,
        })
        .collect();
    let text: String = blocks.iter().filter_map(|block| readable(block)).collect();
    message.string_or_null(
        "reasoning",
        Some(text.as_str()).filter(|text| !text.is_empty()),
    );
    if blocks.is_empty() || !with_blocks {
        return;
    }
    let mut list = Array::start(message.key("reasoning_details"));
    for (index, block) in blocks.into_iter().enumerate() {
        write_reasoning_detail(list.item(), block, index);
    }
    list.end();
}

fn write_tool_calls(message: &mut Object<'_>, parts: &[Part]) {
    let mut calls = parts
        .iter()
        .filter_map(|part| match part {
            Part::ToolCall(call) => Some(call),
            _ => None,
        })
        .enumerate()
        .peekable();
    if calls.peek().is_none() {
        return;
    }
    let mut list = Array::start(message.key("tool_calls"));
    for (index, call) in calls {
        write_tool_call(list.object(), index, call);
    }
    list.end();
}

fn write_tool_call(mut object: Object<'_>, index: usize, call: &ToolCall) {
    object.integer("index", index);
    object.string("id", &call.id);
    object.string("type", "function");
    let mut function = Object::start(object.key("function"));
    function.string("name", &call.name);
    let arguments = call.arguments.expose();
    function.string(
        "arguments",
        if arguments.trim().is_empty() {
            "{}"
        } else {
            arguments
        },
    );
    function.end();
    object.end();
}
