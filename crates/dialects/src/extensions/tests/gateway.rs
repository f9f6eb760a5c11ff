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

/// What was supplied, as provider and text.
fn supplied(byok: &str) -> Result<Vec<(String, String)>, DecodeError> {
    let read = read(&format!(r#"{{"byok": {byok}}}"#), "")?;
    let text = |secret: &[u8]| String::from_utf8(secret.to_vec()).unwrap();
    Ok(read
        .supplied_credentials
        .iter()
        .map(|one| (one.provider.clone(), text(one.secret.expose())))
        .collect())
}

#[test]
fn supplied_credentials_take_the_stored_form() {
    for (byok, provider, stored) in [
        (r#"{"openai": [{"apiKey": "sk-1"}]}"#, "openai", "sk-1"),
        (r#"{"zai": [{"apiKey": "\u0073k-2"}]}"#, "z-ai", "sk-2"),
        (
            r#"{"bedrock": [{"accessKeyId": "AK", "secretAccessKey": "s\"q", "region": "eu-west-1"}]}"#,
            "amazon-bedrock",
            r#"{"accessKeyId":"AK","secretAccessKey":"s\"q","region":"eu-west-1"}"#,
        ),
        (
            r#"{"bedrock": [{"region": "us-east-1", "apiKey": "k"}]}"#,
            "amazon-bedrock",
            r#"{"region":"us-east-1","apiKey":"k"}"#,
        ),
        (
            r#"{"azure": [{"apiKey": "k", "resourceName": "mine"}]}"#,
            "azure",
            r#"{"api_key":"k","resource_name":"mine"}"#,
        ),
        (
            r#"{"vertex": [{"project": "p", "location": "global",
                "googleCredentials": {"clientEmail": "a@b", "privateKey": "-----"}}]}"#,
            "google-vertex",
            r#"{"type":"service_account","project_id":"p","region":"global","client_email":"a@b","private_key":"-----"}"#,
        ),
        (
            r#"{"vertex": [{"clientEmail": "a@b", "privateKey": "-----", "project": "p"}]}"#,
            "google-vertex",
            r#"{"type":"service_account","client_email":"a@b","private_key":"-----","project_id":"p"}"#,
        ),
    ] {
        let expected = [(provider.to_owned(), stored.to_owned())];
        assert_eq!(supplied(byok).unwrap(), expected, "{byok}");
    }
    assert_eq!(supplied("null").unwrap(), []);
    assert_eq!(supplied("{}").unwrap(), []);
}

#[test]
fn supplied_credentials_are_bounded_checked_and_never_repeated() {
    let many = |count: usize| {
        let one = r#"{"apiKey": "sk-hidden"}"#;
        format!(r#"{{"openai": [{}]}}"#, vec![one; count].join(","))
    };
    assert_eq!(supplied(&many(8)).unwrap().len(), 8);
    for (byok, says) in [
        (many(9), "byok.openai[8]"),
        (
            r#"{"openai": {"apiKey": "sk-hidden"}}"#.to_owned(),
            "byok.openai",
        ),
        (
            r#"{"openai": [{"apiKey": 7}]}"#.to_owned(),
            "byok.openai[0].apiKey",
        ),
        (r#"{"openai": [{}]}"#.to_owned(), "byok.openai[0].apiKey"),
        (
            r#"{"openai": [{"apiKey": "sk-hidden", "baseURL": "https://x"}]}"#.to_owned(),
            "byok.openai[0].baseURL",
        ),
        (
            r#"{"azure": [{"apiKey": "sk-hidden", "modelMappings": []}]}"#.to_owned(),
            "byok.azure[0].modelMappings",
        ),
        (r#"{"openai": ["sk-hidden"]}"#.to_owned(), "byok.openai[0]"),
    ] {
        let error = supplied(&byok).unwrap_err().to_string();
        assert!(error.contains(says), "{error} / {says}");
        assert!(!error.contains("hidden"), "{error}");
    }
    let read = read(r#"{"byok": {"openai": [{"apiKey": "sk-hidden"}]}}"#, "").unwrap();
    assert!(!format!("{read:?}").contains("hidden"), "{read:?}");
}
