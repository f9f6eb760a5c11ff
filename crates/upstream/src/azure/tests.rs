use http::header::HeaderMap;
use serde_json::{Value, json};
use switchyard_interchange::request::ChatRequest;
use switchyard_routing::vetted::Vetted;

use super::*;
use crate::{
    egress::EgressClass,
    registry::alone::{listed::Listed, prepare_alone},
};

const KEY: &str = "azure-key-0123456789";
const TEMPLATE: &str = "https://{resource}.openai.azure.com";

fn request() -> ChatRequest {
    let body = json!({
        "model": "acme/model", "max_tokens": 64,
        "messages": [{"role": "user", "content": "hello"}],
    });
    let body = serde_json::to_vec(&body).expect("JSON").into();
    openai_chat::decode_request(body).expect("a valid request")
}

async fn prepared(endpoint: &Vetted, credential: &Value) -> Prepared {
    let credential = match credential {
        Value::String(key) => key.clone(),
        json => json.to_string(),
    };
    let call = Call {
        endpoint,
        credential: &Secret::new(credential.into_bytes()),
        request: &request(),
        affinity: None,
        zero_retention: false,
    };
    prepare_alone(call).await.expect("a request")
}

fn listed<'a>(model: &'a str, base_url: &'a str, is_own: bool) -> Vetted {
    Listed {
        model,
        is_own,
        ..Listed::new("azure", "azure", base_url)
    }
    .vetted()
}

fn deployment(url: &str) -> Value {
    json!({"api_key": KEY, "model_slug": "openai/gpt", "endpoint_url": url, "model_id": "mine"})
}

fn resource(name: &str, kind: &str) -> Value {
    json!({"api_key": KEY, "resource_name": name, "resource_type": kind})
}

/// The header that holds the key.
fn credential_header(headers: &HeaderMap) -> &str {
    let mut holding = headers.iter().filter(|(_, value)| {
        let value = value.to_str().unwrap_or_default();
        value.contains(KEY)
    });
    let (name, value) = holding.next().expect("one header holds the key");
    assert!(value.is_sensitive(), "{name}");
    assert!(holding.next().is_none());
    name.as_str()
}

const DEPLOYED: &str =
    "https://d.openai.azure.com/openai/deployments/mine/chat/completions?api-version=2024-10-21";

#[tokio::test]
async fn resources_are_called_where_their_kind_is() {
    let both = json!([resource("o", "openai"), resource("f", "ai_foundry")]);
    let chat = "azure.com/openai/v1/chat/completions";
    let messages = "azure.com/anthropic/v1/messages";
    for (model, credential, uri) in [
        ("openai/gpt", &both, format!("https://o.openai.{chat}")),
        (
            "mistralai/small",
            &both,
            format!("https://f.services.ai.{chat}"),
        ),
        (
            "anthropic/claude",
            &both,
            format!("https://f.services.ai.{messages}"),
        ),
        (
            "openai/gpt",
            &both[1],
            format!("https://f.services.ai.{chat}"),
        ),
        (
            "mistralai/small",
            &both[0],
            format!("https://o.openai.{chat}"),
        ),
    ] {
        let header = match uri.ends_with("/messages") {
            true => "x-api-key",
            false => "api-key",
        };
        check(model, credential, &uri, header, "upstream-model").await;
    }
}

#[tokio::test]
async fn deployments_are_called_where_their_owner_says() {
    for (given, called, header) in [
        (DEPLOYED, DEPLOYED, "api-key"),
        (
            "https://D.services.ai.azure.com:443/anthropic/v1/messages",
            "https://d.services.ai.azure.com/anthropic/v1/messages",
            "x-api-key",
        ),
        (
            "https://d.eastus.models.ai.azure.com/v1/chat/completions",
            "https://d.eastus.models.ai.azure.com/v1/chat/completions",
            "authorization",
        ),
    ] {
        // It wins over a resource.
        let credential = json!([resource("o", "openai"), deployment(given)]);
        check("openai/gpt", &credential, called, header, "mine").await;
    }
}

async fn check(model: &str, credential: &Value, uri: &str, header: &str, sent_model: &str) {
    for (is_own, class) in [(true, EgressClass::Tenant), (false, EgressClass::Operator)] {
        let prepared = prepared(&listed(model, TEMPLATE, is_own), credential).await;
        assert_eq!(prepared.request.uri().to_string(), uri);
        assert_eq!(prepared.egress, class, "{uri}");
        let headers = prepared.request.headers();
        assert_eq!(credential_header(headers), header, "{uri}");
        let is_messages = uri.ends_with("/messages");
        assert_eq!(headers.contains_key("anthropic-version"), is_messages);
        let speaks_messages = prepared.reading.dialect == Dialect::AnthropicMessages;
        assert_eq!(speaks_messages, is_messages, "{uri}");
        assert_eq!(model_of(prepared).await, sent_model, "{uri}");
    }
}

async fn model_of(prepared: Prepared) -> String {
    use http_body_util::BodyExt;

    let body = prepared.request.into_body().collect().await;
    let body = body.expect("a body in memory").to_bytes();
    let body: Value = serde_json::from_slice(&body).expect("JSON");
    body["model"].as_str().expect("a model").to_owned()
}

#[tokio::test]
async fn every_familys_credential_is_marked_sensitive() {
    for (family, header) in [
        ("openai-compatible", "authorization"),
        ("anthropic", "x-api-key"),
    ] {
        let endpoint = Listed::new("acme", family, "https://api.example.com/v1").vetted();
        let prepared = prepared(&endpoint, &json!(KEY)).await;
        assert_eq!(credential_header(prepared.request.headers()), header);
        assert!(!format!("{:?}", prepared.request).contains(KEY));
    }
}
