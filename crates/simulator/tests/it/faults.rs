//! Everything that goes wrong, goes wrong as told.

use http_body_util::BodyExt;
use serde_json::{Value, json};
use switchyard_simulator::{
    Answer, Behaviour, Flaw, Server, Status,
    behaviour::{RateLimit, RateLimits, UsageFigures},
};

use crate::client::{Answered, CHAT, Call, MESSAGES, chat, messages, post, start, streamed};

/// Plays one flaw to a streaming request.
async fn flawed(server: &Server, path: &str, flaw: Flaw) -> Answered {
    server
        .simulator()
        .script("alpha", [Behaviour::flawed(flaw)]);
    post(server, path, &streamed(messages("Hi"))).await
}

#[tokio::test]
async fn refusals_have_the_dialects_shape() {
    let server = start().await;
    for (status, openai, anthropic) in [
        (400, "invalid_request_error", "invalid_request_error"),
        (429, "requests", "rate_limit_error"),
        (500, "server_error", "api_error"),
        (529, "server_error", "overloaded_error"),
    ] {
        for (path, kind) in [(CHAT, openai), (MESSAGES, anthropic)] {
            let told = Status {
                status,
                retry_after: Some("7".to_owned()),
                headers: vec![("x-should-retry".to_owned(), "false".to_owned())],
                ..Status::default()
            };
            server
                .simulator()
                .script("alpha", [Behaviour::Status(told)]);
            let refused = post(&server, path, &messages("Hi")).await;
            assert_eq!(refused.status, status);
            assert_eq!(refused.json()["error"]["type"], kind, "{path} {status}");
            assert_eq!(refused.headers["retry-after"], "7");
            assert_eq!(refused.headers["x-should-retry"], "false");
        }
    }
}

#[tokio::test]
async fn rate_limits_are_told_in_the_dialects_headers() {
    let server = start().await;
    let limit = |limit, remaining, reset: &str| {
        Some(RateLimit {
            limit,
            remaining,
            reset: Some(reset.to_owned()),
        })
    };
    let limits = RateLimits {
        requests: limit(500, 0, "6m0s"),
        tokens: limit(90_000, 1_000, "1s"),
        input_tokens: limit(80_000, 7, "1s"),
        output_tokens: None,
    };
    let refusal = Behaviour::Status(Status {
        status: 429,
        limits: limits.clone(),
        ..Status::default()
    });
    let answer = Behaviour::Answer(Answer {
        limits,
        headers: vec![("x-served-by".to_owned(), "rack 7".to_owned())],
        ..Answer::default()
    });
    for behaviour in [refusal, answer] {
        let is_answer = matches!(behaviour, Behaviour::Answer(_));
        server
            .simulator()
            .script("alpha", [behaviour.clone(), behaviour]);
        let openai = post(&server, CHAT, &chat("Hi")).await;
        let told = |name: &str| openai.headers[name].to_str().expect("text").to_owned();
        assert_eq!(told("x-ratelimit-limit-requests"), "500");
        assert_eq!(told("x-ratelimit-remaining-requests"), "0");
        assert_eq!(told("x-ratelimit-reset-requests"), "6m0s");
        assert_eq!(told("x-ratelimit-remaining-tokens"), "1000");
        assert_eq!(openai.headers.contains_key("x-served-by"), is_answer);
        let anthropic = post(&server, MESSAGES, &messages("Hi")).await;
        let told = |name: &str| anthropic.headers[name].to_str().expect("text").to_owned();
        assert_eq!(told("anthropic-ratelimit-requests-remaining"), "0");
        assert_eq!(told("anthropic-ratelimit-tokens-limit"), "90000");
        assert_eq!(told("anthropic-ratelimit-input-tokens-remaining"), "7");
        let silent = "anthropic-ratelimit-output-tokens-remaining";
        assert!(!anthropic.headers.contains_key(silent));
    }
    let words = "[[sim: status=429 retry_after=3 left=requests:0/500,tokens:9/10]]";
    let refused = post(&server, CHAT, &chat(words)).await;
    assert_eq!(refused.headers["retry-after"], "3");
    assert_eq!(refused.headers["x-ratelimit-remaining-tokens"], "9");
}

#[tokio::test]
async fn results_of_tools_may_hold_directives() {
    let server = start().await;
    let body = |result: &str| {
        json!({ "model": "acme/one", "messages": [
            { "role": "user", "content": "Hi [[sim: usage=out:5]]" },
            { "role": "assistant", "content": null, "tool_calls": [
                { "id": "c", "type": "function", "function": { "name": "f", "arguments": "{}" } },
            ]},
            { "role": "tool", "tool_call_id": "c", "content": result },
        ]})
    };
    for (result, output) in [("[[sim: usage=out:77]] done", 77), ("done", 5)] {
        let answered = post(&server, CHAT, &body(result)).await.json();
        assert_eq!(answered["usage"]["completion_tokens"], output, "{result}");
    }
}

#[tokio::test]
async fn scripts_are_taken_in_order_and_then_the_default_applies() {
    let server = start().await;
    server
        .simulator()
        .script("alpha", [Behaviour::status(500), Behaviour::text("second")]);
    assert_eq!(post(&server, CHAT, &chat("Hi")).await.status, 500);
    let second = post(&server, CHAT, &chat("Hi")).await.json();
    assert_eq!(second["choices"][0]["message"]["content"], "second");
    let third = post(&server, CHAT, &chat("Hi")).await.json();
    assert_ne!(third["choices"][0]["message"]["content"], "second");
}

#[tokio::test]
async fn directives_work_from_inside_a_prompt() {
    let server = start().await;
    let refused = post(
        &server,
        CHAT,
        &chat("Hi [[sim: provider=alpha status=503]]"),
    )
    .await;
    assert_eq!(refused.status, 503);
    let other = post(&server, CHAT, &chat("Hi [[sim: provider=beta status=503]]")).await;
    assert_eq!(other.status, 200);
    let counted = post(
        &server,
        CHAT,
        &chat("[[sim: tokens=200 usage=in:1000,read:800,out:50]]"),
    )
    .await
    .json();
    assert_eq!(counted["usage"]["prompt_tokens"], 1_000);
    assert_eq!(
        counted["usage"]["prompt_tokens_details"]["cached_tokens"],
        800
    );
    assert_eq!(counted["usage"]["completion_tokens"], 50);
    let text = counted["choices"][0]["message"]["content"]
        .as_str()
        .unwrap();
    assert_eq!(text.split(' ').count(), 200);
    let unknown = post(&server, MESSAGES, &messages("[[sim: frobnicate=1]]")).await;
    assert_eq!(unknown.status, 400);
    assert!(unknown.text().contains("frobnicate"));
}

#[tokio::test]
async fn bodies_break_off_as_told() {
    let server = start().await;
    for path in [CHAT, MESSAGES] {
        let stopped = flawed(&server, path, Flaw::Stop { after_events: 4 }).await;
        assert_eq!((stopped.events().len(), stopped.broken), (4, None));
        for flaw in [
            Flaw::Cut { after_events: 4 },
            Flaw::Reset { after_events: 4 },
        ] {
            let broken = flawed(&server, path, flaw.clone()).await;
            assert_eq!(broken.events().len(), 4, "{flaw:?}");
            let reset = broken.broken.unwrap().contains("ConnectionReset");
            assert_eq!(reset, matches!(flaw, Flaw::Reset { .. }));
        }
        let late = flawed(
            &server,
            path,
            Flaw::Cut {
                after_events: 10_000,
            },
        )
        .await;
        assert!(!late.text().contains("[DONE]") && !late.text().contains("message_stop"));
        assert!(late.text().contains("stop"), "the finishing event was sent");
    }
    server
        .simulator()
        .script("alpha", [Behaviour::flawed(Flaw::Cut { after_events: 1 })]);
    let half = post(&server, CHAT, &chat("Hi")).await;
    assert!(half.broken.is_some() && serde_json::from_slice::<Value>(&half.body).is_err());
}

#[tokio::test]
async fn errors_inside_streams_have_the_dialects_shape() {
    let server = start().await;
    let flaw = Flaw::ErrorEvent {
        after_events: 5,
        status: 529,
    };
    let openai = flawed(&server, CHAT, flaw.clone()).await;
    assert_eq!(openai.events().len(), 6);
    assert_eq!(openai.events()[5]["error"]["type"], "server_error");
    let anthropic = flawed(&server, MESSAGES, flaw).await;
    assert!(anthropic.text().contains("event: error\n"));
    assert_eq!(anthropic.events()[5]["error"]["type"], "overloaded_error");
}

#[tokio::test]
async fn malformed_streams_are_malformed() {
    let server = start().await;
    let bad = flawed(&server, CHAT, Flaw::BadJson { after_events: 2 }).await;
    assert!(bad.events()[2].is_string(), "not JSON");
    let utf8 = flawed(&server, MESSAGES, Flaw::InvalidUtf8 { after_events: 2 }).await;
    assert!(std::str::from_utf8(&utf8.body).is_err());
    let garbage = flawed(&server, CHAT, Flaw::Garbage { after_events: 2 }).await;
    assert!(std::str::from_utf8(&garbage.body).is_err());
    let bytes = 2 * 1_024 * 1_024;
    let huge = flawed(
        &server,
        CHAT,
        Flaw::HugeLine {
            after_events: 2,
            bytes,
        },
    )
    .await;
    let longest = huge.text().lines().map(str::len).max().unwrap();
    assert_eq!(longest + "\n\n".len(), bytes);
    let html = flawed(
        &server,
        CHAT,
        Flaw::ContentType {
            value: "text/html".to_owned(),
        },
    )
    .await;
    assert_eq!(html.headers["content-type"], "text/html");
}

#[tokio::test]
async fn framing_varies_without_changing_what_is_said() {
    let server = start().await;
    let plain = post(&server, CHAT, &streamed(messages("Hi"))).await;
    let said = |answered: &Answered| {
        let events = answered.events();
        let deltas = events
            .iter()
            .filter_map(|event| event["choices"][0]["delta"]["content"].as_str());
        deltas.collect::<String>()
    };
    let crlf = flawed(&server, CHAT, Flaw::CrLf).await;
    assert!(crlf.text().contains("\r\n\r\n") && !crlf.text().replace("\r\n", "").contains('\n'));
    let pieces = flawed(&server, CHAT, Flaw::Pieces { bytes: 7 }).await;
    let comments = flawed(&server, CHAT, Flaw::Comments { count: 3 }).await;
    assert_eq!(comments.text().matches(": keep-alive\n").count(), 3);
    for other in [&crlf, &pieces, &comments] {
        assert_eq!(said(other), said(&plain));
    }
}

#[tokio::test]
async fn marks_and_usage_can_be_missing_or_doubled() {
    let server = start().await;
    let count = |answered: &Answered, needle: &str| answered.text().matches(needle).count();
    for (path, finish, mark) in [
        (CHAT, "\"finish_reason\":\"stop\"", "[DONE]"),
        (MESSAGES, "event: message_delta", "event: message_stop"),
    ] {
        let twice = flawed(&server, path, Flaw::FinishTwice).await;
        assert_eq!((count(&twice, finish), count(&twice, mark)), (2, 1));
        let unfinished = flawed(&server, path, Flaw::NoFinish).await;
        assert_eq!(
            (count(&unfinished, finish), count(&unfinished, mark)),
            (0, 1)
        );
        let unmarked = flawed(&server, path, Flaw::NoEndMark).await;
        assert_eq!((count(&unmarked, finish), count(&unmarked, mark)), (1, 0));
        assert_eq!(unmarked.broken, None);
        let uncounted = flawed(&server, path, Flaw::NoUsage).await;
        assert_eq!(count(&uncounted, "_tokens"), 0);
        let whole = flawed(&server, path, Flaw::NoStream).await;
        assert_eq!(whole.headers["content-type"], "application/json");
        assert!(whole.json()["usage"].is_object());
    }
}

#[tokio::test]
async fn other_answers() {
    let server = start().await;
    let location = "http://169.254.169.254/latest".to_owned();
    server.simulator().script(
        "alpha",
        [
            Behaviour::Redirect {
                status: 307,
                location: location.clone(),
            },
            Behaviour::EmptyBody { status: 200 },
            Behaviour::ErrorInsideOk,
            Behaviour::Answer(Answer {
                finish_reason: Some("content_filter".to_owned()),
                model: Some("acme/one-0915".to_owned()),
                usage: UsageFigures {
                    output: Some(9),
                    ..UsageFigures::default()
                },
                ..Answer::default()
            }),
        ],
    );
    let redirect = post(&server, CHAT, &chat("Hi")).await;
    assert_eq!(
        (
            redirect.status.as_u16(),
            redirect.headers["location"].to_str().ok()
        ),
        (307, Some(&*location))
    );
    let empty = post(&server, CHAT, &chat("Hi")).await;
    assert_eq!((empty.status.as_u16(), empty.body.len()), (200, 0));
    let error = post(&server, CHAT, &chat("Hi")).await;
    assert!(error.status == 200 && error.json()["error"]["message"].is_string());
    let odd = post(&server, CHAT, &chat("Hi")).await.json();
    assert_eq!(odd["choices"][0]["finish_reason"], "content_filter");
    assert_eq!(
        (&odd["model"], &odd["usage"]["completion_tokens"]),
        (&json!("acme/one-0915"), &json!(9))
    );
}

#[tokio::test]
async fn a_hang_inside_the_body_sends_what_it_should_first() {
    let server = start().await;
    server
        .simulator()
        .script("alpha", [Behaviour::flawed(Flaw::Hang { after_events: 3 })]);
    let headers = [("authorization", "Bearer k")];
    let body = streamed(chat("Hi")).to_string();
    let mut call = Call::open(server.address(), "POST", CHAT, &headers, body).await;
    let mut received = Vec::new();
    while received
        .windows(6)
        .filter(|window| window == b"data: ")
        .count()
        < 3
    {
        let frame = call.body.frame().await.unwrap().unwrap();
        received.extend_from_slice(&frame.into_data().unwrap());
    }
    assert_eq!(server.simulator().counters("alpha").open, 1);
    drop(call);
    let counters = server
        .simulator()
        .wait_for("alpha", |counters| counters.open == 0)
        .await;
    assert_eq!((counters.aborted, counters.finished), (1, 0));
}
