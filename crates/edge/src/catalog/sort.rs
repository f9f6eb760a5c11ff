//! Orders of the model list. Models without the figure come last, in the order they had.

use std::cmp::{Ordering, Reverse};

use switchyard_catalog::snapshot::{Catalog, Model};
use switchyard_interchange::reply::PublicFailure;

use super::{query::one_of, shelf::Row};

/// An order by a figure that the catalogue knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// As listed: newest first.
    Listed,
    CheapestFirst,
    DearestFirst,
    LargestContextFirst,
}

/// Every name that clients may use. Popularity, speed and benchmark scores are not known of any
/// model, so that all models are last in those orders.
const SORTS: [(&str, Sort); 12] = [
    ("newest", Sort::Listed),
    ("pricing-low-to-high", Sort::CheapestFirst),
    ("pricing-high-to-low", Sort::DearestFirst),
    ("context-high-to-low", Sort::LargestContextFirst),
    ("most-popular", Sort::Listed),
    ("top-weekly", Sort::Listed),
    ("throughput-high-to-low", Sort::Listed),
    ("latency-low-to-high", Sort::Listed),
    ("intelligence-high-to-low", Sort::Listed),
    ("coding-high-to-low", Sort::Listed),
    ("agentic-high-to-low", Sort::Listed),
    ("design-arena-elo-high-to-low", Sort::Listed),
];

impl Sort {
    pub(super) fn parse(name: Option<&str>) -> Result<Self, PublicFailure> {
        match name {
            None => Ok(Self::Listed),
            Some(name) => one_of("sort", name, &SORTS),
        }
    }

    /// Puts rows that are in listed order into this one.
    pub(super) fn apply(self, catalog: &Catalog, rows: &mut [&Row]) {
        match self {
            Self::Listed => {}
            Self::CheapestFirst => rows.sort_by_key(|row| price(catalog, row)),
            Self::DearestFirst => rows.sort_by_key(|row| Reverse(price(catalog, row))),
            // `None` is below every length, so that the unknown comes last here.
            Self::LargestContextFirst => {
                rows.sort_by_key(|row| Reverse(catalog.models[row.model].context_length));
            }
        }
    }
}

/// Twice the average of what a token in and a token out cost; listed rows have both.
fn price(catalog: &Catalog, row: &Row) -> i64 {
    let base = catalog.endpoints[row.endpoint]
        .prices
        .as_ref()
        .map(|list| list.base);
    let picos = |price: Option<switchyard_domain::money::Price>| price.map_or(0, |p| p.picos());
    base.map_or(0, |base| {
        picos(base.prompt).saturating_add(picos(base.completion))
    })
}

/// The listed order: newest first, unknown ages last, then by id.
pub(super) fn by_age(a: &Model, b: &Model) -> Ordering {
    b.created.cmp(&a.created).then_with(|| a.id.cmp(&b.id))
}
