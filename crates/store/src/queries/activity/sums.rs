//! The columns of sums, and how they are read back.

use std::{fmt::Write as _, sync::LazyLock};

use sqlx::{ColumnIndex, Database, Decode, Row, Type};
use switchyard_domain::money::UsdNanos;

use super::{super::super::Db, SUMMED, Source};
use crate::{
    activity::{Detail, LATENCY_ENDS, Sums, THROUGHPUT_ENDS},
    failure::Failure,
};

type DbRow = <Db as Database>::Row;

/// Columns before the times.
const COUNTS: usize = 15;

/// A whole number, 0 over nothing. PostgreSQL would answer with a decimal.
macro_rules! sum {
    ($what:expr) => {
        concat!("CAST(COALESCE(SUM(", $what, "), 0) AS BIGINT)")
    };
}

macro_rules! outline {
    ($requests:literal, $byok_requests:literal, $errors:literal, $cancelled:literal,
     $charge:literal, $byok_charge:literal) => {
        concat!(
            sum!($requests),
            ", ",
            sum!($byok_requests),
            ", ",
            sum!($errors),
            ", ",
            sum!($cancelled),
            ", ",
            sum!($charge),
            ", ",
            sum!($byok_charge)
        )
    };
}

macro_rules! counts {
    ($of:literal) => {
        concat!(
            ", ",
            sum!(concat!($of, ".prompt_tokens")),
            ", ",
            sum!(concat!($of, ".completion_tokens")),
            ", ",
            sum!(concat!($of, ".reasoning_tokens")),
            ", ",
            sum!(concat!($of, ".cached_tokens")),
            ", ",
            sum!(concat!($of, ".cache_write_tokens")),
            ", ",
            sum!(concat!($of, ".tools_charge")),
            ", ",
            sum!(concat!($of, ".list_price")),
            ", ",
            sum!(concat!($of, ".byok_list_price")),
            ", ",
            sum!(concat!($of, ".cache_discount"))
        )
    };
}

const OUTLINE_OF_ROLL_UPS: &str = outline!(
    "h.requests",
    "h.byok_requests",
    "h.errors",
    "h.cancelled",
    "h.charge",
    "h.byok_charge"
);
const OUTLINE_OF_ROWS: &str = outline!(
    "1",
    "CASE WHEN s.is_byok THEN 1 ELSE 0 END",
    "CASE WHEN s.status = 'error' THEN 1 ELSE 0 END",
    "CASE WHEN s.status = 'cancelled' THEN 1 ELSE 0 END",
    "g.charge",
    "CASE WHEN s.is_byok THEN g.charge ELSE 0 END"
);
const COUNTS_OF_ROLL_UPS: &str = counts!("h");
const COUNTS_OF_ROWS: &str = counts!("g");

/// What the time columns of roll-ups add up to.
static TIMES_OF_ROLL_UPS: LazyLock<String> = LazyLock::new(|| {
    let mut sql = String::new();
    let first = SUMMED.iter().position(|name| *name == "latency_ms");
    for name in &SUMMED[first.unwrap_or_default()..] {
        let _ = write!(sql, ", CAST(COALESCE(SUM(h.{name}), 0) AS BIGINT)");
    }
    sql
});

/// The same from generations, cut into the same buckets.
static TIMES_OF_ROWS: LazyLock<String> = LazyLock::new(|| {
    const STREAMED: &str = "g.first_token_ms IS NOT NULL AND g.completion_tokens > 0 \
        AND g.generation_time_ms > g.first_token_ms";
    const RATE: &str =
        "g.completion_tokens * 1000 / NULLIF(g.generation_time_ms - g.first_token_ms, 0)";
    let mut sql = String::from(", CAST(COALESCE(SUM(g.first_token_ms), 0) AS BIGINT)");
    for what in [
        "g.completion_tokens",
        "g.generation_time_ms - g.first_token_ms",
    ] {
        let _ = write!(
            sql,
            ", CAST(COALESCE(SUM(CASE WHEN {STREAMED} THEN {what} ELSE 0 END), 0) AS BIGINT)"
        );
    }
    push_buckets(
        &mut sql,
        "g.first_token_ms IS NOT NULL",
        "g.first_token_ms",
        &LATENCY_ENDS,
    );
    push_buckets(&mut sql, STREAMED, RATE, &THROUGHPUT_ENDS);
    sql
});

fn push_buckets(sql: &mut String, counted: &str, value: &str, ends: &[u64]) {
    let starts = std::iter::once(None).chain(ends.iter().map(Some));
    let ends = ends.iter().map(Some).chain(std::iter::once(None));
    for (start, end) in starts.zip(ends) {
        let _ = write!(sql, ", CAST(COALESCE(SUM(CASE WHEN {counted}");
        if let Some(start) = start {
            let _ = write!(sql, " AND {value} >= {start}");
        }
        if let Some(end) = end {
            let _ = write!(sql, " AND {value} < {end}");
        }
        sql.push_str(" THEN 1 ELSE 0 END), 0) AS BIGINT)");
    }
}

/// The columns, in the order of [`read`].
pub(super) fn columns(source: Source, detail: Detail) -> [&'static str; 3] {
    let [outline, counts, times] = match source {
        Source::RollUps => [OUTLINE_OF_ROLL_UPS, COUNTS_OF_ROLL_UPS, &*TIMES_OF_ROLL_UPS],
        Source::Rows => [OUTLINE_OF_ROWS, COUNTS_OF_ROWS, &*TIMES_OF_ROWS],
    };
    match detail {
        Detail::Outline => [outline, "", ""],
        Detail::Counts => [outline, counts, ""],
        Detail::Timed => [outline, counts, times],
    }
}

/// Reads columns from the `first` one on.
pub(super) fn read(row: &DbRow, first: usize, detail: Detail) -> Result<Sums, Failure> {
    let counted = |index: usize| -> Result<u64, Failure> {
        let value: i64 = get(row, first + index)?;
        Ok(u64::try_from(value).unwrap_or(0))
    };
    let money = |index: usize| Ok::<_, Failure>(UsdNanos::new(get(row, first + index)?));
    let mut sums = Sums {
        requests: counted(0)?,
        byok_requests: counted(1)?,
        errors: counted(2)?,
        cancelled: counted(3)?,
        charge: money(4)?,
        byok_charge: money(5)?,
        ..Sums::default()
    };
    if detail == Detail::Outline {
        return Ok(sums);
    }
    sums.prompt_tokens = counted(6)?;
    sums.completion_tokens = counted(7)?;
    sums.reasoning_tokens = counted(8)?;
    sums.cached_tokens = counted(9)?;
    sums.cache_write_tokens = counted(10)?;
    sums.tools_charge = money(11)?;
    sums.list_price = money(12)?;
    sums.byok_list_price = money(13)?;
    sums.cache_discount = money(14)?;
    if detail == Detail::Timed {
        sums.latency_ms = counted(COUNTS)?;
        sums.timed_tokens = counted(COUNTS + 1)?;
        sums.timed_ms = counted(COUNTS + 2)?;
        let buckets = sums.latency.0.iter_mut().chain(&mut sums.throughput.0);
        for (column, bucket) in (COUNTS + 3..).zip(buckets) {
            *bucket = counted(column)?;
        }
    }
    Ok(sums)
}

/// A column by its place.
pub(super) fn get<'r, T>(row: &'r DbRow, index: usize) -> Result<T, Failure>
where
    T: Decode<'r, Db> + Type<Db>,
    usize: ColumnIndex<DbRow>,
{
    Ok(row.try_get(index)?)
}
