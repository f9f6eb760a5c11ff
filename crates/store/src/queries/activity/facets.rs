//! How a scope divides along several dimensions at once.

use std::collections::HashMap;

use switchyard_domain::money::UsdNanos;

use super::{super::Engine, breakdown::Cut};
use crate::{
    activity::{Detail, Dimension, Facet, FacetCount, Scope, Slice, Step, Value},
    failure::Failure,
};

/// Combinations of values that are told apart; more than this and the rare ones may be missing.
const COMBINATIONS_MAX: u32 = 50_000;

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
        // Read once for all dimensions, and divided here.
        let cut = Cut {
            scope,
            step: Step::Whole,
            dimensions,
            detail: Detail::Counts,
            limit: COMBINATIONS_MAX,
        };
        let slices = self.select_slices(&cut).await?;
        let facet = |(index, dimension): (usize, &Dimension)| {
            facet(&slices, index, *dimension, values_max as usize)
        };
        Ok(dimensions.iter().enumerate().map(facet).collect())
    }
}

fn facet(slices: &[Slice], index: usize, dimension: Dimension, values_max: usize) -> Facet {
    let mut counts = HashMap::<&Option<Value>, (u64, UsdNanos)>::new();
    for slice in slices {
        let (requests, charge) = counts.entry(&slice.values[index]).or_default();
        *requests += slice.sums.requests;
        *charge = charge.saturating_add(slice.sums.charge);
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
