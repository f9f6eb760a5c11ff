//! The recorded cases.

use std::{fs, path::Path};

use bytes::Bytes;
use serde_json::Value;
use switchyard_dialects::openai_chat::StreamDecoder;
use switchyard_domain::id::GenerationId;
use switchyard_interchange::{
    event::StreamStep,
    failure::Failure,
    reply::{ReplyHead, ReplyTail},
};

/// One recorded request and its answer.
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) status: u16,
    pub(crate) request: Option<Bytes>,
    pub(crate) body: String,
    events_only: bool,
}

impl Case {
    /// Whether the answer is a stream.
    pub(crate) fn is_stream(&self) -> bool {
        self.events_only || self.body.contains("data: ") || self.body.contains("data:{")
    }

    /// The SSE payloads of the answer with their event names.
    pub(crate) fn payloads(&self) -> Vec<(Option<String>, Bytes)> {
        if self.events_only {
            let lines = self.body.lines().filter(|line| !line.is_empty());
            let mut payloads: Vec<_> = lines
                .map(|line| (None, Bytes::copy_from_slice(line.as_bytes())))
                .collect();
            payloads.push((None, Bytes::from_static(b"[DONE]")));
            return payloads;
        }
        split_events(&self.body)
    }

    /// Decodes the stream to its end.
    pub(crate) fn decode_stream(&self) -> Result<Vec<StreamStep>, Failure> {
        decode_payloads(self.payloads())
    }
}

/// Feeds payloads to a decoder, and its end.
pub(crate) fn decode_payloads(
    payloads: Vec<(Option<String>, Bytes)>,
) -> Result<Vec<StreamStep>, Failure> {
    let mut decoder = StreamDecoder::new();
    let mut steps = Vec::new();
    for (name, data) in payloads {
        steps.push(decoder.event(data, name.as_deref())?);
    }
    steps.push(decoder.end()?);
    Ok(steps)
}

/// A splitter for complete bodies: enough for recordings, not for a network.
pub(crate) fn split_events(body: &str) -> Vec<(Option<String>, Bytes)> {
    let body = body.replace("\r\n", "\n");
    body.split("\n\n")
        .filter_map(|frame| {
            let field = |name: &str| {
                let lines = frame.lines().filter_map(move |line| {
                    line.strip_prefix(name)
                        .map(|rest| rest.strip_prefix(' ').unwrap_or(rest))
                });
                lines.collect::<Vec<_>>()
            };
            let data = field("data:");
            let name = field("event:").first().map(|name| (*name).to_owned());
            (!data.is_empty()).then(|| (name, Bytes::from(data.join("\n"))))
        })
        .collect()
}

/// Every case, by name.
pub(crate) fn all() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/openai_chat");
    let mut cases: Vec<Case> = fs::read_dir(folder)
        .expect("the fixture has this")
        .map(|entry| entry.expect("the fixture has this").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .map(|path| read(&path))
        .collect();
    cases.sort_by(|a, b| a.id.cmp(&b.id));
    assert!(cases.len() > 60, "the fixtures are missing");
    cases
}

fn read(path: &Path) -> Case {
    let case: Value = serde_json::from_slice(&fs::read(path).expect("the fixture has this"))
        .expect("the fixture has this");
    let request = &case["request"]["body"];
    Case {
        id: case["id"]
            .as_str()
            .expect("the fixture has this")
            .to_owned(),
        status: u16::try_from(
            case["response"]["status"]
                .as_u64()
                .expect("the fixture has this"),
        )
        .expect("the fixture has this"),
        request: request
            .is_object()
            .then(|| Bytes::from(request.to_string())),
        body: case["response"]["body_text"]
            .as_str()
            .expect("the fixture has this")
            .to_owned(),
        events_only: case["fidelity"] == "events-only",
    }
}

/// The identity that answers get in these tests.
pub(crate) fn head() -> ReplyHead {
    ReplyHead {
        generation_id: GenerationId::new(1_700_000_000, 7),
        created_seconds: 1_700_000_001,
        model: "author/model".to_owned(),
        provider: "Acme".to_owned(),
    }
}

/// The cost that answers get in these tests.
pub(crate) fn tail() -> ReplyTail {
    use switchyard_domain::{money::UsdNanos, tokens::TokenUsage};
    ReplyTail {
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
    }
}
