//! The shipped catalogue under the router: every model either gets a plan or a reason.

use std::{path::Path, sync::Arc};

use switchyard_catalog::{load::load, snapshot::Catalog};
use switchyard_domain::{
    clock::Timestamp,
    endpoint::ServiceTier,
    model::{Modalities, Modality, Parameters},
};
use switchyard_interchange::{needs::Needs, preferences::ProviderPreferences};
use switchyard_routing::{
    credentials::Credentials,
    explain::AvailabilityCode,
    health::HealthSnapshot,
    policy::{Policy, Rules, ZdrGroups},
    record::Scope,
    select::{Candidate, NoCandidates, Plan, Situation, select},
};

fn now() -> Timestamp {
    Timestamp::parse_rfc3339("2026-11-24T12:00:00Z").expect("a valid instant")
}

fn catalog() -> Arc<Catalog> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/catalog");
    Arc::new(load(&dir, now()).unwrap_or_else(|faults| panic!("{faults}")))
}

fn needs(model: &str) -> Needs {
    Needs {
        models: vec![model.to_owned()],
        context_window_fallbacks: Vec::new(),
        content_policy_fallbacks: Vec::new(),
        router: None,
        parameters: Parameters::EMPTY,
        input_modalities: Modalities::EMPTY.with(Modality::Text),
        output_modalities: Modalities::EMPTY,
        prompt_tokens_max: 4_000,
        prompt_tokens_estimate: 1_000,
        input_images: 0,
        max_output_tokens: Some(500),
        uses_tools: false,
        marks_cache: false,
        names_conversation: false,
        service_tier: None,
        preferences: ProviderPreferences::default(),
    }
}

fn plan(catalog: &Arc<Catalog>, needs: &Needs, policy: &Policy) -> Result<Plan, NoCandidates> {
    let situation = Situation {
        catalog,
        credentials: Credentials::ALL_SHARED,
        health: &HealthSnapshot::default(),
        policy,
        pin: None,
        country: None,
        now: now(),
        seed: 7,
    };
    select(needs, &situation)
}

#[test]
fn every_model_gets_a_plan_or_a_reason() {
    let catalog = catalog();
    let mut planned = 0;
    for model in &catalog.models {
        match plan(&catalog, &needs(model.id.as_str()), &Policy::default()) {
            Ok(plan) => {
                planned += 1;
                for Candidate { vetted, .. } in &plan.candidates {
                    assert!(vetted.endpoint().is_callable(vetted.provider()));
                    assert_eq!(vetted.endpoint().service_tier, ServiceTier::Default);
                    assert_eq!(vetted.model().id, model.id);
                }
            }
            Err(error) => {
                let expected = if model.output_modalities.contains(Modality::Embeddings) {
                    // Where no provider of an embedding model is callable, that comes first.
                    error.code() == AvailabilityCode::WrongEndpoint
                        || error.code() == AvailabilityCode::NoEndpoints
                } else {
                    let code = error.code();
                    code == AvailabilityCode::NoEndpoints
                        || code == AvailabilityCode::ModelDeprecated
                };
                assert!(expected, "{}: {}", model.id, error.message());
            }
        }
    }
    // Most of what is listed speaks a wire format that is already supported.
    assert!(planned * 2 > catalog.models.len(), "{planned}");
}

#[test]
fn an_account_under_zero_retention_never_meets_a_retaining_endpoint() {
    let catalog = catalog();
    let rules = Rules {
        zdr: ZdrGroups::ALL,
        allow_paid_training: Some(false),
        allow_free_training: Some(false),
        ..Rules::default()
    };
    let policy = Policy::of(Scope::Account, rules);
    let mut served = 0;
    for model in &catalog.models {
        let Ok(plan) = plan(&catalog, &needs(model.id.as_str()), &policy) else {
            continue;
        };
        served += 1;
        for Candidate { vetted, .. } in &plan.candidates {
            let endpoint = vetted.endpoint();
            assert!(endpoint.zero_data_retention, "{}", endpoint.id);
            assert_eq!(
                endpoint.data_policy.trains_on_data,
                Some(false),
                "{}",
                endpoint.id
            );
        }
    }
    assert!(served > 0);
}

#[test]
fn every_moving_name_leads_to_its_model() {
    let catalog = catalog();
    for alias in &catalog.aliases {
        match plan(&catalog, &needs(&alias.alias), &Policy::default()) {
            Ok(plan) => assert_eq!(plan.candidates[0].vetted.model().id, alias.model),
            Err(error) => {
                let NoCandidates::RuledOut { model, .. } = &error else {
                    panic!("{}: {error}", alias.alias);
                };
                assert_eq!(model, alias.model.as_str());
            }
        }
    }
}

#[test]
fn routers_choose_from_what_is_shipped() {
    let catalog = catalog();
    let can_be_called = |is_free: bool| {
        catalog.endpoints.iter().any(|endpoint| {
            endpoint.free == is_free && endpoint.is_callable(catalog.provider_of(endpoint))
        })
    };
    for (router, is_free) in [("openrouter/auto", false), ("switchyard/free", true)] {
        for uses_tools in [false, true] {
            let mut needs = needs(router);
            needs.uses_tools = uses_tools;
            match plan(&catalog, &needs, &Policy::default()) {
                Ok(plan) => {
                    for Candidate { vetted, .. } in &plan.candidates {
                        assert_eq!(vetted.model().free, is_free);
                        assert!(!vetted.model().is_expired(now()));
                    }
                }
                // Where nothing of the kind can be called, that is what callers are told.
                Err(error) => {
                    assert!(!can_be_called(is_free), "{}", error.message());
                    assert_eq!(error.code(), AvailabilityCode::NoEndpoints);
                }
            }
        }
    }
    // Every filter holds for a router as it does for a name.
    let rules = Rules {
        zdr: ZdrGroups::ALL,
        allowed_models: Some(vec!["anthropic/*".to_owned(), "openai/*".to_owned()]),
        ..Rules::default()
    };
    let policy = Policy::of(Scope::Key, rules);
    let plan = plan(&catalog, &needs("switchyard/auto"), &policy).expect("some model fits");
    for Candidate { vetted, .. } in &plan.candidates {
        assert!(vetted.endpoint().zero_data_retention);
        assert!(["anthropic", "openai"].contains(&vetted.model().author.as_str()));
    }
}

#[test]
fn families_that_are_not_listed_have_a_newest_member() {
    let catalog = catalog();
    for (name, start) in [
        (
            "~anthropic/claude-sonnet-latest",
            "anthropic/claude-sonnet-",
        ),
        ("~anthropic/claude-opus-latest", "anthropic/claude-opus-"),
        ("~google/gemini-flash-lite-latest", "google/gemini-"),
        ("~openai/gpt-mini-latest", "openai/gpt-"),
    ] {
        assert!(
            catalog.alias_target(name).is_none(),
            "{name} is listed by now"
        );
        let id = match plan(&catalog, &needs(name), &Policy::default()) {
            Ok(plan) => plan.candidates[0].vetted.model().id.to_string(),
            // No provider of the family speaks a wire format that is supported.
            Err(NoCandidates::RuledOut { model, .. }) => model,
            Err(error) => panic!("{name}: {}", error.message()),
        };
        assert!(id.starts_with(start), "{name} is {id}");
    }
}
