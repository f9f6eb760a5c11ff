//! What is accepted, what is refused, and that neither tells the secret.

use super::*;

const KEY: &str = "q7Zr4tLm9wXe41bTck0PqRsTuVwXyZ12";

fn inspected(
    family: Family,
    provider: &str,
    text: &str,
) -> Result<CredentialFacts, InvalidCredential> {
    let credential = Secret::new(text.as_bytes().to_vec());
    inspect(family, &ProviderSlug::new(provider), &credential)
}

fn plain(provider: &str, text: &str) -> Result<CredentialFacts, InvalidCredential> {
    inspected(Family::OpenAiCompatible, provider, text)
}

fn azure(text: &str) -> Result<CredentialFacts, InvalidCredential> {
    inspected(Family::Azure, "azure", text)
}

/// The complaint, of which nothing may be in the credential but words of ours.
fn refused(found: Result<CredentialFacts, InvalidCredential>, secret: &str) -> String {
    let complaint = found.expect_err("it is refused");
    let shown = format!("{complaint} {complaint:?}");
    assert!(secret.is_empty() || !shown.contains(secret), "{shown}");
    complaint.to_string()
}

#[test]
fn plain_keys_are_recognised_by_their_ends() {
    for (text, label) in [
        ("sk-proj-abcdefghijklmnopqrstuvwxyz", "sk-p...yz"),
        ("q7Zr4tLm9wXe41bTck0PqRsTuVwXyZ12", "q7Zr4...Z12"),
        (" q7Zr4tLm9wXe41bTck0PqRsTuVwXyZ12\r\n", "q7Zr4...Z12"),
        ("12345678", "1...8"),
        ("abcdefghijklmnopqrstuvwx==", "abc...x=="),
    ] {
        let facts = plain("acme", text).expect("a key");
        assert_eq!((facts.kind, facts.hosts.len()), ("api_key", 0));
        let (head, tail) = facts.label.split_once("...").expect("an ellipsis");
        assert!(head.len() + tail.len() <= 8, "{}", facts.label);
        assert!(text.trim().starts_with(head) && text.trim().ends_with(tail));
        if !label.starts_with("sk-p") && !label.starts_with("abc") {
            assert_eq!(facts.label, label);
        }
    }
}

#[test]
fn mistakes_are_named() {
    for (text, says) in [
        (String::new(), "is empty"),
        (" \n".to_owned(), "is empty"),
        (format!("Bearer {KEY}"), "leave out `Bearer`"),
        (format!("bearer {KEY}"), "leave out `Bearer`"),
        (format!("Authorization: Bearer {KEY}"), "whole header"),
        (format!("x-api-key: {KEY}"), "whole header"),
        (format!("\"{KEY}\""), "in quotes"),
        (format!("'{KEY}'"), "in quotes"),
        (format!("OPENAI_API_KEY={KEY}"), "is an assignment"),
        (format!("export OPENAI_API_KEY={KEY}"), "is an assignment"),
        (format!("key={KEY}"), "is an assignment"),
        (format!("sk-sy-v1-{KEY}"), "key of this service"),
        (format!("{KEY} {KEY}"), "whitespace inside"),
        (format!("{KEY}\n{KEY}"), "whitespace inside"),
        (format!("“{KEY}”"), "characters that no key has"),
        (format!("{KEY}\u{0}"), "characters that no key has"),
        ("1234567".to_owned(), "has 7 characters"),
        ("x".repeat(4_097), "has 4097 characters"),
        (format!("{{\"api_key\": \"{KEY}\"}}"), "and this is JSON"),
    ] {
        let complaint = refused(plain("acme", &text), KEY);
        assert!(complaint.contains(says), "{text}: {complaint}");
    }
    assert!(plain("acme", &"x".repeat(4_096)).is_ok());
}

#[test]
fn keys_of_another_provider_are_recognised() {
    for (prefix, owner, home) in [
        ("sk-ant-", "Anthropic", "anthropic"),
        ("sk-or-", "OpenRouter", "openrouter"),
        ("AIza", "Google", "google-ai-studio"),
        ("gsk_", "Groq", "groq"),
        ("xai-", "xAI", "xai"),
    ] {
        let key = format!("{prefix}{KEY}");
        let complaint = refused(plain("openai", &key), KEY);
        assert!(complaint.contains(owner), "{complaint}");
        assert!(complaint.contains("`openai`"), "{complaint}");
        assert!(plain(home, &key).is_ok(), "{home}");
    }
    assert!(inspected(Family::Anthropic, "anthropic", &format!("sk-ant-{KEY}")).is_ok());
}

fn resource(name: &str) -> String {
    serde_json::json!([{ "api_key": KEY, "resource_name": name }]).to_string()
}

fn deployment(url: &str) -> String {
    let row = serde_json::json!({
        "model_slug": "openai/gpt-4.1", "endpoint_url": url, "api_key": KEY, "model_id": "mine",
    });
    row.to_string()
}

#[test]
fn azure_credentials_tell_their_hosts() {
    for (text, label, hosts) in [
        (
            resource("acme-east"),
            "acme-east q7Zr4...Z12",
            vec!["acme-east.openai.azure.com"],
        ),
        (
            format!(r#"{{"api_key":"{KEY}","resource_name":"Acme","resource_type":"ai_foundry"}}"#),
            "acme q7Zr4...Z12",
            vec!["acme.services.ai.azure.com"],
        ),
        (
            deployment(
                "https://Acme.OpenAI.Azure.com./openai/deployments/mine/chat/completions?api-version=2024-10-21",
            ),
            "acme q7Zr4...Z12",
            vec!["acme.openai.azure.com"],
        ),
        (
            format!(
                "[{},{},{}]",
                deployment("https://z.eastus.models.ai.azure.com/v1/chat/completions"),
                format_args!(r#"{{"api_key":"{KEY}","resource_name":"b","resource_type":null}}"#),
                deployment("https://b.openai.azure.com:443/openai/v1/chat/completions"),
            ),
            "b q7Zr4...Z12 and 2 more",
            vec!["b.openai.azure.com", "z.eastus.models.ai.azure.com"],
        ),
    ] {
        let facts = azure(&text).expect("a credential");
        let hosts = hosts.into_iter().map(str::to_owned).collect();
        let label = label.to_owned();
        assert_eq!(
            facts,
            CredentialFacts {
                kind: "azure",
                label,
                hosts
            }
        );
    }
}

/// Credentials with a fault (`KEY` stands for the key), the field that has it, and what is said of it.
const FAULTY: &[(&str, Option<&str>, &str)] = &[
    ("KEY", None, "takes JSON"),
    ("[]", None, "one to 100 objects"),
    (r#"[{"api_key":"KEY""#, None, "line 1, column"),
    (r#"["KEY"]"#, Some("[0]"), "not a JSON object"),
    (r#"{"KEY":1}"#, None, "not known here"),
    (
        r#"{"api_key":"KEY","region":"x"}"#,
        None,
        "the fields are api_key",
    ),
    (
        r#"{"api_key":"KEY","resourceName":"x"}"#,
        Some("resource_name"),
        "spelled otherwise",
    ),
    (
        r#"{"api_key":"KEY","api_key":"y"}"#,
        Some("api_key"),
        "twice",
    ),
    (
        r#"{"api_key":"KEY","resource_name":7}"#,
        Some("resource_name"),
        "put it in quotes",
    ),
    (
        r#"{"api_key":"KEY","resource_name":"x","resource_type":"azure"}"#,
        Some("resource_type"),
        "`openai` or",
    ),
    (
        r#"[{"api_key":"KEY","resource_name":"x","model_id":"y"}]"#,
        Some("[0]"),
        "two objects",
    ),
    (
        r#"[{"api_key":"KEY"}]"#,
        Some("[0].resource_name"),
        "is missing",
    ),
    (r#"{"resource_name":"x"}"#, Some("api_key"), "is missing"),
    (
        r#"{"resource_name":"x","api_key":null}"#,
        Some("api_key"),
        "is missing",
    ),
    (
        r#"{"resource_name":"x","api_key":"short"}"#,
        Some("api_key"),
        "has 5 characters",
    ),
    (
        r#"{"resource_name":"x","api_key":"Bearer KEY"}"#,
        Some("api_key"),
        "leave out",
    ),
    (
        r#"{"api_key":"KEY","model_slug":"gpt","model_id":"m","endpoint_url":"x"}"#,
        Some("model_slug"),
        "as callers do",
    ),
    (
        r#"{"api_key":"KEY","model_slug":"a/b","model_id":"","endpoint_url":"x"}"#,
        Some("model_id"),
        "name of a deployment",
    ),
    (
        r#"{"api_key":"KEY","model_slug":"a/b","model_id":"m"}"#,
        Some("endpoint_url"),
        "is missing",
    ),
];

#[test]
fn azure_complaints_name_the_field() {
    let check = |text: &str, field: Option<&str>, says: &str| {
        let found = azure(text);
        let complaint = found.clone().expect_err(text);
        assert_eq!(complaint.field.as_deref(), field, "{complaint}");
        let shown = refused(found, KEY);
        assert!(shown.contains(says), "{shown}");
    };
    for (text, field, says) in FAULTY {
        check(&text.replace("KEY", KEY), *field, says);
    }
    check(
        &format!("[{}]", vec!["{}"; 101].join(",")),
        None,
        "one to 100",
    );
    check(&format!("[{}]", " ".repeat(70_000)), None, "longer than");
}

#[test]
fn t32_resources_are_one_label() {
    for name in [
        "evil#",
        "evil.com#",
        "a/b",
        "a\\b",
        "@evil.com",
        "me@evil",
        "a?",
        "evil.com",
        "a:443",
        "",
        " ",
        ".",
        "..",
        "-a",
        "a-",
        "a_b",
        "ä",
        "a b",
        "a\t",
        "a\u{0}",
        "%61",
        "[::1]",
        "https://a",
        "a;",
        "a,b",
        "169.254.169.254",
        "{x}",
    ] {
        let complaint = azure(&resource(name)).expect_err(name);
        assert_eq!(
            complaint.field.as_deref(),
            Some("[0].resource_name"),
            "{name:?}"
        );
        assert!(
            complaint.message.contains("first part of its address"),
            "{complaint}"
        );
    }
    assert!(azure(&resource(&"a".repeat(63))).is_ok());
    assert!(azure(&resource(&"a".repeat(64))).is_err());
}

/// Addresses that are refused, and what is said of them.
const NOT_AZURES: &[(&str, &str)] = &[
    (
        "http://a.openai.azure.com/x/chat/completions",
        "begin with `https://`",
    ),
    (
        "a.openai.azure.com/x/chat/completions",
        "begin with `https://`",
    ),
    (
        "https:/a.openai.azure.com/x/chat/completions",
        "begin with `https://`",
    ),
    (
        "https://evil.com/chat/completions",
        "does not lead to Azure",
    ),
    (
        "https://openai.azure.com/chat/completions",
        "does not lead to Azure",
    ),
    (
        "https://evilopenai.azure.com/chat/completions",
        "does not lead to Azure",
    ),
    (
        "https://a.openai.azure.com.evil.com/chat/completions",
        "does not lead to Azure",
    ),
    (
        "https://evil.com/.openai.azure.com/chat/completions",
        "does not lead to Azure",
    ),
    (
        "https://evil.com?.openai.azure.com/chat/completions",
        "does not lead to Azure",
    ),
    (
        "https://evil.com#.openai.azure.com/chat/completions",
        "has a `#`",
    ),
    (
        "https://evil.com\\.openai.azure.com/chat/completions",
        "has a `#` or a `\\`",
    ),
    (
        "https://evil.com\\@a.openai.azure.com/chat/completions",
        "has a `#` or a `\\`",
    ),
    (
        "https://me@a.openai.azure.com/chat/completions",
        "name or password",
    ),
    (
        "https://me:pw@a.openai.azure.com/chat/completions",
        "name or password",
    ),
    (
        "https://a.openai.azure.com:444/chat/completions",
        "has a port",
    ),
    (
        "https://a.openai.azure.com:80/chat/completions",
        "has a port",
    ),
    ("https://[::1]/chat/completions", "does not lead to Azure"),
    (
        "https://127.0.0.1/chat/completions",
        "does not lead to Azure",
    ),
    (
        "https://a.openai.azure.com%00.evil.com/chat/completions",
        "does not lead to Azure",
    ),
    ("https:///chat/completions", "does not lead to Azure"),
    (
        "https://a.openai.azure.com/chat/completions?x=1",
        "only `api-version`",
    ),
    (
        "https://a.openai.azure.com/chat/completions?api-version=1&x=1",
        "only `api-version`",
    ),
    (
        "https://a.openai.azure.com/chat/completions?api-version=",
        "only `api-version`",
    ),
    ("https://a.openai.azure.com/chat/completions#x", "has a `#`"),
    (
        "https://a.openai.azure.com/../chat/completions",
        "path that no deployment has",
    ),
    (
        "https://a.openai.azure.com//chat/completions",
        "path that no deployment has",
    ),
    (
        "https://a.openai.azure.com/%2e%2e/chat/completions",
        "path that no deployment has",
    ),
    (
        "https://a.openai.azure.com/a b/chat/completions",
        "path that no deployment has",
    ),
    ("https://a.openai.azure.com", "path that no deployment has"),
    (
        "https://a.openai.azure.com/openai/v1",
        "must end in `/chat/completions`",
    ),
];

const AZURES: &[&str] = &[
    "https://a.openai.azure.com/openai/deployments/mine/chat/completions?api-version=2024-08-01-preview",
    "https://a.openai.azure.com/openai/v1/chat/completions",
    "HTTPS://A.services.ai.azure.com/models/chat/completions?api-version=2024-05-01-preview",
    "https://a.services.ai.azure.com/anthropic/v1/messages",
    "https://a.cognitiveservices.azure.com/openai/v1/chat/completions",
    "https://a.eastus.models.ai.azure.com/v1/chat/completions",
    "https://a.eastus2.inference.ml.azure.com/v1/chat/completions",
];

#[test]
fn t32_deployments_are_azures_own() {
    for (url, says) in NOT_AZURES {
        let complaint = azure(&deployment(url)).expect_err(url);
        assert_eq!(complaint.field.as_deref(), Some("endpoint_url"), "{url}");
        assert!(complaint.message.contains(says), "{url}: {complaint}");
    }
    for url in AZURES {
        assert!(azure(&deployment(url)).is_ok(), "{url}");
    }
}

#[test]
fn debug_shows_no_secret() {
    let credential = AzureCredential::parse(resource("acme").as_bytes()).expect("a credential");
    assert!(!format!("{credential:?}").contains(KEY));
}
