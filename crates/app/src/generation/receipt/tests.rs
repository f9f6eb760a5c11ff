use serde_json::value::to_raw_value;
use switchyard_routing::policy::{Layer, ZdrGroups};

use super::*;

const PAID: Subject<'static> = Subject {
    author: "acme",
    free: false,
};
const FREE: Subject<'static> = Subject {
    author: "acme",
    free: true,
};
const OPENAI: Subject<'static> = Subject {
    author: "openai",
    free: false,
};

fn policy(layers: &[(Scope, Rules)]) -> Policy {
    Policy {
        layers: layers
            .iter()
            .map(|(scope, rules)| Layer {
                scope: *scope,
                rules: rules.clone(),
            })
            .collect(),
    }
}

fn claim(
    policy: &Policy,
    request: &ProviderPreferences,
    subjects: &[Subject<'static>],
) -> PolicyClaim {
    policy_claim(policy, request, subjects).expect("rules are texts, flags and lists")
}

fn zdr_for_openai() -> Rules {
    Rules {
        zdr: ZdrGroups {
            openai: true,
            ..ZdrGroups::default()
        },
        ..Rules::default()
    }
}

#[test]
fn zero_retention_is_told_where_every_endpoint_tried_was_held_to_it() {
    let nothing = ProviderPreferences::default();
    let asked = ProviderPreferences {
        zdr: true,
        ..ProviderPreferences::default()
    };
    let workspace = policy(&[
        (Scope::Account, Rules::default()),
        (Scope::Workspace, zdr_for_openai()),
    ]);
    for (policy, request, subjects, zdr) in [
        (&Policy::default(), &nothing, &[PAID][..], false),
        (&Policy::default(), &asked, &[PAID, OPENAI], true),
        (&workspace, &nothing, &[OPENAI], true),
        (&workspace, &nothing, &[PAID], false),
        (&workspace, &nothing, &[OPENAI, PAID], false),
        (&workspace, &asked, &[OPENAI, PAID], true),
    ] {
        assert_eq!(
            claim(policy, request, subjects).zdr,
            zdr,
            "{policy:?} {request:?}"
        );
    }
}

#[test]
fn training_is_told_for_paid_and_free_apart() {
    let nothing = ProviderPreferences::default();
    let deny = ProviderPreferences {
        data_collection: Some(DataCollection::Deny),
        ..ProviderPreferences::default()
    };
    let allow = ProviderPreferences {
        data_collection: Some(DataCollection::Allow),
        ..ProviderPreferences::default()
    };
    let paid_only = policy(&[(
        Scope::Key,
        Rules {
            allow_paid_training: Some(false),
            allow_free_training: Some(true),
            ..Rules::default()
        },
    )]);
    for (policy, request, subjects, denied) in [
        (&Policy::default(), &nothing, &[PAID][..], false),
        (&Policy::default(), &deny, &[PAID, FREE], true),
        (&paid_only, &nothing, &[PAID], true),
        (&paid_only, &nothing, &[PAID, FREE], false),
        (&paid_only, &allow, &[PAID], true),
        (&paid_only, &deny, &[FREE], true),
    ] {
        assert_eq!(
            claim(policy, request, subjects).deny_training,
            denied,
            "{policy:?} {request:?}"
        );
    }
}

#[test]
fn regions_are_what_all_layers_allow() {
    let within = |regions: &[&str]| Rules {
        allowed_data_regions: Some(regions.iter().map(|one| (*one).to_owned()).collect()),
        ..Rules::default()
    };
    for (layers, expected) in [
        (vec![], None),
        (vec![Rules::default()], None),
        (vec![within(&["us", "EU"])], Some(vec!["eu", "us"])),
        (
            vec![
                within(&["us", "eu"]),
                Rules::default(),
                within(&["eu", "ch"]),
            ],
            Some(vec!["eu"]),
        ),
        (vec![within(&["us"]), within(&["eu"])], Some(vec![])),
        // A wide region includes a narrow one.
        (
            vec![within(&["eu"]), within(&["eu-west-1", "us-east-1"])],
            Some(vec!["eu-west-1"]),
        ),
    ] {
        let layers: Vec<_> = layers
            .into_iter()
            .map(|rules| (Scope::Workspace, rules))
            .collect();
        let told = claim(&policy(&layers), &ProviderPreferences::default(), &[PAID]);
        let told = told.allowed_data_regions;
        let told: Option<Vec<&str>> = told
            .as_ref()
            .map(|told| told.iter().map(String::as_str).collect());
        assert_eq!(told, expected, "{layers:?}");
    }
}

#[test]
fn the_digest_is_of_everything_that_was_ruled() {
    let nothing = ProviderPreferences::default();
    let ignoring = Rules {
        ignored_providers: vec!["acme".to_owned()],
        ..Rules::default()
    };
    let asked = ProviderPreferences {
        zdr: true,
        ..ProviderPreferences::default()
    };
    let deny = ProviderPreferences {
        data_collection: Some(DataCollection::Deny),
        ..ProviderPreferences::default()
    };
    let of = |policy: &Policy, request| claim(policy, request, &[PAID]).digest;
    let digests: BTreeSet<String> = [
        of(&Policy::default(), &nothing),
        of(&Policy::default(), &asked),
        of(&Policy::default(), &deny),
        of(&policy(&[(Scope::Account, ignoring.clone())]), &nothing),
        of(&policy(&[(Scope::Workspace, ignoring.clone())]), &nothing),
        of(&policy(&[(Scope::Account, zdr_for_openai())]), &nothing),
    ]
    .into();
    assert_eq!(digests.len(), 6, "{digests:?}");
    // What the request prefers otherwise is no privacy rule.
    let sorting = ProviderPreferences {
        allow_fallbacks: Some(false),
        ..ProviderPreferences::default()
    };
    assert!(digests.contains(&of(&Policy::default(), &sorting)));
}

#[test]
fn a_decision_has_its_digest_however_the_database_writes_it() {
    let decision = |text: &str| {
        let value: serde_json::Value = serde_json::from_str(text).expect("JSON");
        let raw = RawValue::from_string(text.to_owned()).expect("JSON");
        (value, decision_digest(&raw).expect("integers only"))
    };
    let (one, digest) = decision(r#"{"seed":18446744073709551615,"candidates":[{"b":1,"a":2}]}"#);
    let (two, same) =
        decision(r#"{"candidates": [{"a": 2, "b": 1}], "seed": 18446744073709551615}"#);
    assert_eq!(one, two);
    assert_eq!(digest, same);
    let raw = to_raw_value(&one).expect("JSON");
    assert_eq!(decision_digest(&raw), Ok(digest));

    // As it comes back from the database.
    let (_, hostile) = decision(r#"{"a\u0000":["b\u0000c",{"d":"\u0000"}]}"#);
    let (_, kept) = decision("{\"a\u{fffd}\":[\"b\u{fffd}c\",{\"d\":\"\u{fffd}\"}]}");
    assert_eq!(hostile, kept);
}
