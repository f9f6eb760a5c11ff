//! Whether conversations stay where their cache is warm, and what is said about it.

use super::fixture::{Case, order, plan_of};
use crate::{
    credentials::{CredentialUse, OwnCredentialId},
    stickiness::{CacheHome, PinVerdict},
};

fn table(catalog: &str, rows: &[(&str, &str)]) {
    for (request, plan) in rows {
        assert_eq!(plan_of(catalog, request), *plan, "{catalog} / {request}");
    }
}

/// The plan, then the verdict: `retain`, `retain 1` (turns), `down -> b +1500` (thousandths of a
/// dollar).
fn told(case: &Case) -> String {
    let plan = case.select().expect("it may serve");
    let verdict = plan.record.pin_verdict.as_ref();
    format!(
        "{} / {}",
        order(&plan),
        verdict.map_or("-".to_owned(), in_words)
    )
}

fn in_words(verdict: &PinVerdict) -> String {
    match verdict {
        PinVerdict::Initialize => "initialize".to_owned(),
        PinVerdict::Retain { dearer_turns: 0 } => "retain".to_owned(),
        PinVerdict::Retain { dearer_turns } => format!("retain {dearer_turns}"),
        PinVerdict::Switch {
            from,
            to,
            reason,
            extra_cost_nanos,
        } => {
            assert_ne!(from, to);
            let tag = to.endpoint.as_str().rsplit('|').next().unwrap_or_default();
            let extra =
                extra_cost_nanos.map_or("?".to_owned(), |nanos| format!("{:+}", nanos / 1_000_000));
            format!("{} -> {tag} {extra}", reason.as_str())
        }
    }
}

fn verdicts(rows: &[(&str, &str, &str)]) {
    for (catalog, request, expected) in rows {
        let case = Case::new(catalog).ask(request);
        assert_eq!(told(&case), *expected, "{catalog} / {request}");
    }
}

#[test]
fn a_pin_goes_first_while_it_can_serve_and_pays() {
    table(
        "a $1 | b $2 read$.5 | c $3 read$3",
        &[
            ("pin=b u=0", "b, a, c"),
            ("pin=b sort=price", "b, a, c"),
            ("pin=b sort=throughput", "b, a, c"),
            // Reading its cache costs as much as the prompt.
            ("pin=c u=0", "a, b, c"),
            ("pin=b ignore=b", "a, c"),
            ("pin=b no-fallbacks", "a"),
            ("pin=b order=c u=0", "c, a, b"),
            ("pin=b order=c sticky=prefer u=0", "b, c, a"),
            ("pin=b order=c sticky=prefer no-fallbacks", "c"),
            ("pin=b order=c,b sticky=prefer no-fallbacks", "b, c"),
            ("pin=b sticky=off u=0", "a, b, c"),
        ],
    );
    table(
        "a $1 | b $2 read$.5 outage | c $3 read$.5 benched=60",
        &[("pin=b u=0", "b, a, c"), ("pin=c u=0", "a, b, c")],
    );
    // An earlier model and a threshold that is met go before it.
    table("m: a $1; n: b $2 read$.5", &[("models=m,n pin=b", "a, b")]);
    table(
        "a $1 tps=90 | b $2 read$.5",
        &[("pin=b min-tps=50", "a, b"), ("pin=b", "b, a")],
    );
}

#[test]
fn reference_scenario_39() {
    let catalog = "a $1 | b $2 read$.1";
    table(
        catalog,
        &[
            ("u=0 pin=b idle=540", "b, a"),
            ("u=0 pin=b idle=601", "a, b"),
            ("u=0 pin=b idle=600", "a, b"),
            ("u=0 pin=b order=a", "a, b"),
            // The cache that was bought outlives the ordinary pin.
            ("u=0 pin=b idle=601 ttl=3600 lifetime=3600", "b, a"),
        ],
    );
    // b fails, a answers: the pin becomes a.
    let plan = Case::new("a $1 read$.1 | b $2 read$.1")
        .ask("u=0 pin=b")
        .select();
    let record = plan.expect("both may serve").record;
    let served = home(&record.candidates[0].endpoint);
    let verdict = PinVerdict::once_served(&record, &served).expect("there was a pin");
    assert_eq!(in_words(&verdict), "failed -> a +900");
}

fn home(endpoint: &switchyard_domain::endpoint::EndpointId) -> CacheHome {
    CacheHome {
        endpoint: endpoint.clone(),
        credential: CredentialUse::Shared,
    }
}

#[test]
fn verdicts_say_what_becomes_of_a_pin() {
    let three = "a $1 read$.1 | b $2 read$.2 | c $3";
    verdicts(&[
        (three, "u=0", "a, b, c / initialize"),
        // Nothing to keep warm at the first.
        (three, "order=c u=0", "c, a, b / -"),
        (three, "u=.99", "c, a, b / -"),
        (three, "no-fallbacks pin=b", "a / -"),
        (three, "sticky=off pin=b u=0", "a, b, c / -"),
        (three, "pin=b u=0", "b, a, c / retain"),
        (three, "pin=b u=0 idle=601", "a, b, c / expired -> a -1000"),
        // Expired, and chosen all the same.
        (three, "pin=a u=0 idle=601", "a, b, c / retain"),
        (three, "pin=b ignore=b u=0", "a, c / filtered -> a +800"),
        (
            "m: a $1; n: b $2 read$.5",
            "models=m,n pin=b",
            "a, b / outranked -> a +500",
        ),
        (
            "a $1 tps=90 | b $2 read$.5",
            "pin=b min-tps=50",
            "a, b / outranked -> a +500",
        ),
        // Its cache no longer saves anything, so it is no pin.
        (
            "a $1 read$.5 | b $2 read$2",
            "pin=b u=0",
            "a, b / initialize",
        ),
    ]);
}

#[test]
fn a_cheaper_endpoint_has_to_be_cheaper_twice() {
    // Ten thousand tokens of a million are new, all others warm.
    let case = "pin=b warm=990000 u=0";
    let costs = |a: &str| format!("a {a} | b $2 read$.2");
    for (a, dearer, expected) in [
        // At b it costs 0.218.
        ("$.218", 0, "b, a / retain"),
        ("$.197", 0, "b, a / retain"),
        ("$.196", 0, "b, a / retain 1"),
        ("$.196", 1, "a, b / cheaper -> a -22"),
        ("$.196", 255, "a, b / cheaper -> a -22"),
        // A turn that is not dearer starts the count anew.
        ("$.197", 1, "b, a / retain"),
        // It is cheaper if it works.
        ("$.196 fails=50", 1, "b, a / retain"),
        ("$.1 outage", 1, "b, a / retain"),
        ("$.1 down", 1, "b, a / retain"),
    ] {
        let request = format!("{case} dearer={dearer}");
        let case = Case::new(&costs(a)).ask(&request);
        assert_eq!(told(&case), expected, "{a} {dearer}");
    }
    let two = "a $.1 | b $2 read$.2 | c $.05";
    verdicts(&[
        // Of several the cheapest.
        (two, "pin=b dearer=1 u=0", "c, a, b / cheaper -> c -150"),
        (
            two,
            "pin=b dearer=1 sort=price",
            "c, a, b / cheaper -> c -150",
        ),
        (
            two,
            "pin=b dearer=1 sort=expected-cost",
            "c, a, b / cheaper -> c -150",
        ),
        (two, "pin=b sort=expected-cost", "b, c, a / retain 1"),
        // Who asks for speed or quality does not leave a cache to save money.
        (two, "pin=b dearer=1 sort=throughput", "b, c, a / retain"),
        (two, "pin=b dearer=1 sort=exacto u=0", "b, c, a / retain"),
        (
            two,
            "pin=b dearer=1 order=a sticky=prefer u=0",
            "b, a, c / retain",
        ),
        // A cache that is gone saves nothing.
        (
            two,
            "pin=b dearer=1 idle=301 ttl=300 u=0",
            "c, a, b / cheaper -> c -1950",
        ),
        (two, "pin=b dearer=1 idle=299 ttl=300 only=b", "b / retain"),
        // Another model is another question, and so is what handles tools worse.
        (
            "m: b $2 read$.2; n: a $.1",
            "models=m,n pin=b dearer=1",
            "b, a / retain",
        ),
        (
            "a $.1 tools calls=bad | b $2 read$.2 tools",
            "with=tools pin=b dearer=1",
            "b, a / retain",
        ),
    ]);
}

#[test]
fn a_failing_endpoint_is_kept_while_its_cache_is_worth_it() {
    verdicts(&[
        // The cache saves 1.8; a retry at a costs 1, half of the time.
        ("a $1 | b $2 read$.2 outage", "pin=b u=0", "b, a / retain"),
        ("a $1 | b $2 read$.2 degraded", "pin=b u=0", "b, a / retain"),
        // It saves 0.18, less than half a retry.
        (
            "a $1 | b $2 read$.2 outage",
            "pin=b warm=100000 u=0",
            "a, b / degraded -> a -820",
        ),
        // A fifth of a retry is 0.2, a tenth 0.1.
        (
            "a $1 | b $2 read$.2 degraded",
            "pin=b warm=100000 u=0",
            "a, b / degraded -> a -820",
        ),
        (
            "a $1 | b $2 read$.2 degraded fails=10",
            "pin=b warm=100000 u=0",
            "b, a / retain 1",
        ),
        // Nobody fares better.
        (
            "a $1 outage | b $2 read$.2 outage",
            "pin=b warm=100000 u=0",
            "b, a / retain",
        ),
        ("b $2 read$.2 outage", "pin=b warm=0", "b / retain"),
        // New conversations avoid it.
        (
            "a $3 read$.3 | b $2 read$.2 degraded",
            "u=.9",
            "a, b / initialize",
        ),
        // Down is down, unless all are.
        (
            "a $1 | b $2 read$.2 down",
            "pin=b u=0",
            "a, b / down -> a +800",
        ),
        (
            "a $1 down | b $2 read$.2 down",
            "pin=b u=0",
            "b, a / retain",
        ),
        // What comes back waits for its share of the requests, as if it was degraded.
        (
            "a $1 | b $2 read$.2 probation=0",
            "pin=b warm=100000 u=0",
            "a, b / degraded -> a -820",
        ),
        (
            "a $1 | b $2 read$.2 probation=100",
            "pin=b warm=500000 u=0",
            "b, a / retain",
        ),
    ]);
}

#[test]
fn conversations_of_one_prefix_leave_together() {
    let catalog = "a $1 | b $2 | c $3 | x $1 read$.1 down | d $1 outage";
    let successor = |prefix: u64, seed: u64| {
        let case = Case::new(catalog).ask(&format!("pin=x prefix={prefix} seed={seed}"));
        let plan = case.select().expect("most may serve");
        let drawn = plan
            .record
            .candidates
            .iter()
            .any(|row| row.draw_ppm.is_some());
        assert!(!drawn, "nothing is left to chance");
        plan.candidates[0].vetted.endpoint().tag.clone()
    };
    let mut seen = std::collections::BTreeMap::<String, u64>::new();
    for prefix in 0..60 {
        let first = successor(prefix, 0);
        assert!((1..10).all(|seed| successor(prefix, seed) == first));
        *seen.entry(first).or_default() += 1;
    }
    // Different prefixes spread as new conversations do, over the healthy ones alone.
    assert_eq!(seen.keys().collect::<Vec<_>>(), ["a", "b", "c"]);
    assert!(seen["a"] > seen["b"] && seen["b"] > seen["c"], "{seen:?}");
    // Under a strict sort the next one takes them all.
    assert_eq!(
        plan_of(catalog, "pin=x sort=price"),
        "a, d, b, c, x",
        "an outage does not count under a sort"
    );
}

#[test]
fn another_credential_is_another_cache() {
    let mut case = Case::new("a $1 | b $2 read$.5").ask("pin=b u=0");
    let own = switchyard_domain::id::CredentialId::from_uuid(Default::default());
    case.pin.as_mut().expect("a pin").credential = CredentialUse::Own(own);
    assert_eq!(told(&case), "a, b / filtered -> a +500");
}

#[test]
fn own_credentials_have_caches_of_their_own() {
    let told_with = |request: &str, holder: Option<usize>| {
        let mut case = Case::new("a $1 read$.1 | b $2 read$.2").ask(request);
        if let Some(index) = holder {
            let own = case.own[index].id;
            case.pin.as_mut().expect("a pin").credential = own.into();
        }
        told(&case)
    };
    for (request, holder, expected) in [
        // A prioritized credential goes before a warm cache of the operator's.
        (
            "u=0 pin=a own=K@b",
            None,
            "b(K), a, b / outranked -> b +1900",
        ),
        // One behind the operator's does not.
        ("u=0 pin=b own=K@a:fallback", None, "b, a, a(K) / retain"),
        ("u=0 pin=a own=K@a", Some(0), "a(K), a, b / retain"),
        // The owner's order goes before warmth.
        (
            "u=0 pin=a own=K1@b own=K2@a",
            Some(1),
            "b(K1), a(K2), a, b / outranked -> b +1900",
        ),
        (
            "u=0 pin=b own=K1@b own=K2@a",
            Some(0),
            "b(K1), a(K2), a, b / retain",
        ),
    ] {
        assert_eq!(told_with(request, holder), expected, "{request}");
    }
}

#[test]
fn what_is_down_goes_behind_its_owners_other_credentials() {
    let mut case = Case::new("a $1 read$.1 | b $2").ask("u=0 own=K1@a own=K2@a own=K3@b:fallback");
    assert_eq!(
        order(&case.select().expect("all may serve")),
        "a(K1), a(K2), a, b, b(K3)"
    );
    let benched = crate::health::EndpointHealth {
        benched_until: Some(case.now.plus(std::time::Duration::from_secs(9))),
        ..Default::default()
    };
    let endpoint = case.catalog.endpoints[0].id.clone();
    let OwnCredentialId::Stored(own) = case.own[0].id else {
        panic!("it is stored");
    };
    case.health.own.insert((endpoint, own), benched);
    assert_eq!(
        order(&case.select().expect("all may serve")),
        "a(K2), a(K1), a, b, b(K3)"
    );
}

#[test]
fn who_answers_settles_the_verdict() {
    let record = |request: &str| {
        let case = Case::new("a $1 read$.1 | b $2 read$.2 | c $3 read$.3").ask(request);
        case.select().expect("all may serve").record
    };
    let once_served = |request: &str, tag: &str| {
        let record = record(request);
        let mut rows = record.candidates.iter().map(|row| &row.endpoint);
        let served = rows.find(|id| id.as_str().ends_with(&format!("|{tag}")));
        let verdict = PinVerdict::once_served(&record, &home(served.expect("a tag")));
        verdict.as_ref().map_or("-".to_owned(), in_words)
    };
    for (request, served, expected) in [
        ("u=0", "a", "initialize"),
        ("u=0", "c", "initialize"),
        ("u=0 pin=b", "b", "retain"),
        ("u=0 pin=b", "c", "failed -> c +2800"),
        // It left for another reason, and the successor failed, too.
        ("u=0 pin=b idle=601", "a", "expired -> a -1000"),
        ("u=0 pin=b idle=601", "c", "expired -> c +1000"),
        ("u=0 pin=b idle=601", "b", "retain"),
        ("u=0 pin=b ignore=b", "c", "filtered -> c +2800"),
        ("u=0 sticky=off pin=b", "c", "-"),
    ] {
        assert_eq!(
            once_served(request, served),
            expected,
            "{request}: {served}"
        );
    }
}

#[test]
fn verdicts_are_stored_in_few_words() {
    let json = |request: &str| {
        let plan = Case::new("a $1 read$.1 | b $2 read$.2")
            .ask(request)
            .select();
        serde_json::to_string(&plan.expect("both may serve").record.pin_verdict)
            .expect("plain data")
    };
    assert_eq!(json("u=0"), r#"{"verdict":"initialize"}"#);
    assert_eq!(json("pin=b u=0"), r#"{"verdict":"retain"}"#);
    assert_eq!(
        json("pin=b idle=601 u=0"),
        r#"{"verdict":"switch","from":{"endpoint":"lab/m|b"},"to":{"endpoint":"lab/m|a"},"reason":"expired","extra_cost_nanos":-1000000000}"#
    );
}

#[test]
fn a_conversation_that_begins_goes_by_what_its_turns_will_cost() {
    // Cheap to begin with and dear to go on with, and the reverse.
    let two = "a $1 read$.9 | b $1.2 read$.1";
    table(
        two,
        &[
            ("sort=expected-cost", "a, b"),
            ("named sort=expected-cost", "b, a"),
            // Ten turns cost $.91 each at a, $.21 at b: nineteen of twenty begin at b.
            ("u=.9", "b, a"),
            ("u=.5", "a, b"),
            ("named u=.9", "b, a"),
            ("named u=.1", "b, a"),
            ("named u=.02", "b, a"),
            ("named u=.97", "a, b"),
            // Who wants the lowest list price gets it.
            ("named sort=price", "a, b"),
            ("named sticky=off sort=expected-cost", "a, b"),
        ],
    );
}

#[test]
fn a_conversation_leaves_a_dear_cache_when_the_turns_to_come_pay_for_the_move() {
    // A turn costs $.5 at b; at a $1 once, and $.1 from then on.
    let two = "a $1 read$.1 | b $1 read$.5";
    verdicts(&[
        (two, "pin=b turns=1 dearer=1 u=0", "b, a / retain"),
        (two, "pin=b turns=2 dearer=1 u=0", "b, a / retain"),
        // Three turns: $1.2 against $1.5.
        (two, "pin=b turns=3 u=0", "b, a / retain 1"),
        (
            two,
            "pin=b turns=3 dearer=1 u=0",
            "a, b / cheaper -> a +500",
        ),
        // A cache that is not cheaper to read never pays for the move.
        (
            "a $1 read$.5 | b $1 read$.5",
            "pin=b turns=50 dearer=1 u=0",
            "b, a / retain",
        ),
    ]);
}
