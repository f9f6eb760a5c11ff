//! The body under paused time, fed by hand.

use std::{future::poll_fn, time::Duration};

use serde_json::Value;
use switchyard_app::generation::GenerateError;
use switchyard_domain::{money::UsdNanos, secret::Private, tokens::TokenUsage};
use switchyard_interchange::{
    event::{ChatEvent, Delta, Finish, FinishReason, PartKind, StreamStep},
    reply::ReplyTail,
};
use tokio::{
    sync::mpsc::{Sender, channel},
    time::sleep,
};

use super::*;

const PATIENCE: Duration = STATUS_PATIENCE;

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

fn steps(events: Vec<ChatEvent>) -> ReplyStep {
    ReplyStep::Steps(vec![StreamStep {
        events,
        verbatim: None,
    }])
}

fn text(text: &str) -> ReplyStep {
    steps(vec![ChatEvent::Delta {
        part: 0,
        delta: Delta::Text(Private::from(text)),
    }])
}

fn begin() -> ReplyStep {
    steps(vec![
        ChatEvent::Start {
            upstream_id: None,
            model: None,
        },
        ChatEvent::PartStart {
            part: 0,
            kind: PartKind::Text,
        },
    ])
}

fn end() -> ReplyStep {
    let finish = Finish {
        reason: FinishReason::Stop,
        native: None,
        stop_sequence: None,
    };
    steps(vec![
        ChatEvent::PartStop { part: 0 },
        ChatEvent::Finish(finish),
    ])
}

fn tail() -> ReplyStep {
    ReplyStep::Tail(Box::new(ReplyTail {
        tokens: TokenUsage {
            input_uncached: 3,
            output_text: 2,
            ..TokenUsage::default()
        },
        cost: UsdNanos::new(1_500),
        is_byok: false,
        list_cost: UsdNanos::new(1_500),
        list_cost_prompt: UsdNanos::new(500),
        list_cost_completion: UsdNanos::new(1_000),
        service_tier: None,
        metadata: None,
    }))
}

fn reply() -> (Sender<ReplyStep>, Reply) {
    let (sender, steps) = channel(8);
    (
        sender,
        Reply {
            generation_id: id(),
            steps,
        },
    )
}

fn opening() -> Opening {
    Opening {
        model: "acme/asked".to_owned(),
        created_seconds: 1_764_000_000,
    }
}

async fn begun(reply: Reply) -> Response {
    match answer(reply, opening()).await {
        Ok(response) => response,
        Err(refusal) => panic!("refused: {refusal:?}"),
    }
}

/// The next frame, as text.
async fn frame(response: &mut Response) -> Option<String> {
    let body = response.body_mut();
    let frame = poll_fn(|cx| http_body::Body::poll_frame(Pin::new(&mut *body), cx)).await?;
    let data = frame
        .expect("never an error")
        .into_data()
        .expect("never a trailer");
    Some(String::from_utf8(data.to_vec()).expect("text"))
}

async fn rest(response: &mut Response) -> Vec<String> {
    let mut frames = Vec::new();
    while let Some(frame) = frame(response).await {
        frames.push(frame);
    }
    frames
}

/// The JSON of every event in a frame.
fn events(frame: &str) -> Vec<Value> {
    frame
        .split("\n\n")
        .filter_map(|event| event.strip_prefix("data: "))
        .filter(|data| *data != "[DONE]")
        .map(|data| serde_json::from_str(data).expect("JSON"))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_stream_has_its_headers_and_one_frame_for_each_batch() {
    let (sender, reply) = reply();
    for step in [head(), begin(), text("Hel"), text("lo"), end(), tail()] {
        sender.send(step).await.expect("room");
    }
    drop(sender);
    let mut response = begun(reply).await;
    assert_eq!(response.status(), 200);
    for (name, value) in [
        ("content-type", "text/event-stream"),
        ("cache-control", "no-cache"),
        ("x-accel-buffering", "no"),
        ("x-provider-name", "Bolt"),
        ("x-generation-id", id().as_str()),
        ("x-request-id", id().as_str()),
        ("request-id", id().as_str()),
    ] {
        assert_eq!(response.headers()[name], value, "{name}");
    }
    let frames = rest(&mut response).await;
    assert!(
        frames.iter().all(|frame| frame.ends_with("\n\n")),
        "{frames:?}"
    );
    let said: String = frames
        .iter()
        .flat_map(|frame| events(frame))
        .filter_map(|event| {
            event["choices"][0]["delta"]["content"]
                .as_str()
                .map(str::to_owned)
        })
        .collect();
    assert_eq!(said, "Hello");
    let holding = |text: &str| frames.iter().filter(|frame| frame.contains(text)).count();
    assert_eq!(
        (holding("Hel"), holding("\"lo\""), holding("[DONE]")),
        (1, 1, 1)
    );
    let last = frames.last().expect("frames");
    assert!(last.ends_with("data: [DONE]\n\n"), "{last}");
    let last_events = events(last);
    let usage = &last_events.last().expect("a usage event")["usage"];
    assert_eq!(
        (&usage["total_tokens"], &usage["cost"]),
        (&5.into(), &0.000_001_5.into())
    );
    assert!(
        frames.iter().all(|frame| !frame.contains("PROCESSING")),
        "{frames:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_failure_before_the_head_has_its_own_status() {
    let (sender, reply) = reply();
    let late = async {
        sleep(PATIENCE - Duration::from_secs(1)).await;
        sender
            .send(ReplyStep::Failed(Box::new(GenerateError::Overloaded)))
            .await
    };
    let (answer, sent) = tokio::join!(answer(reply, opening()), late);
    sent.expect("room");
    let response = axum::response::IntoResponse::into_response(answer.expect_err("a refusal"));
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["retry-after"], "1");
    assert_eq!(response.headers()["x-generation-id"], id().as_str());
}

#[tokio::test(start_paused = true)]
async fn a_reply_without_a_head_is_an_internal_error() {
    let (sender, reply) = reply();
    drop(sender);
    let refusal = answer(reply, opening()).await.expect_err("a refusal");
    assert_eq!(
        axum::response::IntoResponse::into_response(refusal).status(),
        500
    );
}

#[tokio::test(start_paused = true)]
async fn patience_ends_in_a_stream_that_tells_failures_in_band() {
    let (sender, reply) = reply();
    let before = Instant::now();
    let mut response = begun(reply).await;
    assert_eq!(before.elapsed(), PATIENCE);
    assert_eq!(response.status(), 200);
    assert!(!response.headers().contains_key("x-provider-name"));
    assert_eq!(
        frame(&mut response).await.as_deref(),
        Some(": OPENROUTER PROCESSING\n\n")
    );
    sender
        .send(ReplyStep::Failed(Box::new(GenerateError::Overloaded)))
        .await
        .expect("room");
    let frames = rest(&mut response).await;
    let failed = frames
        .iter()
        .flat_map(|frame| events(frame))
        .last()
        .expect("an event");
    assert_eq!(failed["error"]["code"], 503);
    assert_eq!(failed["choices"][0]["finish_reason"], "error");
    assert_eq!(failed["id"], id().as_str());
    assert_eq!(failed["model"], "acme/asked");
}

#[tokio::test(start_paused = true)]
async fn a_late_head_names_who_serves() {
    let (sender, reply) = reply();
    let mut response = begun(reply).await;
    assert!(
        frame(&mut response)
            .await
            .is_some_and(|first| first.starts_with(':'))
    );
    for step in [head(), begin(), text("late"), end(), tail()] {
        sender.send(step).await.expect("room");
    }
    let frames = rest(&mut response).await;
    let first = frames
        .iter()
        .flat_map(|frame| events(frame))
        .next()
        .expect("an event");
    assert_eq!(
        (&first["model"], &first["provider"]),
        (&"acme/one".into(), &"Bolt".into())
    );
    assert!(
        frames
            .last()
            .is_some_and(|last| last.ends_with("data: [DONE]\n\n"))
    );
}

#[tokio::test(start_paused = true)]
async fn silence_is_filled_and_speech_resets_it() {
    let (sender, reply) = reply();
    sender.send(head()).await.expect("room");
    let mut response = begun(reply).await;
    let began_at = Instant::now();
    assert_eq!(
        frame(&mut response).await.as_deref(),
        Some(": OPENROUTER PROCESSING\n\n")
    );
    assert_eq!(began_at.elapsed(), KEEP_ALIVE_INTERVAL);

    // Six seconds of silence, a word, and only ten seconds after it the next keep-alive.
    let six = Duration::from_secs(6);
    let speak = async {
        sleep(six).await;
        sender.send(begin()).await.expect("room");
        sender.send(text("word")).await.expect("room");
    };
    let (spoken, ()) = tokio::join!(
        async {
            loop {
                let next = frame(&mut response).await.expect("an open stream");
                if next.contains("word") {
                    return Instant::now();
                }
                assert!(!next.starts_with(':'), "{next}");
            }
        },
        speak
    );
    assert_eq!(
        frame(&mut response).await.as_deref(),
        Some(": OPENROUTER PROCESSING\n\n")
    );
    assert_eq!(spoken.elapsed(), KEEP_ALIVE_INTERVAL);
    assert_eq!(
        frame(&mut response).await.as_deref(),
        Some(": OPENROUTER PROCESSING\n\n")
    );
    assert_eq!(spoken.elapsed(), KEEP_ALIVE_INTERVAL * 2);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_breaks_off_says_so() {
    let (sender, reply) = reply();
    for step in [head(), begin(), text("half")] {
        sender.send(step).await.expect("room");
    }
    // The task is gone without an end.
    drop(sender);
    let mut response = begun(reply).await;
    let frames = rest(&mut response).await;
    let last = frames
        .iter()
        .flat_map(|frame| events(frame))
        .last()
        .expect("an event");
    assert_eq!(last["error"]["code"], 500);
    assert_eq!(last["choices"][0]["finish_reason"], "error");
    assert!(http_body::Body::is_end_stream(response.body()));
}

#[tokio::test(start_paused = true)]
async fn leaving_is_felt_by_the_sender() {
    let (sender, reply) = reply();
    sender.send(head()).await.expect("room");
    let response = begun(reply).await;
    assert!(!sender.is_closed());
    drop(response);
    assert!(sender.is_closed());
}
