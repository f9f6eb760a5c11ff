//! Loads recorded provider traffic, to be served again byte for byte.
//!
//! A recording is a JSON file with `fidelity` and `response {status, headers, body_text or
//! body_base64, chunk_lengths}`. Three of the four fidelities hold the body as it is to be sent.
//! `events-only` holds one payload per line, whose event-stream framing is put back here.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde::Deserialize;

use crate::behaviour::Replay;

/// A recording that cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// It is not shaped like a recording.
    #[error("the recording cannot be read")]
    Shape(#[from] serde_json::Error),
    /// Its body is not base64.
    #[error("the recording's body is not base64")]
    Base64(#[from] base64::DecodeError),
    /// It has no body.
    #[error("the recording has no body")]
    NoBody,
}

#[derive(Deserialize)]
struct Recording {
    fidelity: String,
    api: String,
    response: RecordedResponse,
}

#[derive(Deserialize)]
struct RecordedResponse {
    status: u16,
    #[serde(default)]
    headers: serde_json::Map<String, serde_json::Value>,
    body_text: Option<String>,
    body_base64: Option<String>,
    #[serde(default)]
    chunk_lengths: Option<Vec<usize>>,
}

/// Reads a recording.
pub fn from_recorded(json: &str) -> Result<Replay, RecordingError> {
    let Recording {
        fidelity,
        api,
        response,
    } = serde_json::from_str(json)?;
    let body = match (response.body_text, response.body_base64) {
        (Some(text), _) => Bytes::from(text),
        (None, Some(text)) => STANDARD.decode(text)?.into(),
        (None, None) => return Err(RecordingError::NoBody),
    };
    let mut headers: Vec<(String, String)> = response
        .headers
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.as_str()?.to_owned())))
        .collect();
    let events_only = fidelity == "events-only";
    if events_only && !headers.iter().any(|(name, _)| name == "content-type") {
        headers.push(("content-type".to_owned(), "text/event-stream".to_owned()));
    }
    Ok(Replay {
        status: response.status,
        headers,
        body: if events_only {
            framed(&body, &api)
        } else {
            body
        },
        chunk_lengths: response.chunk_lengths.unwrap_or_default(),
        chunk_delay_ms: 0,
    })
}

/// Puts back the framing: event names where the dialect has them, and the end mark.
fn framed(lines: &Bytes, api: &str) -> Bytes {
    let text = String::from_utf8_lossy(lines);
    let mut framed = String::with_capacity(text.len() * 2);
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let named = matches!(api, "messages" | "responses");
        let payload = serde_json::from_str::<serde_json::Value>(line).ok();
        let name = payload
            .as_ref()
            .and_then(|payload| payload.get("type")?.as_str());
        if let Some(name) = name.filter(|_| named) {
            framed.push_str(&format!("event: {name}\n"));
        }
        framed.push_str(&format!("data: {line}\n\n"));
    }
    if api == "chat.completions" {
        framed.push_str("data: [DONE]\n\n");
    }
    framed.into()
}
