//! What clients of Vercel's gateway say.

use switchyard_interchange::preferences::{Caching, Capability, DataCollection, Sort};

use super::*;

fn read(gateway: &str, beside: &str) -> Result<Extensions, DecodeError> {
    decode(&format!(
        r#"{{"model": "a/b", "providerOptions": {{"gateway": {gateway}}}{beside}}}"#
    ))
}

#[test]
fn their_words_become_ours() {
    let read = read(
        r#"{"order": ["bedrock", "anthropic", "vertex/global", "GOOGLE"], "only": ["zai", "togetherai"],
            "sort": "ttft", "models": ["c/d", "e/f"], "user": "u-1", "zeroDataRetention": true,
            "disallowPromptTraining": true, "has": ["tool-use"], "caching": "auto",
            "providerTimeouts": {"byok": {"bedrock": 2500, "openai": 1000}}, "serviceTier": "flex",
            "tags": ["team:a"], "quotaEntityId": 7, "unheardOf": {"x": [1]}}"#,
        "",
    )
    .unwrap();
    let list = |slugs: &[&str]| Some(slugs.iter().map(|slug| (*slug).to_owned()).collect());
    assert_eq!(
        read.provider,
        ProviderPreferences {
            order: list(&[
                "amazon-bedrock",
                "anthropic",
                "google-vertex/global",
                "google-ai-studio"
            ]),
            only: list(&["z-ai", "together"]),
            sort: Some(Sort {
                by: SortKey::Latency,
                partition: Partition::Model,
            }),
            zdr: true,
            data_collection: Some(DataCollection::Deny),
            has: vec![Capability::ToolUse],
            caching: Caching::Auto,
            first_token_timeouts_ms: [
                ("amazon-bedrock".to_owned(), 2_500),
                ("openai".to_owned(), 1_000),
            ]
            .into(),
            ..ProviderPreferences::default()
        }
    );
    assert_eq!(read.models, ["c/d", "e/f"]);
    assert_eq!(read.user.as_deref(), Some("u-1"));
    assert_eq!(read.service_tier, Some(RequestedTier::Flex));
}

#[test]
fn every_sort_has_its_counterpart() {
    for (theirs, ours) in [
        ("cost", SortKey::Price),
        ("ttft", SortKey::Latency),
        ("tps", SortKey::Throughput),
    ] {
        let read = read(&format!(r#"{{"sort": "{theirs}"}}"#), "").unwrap();
        assert_eq!(read.provider.sort.unwrap().by, ours, "{theirs}");
    }
}

#[test]
fn nothing_said_is_nothing() {
    for options in [
        "{}",
        "null",
        r#"{"gateway": null}"#,
        r#"{"gateway": {}}"#,
        r#"{"openai": {"reasoningEffort": "low"}}"#,
        r#"{"gateway": {"zeroDataRetention": false, "disallowPromptTraining": false, "order": []}}"#,
    ] {
        let read = decode(&format!(r#"{{"providerOptions": {options}}}"#)).unwrap();
        assert_eq!(read.provider, ProviderPreferences::default(), "{options}");
    }
}

#[test]
fn of_privacy_the_stricter_word_counts_of_the_rest_the_provider_objects() {
    let strict = r#"{"zeroDataRetention": true, "disallowPromptTraining": true}"#;
    let lax = r#", "provider": {"zdr": false, "data_collection": "allow"}"#;
    let read_strict = read(strict, lax).unwrap().provider;
    assert!(read_strict.zdr);
    assert_eq!(read_strict.data_collection, Some(DataCollection::Deny));
    let read_lax = read(
        r#"{"zeroDataRetention": false, "disallowPromptTraining": false}"#,
        r#", "provider": {"zdr": true, "data_collection": "deny"}"#,
    )
    .unwrap()
    .provider;
    assert!(read_lax.zdr);
    assert_eq!(read_lax.data_collection, Some(DataCollection::Deny));

    let both = read(
        r#"{"order": ["bedrock"], "only": ["bedrock"], "sort": "tps", "has": ["vision"], "caching": "auto",
            "providerTimeouts": {"byok": {"bedrock": 5}}, "models": ["x"], "user": "theirs",
            "serviceTier": "flex"}"#,
        r#", "provider": {"order": ["openai"], "sort": "price", "has": ["reasoning"],
            "caching": "as_marked", "first_token_timeouts": {"openai": 7}},
            "models": ["y"], "user": "ours", "service_tier": "priority""#,
    )
    .unwrap();
    let provider = &both.provider;
    assert_eq!(provider.order.as_deref(), Some(&["openai".to_owned()][..]));
    assert_eq!(provider.sort.unwrap().by, SortKey::Price);
    assert_eq!(provider.has, [Capability::Reasoning]);
    assert_eq!(provider.caching, Caching::AsMarked);
    assert_eq!(
        provider.first_token_timeouts_ms,
        [("openai".to_owned(), 7)].into()
    );
    // What only one side says holds.
    assert_eq!(
        provider.only.as_deref(),
        Some(&["amazon-bedrock".to_owned()][..])
    );
    assert_eq!(both.models, ["y"]);
    assert_eq!(both.user.as_deref(), Some("ours"));
    assert_eq!(both.service_tier, Some(RequestedTier::Priority));
}

#[test]
fn mistakes_are_located_in_their_object() {
    let long = format!(r#"{{"user": "{}"}}"#, "x".repeat(257));
    for (gateway, said) in [
        (r#"{"sort": "price"}"#, "sort: expected cost, ttft or tps"),
        (r#"{"caching": "never"}"#, "caching: expected auto"),
        (
            r#"{"zeroDataRetention": 1}"#,
            "zeroDataRetention: expected true or false",
        ),
        (r#"{"order": ["a", ""]}"#, "order[1]: must not be empty"),
        (
            r#"{"models": ["a", "b", "c", "d"]}"#,
            "models: at most 3 models",
        ),
        (
            r#"{"providerTimeouts": {"byok": {"bedrock": 0}}}"#,
            "providerTimeouts.byok.bedrock: expected 1 to 789000 milliseconds",
        ),
        (
            r#"{"serviceTier": "gold"}"#,
            "serviceTier: expected auto, default, flex, priority, fast or scale",
        ),
        (
            r#"{"has": ["x"]}"#,
            "has[0]: expected implicit-caching, reasoning, structured-output, tool-use, vision, \
             quantization:<format> or !quantization:<format>",
        ),
        (long.as_str(), "user: at most 256 characters"),
    ] {
        let error = read(gateway, "").unwrap_err().to_string();
        assert_eq!(
            error,
            format!("providerOptions.gateway.{said}"),
            "{gateway}"
        );
    }
    let error = decode(r#"{"providerOptions": []}"#)
        .unwrap_err()
        .to_string();
    assert_eq!(error, "providerOptions: expected an object");
    let twice = read(r#"{"only": ["a"], "only": ["b"]}"#, "").unwrap_err();
    assert_eq!(twice.kind, DecodeErrorKind::Malformed);
}
