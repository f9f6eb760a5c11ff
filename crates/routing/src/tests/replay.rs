//! What a proposed policy would have done.

use std::sync::Arc;

use serde_json::{Value, json};
use switchyard_domain::money::UsdNanos;

use super::fixture::Case;
use crate::{
    credentials::Shared,
    policy::Policy,
    record::{Scope, WarmRecord},
    replay::{Comparison, Evidence, Ground, Recorded, Replayed, ServedRequest, replay},
};

/// A decision as it comes back from where it is stored.
fn stored(case: &Case) -> Value {
    let mut record = case.select().expect("a plan").record;
    record.needs = Some(Arc::new(case.needs.clone()));
    record.warm = case.pin.as_ref().map(WarmRecord::from);
    serde_json::to_value(&record).expect("serializable")
}

fn read(stored: &Value) -> Recorded {
    serde_json::from_value(stored.clone()).expect("readable")
}

/// Replays a decision under the rules of `proposed`; what answered is the first choice.
fn again(case: &Case, recorded: &Recorded, proposed: &Policy) -> Replayed {
    let first = recorded.candidates.iter().find(|row| row.rank == Some(0));
    let request = ServedRequest {
        decision: recorded,
        at: case.now,
        endpoint: first.map(|row| &row.endpoint),
        charge: UsdNanos::new(1_000),
    };
    let ground = Ground {
        catalog: &case.catalog,
        shared: Shared::All,
        in_force: &case.policy,
        proposed,
    };
    replay(&request, &ground)
}

fn compared(catalog: &str, request: &str, proposed: &str) -> Comparison {
    let case = Case::new(catalog).ask(request);
    let policy = case.clone().ask(proposed).policy;
    match again(&case, &read(&stored(&case)), &policy) {
        Replayed::Compared(comparison) => *comparison,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_same_rules_change_nothing() {
    for request in [
        "u=.1",
        "u=.99",
        "sort=price",
        "order=bolt",
        "u=.5 pin=cato",
        "no-fallbacks",
        "account.zdr u=.3",
    ] {
        let same = compared(
            "acme $1 zdr | bolt $2 zdr | cato $3 read$.1 zdr",
            request,
            "",
        );
        assert!(same.is_as_recorded, "{request}");
        assert_eq!(same.after.as_ref(), Ok(&same.before), "{request}");
        let whole = Evidence {
            weight_ppm: 1_000_000,
            unknown_ppm: 0,
        };
        assert_eq!(same.evidence, whole, "{request}");
    }
}

#[test]
fn a_rule_moves_the_first_choice_and_its_cost() {
    let moved = compared("acme $1 | bolt $2 zdr", "u=0", "account.zdr");
    let after = moved.after.expect("bolt serves");
    assert_eq!(
        (moved.before.provider.as_str(), after.provider.as_str()),
        ("Acme", "Bolt")
    );
    assert_eq!(moved.before.expected_cost, UsdNanos::new(1_000_000_000));
    assert_eq!(after.expected_cost, UsdNanos::new(2_000_000_000));
}

#[test]
fn a_rule_that_leaves_nobody_says_which() {
    let refused = compared("acme $1 | bolt $2", "u=0", "workspace.zdr");
    let refusal = refused.after.expect_err("nobody is left");
    assert_eq!(refusal.code.as_str(), "privacy_restricted");
    assert_eq!(refusal.rule, Some("zdr"));
    assert_eq!(refusal.scope, Some(Scope::Workspace));
    assert_eq!(refused.evidence, Evidence::default());
}

#[test]
fn health_and_warmth_are_those_of_then() {
    let mut case = Case::new("acme $1 outage | bolt $2 read$.1").ask("u=0");
    let recorded = read(&stored(&case));
    case.health = Default::default();
    let Replayed::Compared(same) = again(&case, &recorded, &Policy::default()) else {
        panic!("replayable");
    };
    assert_eq!(same.before.provider, "Bolt");
    assert!(same.is_as_recorded);

    let pinned = Case::new("acme $1 | bolt $2 read$.1").ask("u=0 pin=bolt");
    let mut warm = stored(&pinned);
    let Replayed::Compared(same) = again(&pinned, &read(&warm), &Policy::default()) else {
        panic!("replayable");
    };
    assert_eq!(same.before.provider, "Bolt");
    warm.as_object_mut().expect("an object").remove("warm");
    let Replayed::Compared(cold) = again(&pinned, &read(&warm), &Policy::default()) else {
        panic!("replayable");
    };
    assert_eq!(cold.before.provider, "Acme", "the warmth was on record");
    assert!(!cold.is_as_recorded);
}

#[test]
fn a_record_without_needs_is_not_replayable() {
    let case = Case::new("acme $1");
    let mut record = stored(&case);
    record.as_object_mut().expect("an object").remove("needs");
    assert_eq!(
        again(&case, &read(&record), &Policy::default()),
        Replayed::NotReplayable
    );
}

#[test]
fn what_the_catalogue_no_longer_serves_is_told_apart() {
    let case = Case::new("acme $1 | bolt $2");
    let recorded = read(&stored(&case));
    let mut today = Case::new("other: acme $1");
    today.policy = case.policy.clone();
    let Replayed::NotServable(refusal) = again(&today, &recorded, &Policy::default()) else {
        panic!("the model is gone");
    };
    assert_eq!(refusal.code.as_str(), "model_not_found");
}

/// Three endpoints drawn from with .735, .184 and .082.
const THREE: &str = "acme $1 | bolt $2 zdr | cato $3 zdr";

#[test]
fn a_request_stands_for_others_of_its_kind() {
    // Under zero data retention the draw is between bolt (9/13) and cato (4/13).
    let drawn_bolt = compared(THREE, "u=.8", "account.zdr").evidence;
    assert_eq!(drawn_bolt.unknown_ppm, 0);
    let weight = 692_307.0 / 183_673.0 * 1e6;
    let difference = drawn_bolt.weight_ppm as f64 - weight;
    assert!(difference.abs() < 50.0, "{drawn_bolt:?}");
    let drawn_acme = compared(THREE, "u=0", "account.zdr").evidence;
    assert_eq!(
        (drawn_acme.weight_ppm, drawn_acme.unknown_ppm),
        (0, 0),
        "acme would never be drawn, and all that would be was"
    );
}

/// Over all draws of then, the weights add up to one request each: nothing is made up.
#[test]
fn weights_average_to_one() {
    let policy = Case::new(THREE).ask("account.zdr").policy;
    let (mut sum, count) = (0_u64, 2_000_u64);
    for seed in 0..count {
        let mut case = Case::new(THREE);
        case.seed = seed;
        let Replayed::Compared(one) = again(&case, &read(&stored(&case)), &policy) else {
            panic!("replayable");
        };
        sum += one.evidence.weight_ppm;
    }
    let mean = sum as f64 / count as f64 / 1e6;
    assert!((mean - 1.0).abs() < 0.1, "{mean}");
}

#[test]
fn what_nobody_could_choose_is_unknown() {
    // A listed order leaves nothing to chance: where it does not apply any more, nothing is known.
    for (request, proposed) in [
        ("order=acme", "account.zdr"),
        ("sort=price", "account.zdr"),
        ("u=0 only=acme", "account.sort=throughput account.only=bolt"),
    ] {
        let case = Case::new(THREE).ask(request);
        let policy = case.clone().ask(proposed).policy;
        match again(&case, &read(&stored(&case)), &policy) {
            Replayed::Compared(one) if one.after.is_ok() => {
                assert_eq!(one.evidence.weight_ppm, 0, "{request}");
                assert_eq!(one.evidence.unknown_ppm, 1_000_000, "{request}");
            }
            Replayed::Compared(one) => assert_eq!(one.evidence, Evidence::default(), "{request}"),
            other => panic!("{request}: {other:?}"),
        }
    }
}

#[test]
fn another_endpoints_answer_counts_only_where_it_still_could() {
    let case = Case::new(THREE).ask("u=.8");
    let recorded = read(&stored(&case));
    let policy = case.clone().ask("account.zdr").policy;
    let ground = Ground {
        catalog: &case.catalog,
        shared: Shared::All,
        in_force: &case.policy,
        proposed: &policy,
    };
    // Bolt was drawn and failed; acme answered, which the proposed rules exclude.
    let acme = &recorded.candidates[0].endpoint;
    let request = ServedRequest {
        decision: &recorded,
        at: case.now,
        endpoint: Some(acme),
        charge: UsdNanos::new(1_000),
    };
    let Replayed::Compared(one) = replay(&request, &ground) else {
        panic!("replayable");
    };
    assert_eq!(one.evidence.unknown_ppm, 1_000_000);
}

#[test]
fn own_credentials_are_taken_from_the_record() {
    let case = Case::new("acme $1 | bolt $2").ask("u=0");
    let mut record = stored(&case);
    let own = json!({ "own": "cred_00000000000000000000000000000009" });
    record["candidates"][0]["credential"] = own;
    let recorded = read(&record);
    assert!(!recorded.candidates[0].credential.is_shared());
    let Replayed::Compared(same) = again(&case, &recorded, &Policy::default()) else {
        panic!("replayable");
    };
    assert_eq!(same.before.provider, "Acme");
}
