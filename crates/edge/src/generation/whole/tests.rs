use axum::{body::to_bytes, response::IntoResponse};
use serde_json::Value;
use switchyard_app::generation::GenerateError;
use switchyard_domain::{id::GenerationId, money::UsdNanos, secret::Private, tokens::TokenUsage};
use switchyard_interchange::{
    event::{Completion, Finish, FinishReason},
    message::Part,
    reply::{ReplyHead, ReplyTail},
};
use tokio::sync::mpsc::channel;

use super::*;

fn id() -> GenerationId {
    GenerationId::new(1_764_000_000, 7)
}

fn head() -> ReplyStep {
    ReplyStep::Head(Box::new(ReplyHead {
        generation_id: id(),
        created_seconds: 1_764_000_000,
        model: "acme/one".to_owned(),
        provider: "Bolt".to_owned(),
    }))
}

fn complete() -> ReplyStep {
    ReplyStep::Complete(Box::new(Completion {
        upstream_id: None,
        model: None,
        parts: vec![Part::Text {
            text: Private::from("hi"),
            cache: None,
        }],
        citations: Vec::new(),
        finish: Finish {
            reason: FinishReason::Stop,
            native: None,
            stop_sequence: None,
        },
        usage: None,
        verbatim: None,
    }))
}

fn tail() -> ReplyStep {
    ReplyStep::Tail(Box::new(ReplyTail {
        tokens: TokenUsage {
            input_uncached: 9,
            output_text: 1,
            ..TokenUsage::default()
        },
        cost: UsdNanos::new(10_000),
        is_byok: false,
        list_cost: UsdNanos::new(10_000),
        list_cost_prompt: UsdNanos::new(9_000),
        list_cost_completion: UsdNanos::new(1_000),
        service_tier: None,
        metadata: None,
    }))
}

async fn answered(given: Vec<ReplyStep>) -> (Response, Value) {
    let (sender, steps) = channel(8);
    for step in given {
        sender.send(step).await.expect("room");
    }
    drop(sender);
    let response = answer(Reply {
        generation_id: id(),
        steps,
    })
    .await
    .into_response();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, 100_000).await.expect("a body");
    let body = serde_json::from_slice(&body).expect("JSON");
    (Response::from_parts(parts, axum::body::Body::empty()), body)
}

#[tokio::test]
async fn an_answer_says_who_gave_it_and_what_it_cost() {
    let (response, body) = answered(vec![head(), complete(), tail()]).await;
    assert_eq!(response.status(), 200);
    for (name, value) in [
        ("content-type", "application/json"),
        ("x-generation-id", id().as_str()),
        ("x-request-id", id().as_str()),
        ("request-id", id().as_str()),
        ("x-provider-name", "Bolt"),
    ] {
        assert_eq!(response.headers()[name], value, "{name}");
    }
    assert_eq!(body["id"], id().as_str());
    assert_eq!(body["choices"][0]["message"]["content"], "hi");
    assert_eq!(body["usage"]["cost"], 0.000_01);
}

#[tokio::test]
async fn a_failure_has_a_real_status_even_after_the_head() {
    let failed = ReplyStep::Failed(Box::new(GenerateError::LedgerUnavailable));
    let (response, body) = answered(vec![head(), failed]).await;
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["retry-after"], "1");
    assert_eq!(response.headers()["x-generation-id"], id().as_str());
    assert_eq!(body["error"]["code"], 503);
}

#[tokio::test]
async fn a_reply_that_stops_short_is_an_internal_error() {
    for given in [
        vec![],
        vec![head()],
        vec![head(), tail()],
        vec![complete(), tail()],
    ] {
        let case = format!("{given:?}");
        let (response, body) = answered(given).await;
        assert_eq!(response.status(), 500, "{case}");
        assert_eq!(body["error"]["message"], "Internal server error.", "{case}");
    }
}
