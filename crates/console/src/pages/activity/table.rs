//! Groups, the greatest first, each with the rows it is made of.

use switchyard_app::activity::{Dimension, Names, Slice, Sums, Value};

use super::{Asked, FIELDS, Shape, named, raw_of, start_of};
use crate::ui::milliseconds;

/// One group.
pub(super) struct Group {
    pub(super) name: String,
    /// Its rows in the log; `None` where those may not be seen.
    pub(super) href: Option<String>,
    pub(super) sums: Sums,
    pub(super) told: String,
    pub(super) slices: Vec<Slice>,
}

impl Group {
    /// How long it took to the first token, for so many of a thousand.
    pub(super) fn percentile(&self, per_mille: u32) -> String {
        let ms = self.sums.latency.percentile_ms(per_mille);
        ms.map_or_else(|| "\u{2013}".to_owned(), milliseconds)
    }
}

/// The groups of some slices, by what is measured.
pub(super) fn groups_of(slices: &[Slice], asked: &Asked, names: &Names) -> Vec<Group> {
    if asked.dimensions.is_empty() {
        return Vec::new();
    }
    let mut found: Vec<(&[Option<Value>], Vec<Slice>)> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for slice in slices {
        let place = *places.entry(&slice.values).or_insert_with(|| {
            found.push((&slice.values, Vec::new()));
            found.len() - 1
        });
        found[place].1.push(slice.clone());
    }
    let group = |(values, slices): (&[Option<Value>], Vec<Slice>)| {
        let sums = super::summed(&slices);
        Group {
            name: name(&asked.dimensions, values, names),
            href: (!asked.lens.is_spend_only).then(|| href(asked, values)),
            told: asked.measure.told(&sums),
            sums,
            slices,
        }
    };
    let mut groups: Vec<_> = found.into_iter().map(group).collect();
    // What does not add up is ordered by how much of it there is.
    groups.sort_by_key(|one| {
        let size = match asked.measure.shape {
            Shape::Bars => asked.measure.value(&one.sums).unwrap_or(0),
            Shape::Lines | Shape::Percentiles => one.sums.requests,
        };
        (std::cmp::Reverse(size), one.name.clone())
    });
    groups
}

fn name(dimensions: &[Dimension], values: &[Option<Value>], names: &Names) -> String {
    let parts = dimensions.iter().zip(values);
    let parts: Vec<_> = parts
        .map(|(dimension, value)| named(*dimension, value.as_ref(), names))
        .collect();
    parts.join(" \u{b7} ")
}

fn href(asked: &Asked, values: &[Option<Value>]) -> String {
    let view = ["metric", "by", "then", "rollup"];
    let mut logs = start_of(&asked.address).without(&view).at("/logs");
    for (dimension, value) in asked.dimensions.iter().zip(values) {
        let field = FIELDS.iter().find(|field| field.dimension == *dimension);
        if let Some(field) = field {
            logs = logs.and(field.name, &raw_of(*dimension, value.as_ref()));
        }
    }
    logs.to_string()
}
