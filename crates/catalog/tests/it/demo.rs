//! The demo's catalogue: a dozen real models whose endpoints all lead to the simulator.

use std::path::Path;

use switchyard_catalog::{
    load::load,
    snapshot::{Catalog, Family},
};

use crate::fixture::{deploy, noon};

const SIMULATOR: &str = "http://127.0.0.1:4010/p/";

fn catalogs() -> (Catalog, Catalog) {
    let sound = |dir: &Path| load(dir, noon()).expect("no fault");
    (sound(&deploy("demo/catalog")), sound(&deploy("catalog")))
}

#[test]
fn every_endpoint_can_be_called_and_leads_to_the_simulator() {
    let (demo, _) = catalogs();
    for row in &demo.endpoints {
        let provider = demo.provider_of(row);
        assert_eq!(row.obstacle(provider), None, "{}", row.id);
        let address = format!("{SIMULATOR}{}/v1", provider.slug);
        assert_eq!(row.base_url.as_ref(), Some(&address), "{}", row.id);
    }
    let beyond: Vec<_> = demo
        .providers
        .iter()
        .filter(|row| row.base_url.is_some())
        .collect();
    assert!(
        beyond.is_empty(),
        "a row without an address must not call anyone: {beyond:?}"
    );
}

#[test]
fn every_endpoint_charges_and_promises_what_the_real_one_does() {
    let (demo, real) = catalogs();
    for row in &demo.endpoints {
        let original = real
            .endpoint(&row.id)
            .expect("a row of the shipped catalogue");
        assert_eq!(row.prices, original.prices, "{}", row.id);
        assert_eq!(
            row.price_snapshot_id, original.price_snapshot_id,
            "{}",
            row.id
        );
        assert_eq!(row.data_policy, original.data_policy, "{}", row.id);
        assert_eq!(
            row.zero_data_retention, original.zero_data_retention,
            "{}",
            row.id
        );
        assert_eq!(
            row.supported_parameters, original.supported_parameters,
            "{}",
            row.id
        );
        assert_eq!(row.context_length, original.context_length, "{}", row.id);
    }
}

#[test]
fn there_is_something_to_choose_from() {
    let (demo, _) = catalogs();
    assert!((12..=20).contains(&demo.models.len()));
    for model in &demo.models {
        let least = if model.free { 1 } else { 3 };
        assert!(model.endpoints.len() >= least, "{}", model.id);
        assert!(!model.is_expired(noon()), "{}", model.id);
    }
    assert!(demo.models.iter().any(|model| model.free));
    assert!(!demo.aliases.is_empty());

    let claude = demo
        .models
        .iter()
        .filter(|model| model.author == "anthropic");
    for model in claude {
        let native = demo
            .endpoints_of(model)
            .filter(|row| demo.provider_of(row).family == Some(Family::Anthropic));
        assert!(native.count() >= 2, "{}", model.id);
    }
    let long_context = demo.endpoints.iter().any(|row| {
        let prices = row.prices.as_ref().expect("every endpoint is priced");
        prices
            .overrides
            .iter()
            .any(|over| over.min_prompt_tokens.is_some())
    });
    assert!(long_context);
    let promised = demo
        .endpoints
        .iter()
        .filter(|row| row.zero_data_retention)
        .count();
    assert!(promised > 0 && promised < demo.endpoints.len());
}
