mod gateway;
mod models;
mod wishes;

use expect_test::{Expect, expect};
use switchyard_interchange::preferences::{Partition, SortKey};

use super::*;
use crate::error::DecodeErrorKind;

fn decode(body: &str) -> Result<Extensions, DecodeError> {
    ExtensionFields::find(body.as_bytes())?.decode()
}

fn refuses(body: &str, kind: DecodeErrorKind, said: Expect) {
    let error = decode(body).unwrap_err();
    assert_eq!(error.kind, kind, "{body}");
    said.assert_eq(&error.to_string());
}

#[test]
fn every_preference_is_read() {
    let extensions = decode(
        r#"{"provider": {
            "order": ["openai", "azure/eu"], "allow_fallbacks": false, "require_parameters": true,
            "data_collection": "deny", "zdr": true, "enforce_distillable_text": true,
            "only": ["openai"], "ignore": ["azure"], "quantizations": ["fp8", "bf16"],
            "sort": {"by": "throughput", "partition": "none"},
            "max_price": {"prompt": 0.15, "completion": "1e1", "request": "0.01", "image": null},
            "preferred_min_throughput": 50, "preferred_max_latency": {"p90": 1.25, "p50": null}
        }}"#,
    )
    .unwrap();
    let read = format!("{:?}", extensions.provider);
    expect![[r#"ProviderPreferences { order: Some(["openai", "azure/eu"]), allow_fallbacks: Some(false), require_parameters: true, data_collection: Some(Deny), zdr: true, enforce_distillable_text: true, only: Some(["openai"]), ignore: ["azure"], quantizations: Some(["fp8", "bf16"]), sort: Some(Sort { by: Throughput, partition: None }), max_price: MaxPrice { prompt: Some(Price(150000)), completion: Some(Price(10000000)), request: Some(Price(10000000000)), image: None, audio: None }, preferred_min_throughput: Some(Percentiles { p50: Some(50000), p75: None, p90: None, p99: None }), preferred_max_latency: Some(Percentiles { p50: None, p75: None, p90: Some(1250), p99: None }), has: [], sticky: Auto, caching: AsMarked, first_token_timeouts_ms: {}, first_token_deadline_ms: None, hedge: false }"#]].assert_eq(&read);
}

#[test]
fn null_is_absent() {
    let nulls = decode(
        r#"{"provider": {"order": null, "sort": null, "max_price": null, "zdr": null},
            "models": null, "session_id": null, "service_tier": null, "reasoning": null}"#,
    )
    .unwrap();
    assert_eq!(nulls.provider, ProviderPreferences::default());
    assert_eq!(nulls.reasoning, ReasoningControl::default());
    assert_eq!(nulls.parameters, Parameters::EMPTY);
    assert_eq!(nulls.service_tier, None);
}

#[test]
fn mistakes_are_located() {
    use DecodeErrorKind::{Invalid, Malformed, Unsupported};
    refuses(
        r#"{"provider": {"zdrr": true}}"#,
        Invalid,
        expect!["provider: unknown field `zdrr`"],
    );
    refuses(
        r#"{"provider": {"zdr": "yes please"}}"#,
        Invalid,
        expect!["provider.zdr: expected true or false"],
    );
    refuses(
        r#"{"provider": {"zdr": true, "zdr": false}}"#,
        Malformed,
        expect!["provider: duplicate field `zdr`"],
    );
    refuses(
        r#"{"provider": {"order": ["openai", 7]}}"#,
        Invalid,
        expect!["provider.order[1]: expected a string"],
    );
    refuses(
        r#"{"provider": ["openai"]}"#,
        Invalid,
        expect!["provider: expected an object"],
    );
    refuses(
        r#"{"provider": {"max_price": {"prompt": -1}}}"#,
        Invalid,
        expect!["provider.max_price.prompt: expected a non-negative decimal in US dollars"],
    );
    refuses(
        r#"{"provider": {"quantizations": ["fp8", "fp9"]}}"#,
        Invalid,
        expect![
            "provider.quantizations[1]: expected one of int4, int8, fp4, mxfp4, nvfp4, fp6, fp8, mxfp8, fp16, bf16, fp32, unknown"
        ],
    );
    refuses(
        r#"{"models": ["a/b", "a/c", "a/d", "a/e"]}"#,
        Invalid,
        expect!["models: at most 3 models"],
    );
    refuses(
        r#"{"plugins": [{"id": "web"}]}"#,
        Unsupported,
        expect![
            "plugins[0]: the plugin `web` is not offered; leave it out or send \"enabled\": false"
        ],
    );
    refuses(
        r#"{"preset": "mine"}"#,
        Unsupported,
        expect!["preset: presets are not offered; send the parameters in the request"],
    );
    refuses(
        r#"{"service_tier": "platinum"}"#,
        Invalid,
        expect!["service_tier: expected auto, default, flex, priority, fast or scale"],
    );
    refuses(
        r#"{"metadata": {"a": 1}}"#,
        Invalid,
        expect!["metadata.a: expected a string"],
    );
}

#[test]
fn session_ids_have_a_longest() {
    let body = |length: usize| format!(r#"{{"session_id": "{}"}}"#, "é".repeat(length));
    assert!(decode(&body(256)).unwrap().session_id.is_some());
    assert_eq!(decode(&body(257)).unwrap_err().path, "session_id");
}

#[test]
fn what_changes_nothing_is_let_through() {
    for body in [
        r#"{"plugins": [{"id": "web", "enabled": false, "max_results": 3}]}"#,
        r#"{"plugins": [{"id": "file-parser", "pdf": {"engine": "native"}}]}"#,
        r#"{"plugins": [], "transforms": ["middle-out"], "trace": {"a": 1}, "route": "fallback"}"#,
    ] {
        assert!(decode(body).is_ok(), "{body}");
    }
}

#[test]
fn sort_has_three_spellings() {
    for (body, by, partition) in [
        (
            r#"{"provider": {"sort": "price"}}"#,
            SortKey::Price,
            Partition::Model,
        ),
        (
            r#"{"provider": {"sort": {"by": "latency"}}}"#,
            SortKey::Latency,
            Partition::Model,
        ),
        (
            r#"{"route": "sort", "provider": {"sort": "exacto"}}"#,
            SortKey::Exacto,
            Partition::None,
        ),
    ] {
        let sort = decode(body).unwrap().provider.sort.unwrap();
        assert_eq!((sort.by, sort.partition), (by, partition), "{body}");
    }
}

#[test]
fn reasoning_spellings_combine() {
    let control = |body: &str| decode(body).map(|extensions| extensions.reasoning);
    let show = |body: &str| match control(body) {
        Ok(control) => format!(
            "{:?} {:?} {:?} exclude={}",
            control.enabled, control.effort, control.max_tokens, control.exclude
        ),
        Err(error) => error.to_string(),
    };
    for (body, said) in [
        (
            r#"{"reasoning": {"effort": "high"}}"#,
            "Some(true) Some(High) None exclude=false",
        ),
        (
            r#"{"reasoning_effort": "low"}"#,
            "Some(true) Some(Low) None exclude=false",
        ),
        (
            r#"{"reasoning": {"max_tokens": 2000}}"#,
            "Some(true) None Some(2000) exclude=false",
        ),
        (
            r#"{"reasoning": {"enabled": true}}"#,
            "Some(true) Some(Medium) None exclude=false",
        ),
        (
            r#"{"reasoning": {"enabled": false}}"#,
            "Some(false) None None exclude=false",
        ),
        (
            r#"{"reasoning": {"effort": "none"}}"#,
            "Some(false) Some(None) None exclude=false",
        ),
        (
            r#"{"reasoning": {}, "include_reasoning": true}"#,
            "None None None exclude=false",
        ),
        (
            r#"{"include_reasoning": false}"#,
            "None None None exclude=true",
        ),
        (
            r#"{"reasoning": {"effort": "high"}, "reasoning_effort": "low"}"#,
            "reasoning_effort: contradicts `reasoning.effort`",
        ),
        (
            r#"{"reasoning": {"effort": "high", "max_tokens": 5}}"#,
            "reasoning.max_tokens: goes without an effort: send either",
        ),
        (
            r#"{"reasoning": {"effort": "highest"}}"#,
            "reasoning.effort: expected none, minimal, low, medium, high, xhigh or max",
        ),
    ] {
        assert_eq!(show(body), said, "{body}");
    }
}

#[test]
fn models_line_up_behind_the_model() {
    let split = |model: Option<&str>, models: &str| {
        decode(&format!(r#"{{"models": {models}}}"#))
            .unwrap()
            .split_models(model.map(str::to_owned))
            .map(|(first, rest)| format!("{first} > {}", rest.join(" > ")))
            .map_err(|error| error.path)
    };
    assert_eq!(
        split(Some("a"), r#"["b", "a", "b"]"#),
        Ok("a > b".to_owned())
    );
    assert_eq!(split(None, r#"["b", "c"]"#), Ok("b > c".to_owned()));
    assert_eq!(split(Some(""), "[]"), Err("model".to_owned()));
}
