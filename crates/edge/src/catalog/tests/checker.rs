//! What the strictest clients require of a model, an endpoint and a provider.

use serde_json::Value;
use switchyard_domain::money::Price;

/// Which values a key may have.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Text,
    Whole,
    Number,
    Flag,
    Texts,
    Object,
    Null,
    /// A price as decimal text.
    Decimal,
}

use Kind::{Decimal, Flag, Null, Number, Object, Text, Texts, Whole};

type Shape = &'static [(&'static str, &'static [Kind])];

const MODEL: Shape = &[
    ("id", &[Text]),
    ("canonical_slug", &[Text]),
    ("name", &[Text]),
    ("created", &[Whole]),
    ("context_length", &[Whole, Null]),
    ("architecture", &[Object]),
    ("pricing", &[Object]),
    ("top_provider", &[Object]),
    ("per_request_limits", &[Object, Null]),
    ("supported_parameters", &[Texts]),
    ("default_parameters", &[Object, Null]),
    ("supported_voices", &[Texts, Null]),
    ("links", &[Object]),
];

const ARCHITECTURE: Shape = &[
    ("input_modalities", &[Texts]),
    ("output_modalities", &[Texts]),
    ("modality", &[Text, Null]),
    ("tokenizer", &[Text, Null]),
    ("instruct_type", &[Text, Null]),
];

const TOP_PROVIDER: Shape = &[
    ("is_moderated", &[Flag]),
    ("context_length", &[Whole, Null]),
    ("max_completion_tokens", &[Whole, Null]),
];

const ENDPOINT: Shape = &[
    ("name", &[Text]),
    ("model_id", &[Text]),
    ("model_name", &[Text]),
    ("provider_name", &[Text]),
    ("tag", &[Text]),
    ("context_length", &[Whole]),
    ("max_completion_tokens", &[Whole, Null]),
    ("max_prompt_tokens", &[Whole, Null]),
    ("quantization", &[Text, Null]),
    ("pricing", &[Object]),
    ("supported_parameters", &[Texts]),
    ("supports_implicit_caching", &[Flag]),
    ("supports_diarization", &[Flag]),
    ("supports_tool_choice", &[Object]),
    ("native_tools", &[Object]),
    ("service_tier", &[Text, Null]),
    ("status", &[Whole]),
    // Nothing of our own is known yet, and what others saw is not ours to claim.
    ("uptime_last_5m", &[Null]),
    ("uptime_last_30m", &[Null]),
    ("uptime_last_1d", &[Null]),
    ("latency_last_30m", &[Null]),
    ("throughput_last_30m", &[Null]),
];

const TOOL_CHOICE: Shape = &[
    ("auto", &[Flag]),
    ("none", &[Flag]),
    ("required", &[Flag]),
    ("function", &[Flag]),
];

const PROVIDER: Shape = &[
    ("name", &[Text]),
    ("slug", &[Text]),
    ("privacy_policy_url", &[Text, Null]),
    ("terms_of_service_url", &[Text, Null]),
    ("status_page_url", &[Text, Null]),
    ("headquarters", &[Text, Null]),
    ("datacenters", &[Texts, Null]),
];

const PRICES: [&str; 14] = [
    "prompt",
    "completion",
    "request",
    "image",
    "image_token",
    "image_output",
    "audio",
    "audio_output",
    "web_search",
    "internal_reasoning",
    "input_cache_read",
    "input_cache_write",
    "input_cache_write_1h",
    "input_audio_cache",
];

/// Keys that are left out where nothing is known, and are never `null`.
const NEVER_NULL: [&str; 6] = [
    "description",
    "hugging_face_id",
    "knowledge_cutoff",
    "expiration_date",
    "alias_target",
    "reasoning",
];

pub(super) fn model(row: &Value) {
    shape(row, MODEL, row);
    shape(&row["architecture"], ARCHITECTURE, row);
    shape(&row["top_provider"], TOP_PROVIDER, row);
    pricing(&row["pricing"], row);
    assert!(
        row["links"]["details"]
            .as_str()
            .is_some_and(|path| path.starts_with('/')),
        "{row}"
    );
    for key in NEVER_NULL {
        assert_ne!(row.get(key), Some(&Value::Null), "{key} of {row}");
    }
    if let Some(reasoning) = row.get("reasoning") {
        assert!(reasoning["mandatory"].is_boolean(), "{row}");
        assert!(reasoning.get("supported_efforts").is_some(), "{row}");
    }
}

pub(super) fn architecture(row: &Value) {
    shape(row, ARCHITECTURE, row);
}

pub(super) fn endpoint(row: &Value) {
    shape(row, ENDPOINT, row);
    shape(&row["supports_tool_choice"], TOOL_CHOICE, row);
    pricing(&row["pricing"], row);
}

pub(super) fn provider(row: &Value) {
    shape(row, PROVIDER, row);
}

fn pricing(pricing: &Value, row: &Value) {
    shape(
        pricing,
        &[
            ("prompt", &[Decimal]),
            ("completion", &[Decimal]),
            ("discount", &[Number]),
        ],
        row,
    );
    let known = |key: &str| PRICES.contains(&key) || ["discount", "overrides"].contains(&key);
    for (key, value) in pricing.as_object().expect("an object") {
        assert!(known(key), "{key} of {row}");
        if PRICES.contains(&key.as_str()) {
            assert!(Decimal.admits(value), "{key} of {row}");
        }
    }
    for over in pricing["overrides"].as_array().into_iter().flatten() {
        let over = over.as_object().expect("an object");
        let conditions = ["min_prompt_tokens", "utc_start", "utc_end", "utc_days"];
        let is_condition = |key: &String| conditions.contains(&key.as_str());
        assert!(over.keys().any(is_condition), "{row}");
        assert!(over.keys().any(|key| !is_condition(key)), "{row}");
        for (key, value) in over {
            match key.as_str() {
                "min_prompt_tokens" | "utc_start" | "utc_end" => assert!(value.is_u64(), "{row}"),
                "utc_days" => assert!(Texts.admits(value), "{row}"),
                _ => assert!(
                    PRICES.contains(&key.as_str()) && Decimal.admits(value),
                    "{row}"
                ),
            }
        }
    }
}

fn shape(value: &Value, shape: Shape, row: &Value) {
    for (key, kinds) in shape {
        let found = value
            .get(*key)
            .unwrap_or_else(|| panic!("{key} is missing in {row}"));
        assert!(
            kinds.iter().any(|kind| kind.admits(found)),
            "{key} is {found} in {row}"
        );
    }
}

impl Kind {
    fn admits(self, value: &Value) -> bool {
        match self {
            Text => value.as_str().is_some_and(|text| !text.is_empty()),
            Whole => value.is_i64() || value.is_u64(),
            Number => value.is_number(),
            Flag => value.is_boolean(),
            Texts => value
                .as_array()
                .is_some_and(|list| list.iter().all(Value::is_string)),
            Object => value.is_object(),
            Null => value.is_null(),
            Decimal => value
                .as_str()
                .is_some_and(|text| text.parse::<Price>().is_ok()),
        }
    }
}
