//! Whether roll-ups are what their generations add up to.

use std::collections::{BTreeSet, HashMap};

use switchyard_domain::{clock::Timestamp, id::AccountId};

use super::{super::Engine, DAY_HOURS, SPANS, at_hour, breakdown::Cut, hour_of, segments::Segment};
use crate::{
    activity::{Detail, Dimension, Filter, Interval, Range, Scope, Slice, Step},
    failure::Failure,
};

/// Labels of series, all of them.
const LABELS: [Dimension; 11] = [
    Dimension::Workspace,
    Dimension::ApiKey,
    Dimension::Model,
    Dimension::Variant,
    Dimension::Provider,
    Dimension::Endpoint,
    Dimension::Status,
    Dimension::FinishReason,
    Dimension::Byok,
    Dimension::Credential,
    Dimension::App,
];

impl Engine {
    /// Over whole days, whatever the range says of them.
    pub(in super::super) async fn select_roll_up_faults(
        &self,
        account: AccountId,
        range: Range,
    ) -> Result<Vec<Timestamp>, Failure> {
        let from = hour_of(range.from) - hour_of(range.from).rem_euclid(DAY_HOURS);
        let until = hour_of(range.until) + DAY_HOURS;
        let until = until - until.rem_euclid(DAY_HOURS);
        let range = Range {
            from: at_hour(from),
            until: at_hour(until),
        };
        let scope = Scope {
            account,
            range,
            filter: Filter::default(),
        };
        let mut faults = BTreeSet::new();
        for span in SPANS {
            let interval = if span == 1 {
                Interval::Hour
            } else {
                Interval::Day
            };
            let cut = Cut {
                scope: &scope,
                step: Step::Calendar(interval),
                dimensions: &LABELS,
                detail: Detail::Timed,
                limit: u32::MAX - 1,
            };
            let span = i32::from(span);
            let rolled_up = Segment::RolledUp { span, from, until };
            let told = self.select_slices_from(&cut, &[rolled_up]).await?;
            let true_ones = self
                .select_slices_from(&cut, &[Segment::Rows(range)])
                .await?;
            faults.extend(differences(&told, &true_ones));
        }
        Ok(faults.into_iter().collect())
    }
}

/// When the slices begin that one side has otherwise than the other.
fn differences(told: &[Slice], true_ones: &[Slice]) -> BTreeSet<Timestamp> {
    let by_place = |slices: &[Slice]| -> HashMap<_, _> {
        let placed = slices
            .iter()
            .map(|one| ((one.at, one.values.clone()), one.sums.clone()));
        placed.collect()
    };
    let (told, true_ones) = (by_place(told), by_place(true_ones));
    let places = told.keys().chain(true_ones.keys());
    places
        .filter(|place| told.get(place) != true_ones.get(place))
        .filter_map(|(at, _)| *at)
        .collect()
}
