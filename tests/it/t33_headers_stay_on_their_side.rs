//! What a caller sends beside the request does not reach a provider, and what a provider sends beside
//! the answer does not reach the caller.

use std::collections::BTreeSet;

use switchyard_testkit::world::simulator::{Credentials, behaviour::Replay};

use crate::world::*;

/// What providers send along, and what might do harm at the caller's.
const FOREIGN: [(&str, &str); 14] = [
    ("set-cookie", "session=upstream-canary; Path=/"),
    (
        "access-control-allow-origin",
        "https://upstream-canary.example",
    ),
    ("access-control-allow-credentials", "true"),
    ("access-control-expose-headers", "upstream-canary"),
    ("strict-transport-security", "max-age=63072000"),
    ("content-security-policy", "upstream-canary"),
    ("x-request-id", "upstream-canary"),
    ("openai-organization", "upstream-canary"),
    ("anthropic-organization-id", "upstream-canary"),
    ("x-ratelimit-remaining-requests", "17"),
    ("location", "https://upstream-canary.example"),
    ("www-authenticate", "Basic realm=upstream-canary"),
    ("proxy-authenticate", "upstream-canary"),
    ("server", "upstream-canary"),
];

const COMPLETE: &str = r#"{"id":"x","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"Tall."}}],"usage":{"prompt_tokens":3,"completion_tokens":2}}"#;
const STREAM: &str = "data: {\"id\":\"x\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Tall.\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";

fn foreign(content_type: Option<&str>) -> Vec<(String, String)> {
    let typed = content_type.map(|kind| ("content-type", kind));
    let all = FOREIGN.into_iter().chain(typed);
    all.map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn replay(content_type: &str, body: &'static str, headers: bool) -> Behaviour {
    let mut all = foreign(Some(content_type));
    if !headers {
        all.drain(..FOREIGN.len());
    }
    Behaviour::Replay(Replay {
        status: 200,
        headers: all,
        body: body.into(),
        ..Replay::default()
    })
}

/// The names of an answer's headers, and their values in one text.
async fn headers(
    world: &World,
    behaviour: Behaviour,
    (status, body): (u16, &Value),
) -> (BTreeSet<String>, String) {
    // A refusal is tried at the provider again.
    world
        .simulator()
        .script("alder", [behaviour.clone(), behaviour]);
    let reply = world
        .chat(body)
        .header("origin", "https://app.example")
        .send()
        .await;
    world.simulator().clear_script("alder");
    assert_eq!(reply.status, status, "{}", reply.text());
    let names = reply.headers.keys().map(|name| name.as_str().to_owned());
    (names.collect(), format!("{:?}", reply.headers))
}

story!(what_a_provider_sends_along_stays_there, |world| {
    let body = question_to(OAK, &["alder"]);
    let status = |headers| {
        Behaviour::Status(Status {
            status: 400,
            headers,
            ..Status::default()
        })
    };
    for (plain, laden, expected, body) in [
        (
            replay("application/json", COMPLETE, false),
            replay("application/json", COMPLETE, true),
            200,
            body.clone(),
        ),
        (
            replay("text/event-stream", STREAM, false),
            replay("text/event-stream", STREAM, true),
            200,
            streaming(&body),
        ),
        (status(Vec::new()), status(foreign(None)), 400, body.clone()),
    ] {
        let (usual, _) = headers(&world, plain, (expected, &body)).await;
        let (names, shown) = headers(&world, laden, (expected, &body)).await;
        assert_eq!(names, usual);
        assert!(!shown.contains("upstream-canary"), "{shown}");
        assert!(!names.contains("set-cookie"), "{shown}");
    }
});

story!(what_a_caller_sends_along_stays_here, |world| {
    for (provider, scheme) in [("alder", "bearer"), ("cedar", "x-api-key")] {
        let profile = Profile {
            credentials: Credentials::Exactly(vec![provider_secret(provider)]),
            ..Profile::default()
        };
        world.simulator().set_profile(provider, profile);
        let call = world.chat(&question_to(OAK, &[provider]));
        let call = [
            ("cookie", "session=caller-canary"),
            ("x-forwarded-for", "203.0.113.9, caller-canary"),
            ("forwarded", "for=caller-canary"),
            ("x-real-ip", "caller-canary"),
            ("via", "1.1 caller-canary"),
            ("origin", "https://caller-canary.example"),
            ("referer", "https://caller-canary.example/page"),
            ("user-agent", "caller-canary/1"),
            ("x-title", "caller-canary"),
            ("x-api-key", "caller-canary"),
            ("api-key", "caller-canary"),
            ("x-goog-api-key", "caller-canary"),
            ("anthropic-beta", "caller-canary"),
            ("openai-organization", "caller-canary"),
            ("te", "trailers"),
            ("proxy-authorization", "Basic caller-canary"),
            ("accept-language", "caller-canary"),
            (
                "traceparent",
                "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            ),
        ]
        .into_iter()
        .fold(call, |call, (name, value)| call.header(name, value));
        call.send().await.ok();
        let seen = world.simulator().requests(provider);
        let seen = seen.last().expect("it was asked");
        assert_eq!(seen.credential.as_deref(), Some(scheme), "its own alone");
        let shown = format!("{:?}", seen.headers);
        assert!(!shown.contains("caller-canary"), "{shown}");
        assert!(!shown.contains(&world.key.text), "{shown}");
        let known = [
            "accept",
            "accept-encoding",
            "anthropic-version",
            "content-length",
            "content-type",
            "host",
            "user-agent",
        ];
        for (name, _) in &seen.headers {
            assert!(known.contains(&name.as_str()), "{provider} sees {name}");
        }
    }
});
