//! Recorded answers of the real provider, decoded and given to a client again.

use std::{fs, path::PathBuf, sync::LazyLock};

use bytes::Bytes;
use expect_test::expect_file;
use serde_json::Value;
use switchyard_dialects::{
    anthropic_messages::{
        StreamDecoder, StreamEncoder, ThinkingStyle, UpstreamTraits, decode_completion,
        decode_error, decode_request, encode_completion, encode_request,
    },
    error::DecodeErrorKind,
};
use switchyard_interchange::event::{ChatEvent, StreamStep};

use crate::{
    replies::{GENERATION, head, tail},
    sse, transcript,
};

/// A recorded exchange.
pub(crate) struct Recording {
    pub(crate) id: String,
    request: Option<Value>,
    status: u16,
    pub(crate) body: String,
}

impl Recording {
    pub(crate) fn is_stream(&self) -> bool {
        self.body.starts_with("event:")
    }
}

/// Every recording of this dialect.
pub(crate) fn all() -> &'static [Recording] {
    static ALL: LazyLock<Vec<Recording>> = LazyLock::new(|| {
        let mut files: Vec<PathBuf> = fs::read_dir(folder())
            .expect("the fixtures are there")
            .map(|entry| entry.expect("a readable folder").path())
            .filter(|path| {
                path.extension()
                    .is_some_and(|extension| extension == "json")
            })
            .collect();
        files.sort();
        assert!(files.len() >= 22, "only {} recordings", files.len());
        files.iter().map(load).collect()
    });
    &ALL
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/anthropic_messages")
}

fn load(path: &PathBuf) -> Recording {
    let text = fs::read_to_string(path).expect("a readable file");
    let file: Value = serde_json::from_str(&text).expect("a recording");
    let body = &file["request"]["body"];
    Recording {
        id: file["id"].as_str().expect("an id").to_owned(),
        request: body.is_object().then(|| body.clone()),
        status: u16::try_from(file["response"]["status"].as_u64().expect("a status"))
            .expect("a status"),
        body: file["response"]["body_text"]
            .as_str()
            .expect("a text body")
            .to_owned(),
    }
}

/// The steps of a recorded stream, including its end.
pub(crate) fn steps(body: &str) -> Vec<StreamStep> {
    let mut decoder = StreamDecoder::new();
    let mut steps: Vec<StreamStep> = sse::split(body)
        .into_iter()
        .map(|frame| {
            decoder
                .event(frame.data, Some(&frame.name))
                .expect("a sound stream")
        })
        .collect();
    steps.push(decoder.end().expect("a complete stream"));
    steps
}

fn events(steps: &[StreamStep]) -> Vec<ChatEvent> {
    steps.iter().flat_map(|step| step.events.clone()).collect()
}

#[test]
fn answers_decode_to_what_they_say() {
    for recording in all() {
        let decoded = if recording.is_stream() {
            transcript::of_events(&events(&steps(&recording.body)))
        } else if recording.status == 200 {
            let body = Bytes::from(recording.body.clone());
            transcript::of_completion(&decode_completion(body).expect("a message"))
        } else {
            transcript::failed(&decode_error(
                recording.status,
                None,
                recording.body.as_bytes(),
            ))
        };
        expect_file![folder().join(format!("{}.decoded.txt", recording.id))].assert_eq(&decoded);
    }
}

#[test]
fn streams_reach_clients_unchanged_but_for_what_is_ours() {
    for recording in all().iter().filter(|recording| recording.is_stream()) {
        let mut encoder = StreamEncoder::new(head());
        let (mut out, mut usage) = (Vec::new(), None);
        for step in steps(&recording.body) {
            for event in &step.events {
                if let ChatEvent::Usage(report) = event {
                    usage = Some(report.tokens);
                }
            }
            encoder.step(&step, &mut out);
        }
        encoder.finish(&tail(usage.expect("a usage")), &mut out);
        let sent = sse::check_order(&out);
        let given: Vec<Value> = sse::split(&recording.body)
            .iter()
            .map(|frame| serde_json::from_slice::<Value>(&frame.data).expect("JSON"))
            .filter(|event| event["type"] != "ping")
            .collect();
        assert_eq!(sent.len(), given.len(), "{}", recording.id);
        for (sent, given) in sent.iter().zip(&given) {
            check_kept(&recording.id, sent, given);
        }
        assert_eq!(sent[0]["message"]["id"], GENERATION);
    }
}

#[test]
fn messages_reach_clients_unchanged_but_for_what_is_ours() {
    for recording in all()
        .iter()
        .filter(|it| it.status == 200 && !it.is_stream())
    {
        let completion = decode_completion(Bytes::from(recording.body.clone())).expect("a message");
        let tokens = completion.usage.as_ref().expect("a usage").tokens;
        let sent = encode_completion(&head(), &completion, &tail(tokens));
        let sent: Value = serde_json::from_slice(&sent).expect("JSON");
        sse::check_message(&sent);
        let given: Value = serde_json::from_str(&recording.body).expect("JSON");
        check_kept(&recording.id, &sent, &given);
        assert_eq!(sent["usage"]["cost"], 0.000_001_5, "{}", recording.id);
    }
}

/// Everything given is sent, save identity and members of the usage that we count ourselves; the
/// counts must agree.
fn check_kept(id: &str, sent: &Value, given: &Value) {
    let Some(given_members) = given.as_object() else {
        assert_eq!(sent, given, "{id}");
        return;
    };
    for (key, value) in given_members {
        match key.as_str() {
            "id" | "model" if sent["type"] == "message" => {}
            "message" | "usage" | "cache_creation" => check_kept(id, &sent[key], value),
            _ => assert_eq!(&sent[key], value, "{key} of {id}"),
        }
    }
}

#[test]
fn requests_are_forwarded_without_loss() {
    let mut forwarded = 0;
    for recording in all() {
        let Some(given) = &recording.request else {
            continue;
        };
        let decoded = decode_request(Bytes::from(given.to_string()));
        if recording.id == "anthropic-stream-web-search" {
            let error = decoded.expect_err("tools of the provider's are not offered");
            assert_eq!(
                (error.path.as_str(), error.kind),
                ("tools[0].type", DecodeErrorKind::Unsupported)
            );
            continue;
        }
        let request = decoded.unwrap_or_else(|error| panic!("{}: {error}", recording.id));
        let mut traits = UpstreamTraits::anthropic("claude-upstream", 64_000);
        if given["thinking"]["type"] == "adaptive" {
            traits.thinking = ThinkingStyle::Adaptive;
        }
        let sent = encode_request(&request, &traits).expect("nothing unsupported");
        let sent: Value = serde_json::from_slice(&sent).expect("JSON");
        assert_eq!(sent["model"], "claude-upstream");
        for (key, value) in given.as_object().expect("an object") {
            let dropped = key == "temperature" && given.get("thinking").is_some();
            let is_default = key == "stream" && value == false;
            if key != "model" && !dropped && !is_default {
                assert_eq!(&sent[key], value, "{key} of {}", recording.id);
            }
        }
        forwarded += 1;
    }
    assert!(forwarded >= 20, "only {forwarded} requests");
}
