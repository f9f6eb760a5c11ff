use axum::extract::Path as UrlPath;
use serde_json::json;
use switchyard_app::health::EndpointState;
use switchyard_interchange::preferences::Percentiles;

use super::*;
use crate::catalog::{endpoints, providers, tests::checker};

#[tokio::test]
async fn every_listed_model_has_what_clients_require() {
    let catalog = shipped();
    let shelf = shelf_of(&catalog);
    let (status, all) = list(&shelf, "?output_modalities=all").await;
    assert_eq!(status, 200);
    let rows = all["data"].as_array().expect("rows");
    rows.iter().for_each(checker::model);
    assert_eq!(all["total_count"], rows.len());
    assert_eq!(all["links"]["next"], Value::Null);

    let listed = ids(&all);
    for model in &catalog.models {
        let is_priced = catalog
            .endpoints_of(model)
            .any(|endpoint| endpoint.prices.is_some());
        let is_listed = listed.contains(&model.id.as_str());
        assert_eq!(
            is_listed,
            is_priced && !model.is_expired(today()),
            "{}",
            model.id
        );
    }
    let created: Vec<i64> = rows
        .iter()
        .filter_map(|row| row["created"].as_i64())
        .collect();
    assert!(created.is_sorted_by(|a, b| a >= b), "newest first");
}

#[tokio::test]
async fn the_plain_list_is_of_models_that_write_text() {
    let catalog = shipped();
    let shelf = shelf_of(&catalog);
    let (_, plain) = list(&shelf, "").await;
    for row in plain["data"].as_array().expect("rows") {
        let output = row["architecture"]["output_modalities"]
            .as_array()
            .expect("texts");
        assert!(output.contains(&"text".into()), "{row}");
    }
    let uri = Uri::from_static("/api/v1/models/count");
    let (_, count) = body_of(models::count(State(shelf), uri).await).await;
    assert_eq!(count["data"]["count"], plain["total_count"]);
}

#[tokio::test]
async fn every_models_endpoints_have_what_clients_require() {
    let catalog = shipped();
    let shelf = shelf_of(&catalog);
    let mut shown = 0;
    for model in &catalog.models {
        let (author, slug) = model.id.as_str().split_once('/').expect("author/slug");
        let path = Ok(UrlPath((author.to_owned(), slug.to_owned())));
        let (status, answer) = body_of(endpoints::of_model(State(shelf.clone()), path).await).await;
        assert_eq!(status, 200, "{}", model.id);
        let data = &answer["data"];
        assert_eq!(data["id"], model.id.as_str());
        for key in ["name", "description"] {
            assert!(data[key].is_string(), "{key} of {}", model.id);
        }
        assert!(data["created"].is_i64(), "{}", model.id);
        checker::architecture(&data["architecture"]);
        let rows = data["endpoints"].as_array().expect("endpoints");
        rows.iter().for_each(checker::endpoint);
        shown += rows.len();
    }
    let priced = catalog
        .endpoints
        .iter()
        .filter(|endpoint| endpoint.prices.is_some())
        .count();
    assert_eq!(shown, priced);
}

#[tokio::test]
async fn endpoints_show_what_was_measured_and_null_where_nothing_was() {
    let measured = EndpointFigures {
        state: EndpointState::Degraded,
        uptime_5m_ppm: Some(875_000),
        uptime_30m_ppm: Some(998_765),
        uptime_1d_ppm: None,
        latency_ms: Percentiles {
            p50: Some(310),
            p75: Some(420),
            p90: Some(650),
            p99: Some(2_100),
        },
        latency_p95_ms: None,
        throughput_milli_tps: Percentiles::default(),
    };
    let catalog = shipped();
    let shelf = Shelf::new(
        move || Arc::clone(&catalog),
        move |endpoint| match endpoint.as_str() {
            "anthropic/claude-sonnet-5|anthropic" => measured,
            _ => EndpointFigures::default(),
        },
        Arc::new(Still(today())),
    );
    let path = Ok(UrlPath((
        "anthropic".to_owned(),
        "claude-sonnet-5".to_owned(),
    )));
    let (_, answer) = body_of(endpoints::of_model(State(shelf), path).await).await;
    let rows = answer["data"]["endpoints"].as_array().expect("endpoints");
    let shown = |row: &Value| {
        [
            "uptime_last_5m",
            "uptime_last_30m",
            "uptime_last_1d",
            "latency_last_30m",
            "throughput_last_30m",
        ]
        .map(|field| row[field].clone())
    };
    let (of_one, others): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row["tag"] == "anthropic");
    assert_eq!(of_one[0]["status"], -3);
    assert_eq!(
        shown(of_one[0]),
        [
            json!(87.5),
            json!(99.8765),
            Value::Null,
            json!({ "p50": 310.0, "p75": 420.0, "p90": 650.0, "p99": 2_100.0 }),
            Value::Null,
        ]
    );
    assert!(!others.is_empty());
    for row in others {
        assert_eq!(shown(row), [const { Value::Null }; 5], "{row}");
    }
}

#[tokio::test]
async fn prices_are_the_catalogues_to_the_last_digit() {
    let catalog = shipped();
    let shelf = shelf_of(&catalog);
    let id = "anthropic/claude-sonnet-5|anthropic";
    let endpoint = catalog
        .endpoints
        .iter()
        .find(|one| one.id.as_str() == id)
        .expect("a row");
    let base = endpoint.prices.as_ref().expect("prices").base;
    let path = Ok(UrlPath((
        "anthropic".to_owned(),
        "claude-sonnet-5".to_owned(),
    )));
    let (_, answer) = body_of(endpoints::of_model(State(shelf), path).await).await;
    let rows = answer["data"]["endpoints"].as_array().expect("endpoints");
    let row = rows
        .iter()
        .find(|row| row["tag"] == "anthropic")
        .expect("the row");
    let text = |price: Option<switchyard_domain::money::Price>| price.expect("a price").to_string();
    assert_eq!(row["pricing"]["prompt"], text(base.prompt));
    assert_eq!(row["pricing"]["completion"], text(base.completion));
    assert_eq!(
        row["pricing"]["input_cache_read"],
        text(base.input_cache_read)
    );
    assert_eq!(
        row["pricing"]["input_cache_write_1h"],
        text(base.input_cache_write_1h)
    );
    assert_eq!(row["pricing"]["discount"], 0.0);
}

#[tokio::test]
async fn private_endpoints_are_exactly_those_that_retain_nothing() {
    let catalog = shipped();
    let (status, answer) =
        body_of(endpoints::zero_data_retention(State(shelf_of(&catalog))).await).await;
    assert_eq!(status, 200);
    let rows = answer["data"].as_array().expect("rows");
    rows.iter().for_each(checker::endpoint);
    let expected = catalog.endpoints.iter().filter(|endpoint| {
        endpoint.zero_data_retention
            && endpoint.prices.is_some()
            && !catalog.model_of(endpoint).is_expired(today())
    });
    assert_eq!(rows.len(), expected.count());
    assert!(!rows.is_empty());
}

#[tokio::test]
async fn every_provider_has_what_clients_require() {
    let catalog = shipped();
    let (status, answer) = body_of(providers::list(State(shelf_of(&catalog))).await).await;
    assert_eq!(status, 200);
    let rows = answer["data"].as_array().expect("rows");
    rows.iter().for_each(checker::provider);
    assert_eq!(rows.len(), catalog.providers.len());
}

#[tokio::test]
async fn models_are_found_under_all_of_their_names() {
    let catalog = shipped();
    let shelf = shelf_of(&catalog);
    let alias = &catalog.aliases[0];
    let dated = catalog
        .model("anthropic/claude-fable-5")
        .expect("a model")
        .canonical_slug
        .clone();
    for (name, id, is_alias) in [
        (
            "anthropic/claude-fable-5",
            "anthropic/claude-fable-5",
            false,
        ),
        (
            "anthropic/claude-fable-5:nitro",
            "anthropic/claude-fable-5",
            false,
        ),
        (
            "anthropic/claude-fable-5:floor:nitro",
            "anthropic/claude-fable-5",
            false,
        ),
        (&dated, "anthropic/claude-fable-5", false),
        (&alias.alias, alias.model.as_str(), true),
    ] {
        let (author, slug) = name.split_once('/').expect("author/slug");
        let path = Ok(UrlPath((author.to_owned(), slug.to_owned())));
        let (status, answer) = body_of(models::one(State(shelf.clone()), path).await).await;
        assert_eq!(status, 200, "{name}");
        checker::model(&answer["data"]);
        assert_eq!(answer["data"]["id"], id, "{name}");
        let target = answer["data"]
            .get("alias_target")
            .map(|target| &target["slug"]);
        assert_eq!(target.is_some(), is_alias, "{name}");
    }
    for name in [
        "anthropic/nothing",
        "anthropic/claude-fable-5:unheard",
        "~anthropic/nothing",
    ] {
        let (author, slug) = name.split_once('/').expect("author/slug");
        let path = Ok(UrlPath((author.to_owned(), slug.to_owned())));
        let (status, answer) = body_of(models::one(State(shelf.clone()), path).await).await;
        assert_eq!(status, 404, "{name}");
        assert_eq!(answer["error"]["code"], 404, "{name}");
    }
}

#[test]
fn rendering_is_kept_until_the_catalogue_or_the_day_changes() {
    use std::sync::{
        Mutex,
        atomic::{AtomicI64, Ordering},
    };

    struct Settable(AtomicI64);

    impl Clock for Settable {
        fn now(&self) -> Timestamp {
            Timestamp::from_seconds(self.0.load(Ordering::Relaxed))
        }

        fn monotonic(&self) -> Duration {
            Duration::ZERO
        }
    }

    let clock = Arc::new(Settable(AtomicI64::new(today().seconds())));
    let catalog = shipped();
    let source = Arc::new(Mutex::new(Arc::clone(&catalog)));
    let current = Arc::clone(&source);
    let shelf = Shelf::new(
        move || Arc::clone(&current.lock().expect("unbroken")),
        |_| EndpointFigures::default(),
        clock.clone(),
    );

    let first = shelf.rendered();
    assert!(Arc::ptr_eq(&first, &shelf.rendered()));
    clock.0.fetch_add(86_400, Ordering::Relaxed);
    let next_day = shelf.rendered();
    assert!(!Arc::ptr_eq(&first, &next_day));
    let other = Catalog::from_parts(
        catalog.providers.clone(),
        Vec::new(),
        Vec::new(),
        Vec::new(),
        "other".to_owned(),
        today(),
    );
    *source.lock().expect("unbroken") = Arc::new(other);
    assert_eq!(shelf.rendered().rows.len(), 0);
    assert!(!next_day.rows.is_empty());
}
