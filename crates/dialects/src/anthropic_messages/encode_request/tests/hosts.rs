//! Bodies for the clouds that serve models of this dialect.

use bytes::Bytes;
use serde_json::json;
use switchyard_interchange::preferences::RequestedTier;

use super::*;
use crate::anthropic_messages::decode_request;

const CLOUDS: [(Host, &str, bool); 2] = [
    (Host::Bedrock, "bedrock-2023-05-31", false),
    (Host::Vertex, "vertex-2023-10-16", true),
];

fn at(host: Host) -> UpstreamTraits {
    UpstreamTraits { host, ..traits() }
}

fn sent(request: &ChatRequest, host: Host) -> Value {
    let body = encode_request(request, &at(host)).expect("supported");
    serde_json::from_slice(&body).expect("JSON")
}

#[test]
fn a_cloud_is_told_the_version_in_a_body_written_anew_and_not_the_model() {
    for (host, version, names_stream) in CLOUDS {
        for stream in [false, true] {
            let mut request = request(vec![says(Role::User, "Hi")]);
            request.stream = stream;
            request.service_tier = Some(RequestedTier::Default);
            let mut expected = json!({
                "anthropic_version": version,
                "max_tokens": 4_096,
                "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}],
            });
            if stream && names_stream {
                expected["stream"] = json!(true);
            }
            assert_eq!(sent(&request, host), expected);
        }
    }
}

#[test]
fn a_cloud_gets_a_spliced_body_without_what_it_does_not_know() {
    let body = r#"{"model":"anthropic/claude","max_tokens":9,"stream":true,"anthropic_version":"mine",
        "cache_control":{"type":"ephemeral"},"service_tier":"auto","inference_geo":"us",
        "context_management":{"edits":[]},
        "messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},
            {"role":"user","content":[{"type":"text","text":"c"},{"type":"text","text":"d"}]}]}"#;
    let request = decode_request(Bytes::from(body)).expect("a request");
    for (host, version, names_stream) in CLOUDS {
        let mut expected = json!({
            "anthropic_version": version,
            "max_tokens": 9,
            "context_management": {"edits": []},
            "messages": [
                {"role": "user", "content": "a"},
                {"role": "assistant", "content": "b"},
                {"role": "user", "content": [
                    {"type": "text", "text": "c"},
                    {"type": "text", "text": "d", "cache_control": {"type": "ephemeral"}},
                ]},
            ],
        });
        if names_stream {
            expected["stream"] = json!(true);
        }
        assert_eq!(sent(&request, host), expected);
    }
    let own = sent(&request, Host::Anthropic);
    assert_eq!(own["cache_control"], json!({"type": "ephemeral"}));
    assert_eq!(own["messages"][2]["content"][1].get("cache_control"), None);
    for kept in ["anthropic_version", "service_tier", "inference_geo"] {
        assert!(own.get(kept).is_some(), "{kept}");
    }
}

#[test]
fn the_whole_prompt_is_kept_by_a_mark_on_its_end_where_there_is_no_other_way() {
    for (host, ..) in CLOUDS {
        let mut request = request(vec![
            says(Role::System, "s"),
            says(Role::User, "u"),
            says(Role::Assistant, "a"),
            says(Role::User, "v"),
        ]);
        request.automatic_cache = Some(CacheMark {
            life: CacheLife::Short,
        });
        let body = sent(&request, host);
        assert_eq!(body.get("cache_control"), None);
        let mark = json!({"type": "ephemeral"});
        assert_eq!(body["messages"][2]["content"][0]["cache_control"], mark);
        assert_eq!(body.to_string().matches("cache_control").count(), 1);
    }
}
