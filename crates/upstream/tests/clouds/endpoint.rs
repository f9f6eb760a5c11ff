//! Endpoints of clouds, requests to them, and what comes of those.

#[path = "../wire/endpoint.rs"]
mod listed;

use bytes::Bytes;
use serde_json::json;
use switchyard_dialects::{anthropic_messages, openai_chat};
use switchyard_domain::secret::Secret;
use switchyard_interchange::{
    event::{ChatEvent, Delta, StreamStep},
    failure::Failure,
    request::ChatRequest,
};
use switchyard_routing::vetted::Vetted;
use switchyard_upstream::{
    answer::Answer,
    call::{Call, Upstream},
    http::HttpUpstream,
};

use self::listed::Listed;

/// A cloud's endpoint: its family, its address in the catalogue, the model's id there, and the regions
/// that the row states.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) family: &'a str,
    pub(crate) base_url: &'a str,
    pub(crate) model: &'a str,
    pub(crate) regions: Option<&'a [&'a str]>,
    /// Whether the credential is a customer's own.
    pub(crate) is_own: bool,
}

impl Place<'_> {
    pub(crate) fn vetted(self) -> Vetted {
        Listed {
            fields: json!({"provider_model_id": self.model, "regions": self.regions}),
            is_own: self.is_own,
            ..Listed::new("cloud", self.family, self.base_url)
        }
        .vetted()
    }
}

/// A request as OpenAI's clients write them.
pub(crate) fn chat(stream: bool) -> ChatRequest {
    let body = json!({
        "model": "acme/model", "stream": stream, "max_tokens": 64,
        "messages": [{"role": "user", "content": "hello"}],
    });
    openai_chat::decode_request(Bytes::from(body.to_string())).expect("a request")
}

/// A request as Anthropic's clients write them.
pub(crate) fn message(stream: bool) -> ChatRequest {
    let body = json!({
        "model": "acme/model", "stream": stream, "max_tokens": 64,
        "cache_control": {"type": "ephemeral"}, "service_tier": "auto",
        "messages": [{"role": "user", "content": "hello"}],
    });
    anthropic_messages::decode_request(Bytes::from(body.to_string())).expect("a request")
}

/// Sends a request, and reads the answer to its end.
pub(crate) async fn send(
    upstream: &HttpUpstream,
    endpoint: &Vetted,
    credential: &str,
    request: &ChatRequest,
) -> Result<Told, Failure> {
    let credential = Secret::new(credential.as_bytes().to_vec());
    let call = Call {
        endpoint,
        credential: &credential,
        request,
        affinity: None,
        zero_retention: false,
    };
    match upstream.send(call).await?.answer {
        Answer::Complete(_) => Ok(Told::Complete),
        Answer::Stream(mut answer) => {
            let mut steps = Vec::new();
            let over = loop {
                match answer.read(&mut steps).await {
                    Ok(true) => {}
                    Ok(false) => break Ok(()),
                    Err(failure) => break Err(failure),
                }
            };
            Ok(Told::Stream(steps, over))
        }
    }
}

/// What an answer told.
pub(crate) enum Told {
    Complete,
    /// The steps, and how it ended.
    Stream(Vec<StreamStep>, Result<(), Failure>),
}

/// The text in a stream.
pub(crate) fn text_of(steps: &[StreamStep]) -> String {
    let events = steps.iter().flat_map(|step| &step.events);
    events
        .filter_map(|event| match event {
            ChatEvent::Delta {
                delta: Delta::Text(text),
                ..
            } => Some(text.expose().as_str()),
            _ => None,
        })
        .collect()
}
