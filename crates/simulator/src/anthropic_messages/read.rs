//! Reads a Messages request as strictly as Anthropic does where routers get it wrong.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::signature;
use crate::{
    asked::{Asked, Format, OfferedTool, Refusal, ToolChoice, ToolResult},
    prompt_cache::Lifetime,
};

const IMAGE_TOKENS: u64 = 1_200;
const FILE_TOKENS: u64 = 2_000;
const MARKS_MAX: usize = 4;

pub(crate) fn read(body: &Value) -> Result<Asked, Refusal> {
    let model = body
        .get("model")
        .and_then(Value::as_str)
        .filter(|model| !model.is_empty());
    let max_tokens = required(body.get("max_tokens"), "max_tokens")?
        .as_u64()
        .filter(|limit| *limit > 0)
        .ok_or_else(|| Refusal::bad_request("max_tokens: must be a positive integer"))?;
    let mut asked = Asked {
        model: model.ok_or_else(|| missing("model"))?.to_owned(),
        stream: body.get("stream").and_then(Value::as_bool).unwrap_or(false),
        include_usage: true,
        max_tokens: Some(max_tokens),
        stop: texts(body.get("stop_sequences")),
        tool_choice: tool_choice(body)?,
        format: format(body),
        reasoning: reasoning(body, max_tokens)?,
        ..Asked::default()
    };
    let mut reader = Reader {
        asked: &mut asked,
        marks: 0,
        short_marks: 0,
    };
    reader.tools(body)?;
    reader.system(body)?;
    reader.messages(body)?;
    if let Some(lifetime) = mark(body) {
        asked.prompt.mark_end(lifetime);
    }
    Ok(asked)
}

fn missing(field: &str) -> Refusal {
    Refusal::bad_request(format!("{field}: Field required"))
}

fn required<'a>(value: Option<&'a Value>, field: &str) -> Result<&'a Value, Refusal> {
    value
        .filter(|value| !value.is_null())
        .ok_or_else(|| missing(field))
}

fn texts(value: Option<&Value>) -> Vec<String> {
    let values = value.and_then(Value::as_array).into_iter().flatten();
    values
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

fn tool_choice(body: &Value) -> Result<ToolChoice, Refusal> {
    let Some(choice) = body.get("tool_choice").filter(|choice| !choice.is_null()) else {
        return Ok(ToolChoice::Auto);
    };
    let name = choice.get("name").and_then(Value::as_str);
    match (choice.get("type").and_then(Value::as_str), name) {
        (Some("auto"), _) => Ok(ToolChoice::Auto),
        (Some("none"), _) => Ok(ToolChoice::None),
        (Some("any"), _) => Ok(ToolChoice::Any),
        (Some("tool"), Some(name)) => Ok(ToolChoice::Named(name.to_owned())),
        _ => Err(Refusal::bad_request("tool_choice: not a known choice")),
    }
}

fn format(body: &Value) -> Format {
    match body.pointer("/output_config/format/schema") {
        Some(schema) => Format::Schema(schema.clone()),
        None => Format::Text,
    }
}

fn reasoning(body: &Value, max_tokens: u64) -> Result<bool, Refusal> {
    match body.pointer("/thinking/type").and_then(Value::as_str) {
        Some("enabled") => {
            let budget = body
                .pointer("/thinking/budget_tokens")
                .and_then(Value::as_u64);
            let budget = budget.ok_or_else(|| missing("thinking.enabled.budget_tokens"))?;
            if budget < 1_024 {
                return Err(Refusal::bad_request(
                    "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
                ));
            }
            if budget >= max_tokens {
                return Err(Refusal::bad_request(
                    "`max_tokens` must be greater than `thinking.budget_tokens`.",
                ));
            }
            Ok(true)
        }
        Some("adaptive") => Ok(true),
        _ => Ok(false),
    }
}

fn mark(block: &Value) -> Option<Lifetime> {
    let control = block
        .get("cache_control")
        .filter(|control| control.is_object())?;
    Some(match control.get("ttl").and_then(Value::as_str) {
        Some("1h") => Lifetime::OneHour,
        _ => Lifetime::FiveMinutes,
    })
}

/// The block without its mark, so that moving a mark does not change the prefix.
fn unmarked(block: &Value) -> Vec<u8> {
    let mut block = block.clone();
    if let Some(fields) = block.as_object_mut() {
        fields.remove("cache_control");
    }
    block.to_string().into_bytes()
}

struct Reader<'a> {
    asked: &'a mut Asked,
    marks: usize,
    /// Those among them that ask for five minutes.
    short_marks: usize,
}

impl Reader<'_> {
    fn tools(&mut self, body: &Value) -> Result<(), Refusal> {
        let tools = body
            .get("tools")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        for (index, tool) in tools.enumerate() {
            let name = required(tool.get("name"), &format!("tools.{index}.name"))?;
            let name = name.as_str().unwrap_or_default().to_owned();
            // Hosted tools have a type and no schema.
            let hosted = tool
                .get("type")
                .and_then(Value::as_str)
                .is_some_and(|kind| kind != "custom");
            let schema = tool.get("input_schema").cloned().unwrap_or_default();
            if !hosted && schema.get("type").and_then(Value::as_str) != Some("object") {
                return Err(Refusal::bad_request(format!(
                    "tools.{index}.custom.input_schema.type: Input should be 'object'"
                )));
            }
            let mark = self.mark(tool)?;
            self.asked.prompt.push("tool", &unmarked(tool), mark);
            self.asked.tools.push(OfferedTool { name, schema });
        }
        Ok(())
    }

    fn system(&mut self, body: &Value) -> Result<(), Refusal> {
        match body.get("system") {
            Some(Value::String(text)) => self.asked.prompt.push("system", text.as_bytes(), None),
            Some(Value::Array(blocks)) => {
                for (index, block) in blocks.iter().enumerate() {
                    self.text("system", block, &format!("system.{index}"))?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn messages(&mut self, body: &Value) -> Result<(), Refusal> {
        let messages = required(body.get("messages"), "messages")?;
        let messages = messages.as_array().filter(|messages| !messages.is_empty());
        let messages = messages
            .ok_or_else(|| Refusal::bad_request("messages: at least one message is required"))?;
        let mut names = HashMap::new();
        let mut open: HashSet<String> = HashSet::new();
        for (index, message) in messages.iter().enumerate() {
            let path = format!("messages.{index}");
            let role = message
                .get("role")
                .and_then(Value::as_str)
                .unwrap_or_default();
            if !["user", "assistant"].contains(&role) {
                return Err(Refusal::bad_request(format!(
                    "{path}.role: Input should be 'user' or 'assistant'"
                )));
            }
            let content = required(message.get("content"), &format!("{path}.content"))?;
            self.check_answered(&mut open, content, &path)?;
            self.asked.tool_results.clear();
            let mut texts = Vec::new();
            match content {
                Value::String(text) => {
                    if text.trim().is_empty() {
                        return Err(empty_text(&path));
                    }
                    self.asked.prompt.push(role, text.as_bytes(), None);
                    texts.push(text.as_str());
                }
                Value::Array(blocks) => {
                    for (place, block) in blocks.iter().enumerate() {
                        let path = format!("{path}.content.{place}");
                        self.block(role, block, &path, &mut names, &mut open)?;
                        texts.extend(block.get("text").and_then(Value::as_str));
                    }
                }
                _ => {
                    return Err(Refusal::bad_request(format!(
                        "{path}.content: Input should be a valid list"
                    )));
                }
            }
            if role == "user" && !texts.is_empty() {
                self.asked.last_user_text = texts.join("\n");
            }
        }
        self.check_answered(&mut open, &Value::Null, "messages")
    }

    /// Every tool use must be answered at the head of the very next message.
    fn check_answered(
        &self,
        open: &mut HashSet<String>,
        next: &Value,
        path: &str,
    ) -> Result<(), Refusal> {
        let results = next
            .as_array()
            .into_iter()
            .flatten()
            .take_while(|block| is(block, "tool_result"));
        for id in results.filter_map(|block| block.get("tool_use_id")?.as_str()) {
            open.remove(id);
        }
        if open.is_empty() {
            return Ok(());
        }
        Err(Refusal::bad_request(format!(
            "{path}: `tool_use` ids were found without `tool_result` blocks immediately after"
        )))
    }

    fn block(
        &mut self,
        role: &str,
        block: &Value,
        path: &str,
        names: &mut HashMap<String, String>,
        open: &mut HashSet<String>,
    ) -> Result<(), Refusal> {
        let id = |key: &str| {
            block
                .get(key)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        match block
            .get("type")
            .and_then(Value::as_str)
            .unwrap_or_default()
        {
            "text" => self.text(role, block, path),
            "image" => {
                self.asked.images += 1;
                self.attach(block, "image", IMAGE_TOKENS)
            }
            "document" => {
                self.asked.files += 1;
                self.attach(block, "document", FILE_TOKENS)
            }
            "thinking" => {
                let text = block
                    .get("thinking")
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                if id("signature") != signature(text) {
                    return Err(Refusal::bad_request(format!(
                        "{path}: Invalid `signature` in `thinking` block"
                    )));
                }
                self.push(role, block)
            }
            "tool_use" => {
                if !open.insert(id("id")) || names.insert(id("id"), id("name")).is_some() {
                    return Err(Refusal::bad_request(format!(
                        "{path}: `tool_use` ids must be unique"
                    )));
                }
                self.push(role, block)
            }
            "tool_result" => {
                let Some(name) = names.get(&id("tool_use_id")).cloned() else {
                    return Err(Refusal::bad_request(format!(
                        "{path}: unexpected `tool_use_id` found in `tool_result` blocks"
                    )));
                };
                self.asked.tool_results.push(ToolResult {
                    name,
                    text: result_text(block),
                });
                self.push(role, block)
            }
            _ => self.push(role, block),
        }
    }

    fn text(&mut self, role: &str, block: &Value, path: &str) -> Result<(), Refusal> {
        let text = block
            .get("text")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if text.trim().is_empty() {
            return Err(empty_text(path));
        }
        let mark = self.mark(block)?;
        self.asked.prompt.push(role, text.as_bytes(), mark);
        Ok(())
    }

    fn push(&mut self, role: &str, block: &Value) -> Result<(), Refusal> {
        let mark = self.mark(block)?;
        self.asked.prompt.push(role, &unmarked(block), mark);
        Ok(())
    }

    fn attach(&mut self, block: &Value, kind: &str, tokens: u64) -> Result<(), Refusal> {
        let mark = self.mark(block)?;
        self.asked
            .prompt
            .attach(kind, &unmarked(block), tokens, mark);
        Ok(())
    }

    fn mark(&mut self, block: &Value) -> Result<Option<Lifetime>, Refusal> {
        let mark = mark(block);
        self.marks += usize::from(mark.is_some());
        if self.marks > MARKS_MAX {
            return Err(Refusal::bad_request(format!(
                "A maximum of {MARKS_MAX} blocks with cache_control may be provided."
            )));
        }
        match mark {
            Some(Lifetime::OneHour) if self.short_marks > 0 => {
                return Err(Refusal::bad_request(
                    "a ttl='1h' cache_control block must not come after a ttl='5m' cache_control \
                     block.",
                ));
            }
            Some(Lifetime::FiveMinutes) => self.short_marks += 1,
            Some(Lifetime::OneHour) | None => {}
        }
        Ok(mark)
    }
}

fn is(block: &Value, kind: &str) -> bool {
    block.get("type").and_then(Value::as_str) == Some(kind)
}

fn empty_text(path: &str) -> Refusal {
    Refusal::bad_request(format!("{path}: text content blocks must be non-empty"))
}

fn result_text(block: &Value) -> String {
    match block.get("content") {
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
