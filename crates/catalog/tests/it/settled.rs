//! What a row leaves to its model or provider, and what its own statement overrides.

use serde_json::{Value, json};
use switchyard_catalog::snapshot::{Catalog, Family, Obstacle};
use switchyard_domain::model::Parameter;

use crate::fixture::{Files, endpoint, sound};

const ID: &str = "zoo/owl|acme";

fn with_endpoint(change: impl FnOnce(&mut Value)) -> Catalog {
    let mut files = sound();
    change(&mut files.endpoints[0]);
    files.loaded()
}

#[test]
fn silence_inherits() {
    let catalog = sound().loaded();
    let row = endpoint(&catalog, ID);
    assert_eq!(row.context_length, Some(8000));
    assert_eq!(row.base_url.as_deref(), Some("https://api.acme.example/v1"));
    assert!(row.supported_parameters.contains(Parameter::Tools));
    assert!(row.zero_data_retention && !row.data_policy.may_train());
    assert_eq!(row.obstacle(catalog.provider_of(row)), None);
    assert!(catalog.remarks.is_empty(), "{:?}", catalog.remarks);
}

#[test]
fn a_list_of_parameters_replaces_the_models() {
    let catalog = with_endpoint(|row| row["supported_parameters"] = json!(["stop", "telepathy"]));
    let parameters = endpoint(&catalog, ID).supported_parameters;
    assert!(parameters.contains(Parameter::Stop) && !parameters.contains(Parameter::Tools));
    assert_eq!(
        catalog.remarks.len(),
        1,
        "the unknown name is remarked upon"
    );
}

#[test]
fn an_endpoints_own_policy_and_address_win() {
    let catalog = with_endpoint(|row| {
        row["data_policy"] = json!({"trains_on_data": true, "retains_prompts": true});
        row["base_url"] = json!("http://127.0.0.1:9/other/");
    });
    let row = endpoint(&catalog, ID);
    assert_eq!(row.base_url.as_deref(), Some("http://127.0.0.1:9/other"));
    assert!(row.data_policy.may_train() && row.data_policy.may_retain());
    assert!(!row.zero_data_retention);
}

#[test]
fn an_own_policy_is_a_statement_as_a_whole() {
    let catalog = with_endpoint(|row| row["data_policy"] = json!({"retains_prompts": false}));
    let row = endpoint(&catalog, ID);
    assert!(
        row.data_policy.may_train(),
        "the provider's word does not fill the gap"
    );
    assert!(!row.zero_data_retention);
}

/// Each row: the flag, the row's own policy, the provider's policy, and what follows.
#[test]
fn zero_retention_needs_a_reason() {
    let zero = json!({"trains_on_data": false, "retains_prompts": false});
    let keeps = json!({"trains_on_data": false, "retains_prompts": true, "retention_days": 30});
    let null = Value::Null;
    for (flag, own, provider, promised) in [
        (&null, &null, &zero, true),
        (&null, &null, &keeps, false),
        (&null, &null, &null, false),
        (&null, &zero, &keeps, true),
        (&null, &keeps, &zero, false),
        (&json!(true), &null, &keeps, true),
        (&json!(true), &keeps, &zero, false),
        (&json!(false), &zero, &zero, false),
    ] {
        let mut files = sound();
        files.providers[0]["data_policy"] = provider.clone();
        files.endpoints[0]["data_policy"] = own.clone();
        files.endpoints[0]["zdr"] = flag.clone();
        let catalog = files.loaded();
        let found = endpoint(&catalog, ID).zero_data_retention;
        assert_eq!(
            found, promised,
            "flag {flag}, own {own}, provider {provider}"
        );
    }
}

#[test]
fn unknown_policy_counts_as_the_worst() {
    let mut files = sound();
    files.providers[0]["data_policy"] = Value::Null;
    let catalog = files.loaded();
    let row = endpoint(&catalog, ID);
    assert!(row.data_policy.may_train() && row.data_policy.may_retain());
}

fn free() -> Files {
    let mut files = sound();
    files.models[0]["id"] = json!("zoo/owl:free");
    files.models[0]["variant"] = json!("free");
    files.endpoints[0]["id"] = json!("zoo/owl:free|acme");
    files.endpoints[0]["model_id"] = json!("zoo/owl:free");
    files.endpoints[0]["variant"] = json!("free");
    files.endpoints[0]["pricing"] = json!({"prompt": "0", "completion": "0"});
    files.aliases = json!([]);
    files
}

#[test]
fn a_policy_for_paid_traffic_says_nothing_about_free() {
    let catalog = free().loaded();
    let row = endpoint(&catalog, "zoo/owl:free|acme");
    assert!(row.free && row.data_policy.may_train() && !row.zero_data_retention);
    assert_eq!(row.data_policy.requires_user_ids, Some(false));

    let mut files = free();
    files.endpoints[0]["data_policy"] = json!({"trains_on_data": false, "retains_prompts": false});
    let catalog = files.loaded();
    assert!(endpoint(&catalog, "zoo/owl:free|acme").zero_data_retention);
}

#[test]
fn every_obstacle_is_named() {
    let case = |change: fn(&mut Files), expected: Option<Obstacle>| {
        let mut files = sound();
        change(&mut files);
        let catalog = files.loaded();
        let row = endpoint(&catalog, ID);
        assert_eq!(row.obstacle(catalog.provider_of(row)), expected);
        assert_eq!(
            row.is_callable(catalog.provider_of(row)),
            expected.is_none()
        );
    };
    case(|_| {}, None);
    case(
        |files| files.endpoints[0]["pricing"]["prompt"] = Value::Null,
        Some(Obstacle::UnknownPrice),
    );
    case(
        |files| files.endpoints[0]["provider_model_id"] = Value::Null,
        Some(Obstacle::UnknownModelId),
    );
    case(
        |files| files.providers[0]["api_family"] = Value::Null,
        Some(Obstacle::UnknownFamily),
    );
    case(
        |files| files.providers[0]["api_family"] = json!("gemini"),
        Some(Obstacle::UnsupportedFamily),
    );
    case(
        |files| files.providers[0]["base_url"] = Value::Null,
        Some(Obstacle::UnknownAddress),
    );
    case(
        |files| files.providers[0]["base_url"] = json!("https://{resource}.acme.example/v1"),
        Some(Obstacle::UnfilledAddress),
    );
    case(
        |files| {
            files.providers[0]["api_family"] = json!("azure");
            files.providers[0]["base_url"] = json!("https://{resource}.acme.example");
        },
        None,
    );
    case(
        |files| {
            files.providers[0]["api_family"] = json!("azure");
            files.providers[0]["base_url"] = json!("https://{resource}.{region}.acme.example");
        },
        Some(Obstacle::UnfilledAddress),
    );
}

#[test]
fn a_cloud_serves_some_of_its_models_in_formats_that_are_not_spoken() {
    for (family, address, model, expected) in [
        (
            "bedrock",
            "https://{region}.acme.example",
            "anthropic.claude-opus-5",
            None,
        ),
        (
            "bedrock",
            "https://{region}.acme.example",
            "openai.gpt-oss-20b-1:0",
            None,
        ),
        (
            "bedrock",
            "https://{region}.acme.example",
            "amazon.nova-lite-v1:0",
            Some(Obstacle::UnsupportedFormat),
        ),
        (
            "bedrock",
            "https://{region}.{project}.acme.example",
            "anthropic.claude-opus-5",
            Some(Obstacle::UnfilledAddress),
        ),
        (
            "vertex",
            "https://{region}.acme.example/{project}",
            "claude-opus-5",
            None,
        ),
        (
            "vertex",
            "https://{region}.acme.example/{project}",
            "gemini-2.5-pro",
            None,
        ),
        (
            "vertex",
            "https://{region}.acme.example/{project}",
            "mistral-nemo@2407",
            Some(Obstacle::UnsupportedFormat),
        ),
    ] {
        let mut files = sound();
        files.providers[0]["api_family"] = json!(family);
        files.providers[0]["base_url"] = json!(address);
        files.endpoints[0]["provider_model_id"] = json!(model);
        let catalog = files.loaded();
        let row = endpoint(&catalog, ID);
        let obstacle = row.obstacle(catalog.provider_of(row));
        assert_eq!(obstacle, expected, "{family} {model}");
    }
}

#[test]
fn families_by_name() {
    for (name, family) in [
        ("openai", Some(Family::OpenAiCompatible)),
        ("openai-compatible", Some(Family::OpenAiCompatible)),
        ("anthropic", Some(Family::Anthropic)),
        ("azure", Some(Family::Azure)),
        ("bedrock", Some(Family::Bedrock)),
        ("vertex", Some(Family::Vertex)),
        ("gemini", None),
    ] {
        let mut files = sound();
        files.providers[0]["api_family"] = json!(name);
        let catalog = files.loaded();
        let provider = catalog.provider("acme").expect("listed");
        assert_eq!(provider.family, family, "{name}");
        assert_eq!(provider.family_name.as_deref(), Some(name));
    }
}

#[test]
fn anthropic_addresses_may_be_written_with_or_without_the_version() {
    for url in ["https://api.acme.example", "https://api.acme.example/v1/"] {
        let mut files = sound();
        files.providers[0]["api_family"] = json!("anthropic");
        files.providers[0]["base_url"] = json!(url);
        let catalog = files.loaded();
        let row = endpoint(&catalog, ID);
        assert_eq!(
            row.base_url.as_deref(),
            Some("https://api.acme.example/v1"),
            "{url}"
        );
    }
}

#[test]
fn the_shortest_rows_will_do() {
    let mut files = sound();
    files.providers = json!([{"slug": "acme"}]);
    files.models = json!([{"id": "zoo/owl"}]);
    files.endpoints = json!([{"model_id": "zoo/owl", "provider": "acme"}]);
    files.aliases = json!([]);
    let catalog = files.loaded();
    let row = endpoint(&catalog, ID);
    assert_eq!(
        row.obstacle(catalog.provider_of(row)),
        Some(Obstacle::UnknownPrice)
    );
    assert!(row.data_policy.may_train() && !row.zero_data_retention);
    assert_eq!(row.price_snapshot_id, None);
}
