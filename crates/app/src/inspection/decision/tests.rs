use switchyard_billing::test_suite::scene::json;
use switchyard_domain::money::UsdNanos;

use super::{super::fixture::settled, CredentialStory, DecisionStory, MoveStory, pin_story, story};

fn told(document: &str) -> Option<DecisionStory> {
    story(&settled(|settlement| {
        settlement.decision = Some(json(document));
    }))
}

const RECORD: &str = r#"{
    "requested_models": ["lab/oak"], "route": "direct", "strategy": "sort:price",
    "catalog_version": "v1", "seed": 7, "pin": "lab/oak|birch",
    "pin_verdict": {"verdict": "switch", "from": {"endpoint": "lab/oak|birch"},
        "to": {"endpoint": "lab/oak|alder"}, "reason": "down", "extra_cost_nanos": -5},
    "needs": {"parameters": ["temperature"], "max_output_tokens": 9,
        "preferences": {"zdr": true, "only": [], "sort": {"by": "price"}, "order": null}},
    "policy": {"digest": "d", "scopes": ["account", "key"]},
    "candidates": [
        {"endpoint": "lab/oak|cedar", "provider": "Cedar", "model": "lab/oak",
            "ruled_out": {"rule": "zdr", "scope": "request", "field": "provider.zdr",
                "detail": "it keeps prompts"}},
        {"endpoint": "lab/oak|birch", "provider": "Birch", "model": "lab/oak", "rank": 1,
            "health": "down", "credential": {"supplied": 0}},
        {"endpoint": "lab/oak|alder", "provider": "Alder", "model": "lab/oak", "rank": 0,
            "expected_cost_nanos": 12, "health": "stable"}
    ]
}"#;

#[test]
fn a_record_is_told_in_the_order_of_the_plan() {
    let decision = told(RECORD).expect("readable");
    let endpoints: Vec<_> = decision
        .candidates
        .iter()
        .map(|one| (one.endpoint.as_str(), one.verdict.as_str(), one.place))
        .collect();
    let expected = [
        ("lab/oak|alder", "selected", Some(1)),
        ("lab/oak|birch", "planned", Some(2)),
        ("lab/oak|cedar", "ruled_out", None),
    ];
    assert_eq!(endpoints, expected);
    let [alder, birch, cedar] = decision.candidates.as_slice() else {
        panic!("three");
    };
    assert_eq!(alder.expected_cost, Some(UsdNanos::new(12)));
    assert_eq!(birch.credential, CredentialStory::Supplied(1));
    assert_eq!(birch.health, Some("not to be tried for a while"));
    let named = |word, name: &str| Some((word, name.to_owned()));
    assert_eq!(cedar.rule, named("it may keep prompts", "zdr"));
    assert_eq!(cedar.scope, named("the request", "request"));
    assert_eq!(cedar.detail, "it keeps prompts");
    assert_eq!(
        decision.policy_scopes,
        ["the account's settings", "the API key's settings"]
    );
    let needs = decision.needs.expect("needs");
    assert_eq!(needs.parameters, ["temperature"]);
    assert_eq!(
        needs.preferences.as_deref(),
        Some(r#"{"sort":{"by":"price"},"zdr":true}"#)
    );
}

#[test]
fn a_move_is_told_with_its_reason() {
    let moved = MoveStory::Moved {
        from: "lab/oak|birch".to_owned(),
        to: "lab/oak|alder".to_owned(),
        why: "the old endpoint was down",
        extra_cost: Some(UsdNanos::new(-5)),
    };
    assert_eq!(pin_story(RECORD), Some(moved));
    let stayed = r#"{"pin_verdict":{"verdict":"retain"}}"#;
    assert_eq!(pin_story(stayed), Some(MoveStory::Stayed));
    assert_eq!(pin_story("{}"), None);
}

#[test]
fn records_of_other_versions_tell_what_they_can() {
    let strange = r#"{"seed": 3, "news": 1, "candidates": [{"endpoint": "x", "ruled_out": {"rule": "moon"}}]}"#;
    let decision = told(strange).expect("readable");
    let (words, name) = decision.candidates[0].rule.as_ref().expect("a rule");
    assert_eq!(
        (*words, name.as_str()),
        ("a rule that this version does not know", "moon")
    );
    assert_eq!(told("3"), None);
    assert_eq!(told(r#"{"candidates": [{}]}"#), None);
}
