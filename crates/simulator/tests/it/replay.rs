//! Recorded traffic comes back byte for byte.

use std::{collections::BTreeMap, fs, path::Path};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;
use switchyard_simulator::{Behaviour, replay::from_recorded};

use crate::client::{CHAT, chat, post, start, streamed};

fn recordings() -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let paths = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    paths
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect()
}

#[tokio::test]
async fn recordings_are_served_as_they_were_received() {
    let server = start().await;
    let recordings = recordings();
    assert!(recordings.len() >= 10);
    for (name, json) in &recordings {
        let recorded: Value = serde_json::from_str(json).unwrap();
        let response = &recorded["response"];
        server
            .simulator()
            .script("alpha", [Behaviour::Replay(from_recorded(json).unwrap())]);
        let served = post(&server, CHAT, &streamed(chat("Hi"))).await;
        assert_eq!(served.status.as_u16(), response["status"], "{name}");
        assert_eq!(
            served.headers["content-type"].to_str().ok(),
            match recorded["fidelity"].as_str() {
                Some("events-only") if response["headers"]["content-type"].is_null() =>
                    Some("text/event-stream"),
                _ => response["headers"]["content-type"].as_str(),
            }
        );
        if recorded["fidelity"] == "events-only" {
            let lines: Vec<_> = response["body_text"].as_str().unwrap().lines().collect();
            let mut payloads: Vec<_> = served
                .text()
                .lines()
                .filter_map(|line| line.strip_prefix("data: "))
                .collect();
            assert_eq!(payloads.pop(), Some("[DONE]"), "{name}");
            assert_eq!(payloads, lines, "{name}");
        } else {
            let body = match response["body_text"].as_str() {
                Some(text) => text.as_bytes().to_vec(),
                None => STANDARD
                    .decode(response["body_base64"].as_str().unwrap())
                    .unwrap(),
            };
            assert_eq!(served.body, body, "{name}");
        }
    }
}

#[tokio::test]
async fn pieces_are_cut_as_recorded() {
    let server = start().await;
    let json = &recordings()["bedrock-stream-guardrail-chunked"];
    let replay = from_recorded(json).unwrap();
    let lengths = replay.chunk_lengths.clone();
    assert!(lengths.len() > 1 && lengths.iter().sum::<usize>() == replay.body.len());
    server
        .simulator()
        .script("alpha", [Behaviour::Replay(replay)]);
    let served = post(&server, CHAT, &chat("Hi")).await;
    assert_eq!(served.pieces, lengths);
}

#[test]
fn what_is_no_recording_is_refused() {
    assert!(from_recorded("{}").is_err());
    let bodyless = r#"{"fidelity": "exact", "api": "messages", "response": {"status": 200}}"#;
    assert!(from_recorded(bodyless).is_err());
}
