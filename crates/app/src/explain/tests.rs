use serde_json::json;
use switchyard_domain::id::CredentialId;
use switchyard_routing::{
    credentials::{CredentialUse, Credentials},
    health::HealthSnapshot,
    policy::{Layer, Rules, ZdrGroups},
    record::Scope,
    select::{NoCandidates, Plan, Situation, select},
};
use switchyard_testkit::catalog::{KEPT, OAK};
use uuid::Uuid;

use super::{Explanation, GenerateError, StandingPolicy, Verdict, candidates, told};
use crate::fixture::{NOW, catalog, needs};

fn decide(
    model: &str,
    preferences: &serde_json::Value,
    standing: &StandingPolicy,
) -> Result<Plan, NoCandidates> {
    let catalog = catalog();
    let situation = Situation {
        catalog: &catalog,
        credentials: Credentials::ALL_SHARED,
        health: &HealthSnapshot::default(),
        policy: &standing.policy,
        pin: None,
        country: None,
        now: NOW,
        seed: 7,
    };
    select(&needs(model, preferences), &situation)
}

fn explained(model: &str, preferences: serde_json::Value, zdr: Option<Scope>) -> Explanation {
    let layers = zdr.map(|scope| Layer {
        scope,
        rules: Rules {
            zdr: ZdrGroups::ALL,
            ..Rules::default()
        },
    });
    let standing = StandingPolicy::of_layers(layers.into_iter().collect());
    told(decide(model, &preferences, &standing), NOW, &standing).expect("an explanation")
}

/// `alder selected, birch ruled_out, …`, in the catalogue's order.
fn verdicts(explanation: &Explanation) -> Vec<String> {
    let tag = |id: &str| id.split_once('|').expect("an endpoint").1.to_owned();
    explanation
        .candidates
        .iter()
        .map(|one| format!("{} {}", tag(one.endpoint.as_str()), one.verdict.as_str()))
        .collect()
}

#[test]
fn each_endpoint_has_its_verdict() {
    let sorted = explained(OAK, json!({ "sort": { "by": "price" } }), None);
    assert_eq!(
        verdicts(&sorted),
        ["alder selected", "birch planned", "cedar planned"]
    );
    assert_eq!(sorted.strategy, "sort:price");
    assert_eq!(sorted.plan.len(), 3);
    assert!(sorted.policy.is_empty() && sorted.unavailable.is_none());

    let single = explained(
        OAK,
        json!({ "allow_fallbacks": false }),
        Some(Scope::Workspace),
    );
    assert_eq!(
        verdicts(&single),
        ["alder selected", "birch ruled_out", "cedar cut_off"]
    );
    assert_eq!(single.policy[0].scope, "workspace");
    assert!(single.policy[0].rules.get().contains("zdr"));
    let birch = single.candidates[1].ruled_out.as_ref().expect("a reason");
    assert_eq!(
        (birch.rule.as_str(), birch.scope.as_str()),
        ("zdr", "workspace")
    );
    assert!(
        birch.text.contains("Birch was left out for acme/oak"),
        "{}",
        birch.text
    );
    assert!(
        birch.text.contains("workspace's settings"),
        "{}",
        birch.text
    );
    assert!(single.candidates[1].ranking.is_none());
    assert!(single.candidates[0].ranking.is_some());
}

#[test]
fn drawn_endpoints_tell_their_chances() {
    let balanced = explained(OAK, json!({}), None);
    let chances: u64 = balanced
        .candidates
        .iter()
        .filter_map(|one| one.draw_ppm)
        .sum();
    assert!((999_990..=1_000_000).contains(&chances), "{chances}");
    let selected = balanced
        .candidates
        .iter()
        .find(|one| one.verdict == Verdict::Selected)
        .expect("one is first");
    assert_eq!(selected.rank, Some(0));
    assert_eq!(balanced.plan[0], selected.endpoint);
    let words = selected.ranking.as_ref().expect("it is in the plan");
    assert!(
        words.draw.as_ref().expect("drawn").contains('%'),
        "{words:?}"
    );
}

#[test]
fn where_nothing_is_left_that_is_the_explanation() {
    let none = explained(KEPT, json!({}), Some(Scope::Account));
    assert!(none.plan.is_empty());
    assert_eq!(verdicts(&none), ["birch ruled_out"]);
    let unavailable = none.unavailable.expect("nobody serves");
    assert_eq!(unavailable.status, 404);
    let relaxation = none.relaxation.expect("lifting the rule would help");
    assert_eq!(relaxation.steps.join(", and "), relaxation.text);
    assert!(
        relaxation.text.contains("zero data retention"),
        "{}",
        relaxation.text
    );
}

#[test]
fn an_unknown_model_is_the_callers_error() {
    let standing = StandingPolicy::default();
    let outcome = decide("acme/elm", &json!({}), &standing);
    let error = told(outcome, NOW, &standing).expect_err("there is none");
    let GenerateError::NoCandidates(unavailable) = error else {
        panic!("{error:?}");
    };
    assert_eq!(unavailable.status, 400);
}

#[test]
fn own_credentials_are_told_by_number_only() {
    let standing = StandingPolicy::default();
    let mut record = decide(OAK, &json!({}), &standing).expect("a plan").record;
    let own = |number| CredentialUse::Own(CredentialId::from_uuid(Uuid::from_u128(number)));
    record.candidates[0].credential = own(41);
    record.candidates[2].credential = own(42);
    let mut again = record.candidates[0].clone();
    again.rank = None;
    record.candidates.push(again);
    let told = candidates(&record);
    let whose: Vec<&str> = told.iter().map(|one| one.credential.as_str()).collect();
    assert_eq!(whose, ["own 1", "shared", "own 2", "own 1"]);
    assert!(!format!("{told:?}").contains("cred_"), "{told:?}");
}
