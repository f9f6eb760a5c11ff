//! Roll-ups, written with the generations they sum over: a batch is added up first, so that each series
//! is written once per batch and span of time.

mod backfill;
mod breakdown;
mod conditions;
mod facets;
mod names;
mod segments;
mod series;
mod sums;
mod verify;

use std::collections::BTreeMap;

use sqlx::types::Uuid;
use switchyard_billing::settlement::Settlement;
use switchyard_domain::{clock::Timestamp, id::AccountId};

use self::series::SeriesKey;
pub(super) use self::{
    conditions::{Composed, Source, asks_series},
    series::model_of,
};
use super::{
    Engine,
    rows::{Script, Statement},
    spending::count,
};
use crate::activity::{LATENCY_BUCKETS, Sums, THROUGHPUT_BUCKETS};

const HOUR_MICROS: i64 = 3_600_000_000;
const DAY_HOURS: i32 = 24;
/// The spans of time that sums are kept for, in hours.
const SPANS: [i16; 2] = [1, 24];

/// The full hour that an instant falls into, counted from 1970.
pub(super) fn hour_of(at: Timestamp) -> i32 {
    let hour = at.micros().div_euclid(HOUR_MICROS);
    i32::try_from(hour).unwrap_or(if hour < 0 { i32::MIN } else { i32::MAX })
}

/// When an hour begins.
fn at_hour(hour: i32) -> Timestamp {
    Timestamp::from_micros(i64::from(hour) * HOUR_MICROS)
}

/// A series of an account that this process has seen stored.
pub(super) type SeriesName = (AccountId, Uuid);

/// A settlement that is told apart.
pub(super) struct Told<'a> {
    pub(super) settlement: &'a Settlement,
    series: SeriesKey<'a>,
    /// Its series' id.
    pub(super) series_id: Uuid,
}

impl<'a> Told<'a> {
    pub(super) fn of(settlement: &'a Settlement) -> Self {
        let series = SeriesKey::of(settlement);
        Self {
            settlement,
            series_id: series.id(),
            series,
        }
    }
}

impl Engine {
    /// Adds a batch to its roll-ups. Returns the series that are stored with it.
    pub(super) fn push_activity<'a>(
        &self,
        script: &mut Script,
        batch: impl IntoIterator<Item = &'a Told<'a>>,
    ) -> Vec<SeriesName> {
        let mut series = BTreeMap::<SeriesName, &SeriesKey<'a>>::new();
        let mut hours = BTreeMap::<(SeriesName, i32), Sums>::new();
        for told in batch {
            let name = (told.settlement.account_id, told.series_id);
            series.entry(name).or_insert(&told.series);
            let hour = hour_of(told.settlement.admitted_at);
            *hours.entry((name, hour)).or_default() += &Sums::of(told.settlement);
        }
        let mut spans = BTreeMap::<(AccountId, i16, i32, Uuid), Sums>::new();
        for (((account, series), hour), sums) in &hours {
            for span in SPANS {
                let starts_at = hour - hour.rem_euclid(i32::from(span));
                *spans
                    .entry((*account, span, starts_at, *series))
                    .or_default() += sums;
            }
        }
        self.known.series.retain_unseen(&mut series);
        let stored = series.keys().copied().collect();
        push_series(script, series);
        script.push_rows(UPSERT_HEAD, spans, bind_sums, UPSERT_TAIL);
        stored
    }
}

fn push_series(script: &mut Script, series: BTreeMap<SeriesName, &SeriesKey<'_>>) {
    script.push_rows(
        "INSERT INTO activity_series (
            account_id, series_id, workspace_id, api_key_id, model, variant, provider, endpoint_id,
            status, finish_reason, is_byok, byok_credential_id, app, app_name
        )",
        series,
        |row, ((account, id), key)| {
            row.push_bind(account.as_uuid()).push_bind(id);
            key.bind(row);
        },
        " ON CONFLICT (account_id, series_id) DO NOTHING",
    );
}

/// Writes the statement's constant parts from one list of columns.
macro_rules! upsert {
    ($first:literal $(, $column:literal)+) => {
        const UPSERT_HEAD: &str = concat!(
            "INSERT INTO activity (account_id, hours, starts_at, series_id, ",
            $first, $(", ", $column,)+
            ")"
        );
        const UPSERT_TAIL: &str = concat!(
            " ON CONFLICT (account_id, hours, starts_at, series_id) DO UPDATE SET ",
            $first, " = activity.", $first, " + excluded.", $first,
            $(", ", $column, " = activity.", $column, " + excluded.", $column,)+
        );
        /// The columns that are summed, in the order in which they are bound.
        const SUMMED: &[&str] = &[$first, $($column),+];
    };
}

upsert!(
    "requests",
    "byok_requests",
    "errors",
    "cancelled",
    "prompt_tokens",
    "completion_tokens",
    "reasoning_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "charge",
    "byok_charge",
    "tools_charge",
    "list_price",
    "byok_list_price",
    "cache_discount",
    "latency_ms",
    "timed_tokens",
    "timed_ms",
    "l00",
    "l01",
    "l02",
    "l03",
    "l04",
    "l05",
    "l06",
    "l07",
    "l08",
    "l09",
    "l10",
    "l11",
    "l12",
    "l13",
    "l14",
    "l15",
    "l16",
    "l17",
    "t00",
    "t01",
    "t02",
    "t03",
    "t04",
    "t05",
    "t06",
    "t07",
    "t08",
    "t09",
    "t10",
    "t11",
    "t12",
    "t13"
);

const _: () = assert!(SUMMED.len() == 18 + LATENCY_BUCKETS + THROUGHPUT_BUCKETS);

type SpanRow = ((AccountId, i16, i32, Uuid), Sums);

fn bind_sums(row: &mut Statement, ((account, hours, starts_at, series), sums): SpanRow) {
    row.push_bind(account.as_uuid())
        .push_bind(hours)
        .push_bind(starts_at)
        .push_bind(series)
        .push_bind(count(sums.requests))
        .push_bind(count(sums.byok_requests))
        .push_bind(count(sums.errors))
        .push_bind(count(sums.cancelled))
        .push_bind(count(sums.prompt_tokens))
        .push_bind(count(sums.completion_tokens))
        .push_bind(count(sums.reasoning_tokens))
        .push_bind(count(sums.cached_tokens))
        .push_bind(count(sums.cache_write_tokens))
        .push_bind(sums.charge.get())
        .push_bind(sums.byok_charge.get())
        .push_bind(sums.tools_charge.get())
        .push_bind(sums.list_price.get())
        .push_bind(sums.byok_list_price.get())
        .push_bind(sums.cache_discount.get())
        .push_bind(count(sums.latency_ms))
        .push_bind(count(sums.timed_tokens))
        .push_bind(count(sums.timed_ms));
    for counted in sums.latency.0.into_iter().chain(sums.throughput.0) {
        row.push_bind(i32::try_from(counted).unwrap_or(i32::MAX));
    }
}
