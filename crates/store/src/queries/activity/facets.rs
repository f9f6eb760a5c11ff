//! How a scope divides along several dimensions at once. Read once for all of them, and divided here.

use std::collections::HashMap;

use switchyard_domain::money::UsdNanos;

use super::{
    super::Engine,
    Composed, Source,
    breakdown::{Cut, parts, read_values},
    segments::Segment,
    sums,
};
use crate::{
    activity::{Detail, Dimension, Facet, FacetCount, Scope, Step, Value},
    failure::Failure,
};

/// Combinations of values that are told apart; more than this and the rare ones may be missing.
const COMBINATIONS_MAX: u32 = 50_000;

/// A combination of values, and how many generations have it.
struct Combination {
    values: Vec<Option<Value>>,
    requests: u64,
    charge: UsdNanos,
}

impl Engine {
    pub(in super::super) async fn select_facets(
        &self,
        scope: &Scope,
        dimensions: &[Dimension],
        values_max: u32,
    ) -> Result<Vec<Facet>, Failure> {
        if dimensions.is_empty() {
            return Ok(Vec::new());
        }
        let cut = Cut {
            scope,
            step: Step::Whole,
            dimensions,
            detail: Detail::Counts,
            limit: COMBINATIONS_MAX,
        };
        let mut combinations = Vec::new();
        for part in parts(&cut) {
            match part {
                Segment::RolledUp { span, from, until } => {
                    let query = by_series(&cut, span, from..until)?;
                    combinations.extend(self.fetch_combinations(query, dimensions).await?);
                }
                Segment::Rows(_) => {
                    let slices = self.select_slices_from(&cut, &[part]).await?;
                    combinations.extend(slices.into_iter().map(|slice| Combination {
                        values: slice.values,
                        requests: slice.sums.requests,
                        charge: slice.sums.charge,
                    }));
                }
            }
        }
        let facet = |(index, dimension): (usize, &Dimension)| {
            facet(&combinations, index, *dimension, values_max as usize)
        };
        Ok(dimensions.iter().enumerate().map(facet).collect())
    }

    async fn fetch_combinations(
        &self,
        query: Composed,
        dimensions: &[Dimension],
    ) -> Result<Vec<Combination>, Failure> {
        let (sql, arguments) = query.finish()?;
        let query = sqlx::query_with(sql, arguments).persistent(false);
        let mut combinations = Vec::new();
        for row in query.fetch_all(&self.reader).await? {
            let requests: i64 = sums::get(&row, dimensions.len())?;
            combinations.push(Combination {
                values: read_values(&row, 0, dimensions)?,
                requests: u64::try_from(requests).unwrap_or(0),
                charge: UsdNanos::new(sums::get(&row, dimensions.len() + 1)?),
            });
        }
        Ok(combinations)
    }
}

/// Added up by series first, so that each is looked at once.
fn by_series(cut: &Cut<'_>, span: i32, hours: std::ops::Range<i32>) -> Result<Composed, Failure> {
    let mut query = Composed::new("SELECT ");
    for dimension in cut.dimensions {
        query
            .push(Source::RollUps.expression(*dimension)?)
            .push(", ");
    }
    query
        .push(
            "t.requests, t.charge FROM (
                SELECT h.account_id, h.series_id,
                    CAST(SUM(h.requests) AS BIGINT) AS requests,
                    CAST(SUM(h.charge) AS BIGINT) AS charge
                FROM activity AS h WHERE h.account_id = ",
        )
        .bind(cut.scope.account.as_uuid())
        .push(if span == 1 {
            " AND h.hours = 1"
        } else {
            " AND h.hours = 24"
        })
        .push(" AND h.starts_at >= ")
        .bind(hours.start)
        .push(" AND h.starts_at < ")
        .bind(hours.end)
        .push(
            " GROUP BY h.account_id, h.series_id
            ) AS t CROSS JOIN activity_series AS s
            WHERE s.account_id = t.account_id AND s.series_id = t.series_id",
        )
        .filter(Source::RollUps, &cut.scope.filter)?;
    query.push(" LIMIT ").bind(i64::from(COMBINATIONS_MAX));
    Ok(query)
}

fn facet(
    combinations: &[Combination],
    index: usize,
    dimension: Dimension,
    values_max: usize,
) -> Facet {
    let mut counts = HashMap::<&Option<Value>, (u64, UsdNanos)>::new();
    for combination in combinations {
        let (requests, charge) = counts.entry(&combination.values[index]).or_default();
        *requests += combination.requests;
        *charge = charge.saturating_add(combination.charge);
    }
    let mut values: Vec<_> = counts
        .into_iter()
        .map(|(value, (requests, charge))| FacetCount {
            value: value.clone(),
            requests,
            charge,
        })
        .collect();
    values.sort_by(|one, other| {
        other
            .requests
            .cmp(&one.requests)
            .then_with(|| one.value.cmp(&other.value))
    });
    let is_cut = values.len() > values_max;
    values.truncate(values_max);
    Facet {
        dimension,
        values,
        is_cut,
    }
}
