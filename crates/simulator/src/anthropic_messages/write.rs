//! Writes Messages answers, whole and streamed.

use serde_json::{Value, json};

use super::signature;
use crate::{
    answer::{Finish, Reply, Usage},
    asked::Refusal,
    script::{Event, EventKind, Script},
};

pub(crate) fn whole(reply: &Reply) -> Script {
    let mut content = Vec::new();
    if !reply.reasoning.is_empty() {
        let thought = reply.reasoning.concat();
        let signature = signature(&thought);
        content.push(json!({ "type": "thinking", "thinking": thought, "signature": signature }));
    }
    if !reply.text.is_empty() {
        content.push(json!({ "type": "text", "text": reply.text.concat() }));
    }
    for (index, call) in reply.calls.iter().enumerate() {
        // Arguments cut by the length limit are no JSON; what cannot be parsed is left out.
        let input: Value =
            serde_json::from_str(&call.arguments.concat()).unwrap_or_else(|_| json!({}));
        let id = call_id(reply, index);
        content.push(json!({ "type": "tool_use", "id": id, "name": call.name, "input": input }));
    }
    let (reason, sequence) = stop(&reply.finish);
    let mut body = message(reply, content);
    body["stop_reason"] = json!(reason);
    body["stop_sequence"] = json!(sequence);
    if let Some(usage) = &reply.usage {
        body["usage"] = usage_object(usage, usage.output);
    }
    Script::json(200, body.to_string()).header("request-id", request_id(reply))
}

pub(crate) fn stream(reply: &Reply) -> Script {
    let mut writer = Writer {
        events: Vec::with_capacity(reply.text.len() + 12),
        blocks: 0,
    };
    let mut start = message(reply, Vec::new());
    if let Some(usage) = &reply.usage {
        start["usage"] = usage_object(usage, 1);
    }
    writer.event(
        EventKind::Start,
        &json!({ "type": "message_start", "message": start }),
    );
    if !reply.reasoning.is_empty() {
        writer.open(&json!({ "type": "thinking", "thinking": "", "signature": "" }));
        for token in &reply.reasoning {
            writer.delta(&json!({ "type": "thinking_delta", "thinking": token }));
        }
        let signature = signature(&reply.reasoning.concat());
        writer.delta(&json!({ "type": "signature_delta", "signature": signature }));
        writer.close();
    }
    if !reply.text.is_empty() {
        writer.open(&json!({ "type": "text", "text": "" }));
        for token in &reply.text {
            writer.delta(&json!({ "type": "text_delta", "text": token }));
        }
        writer.close();
    }
    for (index, call) in reply.calls.iter().enumerate() {
        let id = call_id(reply, index);
        writer.open(&json!({ "type": "tool_use", "id": id, "name": call.name, "input": {} }));
        writer.delta(&json!({ "type": "input_json_delta", "partial_json": "" }));
        for piece in &call.arguments {
            writer.delta(&json!({ "type": "input_json_delta", "partial_json": piece }));
        }
        writer.close();
    }
    let (reason, sequence) = stop(&reply.finish);
    let mut finish = json!({
        "type": "message_delta",
        "delta": { "stop_reason": reason, "stop_sequence": sequence },
    });
    if let Some(usage) = &reply.usage {
        finish["usage"] = usage_object(usage, usage.output);
    }
    writer.event(EventKind::Finish, &finish);
    writer.event(EventKind::EndMark, &json!({ "type": "message_stop" }));
    Script::stream(writer.events).header("request-id", request_id(reply))
}

pub(crate) fn error(refusal: &Refusal) -> Value {
    let usual = match refusal.status {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        504 => "timeout_error",
        503 | 529 => "overloaded_error",
        400..500 => "invalid_request_error",
        _ => "api_error",
    };
    json!({
        "type": "error",
        "error": { "type": refusal.kind.as_deref().unwrap_or(usual), "message": refusal.message },
        "request_id": null,
    })
}

pub(crate) fn models(models: &[String]) -> Script {
    let data: Vec<Value> = models
        .iter()
        .map(|id| {
            json!({ "type": "model", "id": id, "display_name": id, "created_at": "2026-01-01T00:00:00Z" })
        })
        .collect();
    let body = json!({
        "data": data,
        "has_more": false,
        "first_id": models.first(),
        "last_id": models.last(),
    });
    Script::json(200, body.to_string())
}

/// Writes events with blocks strictly one after another.
struct Writer {
    events: Vec<Event>,
    blocks: usize,
}

impl Writer {
    fn event(&mut self, kind: EventKind, data: &Value) {
        let name = data["type"].as_str().unwrap_or_default();
        let bytes = format!("event: {name}\ndata: {data}\n\n").into();
        self.events.push(Event { kind, bytes });
    }

    fn open(&mut self, block: &Value) {
        let index = self.blocks;
        let data = json!({ "type": "content_block_start", "index": index, "content_block": block });
        self.event(EventKind::Content, &data);
        if index == 0 {
            self.event(EventKind::Content, &json!({ "type": "ping" }));
        }
    }

    fn delta(&mut self, delta: &Value) {
        let data = json!({ "type": "content_block_delta", "index": self.blocks, "delta": delta });
        self.event(EventKind::Content, &data);
    }

    fn close(&mut self) {
        self.event(
            EventKind::Content,
            &json!({ "type": "content_block_stop", "index": self.blocks }),
        );
        self.blocks += 1;
    }
}

fn message(reply: &Reply, content: Vec<Value>) -> Value {
    json!({
        "id": format!("msg_sim{:012}", reply.number),
        "type": "message",
        "role": "assistant",
        "model": reply.model,
        "content": content,
        "stop_reason": null,
        "stop_sequence": null,
    })
}

/// Anthropic's input count leaves out what the cache served or took.
fn usage_object(usage: &Usage, output: u64) -> Value {
    let uncached = usage
        .input
        .saturating_sub(usage.cache_read + usage.cache_write);
    let mut object = json!({
        "input_tokens": uncached,
        "cache_creation_input_tokens": usage.cache_write,
        "cache_read_input_tokens": usage.cache_read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write - usage.cache_write_for_an_hour,
            "ephemeral_1h_input_tokens": usage.cache_write_for_an_hour,
        },
        "output_tokens": output,
        "service_tier": "standard",
    });
    if usage.reasoning > 0 {
        object["output_tokens_details"] = json!({ "thinking_tokens": usage.reasoning });
    }
    object
}

fn stop(finish: &Finish) -> (&str, Option<&str>) {
    match finish {
        Finish::Stop => ("end_turn", None),
        Finish::StopSequence(sequence) => ("stop_sequence", Some(sequence)),
        Finish::Length => ("max_tokens", None),
        Finish::ToolCalls => ("tool_use", None),
        Finish::Verbatim(reason) => (reason, None),
    }
}

fn call_id(reply: &Reply, index: usize) -> String {
    format!("toolu_sim{:012}x{index}", reply.number)
}

fn request_id(reply: &Reply) -> String {
    format!("req_sim{:012}", reply.number)
}
