//! Sums by time and by dimension, over any range and filter.

use std::{collections::BTreeMap, time::Duration};

use switchyard_billing::settlement::Settlement;
use switchyard_domain::clock::{ResetInterval, Timestamp};
use switchyard_store::activity::{
    Bound, Breakdown, Condition, Detail, Dimension, Filter, Interval, LogStatus, RowMeasure, Scope,
    Step, Sums, Value, context_length_bucket, variant_of,
};

use super::activity_traffic::{DAY, Traffic, activity};
use crate::engine::{Engine, NOW};

fn text(text: &str) -> Option<Value> {
    Some(Value::from(text))
}

pub(crate) async fn every_part_of_a_range_is_counted_once(engine: &Engine) {
    let traffic = Traffic::posted(engine, "ranges", 200).await;
    let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
    for (from, until) in [
        (NOW.minus(3 * DAY), NOW),
        (NOW.minus(minutes(4_001)), NOW.minus(minutes(17))),
        (NOW.minus(minutes(95)), NOW.minus(minutes(30))),
        (NOW.minus(minutes(40)), NOW.minus(minutes(10))),
        (NOW.minus(minutes(2_880)), NOW.minus(minutes(1_440))),
        (NOW.minus(minutes(1)), NOW.minus(minutes(1))),
        (NOW, NOW.minus(DAY)),
    ] {
        let scope = traffic.scope(from, until);
        let told = activity(engine).totals(&scope, Detail::Timed).await;
        let expected = traffic.sums_of(|one| one.admitted_at >= from && one.admitted_at < until);
        assert_eq!(told.expect("answered"), expected, "{from} to {until}");
        let counts = activity(engine).totals(&scope, Detail::Counts).await;
        assert_eq!(counts.expect("answered").charge, expected.charge);
    }
}

/// When the step begins that an instant falls into.
fn start(step: Step, range_from: Timestamp, at: Timestamp) -> Option<Timestamp> {
    let cut = |at: Timestamp, micros: i64| {
        Timestamp::from_micros(at.micros() - at.micros().rem_euclid(micros))
    };
    let hour = 3_600_000_000;
    Some(match step {
        Step::Whole => return None,
        Step::Calendar(Interval::Minute) => cut(at, 60_000_000),
        Step::Calendar(Interval::Hour) => cut(at, hour),
        Step::Calendar(Interval::Day) => ResetInterval::Daily.window_start(at),
        Step::Calendar(Interval::Week) => ResetInterval::Weekly.window_start(at),
        Step::Calendar(Interval::Month) => ResetInterval::Monthly.window_start(at),
        Step::Hours(hours) => {
            let first = cut(range_from, hour);
            let since = at.micros() - first.micros();
            let width = hour * i64::from(hours);
            Timestamp::from_micros(first.micros() + since.div_euclid(width) * width)
        }
    })
}

fn value_of(dimension: Dimension, one: &Settlement) -> Option<Value> {
    let served = one.served.as_ref();
    let last = one.attempts.last();
    let tried = |of: fn(&str) -> String| last.map(|last| of(last.endpoint_id.as_str()));
    match dimension {
        Dimension::Model => text(
            &served
                .map(|served| served.model.clone())
                .or_else(|| tried(|id| id.split('|').next().unwrap_or_default().to_owned()))
                .unwrap_or_else(|| one.request.requested_model.clone()),
        ),
        Dimension::Provider => served
            .map(|served| served.provider.as_str())
            .or_else(|| last.map(|last| last.provider.as_str()))
            .and_then(text),
        Dimension::Endpoint => served.and_then(|served| text(served.endpoint_id.as_str())),
        Dimension::Workspace => Some(Value::Id(one.workspace_id.as_uuid())),
        Dimension::ApiKey => Some(Value::Id(one.api_key_id.as_uuid())),
        Dimension::Status => text(LogStatus::of(one).as_str()),
        Dimension::FinishReason => served
            .and_then(|served| served.finish_reason.as_deref())
            .and_then(text),
        Dimension::Byok => text(if one.is_byok() { "true" } else { "false" }),
        Dimension::Credential => served
            .and_then(|served| served.byok_credential_id)
            .map(|id| Value::Id(id.as_uuid())),
        Dimension::Variant => variant_of(&one.request.requested_model).and_then(|name| text(&name)),
        Dimension::Session => one.request.session_id.as_deref().and_then(text),
        Dimension::ExternalUser => one.request.external_user.as_deref().and_then(text),
        Dimension::ContextLength => text(context_length_bucket(one.usage.input_total())),
        Dimension::Generation => text(one.generation_id.as_str()),
        Dimension::App => one
            .request
            .http_referer
            .as_deref()
            .and_then(|referer| text(referer.trim_end_matches("/page"))),
        Dimension::User => None,
    }
}

pub(crate) async fn sums_are_cut_by_time_and_dimension(engine: &Engine) {
    let traffic = Traffic::posted(engine, "cuts", 150).await;
    let (from, until) = (NOW.minus(Duration::from_secs(220_000)), NOW);
    let steps = [
        Step::Whole,
        Step::Calendar(Interval::Minute),
        Step::Calendar(Interval::Hour),
        Step::Calendar(Interval::Day),
        Step::Calendar(Interval::Week),
        Step::Calendar(Interval::Month),
        Step::Hours(5),
        Step::Hours(24),
    ];
    let mut cuts: Vec<(Step, Vec<Dimension>)> = Dimension::ALL
        .map(|dimension| (Step::Whole, vec![dimension]))
        .to_vec();
    for step in steps {
        cuts.push((step, vec![]));
        cuts.push((step, vec![Dimension::Model, Dimension::Status]));
    }
    for (step, dimensions) in cuts {
        let asked = Breakdown {
            scope: traffic.scope(from, until),
            step,
            dimensions: dimensions.clone(),
            detail: Detail::Timed,
            limit: 10_000,
        };
        let told = activity(engine).breakdown(&asked).await.expect("answered");
        let told: BTreeMap<_, _> = told
            .into_iter()
            .map(|slice| ((slice.at, slice.values), slice.sums))
            .collect();
        let mut expected = BTreeMap::<_, Sums>::new();
        for one in &traffic.settlements {
            if one.admitted_at >= from && one.admitted_at < until {
                let values: Vec<_> = dimensions
                    .iter()
                    .map(|dimension| value_of(*dimension, one))
                    .collect();
                let place = (start(step, from, one.admitted_at), values);
                *expected.entry(place).or_default() += &Sums::of(one);
            }
        }
        assert_eq!(told, expected, "{step:?} by {dimensions:?}");
    }
    let few = Breakdown {
        scope: traffic.whole(),
        step: Step::Whole,
        dimensions: vec![Dimension::Generation],
        detail: Detail::Counts,
        limit: 10,
    };
    let told = activity(engine).breakdown(&few).await.expect("answered");
    assert_eq!(told.len(), 11, "one more tells that there are more");
}

pub(crate) async fn filters_hold_wherever_sums_come_from(engine: &Engine) {
    let traffic = Traffic::posted(engine, "filters", 180).await;
    let some = |dimension| -> Vec<Option<Value>> {
        let mut values: Vec<_> = traffic
            .settlements
            .iter()
            .map(|one| value_of(dimension, one))
            .collect();
        values.sort();
        values.dedup();
        values
    };
    // Holds of everything, and only generations tell.
    let from_rows = Condition::Bounded(RowMeasure::PromptTokens, Bound::AtLeast, 0);
    for dimension in Dimension::ALL {
        let values = some(dimension);
        let known: Vec<_> = values.iter().flatten().take(2).cloned().map(Some).collect();
        let mut with_unset = known.clone();
        with_unset.push(None);
        for listed in [known, with_unset, vec![None], vec![]] {
            let is_listed = |one: &Settlement| listed.contains(&value_of(dimension, one));
            for (condition, expected) in [
                (
                    Condition::AnyOf(dimension, listed.clone()),
                    traffic.sums_of(is_listed),
                ),
                (
                    Condition::NoneOf(dimension, listed.clone()),
                    none_of(&traffic, dimension, &listed),
                ),
            ] {
                for filter in [
                    Filter::default().and(condition.clone()),
                    Filter::default()
                        .and(condition.clone())
                        .and(from_rows.clone()),
                ] {
                    let scope = Scope {
                        filter,
                        ..traffic.whole()
                    };
                    let told = activity(engine).totals(&scope, Detail::Timed).await;
                    assert_eq!(told.expect("answered"), expected, "{condition:?}");
                }
            }
        }
    }
    for (bound, holds) in [
        (Bound::Above, (|it, than| it > than) as fn(u64, u64) -> bool),
        (Bound::AtLeast, |it, than| it >= than),
        (Bound::Below, |it, than| it < than),
        (Bound::AtMost, |it, than| it <= than),
        (Bound::Exactly, |it, than| it == than),
        (Bound::Not, |it, than| it != than),
    ] {
        let filter =
            Filter::default().and(Condition::Bounded(RowMeasure::FirstToken, bound, 4_000));
        let scope = Scope {
            filter,
            ..traffic.whole()
        };
        let told = activity(engine).totals(&scope, Detail::Timed).await;
        let expected = traffic.sums_of(|one| {
            let first_token = one.served.as_ref().and_then(|served| served.latency_ms);
            first_token.is_some_and(|ms| holds(ms, 4_000))
        });
        assert_eq!(told.expect("answered"), expected, "{bound:?}");
    }
}

/// Without `None` among the values, having none is well.
fn none_of(traffic: &Traffic, dimension: Dimension, listed: &[Option<Value>]) -> Sums {
    traffic.sums_of(|one| !listed.contains(&value_of(dimension, one)))
}

pub(crate) async fn facets_count_values(engine: &Engine) {
    let traffic = Traffic::posted(engine, "facets", 120).await;
    let dimensions = [Dimension::Model, Dimension::Session, Dimension::Status];
    let scope = traffic.whole();
    let facets = activity(engine)
        .facets(&scope, &dimensions, 100)
        .await
        .expect("answered");
    assert_eq!(facets.len(), 3);
    for (facet, dimension) in facets.iter().zip(dimensions) {
        assert_eq!(facet.dimension, dimension);
        assert!(!facet.is_cut);
        for one in &facet.values {
            let expected =
                traffic.sums_of(|settlement| value_of(dimension, settlement) == one.value);
            assert_eq!(
                (one.requests, one.charge),
                (expected.requests, expected.charge)
            );
        }
        let all: u64 = facet.values.iter().map(|one| one.requests).sum();
        assert_eq!(all, 120);
        assert!(
            facet
                .values
                .is_sorted_by_key(|one| std::cmp::Reverse(one.requests))
        );
    }
    let few = activity(engine)
        .facets(&scope, &[Dimension::Session], 2)
        .await
        .expect("answered");
    assert_eq!((few[0].values.len(), few[0].is_cut), (2, true));
}
