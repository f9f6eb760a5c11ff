//! Which models are meant, and how many another choice would leave.

use std::cmp::Reverse;

use switchyard_app::offer::Offer;
use switchyard_catalog::snapshot::Model;

use super::{
    shelf::{Cell, Row, Shelf},
    wanted::{Facet, Sort, Wanted},
};

/// A shelf as it is offered to somebody.
pub(super) struct Sieve<'a> {
    pub(super) shelf: &'a Shelf,
    pub(super) offer: &'a Offer,
    /// By row.
    is_offered: Vec<bool>,
}

impl<'a> Sieve<'a> {
    pub(super) fn new(shelf: &'a Shelf, offer: &'a Offer) -> Self {
        let rows = shelf.rows.iter();
        Self {
            is_offered: rows.map(|row| row.is_offered(offer)).collect(),
            shelf,
            offer,
        }
    }

    pub(super) fn model(&self, row: &Row) -> &'a Model {
        &self.offer.catalog.models[row.model]
    }

    /// The models that are asked for, in the order that is asked for.
    pub(super) fn sorted(&self, wanted: &Wanted) -> Vec<&'a Row> {
        let mut rows: Vec<&Row> = self.rows(wanted).collect();
        // Models without a price come last both ways.
        let price = |row: &Row| self.shown(row, wanted.hidden)?.prices;
        match wanted.sort {
            Sort::Newest => {}
            Sort::Cheapest => {
                rows.sort_by_key(|row| price(row).map_or((true, 0), |(input, _)| (false, input)));
            }
            Sort::Dearest => rows.sort_by_key(|row| Reverse(price(row).map(|(input, _)| input))),
            Sort::Context => rows.sort_by_key(|row| Reverse(self.model(row).context_length)),
            Sort::Name => rows.sort_by_key(|row| self.model(row).name.to_lowercase()),
        }
        rows
    }

    /// How many models are asked for.
    pub(super) fn count(&self, wanted: &Wanted) -> usize {
        self.rows(wanted).count()
    }

    /// How many would be with one condition more.
    pub(super) fn count_with(&self, wanted: &Wanted, facet: &Facet) -> usize {
        self.count(&wanted.only(facet.clone()))
    }

    fn rows(&self, wanted: &Wanted) -> impl Iterator<Item = &'a Row> {
        let search = wanted.search.to_lowercase();
        let providers = self.providers(wanted);
        let wanted = wanted.clone();
        let rows = self.shelf.rows.iter().zip(&self.is_offered);
        let meant: Vec<_> = rows
            .filter(|(row, is_offered)| {
                **is_offered != wanted.hidden
                    && self.has_abilities(row, &wanted, &search)
                    && self.has_endpoint(row, &wanted, providers.as_deref())
            })
            .map(|(row, _)| row)
            .collect();
        meant.into_iter()
    }

    fn has_abilities(&self, row: &Row, wanted: &Wanted, search: &str) -> bool {
        let model = self.model(row);
        model.input_modalities.contains_all(wanted.inputs)
            && model.output_modalities.contains_all(wanted.outputs)
            && model.supported_parameters.contains_all(wanted.parameters)
            && wanted
                .context_min
                .is_none_or(|min| model.context_length >= Some(min))
            && search
                .split_whitespace()
                .all(|word| row.text.contains(word))
    }

    /// Conditions that one and the same endpoint must meet.
    fn has_endpoint(&self, row: &Row, wanted: &Wanted, providers: Option<&[bool]>) -> bool {
        let meets = |cell: &Cell| {
            let whose = self.offer.whose(cell.endpoint);
            (wanted.hidden || whose.is_some())
                && (!wanted.zdr || cell.zero_data_retention)
                && (!wanted.own || whose.is_some_and(|whose| whose.own))
                && (!wanted.free || cell.free)
                && wanted.price_max.is_none_or(|max| {
                    cell.is_ordinary && cell.prices.is_some_and(|(input, _)| input <= max)
                })
                && (wanted.regions.is_empty()
                    || wanted.regions.iter().any(|region| cell.regions[*region]))
                && providers.is_none_or(|some| some[cell.provider])
        };
        let asks = wanted.zdr
            || wanted.own
            || wanted.free
            || wanted.price_max.is_some()
            || !wanted.regions.is_empty()
            || providers.is_some();
        !asks || row.cells.iter().any(meets)
    }

    fn providers(&self, wanted: &Wanted) -> Option<Vec<bool>> {
        if wanted.providers.is_empty() {
            return None;
        }
        let providers = self.offer.catalog.providers.iter();
        let is_wanted = |slug: &str| {
            wanted
                .providers
                .iter()
                .any(|wanted| wanted.as_str() == slug)
        };
        Some(
            providers
                .map(|provider| is_wanted(provider.slug.as_str()))
                .collect(),
        )
    }

    /// The endpoint whose price stands for the model: the cheapest ordinary one that is offered; of those
    /// that are not, the cheapest.
    pub(super) fn shown(&self, row: &'a Row, hidden: bool) -> Option<&'a Cell> {
        let usable = |cell: &&Cell| hidden || self.offer.whose(cell.endpoint).is_some();
        let price = |cell: &&Cell| {
            let total = cell
                .prices
                .map(|(input, output)| i128::from(input) + i128::from(output));
            (!cell.is_ordinary, total.is_none(), total)
        };
        row.cells.iter().filter(usable).min_by_key(price)
    }
}
