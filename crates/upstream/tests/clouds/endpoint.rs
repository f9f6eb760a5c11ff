//! Endpoints as routing hands them over, and requests to them.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};
use switchyard_catalog::load::load_from_bytes;
use switchyard_dialects::{anthropic_messages, openai_chat};
use switchyard_domain::{clock::Clock, secret::Secret};
use switchyard_interchange::{
    event::{ChatEvent, Delta, StreamStep},
    failure::Failure,
    request::ChatRequest,
};
use switchyard_routing::{
    credentials::Credentials,
    health::HealthSnapshot,
    policy::Policy,
    select::{Situation, select},
    vetted::Vetted,
};
use switchyard_upstream::{
    answer::Answer,
    call::{Call, Upstream},
    http::HttpUpstream,
};

use crate::fake::Noon;

/// An endpoint of a cloud, as its row and its provider's have it in the shipped catalogue.
pub(crate) fn endpoint(
    family: &str,
    base_url: &str,
    model: &str,
    regions: Option<&[&str]>,
) -> Vetted {
    let bytes = |value: Value| serde_json::to_vec(&value).expect("JSON");
    let parameters = json!(["max_tokens", "temperature", "tools", "tool_choice"]);
    let (slug, day) = ("cloud", "2026-11-22");
    let row = json!({
        "id": "acme/model|cloud", "model_id": "acme/model", "provider": slug,
        "provider_model_id": model, "tag": slug, "variant": "standard",
        "service_tier": "default", "quantization": null, "context_length": 100_000,
        "max_completion_tokens": 4_096, "max_prompt_tokens": null,
        "pricing": {"prompt": "0.000001", "completion": "0.000002", "request": null,
            "image": null, "input_cache_read": null, "input_cache_write": null,
            "internal_reasoning": null, "web_search": null},
        "supported_parameters": parameters, "supports_implicit_caching": null,
        "regions": regions, "status": 0, "deranked": false, "zdr": true,
    });
    let catalog = load_from_bytes(
        &bytes(json!({"generated": day, "count": 1, "providers": [{
            "slug": slug, "name": "Cloud", "api_family": family, "base_url": base_url,
            "data_policy": {"trains_on_data": false, "retains_prompts": false},
        }]})),
        &bytes(json!({"generated": day, "count": 1, "models": [{
            "id": "acme/model", "canonical_slug": "acme/model", "name": "Model", "author": "acme",
            "created": 1_700_000_000, "context_length": 100_000, "max_completion_tokens": 4_096,
            "architecture": {"modality": "text->text", "input_modalities": ["text"],
                "output_modalities": ["text"], "tokenizer": "Other"},
            "type": "chat", "supported_parameters": parameters, "default_parameters": null,
            "reasoning": {"supported": false}, "is_moderated": false, "variant": "standard",
        }]})),
        &bytes(json!({"generated": day, "currency": "USD",
            "price_unit": "per token unless the key says otherwise", "count": 1,
            "endpoints": [row]})),
        &bytes(json!({"generated": day, "count": 0, "aliases": []})),
        Noon.now(),
    );
    let catalog = Arc::new(catalog.expect("a valid catalogue"));
    let situation = Situation {
        catalog: &catalog,
        credentials: Credentials::ALL_SHARED,
        health: &HealthSnapshot::default(),
        policy: &Policy::default(),
        pin: None,
        country: None,
        now: Noon.now(),
        seed: 1,
    };
    let plan = select(&chat(false).needs(), &situation).expect("an endpoint");
    let candidate = plan.candidates.into_iter().next();
    candidate.expect("one candidate").vetted
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
        Answer::Complete(completion) => {
            Ok(Told::Complete(format!("{:?}", completion.finish.reason)))
        }
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
    Complete(String),
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
