//! Where cache marks go when the caller leaves them to the router, and how they are put into a
//! body that somebody else wrote.
//!
//! With `caching: "auto"` an endpoint that caches only what is marked gets two marks: one where
//! tools and instructions end, because they stay, and one where the caller's turn before the
//! newest ends. The second rolls along: what it writes in one turn the next turn reads. A prefix
//! that is too short for the provider to keep is not marked, and where the caller marked anything
//! nothing is added.

use serde_json::value::RawValue;
use switchyard_interchange::{
    message::{Message, Part, ReasoningContent, Role},
    preferences::Caching,
    request::ChatRequest,
    tool::Tool,
};

use crate::json::{RawObject, Text, wire_object};

/// The shortest prefix that is kept, in tokens, at a model whose minimum nobody stated.
pub const CACHED_TOKENS_MIN_UNKNOWN: u64 = 1_024;

/// Bytes of prose per token that an estimate assumes.
const BYTES_PER_TOKEN: u64 = 4;

/// The mark, as both wire formats write it.
const MARK: &str = r#""cache_control":{"type":"ephemeral"}"#;

/// Where marks go in one request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Places {
    /// After the last tool; only where no instructions follow.
    pub(crate) after_tools: bool,
    /// After this message, the last of the instructions that open the conversation.
    pub(crate) instructions: Option<usize>,
    /// After this message, the end of the caller's turn before the newest.
    pub(crate) turn: Option<usize>,
    /// After this message, the last: the caller asked for the whole prompt to be kept, in a form
    /// that the endpoint does not know.
    pub(crate) end: Option<usize>,
}

impl Places {
    /// The places in `request` at an endpoint that keeps marked prefixes of `tokens_min` tokens
    /// and more; `None` is one that needs no marks or takes none.
    pub(crate) fn of(request: &ChatRequest, tokens_min: Option<u64>) -> Self {
        let Some(tokens_min) = tokens_min else {
            return Self::default();
        };
        if request.provider.caching != Caching::Auto || request.has_cache_marks() {
            return Self::default();
        }
        let is_worth = |bytes: u64| bytes / BYTES_PER_TOKEN >= tokens_min;
        let opening = request
            .messages
            .iter()
            .take_while(|message| instructs(message))
            .count();
        let fixed = request.tools.iter().map(bytes_of_tool).sum::<u64>()
            + bytes_of(&request.messages[..opening]);
        let mut places = Self::default();
        if is_worth(fixed) {
            places.instructions = opening.checked_sub(1);
            places.after_tools = opening == 0;
        }
        let turn = turn_before_newest(request.messages.iter().map(|message| message.role));
        places.turn =
            turn.filter(|turn| is_worth(fixed + bytes_of(&request.messages[opening..=*turn])));
        places
    }

    /// Whether a mark goes after the message at `index`.
    pub(crate) fn ends_at(&self, index: usize) -> bool {
        [self.instructions, self.turn, self.end].contains(&Some(index))
    }

    /// Whether any message gets a mark.
    pub(crate) fn in_messages(&self) -> bool {
        self.instructions.is_some() || self.turn.is_some() || self.end.is_some()
    }
}

/// The last message of the caller's before the model last spoke.
pub(crate) fn turn_before_newest(
    roles: impl DoubleEndedIterator<Item = Role> + ExactSizeIterator,
) -> Option<usize> {
    let is_callers = |role: Role| matches!(role, Role::User | Role::Tool);
    let mut backwards = roles.enumerate().rev();
    backwards.find(|(_, role)| is_callers(*role))?;
    backwards.find(|(_, role)| *role == Role::Assistant)?;
    let (index, _) = backwards.find(|(_, role)| is_callers(*role))?;
    Some(index)
}

fn instructs(message: &Message) -> bool {
    matches!(message.role, Role::System | Role::Developer)
}

fn bytes_of_tool(tool: &Tool) -> u64 {
    let schema = tool.parameters.as_ref().map_or(0, |json| json.get().len());
    let description = tool.description.as_ref().map_or(0, String::len);
    (tool.name.len() + description + schema) as u64
}

fn bytes_of(messages: &[Message]) -> u64 {
    messages
        .iter()
        .flat_map(|message| &message.parts)
        .map(bytes_of_part)
        .sum()
}

/// Media count nothing: their bytes say little of their tokens, and a mark too few costs less than
/// one that buys nothing.
fn bytes_of_part(part: &Part) -> u64 {
    match part {
        Part::Text { text, .. } | Part::Refusal { text } => text.expose().len() as u64,
        Part::ToolCall(call) => (call.name.len() + call.arguments.expose().len()) as u64,
        Part::ToolResult(result) => result.content.iter().map(bytes_of_part).sum(),
        Part::Reasoning(reasoning) => match &reasoning.content {
            ReasoningContent::Text { text, .. } | ReasoningContent::Summary { text } => {
                text.expose().len() as u64
            }
            ReasoningContent::Encrypted { .. } => 0,
        },
        Part::Image { .. } | Part::File { .. } | Part::Audio { .. } | Part::Video { .. } => 0,
    }
}

/// Copies a message, its content marked at the end.
pub(crate) fn write_marked_message(out: &mut Vec<u8>, message: &RawValue) {
    let Ok(members) = serde_json::from_str::<RawObject<'_>>(message.get()) else {
        out.extend_from_slice(message.get().as_bytes());
        return;
    };
    out.push(b'{');
    for (index, (key, value)) in members.0.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        serde_json::to_writer(&mut *out, &**key).expect("writing to memory succeeds");
        out.push(b':');
        if &**key == "content" {
            write_marked_content(out, value);
        } else {
            out.extend_from_slice(value.get().as_bytes());
        }
    }
    out.push(b'}');
}

/// Copies a content, a text or a list of blocks, with a mark on its end. One that ends in nothing
/// that can be marked stays as it is.
pub(crate) fn write_marked_content(out: &mut Vec<u8>, content: &RawValue) {
    let raw = content.get();
    if let Ok(text) = serde_json::from_str::<Text<'_>>(raw) {
        if text.trim().is_empty() {
            out.extend_from_slice(raw.as_bytes());
        } else {
            out.extend_from_slice(br#"[{"type":"text","text":"#);
            out.extend_from_slice(raw.as_bytes());
            out.push(b',');
            out.extend_from_slice(MARK.as_bytes());
            out.extend_from_slice(b"}]");
        }
        return;
    }
    write_marked_list(out, content);
}

/// Copies a list of objects, the last one marked.
pub(crate) fn write_marked_list(out: &mut Vec<u8>, list: &RawValue) {
    let items: Vec<&RawValue> = serde_json::from_str(list.get()).unwrap_or_default();
    let Some((last, others)) = items.split_last().filter(|(last, _)| takes_mark(last)) else {
        out.extend_from_slice(list.get().as_bytes());
        return;
    };
    out.push(b'[');
    for item in others {
        out.extend_from_slice(item.get().as_bytes());
        out.push(b',');
    }
    let open = last.get().strip_suffix('}').unwrap_or_default().trim_end();
    out.extend_from_slice(open.as_bytes());
    if !open.ends_with('{') {
        out.push(b',');
    }
    out.extend_from_slice(MARK.as_bytes());
    out.extend_from_slice(b"}]");
}

wire_object! {
    lenient struct Block<'a> {
        "type" => kind: Text<'a>,
        "text" => text: Text<'a>,
    }
}

/// Providers refuse marks on empty text and on thinking.
fn takes_mark(item: &RawValue) -> bool {
    let Ok(block) = serde_json::from_str::<Block<'_>>(item.get()) else {
        return false;
    };
    match block.kind.as_deref() {
        Some("text") => block.text.is_some_and(|text| !text.trim().is_empty()),
        Some("thinking" | "redacted_thinking") => false,
        Some(_) | None => true,
    }
}

#[cfg(test)]
mod tests;
