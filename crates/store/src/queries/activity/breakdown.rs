//! Sums by time and by dimensions, put together from the parts of a range.

use std::collections::HashMap;

use sqlx::types::Uuid;
use switchyard_domain::clock::Timestamp;

use super::{
    super::{super::Db, Engine},
    Composed, Source, asks_series,
    segments::{Numbering, Segment, segments},
    sums,
};
use crate::{
    activity::{Breakdown, Detail, Dimension, Interval, Scope, Slice, Step, Sums, Value},
    failure::Failure,
    portable::At,
};

type DbRow = <Db as sqlx::Database>::Row;
/// What tells one slice from another.
type Place = (Option<Timestamp>, Vec<Option<Value>>);

/// How sums are cut.
pub(super) struct Cut<'a> {
    pub(super) scope: &'a Scope,
    pub(super) step: Step,
    pub(super) dimensions: &'a [Dimension],
    pub(super) detail: Detail,
    pub(super) limit: u32,
}

impl Engine {
    pub(in super::super) async fn select_totals(
        &self,
        scope: &Scope,
        detail: Detail,
    ) -> Result<Sums, Failure> {
        let cut = Cut {
            scope,
            step: Step::Whole,
            dimensions: &[],
            detail,
            limit: 1,
        };
        let slices = self.select_slices(&cut).await?;
        Ok(slices
            .into_iter()
            .next()
            .map(|one| one.sums)
            .unwrap_or_default())
    }

    pub(in super::super) async fn select_breakdown(
        &self,
        asked: &Breakdown,
    ) -> Result<Vec<Slice>, Failure> {
        self.select_slices(&Cut {
            scope: &asked.scope,
            step: asked.step,
            dimensions: &asked.dimensions,
            detail: asked.detail,
            limit: asked.limit,
        })
        .await
    }

    pub(super) async fn select_slices(&self, cut: &Cut<'_>) -> Result<Vec<Slice>, Failure> {
        self.select_slices_from(cut, &parts(cut)).await
    }

    pub(super) async fn select_slices_from(
        &self,
        cut: &Cut<'_>,
        parts: &[Segment],
    ) -> Result<Vec<Slice>, Failure> {
        let mut slices = HashMap::<Place, Sums>::new();
        let numbering = Numbering::of(cut.step, cut.scope.range);
        for segment in parts {
            let (sql, arguments) = statement(cut, *segment, numbering)?.finish()?;
            // Its text depends on the filter: not worth keeping prepared.
            let query = sqlx::query_with(sql, arguments).persistent(false);
            let rows = query.fetch_all(&self.reader).await;
            for row in rows.map_err(|error| Failure::Sql(error).or_too_slow())? {
                let (place, sums) = read(&row, cut, numbering)?;
                if sums.requests > 0 {
                    *slices.entry(place).or_default() += &sums;
                }
            }
        }
        let slices = slices
            .into_iter()
            .map(|((at, values), sums)| Slice { at, values, sums });
        Ok(slices.take(cut.limit as usize + 1).collect())
    }
}

/// Everything from generations where roll-ups do not tell what is asked for.
pub(super) fn parts(cut: &Cut<'_>) -> Vec<Segment> {
    let is_rolled_up = cut.scope.filter.is_rolled_up()
        && cut
            .dimensions
            .iter()
            .all(|dimension| dimension.is_rolled_up())
        && cut.step != Step::Calendar(Interval::Minute);
    if is_rolled_up {
        segments(cut.scope.range, cut.step)
    } else {
        vec![Segment::Rows(cut.scope.range)]
    }
}

fn statement(
    cut: &Cut<'_>,
    segment: Segment,
    numbering: Option<Numbering>,
) -> Result<Composed, Failure> {
    let source = segment.source();
    let mut query = Composed::new("SELECT ");
    let mut groups = Vec::new();
    if let Some(numbering) = numbering {
        groups.push(numbering.expression(source));
    }
    for dimension in cut.dimensions {
        groups.push(source.expression(*dimension)?.to_owned());
    }
    for group in &groups {
        query.push(group).push(", ");
    }
    for columns in sums::columns(source, cut.detail) {
        query.push(columns);
    }
    push_source(&mut query, cut, segment);
    query.filter(source, &cut.scope.filter)?;
    if !groups.is_empty() {
        let places: Vec<_> = (1..=groups.len()).map(|place| place.to_string()).collect();
        query.push(" GROUP BY ").push(&places.join(", "));
        query.push(" LIMIT ").bind(i64::from(cut.limit) + 1);
    }
    Ok(query)
}

fn push_source(query: &mut Composed, cut: &Cut<'_>, segment: Segment) {
    let account = cut.scope.account.as_uuid();
    let asks_series = !cut.dimensions.is_empty() || asks_series(&cut.scope.filter);
    query.push(match segment.source() {
        Source::RollUps if !asks_series => " FROM activity AS h WHERE ",
        source => source.tables(),
    });
    match segment {
        Segment::RolledUp { span, from, until } => {
            query
                .push("h.account_id = ")
                .bind(account)
                .push(if span == 1 {
                    " AND h.hours = 1"
                } else {
                    " AND h.hours = 24"
                })
                .push(" AND h.starts_at >= ")
                .bind(from)
                .push(" AND h.starts_at < ")
                .bind(until);
        }
        Segment::Rows(range) => {
            query
                .push("g.account_id = ")
                .bind(account)
                .push(" AND g.admitted_at >= ")
                .bind(At(range.from))
                .push(" AND g.admitted_at < ")
                .bind(At(range.until));
        }
    }
}

fn read(
    row: &DbRow,
    cut: &Cut<'_>,
    numbering: Option<Numbering>,
) -> Result<(Place, Sums), Failure> {
    let mut next = 0;
    let at = match numbering {
        Some(numbering) => {
            next += 1;
            Some(numbering.start(sums::get(row, 0)?))
        }
        None => None,
    };
    let values = read_values(row, next, cut.dimensions)?;
    next += values.len();
    Ok(((at, values), sums::read(row, next, cut.detail)?))
}

/// Reads the values of dimensions from the `first` column on.
pub(super) fn read_values(
    row: &DbRow,
    first: usize,
    dimensions: &[Dimension],
) -> Result<Vec<Option<Value>>, Failure> {
    let value = |(index, dimension): (usize, &Dimension)| {
        Ok(if dimension.is_id() {
            sums::get::<Option<Uuid>>(row, first + index)?.map(Value::Id)
        } else {
            sums::get::<Option<String>>(row, first + index)?.map(Value::Text)
        })
    };
    dimensions.iter().enumerate().map(value).collect()
}
