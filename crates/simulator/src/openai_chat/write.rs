//! Writes Chat Completions answers, whole and streamed.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::{
    answer::{Finish, Reply, Usage},
    asked::Refusal,
    script::{Event, EventKind, Script},
};

const FINGERPRINT: &str = "fp_simulated";

pub(crate) fn whole(reply: &Reply) -> Script {
    let calls: Vec<Value> = reply
        .calls
        .iter()
        .enumerate()
        .map(|(index, call)| {
            json!({
                "id": call_id(reply, index),
                "type": "function",
                "function": { "name": call.name, "arguments": call.arguments.concat() },
            })
        })
        .collect();
    let content = if calls.is_empty() {
        json!(reply.text.concat())
    } else {
        Value::Null
    };
    let mut message = json!({ "role": "assistant", "content": content, "refusal": null });
    if !calls.is_empty() {
        message["tool_calls"] = Value::Array(calls);
    }
    if !reply.reasoning.is_empty() {
        message["reasoning_content"] = json!(reply.reasoning.concat());
    }
    let mut body = json!({
        "id": id(reply),
        "object": "chat.completion",
        "created": reply.created_seconds,
        "model": reply.model,
        "choices": [{
            "index": 0,
            "message": message,
            "logprobs": null,
            "finish_reason": finish_reason(&reply.finish),
        }],
        "system_fingerprint": FINGERPRINT,
    });
    if let Some(usage) = &reply.usage {
        body["usage"] = usage_object(usage);
    }
    Script::json(200, body.to_string()).header("x-request-id", request_id(reply))
}

pub(crate) fn stream(reply: &Reply, include_usage: bool) -> Script {
    let chunks = Chunks::new(reply, include_usage);
    let mut events = Vec::with_capacity(reply.text.len() + 8);
    let first = json!({ "role": "assistant", "content": "", "refusal": null });
    events.push(chunks.delta(EventKind::Start, &first.to_string(), None));
    for token in &reply.reasoning {
        let delta = format!("{{\"reasoning_content\":{}}}", quoted(token));
        events.push(chunks.delta(EventKind::Content, &delta, None));
    }
    for token in &reply.text {
        let delta = format!("{{\"content\":{}}}", quoted(token));
        events.push(chunks.delta(EventKind::Content, &delta, None));
    }
    for (index, call) in reply.calls.iter().enumerate() {
        let opening = json!({ "tool_calls": [{
            "index": index,
            "id": call_id(reply, index),
            "type": "function",
            "function": { "name": call.name, "arguments": "" },
        }]});
        events.push(chunks.delta(EventKind::Content, &opening.to_string(), None));
        for piece in &call.arguments {
            let piece =
                json!({ "tool_calls": [{ "index": index, "function": { "arguments": piece } }] });
            events.push(chunks.delta(EventKind::Content, &piece.to_string(), None));
        }
    }
    events.push(chunks.delta(EventKind::Finish, "{}", Some(finish_reason(&reply.finish))));
    if let Some(usage) = reply.usage.as_ref().filter(|_| include_usage) {
        events.push(chunks.usage(usage));
    }
    let end_mark = Bytes::from_static(b"data: [DONE]\n\n");
    events.push(Event {
        kind: EventKind::EndMark,
        bytes: end_mark,
    });
    Script::stream(events).header("x-request-id", request_id(reply))
}

pub(crate) fn error(refusal: &Refusal) -> Value {
    let usual = match refusal.status {
        429 => "requests",
        400..500 => "invalid_request_error",
        _ => "server_error",
    };
    json!({ "error": {
        "message": refusal.message,
        "type": refusal.kind.as_deref().unwrap_or(usual),
        "param": refusal.param,
        "code": refusal.code,
    }})
}

pub(crate) fn models(models: &[String], created_seconds: i64) -> Script {
    let data: Vec<Value> = models
        .iter()
        .map(|id| json!({ "id": id, "object": "model", "created": created_seconds, "owned_by": "simulator" }))
        .collect();
    Script::json(200, json!({ "object": "list", "data": data }).to_string())
}

/// The parts that all chunks of a stream share, written once.
struct Chunks {
    before: String,
    usage_key: &'static str,
}

impl Chunks {
    fn new(reply: &Reply, include_usage: bool) -> Self {
        let before = format!(
            "data: {{\"id\":{},\"object\":\"chat.completion.chunk\",\"created\":{},\"model\":{},\
             \"system_fingerprint\":\"{FINGERPRINT}\",",
            quoted(&id(reply)),
            reply.created_seconds,
            quoted(&reply.model),
        );
        // With usage asked for, every chunk but the last says null.
        Self {
            before,
            usage_key: if include_usage { ",\"usage\":null" } else { "" },
        }
    }

    fn delta(&self, kind: EventKind, delta: &str, finish_reason: Option<&str>) -> Event {
        let finish_reason = finish_reason.map_or_else(|| "null".to_owned(), quoted);
        let Self { before, usage_key } = self;
        let chunk = format!(
            "{before}\"choices\":[{{\"index\":0,\"delta\":{delta},\"logprobs\":null,\
             \"finish_reason\":{finish_reason}}}]{usage_key}}}\n\n"
        );
        Event {
            kind,
            bytes: chunk.into(),
        }
    }

    fn usage(&self, usage: &Usage) -> Event {
        let chunk = format!(
            "{}\"choices\":[],\"usage\":{}}}\n\n",
            self.before,
            usage_object(usage)
        );
        Event {
            kind: EventKind::Usage,
            bytes: chunk.into(),
        }
    }
}

fn usage_object(usage: &Usage) -> Value {
    let mut object = json!({
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
        "prompt_tokens_details": { "cached_tokens": usage.cache_read, "audio_tokens": 0 },
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    });
    // Only models that charge for what their cache takes in report it.
    if usage.cache_write > 0 {
        object["prompt_tokens_details"]["cache_write_tokens"] = json!(usage.cache_write);
    }
    object
}

fn finish_reason(finish: &Finish) -> &str {
    match finish {
        Finish::Stop | Finish::StopSequence(_) => "stop",
        Finish::Length => "length",
        Finish::ToolCalls => "tool_calls",
        Finish::Verbatim(reason) => reason,
    }
}

fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

fn id(reply: &Reply) -> String {
    format!("chatcmpl-sim{:012}", reply.number)
}

fn call_id(reply: &Reply, index: usize) -> String {
    format!("call_sim{:012}x{index}", reply.number)
}

fn request_id(reply: &Reply) -> String {
    format!("req_sim{:012}", reply.number)
}
