//! The catalogue that is shipped.

use std::collections::BTreeMap;

use expect_test::expect;
use switchyard_catalog::{load::load, snapshot::Catalog};
use switchyard_domain::{endpoint::ServiceTier, money::Price};

use crate::fixture::{at, deploy, endpoint, noon};

fn shipped() -> Catalog {
    load(&deploy("catalog"), noon()).expect("the shipped catalogue has no fault")
}

#[test]
fn it_loads_whole() {
    let catalog = shipped();
    let counts = (
        catalog.providers.len(),
        catalog.models.len(),
        catalog.endpoints.len(),
        catalog.aliases.len(),
    );
    assert_eq!(counts, (77, 234, 1354, 11));
    let served: usize = catalog
        .models
        .iter()
        .map(|model| model.endpoints.len())
        .sum();
    assert_eq!(served, catalog.endpoints.len());
    assert!(
        catalog
            .endpoints
            .iter()
            .all(|endpoint| endpoint.prices.is_some())
    );
    assert_eq!(catalog.loaded_at, noon());
    assert_eq!(catalog.version.len(), 32);
}

#[test]
fn rows_are_found_by_name() {
    let catalog = shipped();
    for (index, row) in catalog.endpoints.iter().enumerate() {
        let found = catalog.endpoint(&row.id).expect("every endpoint is found");
        assert!(std::ptr::eq(found, row), "{}", row.id);
        assert!(
            catalog.model_of(row).endpoints.contains(&index),
            "{}",
            row.id
        );
        assert!(
            row.tag.starts_with(catalog.provider_of(row).slug.as_str()),
            "{}",
            row.id
        );
    }
    for alias in &catalog.aliases {
        let target = catalog
            .alias_target(&alias.alias)
            .expect("every alias resolves");
        assert_eq!(target.id, alias.model);
    }
    assert!(catalog.model("anthropic/claude-opus-4.8").is_some());
    assert!(catalog.model("anthropic/claude-opus-0").is_none());
    assert!(catalog.provider("deepinfra").is_some());
}

#[test]
fn the_only_remarks_are_about_prices_that_are_rounded() {
    let catalog = shipped();
    let mut rounded = BTreeMap::<(&str, &str), usize>::new();
    for remark in &catalog.remarks {
        let field = remark.place.field.as_deref().unwrap_or("");
        assert!(remark.problem.contains("fractional digits"), "{remark}");
        *rounded.entry((field, &remark.remedy)).or_default() += 1;
    }
    expect![[r#"
        {
            (
                "pricing.input_cache_write",
                "0.000000041667 is charged",
            ): 3,
            (
                "pricing.input_cache_write",
                "0.000000083333 is charged",
            ): 14,
        }
    "#]]
    .assert_debug_eq(&rounded);
}

#[test]
fn obstacles_say_why_endpoints_are_listed_and_not_called() {
    let catalog = shipped();
    let mut obstacles = BTreeMap::<String, usize>::new();
    for row in &catalog.endpoints {
        let name = match row.obstacle(catalog.provider_of(row)) {
            None => "none".to_owned(),
            Some(obstacle) => obstacle.to_string(),
        };
        *obstacles.entry(name).or_default() += 1;
    }
    expect![[r#"
        {
            "none": 1001,
            "the provider serves this model in a wire format that is not supported yet": 61,
            "the provider's address has a placeholder to fill in": 16,
            "the provider's address is unknown": 14,
            "the provider's id of the model is unknown": 185,
            "the provider's wire format is not supported yet": 66,
            "the provider's wire format is unknown": 11,
        }
    "#]]
    .assert_debug_eq(&obstacles);
}

#[test]
fn expired_models_are_recognised_from_the_day_after() {
    let catalog = shipped();
    let expired = |now| {
        catalog
            .models
            .iter()
            .filter(|model| model.is_expired(now))
            .count()
    };
    assert_eq!(expired(noon()), 11);
    let model = catalog
        .model("anthropic/claude-sonnet-4.5")
        .expect("a listed model");
    assert_eq!(model.expiration_date.as_deref(), Some("2026-11-30"));
    assert!(!model.is_expired(at("2026-11-30T23:59:59Z")));
    assert!(model.is_expired(at("2026-12-01T00:00:00Z")));
}

#[test]
fn free_variants_cost_nothing_and_promise_nothing() {
    let catalog = shipped();
    let free: Vec<_> = catalog.endpoints.iter().filter(|row| row.free).collect();
    assert_eq!(free.len(), 20);
    for row in free {
        let base = row
            .prices
            .as_ref()
            .expect("a price of zero is a price")
            .base;
        assert_eq!(
            (base.prompt, base.completion),
            (Some(Price::ZERO), Some(Price::ZERO))
        );
        assert!(catalog.model_of(row).free && catalog.model_of(row).id.as_str().ends_with(":free"));
        assert!(
            !row.zero_data_retention && row.data_policy.may_train(),
            "{}",
            row.id
        );
    }
}

#[test]
fn promises_follow_the_rows_flag() {
    let catalog = shipped();
    let promised = catalog
        .endpoints
        .iter()
        .filter(|row| row.zero_data_retention)
        .count();
    assert_eq!(promised, 817);
    assert!(!endpoint(&catalog, "openai/gpt-5.5|openai").zero_data_retention);
    assert!(endpoint(&catalog, "openai/gpt-5.5|azure").zero_data_retention);
}

#[test]
fn prices_per_image_token_are_not_billed_per_image() {
    let catalog = shipped();
    let billed = catalog
        .endpoints
        .iter()
        .filter_map(|row| row.prices.as_ref()?.base.image)
        .count();
    assert_eq!(billed, 0);
    let row = endpoint(&catalog, "google/gemini-2.5-pro|google-vertex/eu");
    let unmetered = row.unmetered_prices.as_ref().expect("the figure is kept");
    assert_eq!(
        unmetered.image_per_token,
        Some("0.00000125".parse().expect("a price"))
    );
}

#[test]
fn a_row_keeps_what_it_states() {
    let catalog = shipped();
    let row = endpoint(&catalog, "openai/gpt-5.5|openai/flex");
    assert_eq!(row.service_tier, ServiceTier::Flex);
    assert_eq!(row.provider_model_id.as_deref(), Some("gpt-5.5"));
    assert_eq!(row.base_url.as_deref(), Some("https://api.openai.com/v1"));
    let prices = row.prices.as_ref().expect("priced");
    expect![[r#"
        {
          "base": {
            "prompt": 2500000,
            "completion": 15000000,
            "input_cache_read": 250000
          },
          "overrides": [
            {
              "min_prompt_tokens": 272000,
              "prices": {
                "prompt": 5000000,
                "completion": 22500000,
                "input_cache_read": 500000
              }
            }
          ],
          "discount": 0
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(prices).expect("JSON"));
    let shared = catalog
        .endpoints
        .iter()
        .filter(|other| other.price_snapshot_id == row.price_snapshot_id);
    assert!(shared.into_iter().all(|other| other.prices == row.prices));
}

#[test]
fn unknown_context_is_the_models() {
    let catalog = shipped();
    let row = endpoint(&catalog, "z-ai/glm-4.6|baseten");
    assert_eq!(row.context_length, catalog.model_of(row).context_length);
    assert!(row.context_length.is_some());
}
