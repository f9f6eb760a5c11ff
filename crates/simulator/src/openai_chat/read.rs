//! Reads a Chat Completions request as strictly as OpenAI does where routers get it wrong.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::{
    asked::{Asked, Format, OfferedTool, Refusal, ToolChoice, ToolResult},
    prompt_cache::Lifetime,
};

const IMAGE_TOKENS: u64 = 765;
const FILE_TOKENS: u64 = 1_500;
const ROLES: [&str; 6] = [
    "system",
    "developer",
    "user",
    "assistant",
    "tool",
    "function",
];

pub(crate) fn read(body: &Value) -> Result<Asked, Refusal> {
    let model = body
        .get("model")
        .and_then(Value::as_str)
        .filter(|model| !model.is_empty());
    let model = model.ok_or_else(|| {
        Refusal::bad_request("you must provide a model parameter").with_param("model")
    })?;
    let stream = body.get("stream").and_then(Value::as_bool).unwrap_or(false);
    let stream_options = body
        .get("stream_options")
        .filter(|options| !options.is_null());
    if stream_options.is_some() && !stream {
        return Err(Refusal::bad_request(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
        )
        .with_param("stream_options"));
    }
    let mut asked = Asked {
        model: model.to_owned(),
        stream,
        include_usage: stream_options
            .and_then(|options| options.get("include_usage"))
            .and_then(Value::as_bool)
            .unwrap_or(false),
        max_tokens: limit(body)?,
        stop: stop(body),
        tools: tools(body)?,
        tool_choice: tool_choice(body)?,
        format: format(body),
        reasoning: reasoning(body),
        ..Asked::default()
    };
    for tool in body
        .get("tools")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        asked.prompt.push("tool", &unmarked(tool), mark(tool));
    }
    messages(body, &mut asked)?;
    if let Some(lifetime) = mark(body) {
        asked.prompt.mark_end(lifetime);
    }
    Ok(asked)
}

/// A cache mark, in Anthropic's spelling that many hosts share, or in OpenAI's own. Where caching
/// is automatic it means nothing.
fn mark(part: &Value) -> Option<Lifetime> {
    if let Some(control) = part.get("cache_control").filter(|mark| mark.is_object()) {
        return Some(match control.get("ttl").and_then(Value::as_str) {
            Some("1h") => Lifetime::OneHour,
            _ => Lifetime::FiveMinutes,
        });
    }
    let breakpoint = part.get("prompt_cache_breakpoint");
    breakpoint
        .filter(|mark| mark.is_object() || **mark == Value::Bool(true))
        .map(|_| Lifetime::FiveMinutes)
}

/// The part without its mark, so that moving a mark does not change the prefix.
fn unmarked(part: &Value) -> Vec<u8> {
    let mut part = part.clone();
    if let Some(fields) = part.as_object_mut() {
        fields.remove("cache_control");
        fields.remove("prompt_cache_breakpoint");
    }
    part.to_string().into_bytes()
}

fn limit(body: &Value) -> Result<Option<u64>, Refusal> {
    let given = ["max_completion_tokens", "max_tokens"]
        .iter()
        .find_map(|name| {
            body.get(*name)
                .filter(|value| !value.is_null())
                .map(|value| (name, value))
        });
    let Some((name, value)) = given else {
        return Ok(None);
    };
    match value.as_u64() {
        Some(limit) if limit > 0 => Ok(Some(limit)),
        _ => Err(
            Refusal::bad_request(format!("Invalid value for '{name}': must be at least 1."))
                .with_param(name),
        ),
    }
}

fn stop(body: &Value) -> Vec<String> {
    match body.get("stop") {
        Some(Value::String(stop)) => vec![stop.clone()],
        Some(Value::Array(stops)) => stops
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    }
}

fn tools(body: &Value) -> Result<Vec<OfferedTool>, Refusal> {
    let mut offered = Vec::new();
    for tool in body
        .get("tools")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let name = tool
            .pointer("/function/name")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let legal = (1..=64).contains(&name.len())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
        if !legal {
            return Err(Refusal::bad_request(
                "Invalid 'tools[].function.name': does not match '^[a-zA-Z0-9_-]{1,64}$'.",
            )
            .with_param("tools"));
        }
        let schema = tool
            .pointer("/function/parameters")
            .cloned()
            .unwrap_or_default();
        offered.push(OfferedTool {
            name: name.to_owned(),
            schema,
        });
    }
    Ok(offered)
}

fn tool_choice(body: &Value) -> Result<ToolChoice, Refusal> {
    let choice = match body.get("tool_choice") {
        None | Some(Value::Null) => return Ok(ToolChoice::Auto),
        Some(choice) => choice,
    };
    if body
        .get("tools")
        .and_then(Value::as_array)
        .is_none_or(Vec::is_empty)
    {
        return Err(Refusal::bad_request(
            "'tool_choice' is only allowed when 'tools' are specified.",
        )
        .with_param("tool_choice"));
    }
    let named = choice.pointer("/function/name").and_then(Value::as_str);
    match (choice.as_str(), named) {
        (Some("auto"), _) => Ok(ToolChoice::Auto),
        (Some("none"), _) => Ok(ToolChoice::None),
        (Some("required" | "any"), _) => Ok(ToolChoice::Any),
        (None, Some(name)) => Ok(ToolChoice::Named(name.to_owned())),
        _ => {
            Err(Refusal::bad_request("Invalid value for 'tool_choice'.").with_param("tool_choice"))
        }
    }
}

fn format(body: &Value) -> Format {
    match body
        .pointer("/response_format/type")
        .and_then(Value::as_str)
    {
        Some("json_object") => Format::Json,
        Some("json_schema") => Format::Schema(
            body.pointer("/response_format/json_schema/schema")
                .cloned()
                .unwrap_or_default(),
        ),
        _ => Format::Text,
    }
}

/// Any of the spellings by which OpenAI-compatible hosts are asked to reason.
fn reasoning(body: &Value) -> bool {
    let effort = body.get("reasoning_effort").and_then(Value::as_str);
    let object = body
        .get("reasoning")
        .filter(|reasoning| reasoning.is_object());
    let enabled = |reasoning: &Value| {
        reasoning.get("enabled").and_then(Value::as_bool) != Some(false)
            && reasoning.get("effort").and_then(Value::as_str) != Some("none")
    };
    effort.is_some_and(|effort| effort != "none")
        || object.is_some_and(enabled)
        || body.pointer("/thinking/type").and_then(Value::as_str) == Some("enabled")
        || body.get("enable_thinking").and_then(Value::as_bool) == Some(true)
}

fn messages(body: &Value, asked: &mut Asked) -> Result<(), Refusal> {
    let messages = body.get("messages").and_then(Value::as_array);
    let messages = messages
        .filter(|messages| !messages.is_empty())
        .ok_or_else(|| {
            Refusal::bad_request("Invalid 'messages': expected a non-empty array.")
                .with_param("messages")
        })?;
    let mut calls: HashMap<&str, &str> = HashMap::new();
    let mut open: HashSet<&str> = HashSet::new();
    for (index, message) in messages.iter().enumerate() {
        let role = message
            .get("role")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if !ROLES.contains(&role) {
            return Err(Refusal::bad_request(format!("Invalid value: '{role}'."))
                .with_param(&format!("messages[{index}].role")));
        }
        if role == "tool" {
            let id = message
                .get("tool_call_id")
                .and_then(Value::as_str)
                .unwrap_or_default();
            if !open.remove(id) {
                return Err(Refusal::bad_request(
                    "Invalid parameter: messages with role 'tool' must be a response to a \
                     preceeding message with 'tool_calls'.",
                )
                .with_param(&format!("messages[{index}].role")));
            }
            let name = calls.get(id).copied().unwrap_or_default().to_owned();
            asked.tool_results.push(ToolResult {
                name,
                text: plain_text(message),
            });
        } else {
            check_answered(&open, index)?;
            asked.tool_results.clear();
        }
        for call in message
            .get("tool_calls")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let id = call.get("id").and_then(Value::as_str).unwrap_or_default();
            let name = call
                .pointer("/function/name")
                .and_then(Value::as_str)
                .unwrap_or_default();
            asked.prompt.push("call", call.to_string().as_bytes(), None);
            calls.insert(id, name);
            open.insert(id);
        }
        if role == "user" {
            asked.last_user_text = plain_text(message);
        }
        content(role, message.get("content"), asked);
    }
    check_answered(&open, messages.len())
}

fn check_answered(open: &HashSet<&str>, index: usize) -> Result<(), Refusal> {
    if open.is_empty() {
        return Ok(());
    }
    Err(Refusal::bad_request(
        "An assistant message with 'tool_calls' must be followed by tool messages responding to \
         each 'tool_call_id'.",
    )
    .with_param(&format!("messages.[{index}].role")))
}

fn content(role: &str, content: Option<&Value>, asked: &mut Asked) {
    match content {
        Some(Value::String(text)) => asked.prompt.push(role, text.as_bytes(), None),
        Some(Value::Array(parts)) => {
            for part in parts {
                add_part(role, part, asked);
            }
        }
        _ => {}
    }
}

fn add_part(role: &str, part: &Value, asked: &mut Asked) {
    let mark = mark(part);
    match part.get("type").and_then(Value::as_str) {
        Some("text") => {
            let text = part.get("text").and_then(Value::as_str).unwrap_or_default();
            asked.prompt.push(role, text.as_bytes(), mark);
        }
        Some("image_url") => {
            asked.images += 1;
            asked
                .prompt
                .attach("image", &unmarked(part), IMAGE_TOKENS, mark);
        }
        _ => {
            asked.files += 1;
            asked
                .prompt
                .attach("file", &unmarked(part), FILE_TOKENS, mark);
        }
    }
}

fn plain_text(message: &Value) -> String {
    match message.get("content") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => {
            let texts: Vec<_> = parts
                .iter()
                .filter_map(|part| part.get("text")?.as_str())
                .collect();
            texts.join("\n")
        }
        _ => String::new(),
    }
}
