//! The catalogue made ready to be sifted, once per version and minute: price windows open and close.

use std::sync::{Arc, Mutex, PoisonError};

use switchyard_app::offer::{Offer, region_includes};
use switchyard_catalog::{
    listing::prices_now,
    snapshot::{Catalog, Endpoint, Model},
};
use switchyard_domain::{clock::Timestamp, endpoint::ServiceTier};

/// Where the present shelf stands.
#[derive(Debug, Default)]
pub(crate) struct ShelfCell(Mutex<Option<Arc<Shelf>>>);

/// Models in the order in which they are listed when nobody asks for another one: newest first.
#[derive(Debug)]
pub(crate) struct Shelf {
    version: String,
    minute: i64,
    pub(super) rows: Vec<Row>,
}

/// A model.
#[derive(Debug)]
pub(super) struct Row {
    /// Its index in the catalogue.
    pub(super) model: usize,
    /// What a search looks at, in lower case.
    pub(super) text: String,
    pub(super) cells: Vec<Cell>,
}

/// An endpoint.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    /// Its index in the catalogue.
    pub(super) endpoint: usize,
    /// Its provider's.
    pub(super) provider: usize,
    pub(super) zero_data_retention: bool,
    pub(super) free: bool,
    /// Which of [`REGIONS`] it serves in and nowhere else.
    pub(super) regions: [bool; REGIONS.len()],
    pub(super) is_ordinary: bool,
    /// Pico-dollars per input and per output token, now.
    pub(super) prices: Option<(i64, i64)>,
}

/// Regions that can be asked for, by the names that standing rules use.
pub(super) const REGIONS: [(&str, &str); 2] = [("eu", "European Union"), ("us", "United States")];

impl ShelfCell {
    /// The shelf of this catalogue at this minute.
    pub(crate) fn of(&self, catalog: &Catalog, now: Timestamp) -> Arc<Shelf> {
        let minute = now.seconds().div_euclid(60);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shelf) = &*kept
            && shelf.version == catalog.version
            && shelf.minute == minute
        {
            return Arc::clone(shelf);
        }
        let shelf = Arc::new(Shelf::of(catalog, now, minute));
        *kept = Some(Arc::clone(&shelf));
        shelf
    }
}

impl Shelf {
    fn of(catalog: &Catalog, now: Timestamp, minute: i64) -> Self {
        let models = catalog.models.iter().enumerate();
        let mut listed: Vec<_> = models.filter(|(_, model)| !model.is_expired(now)).collect();
        listed.sort_by(|(_, a), (_, b)| b.created.cmp(&a.created).then_with(|| a.id.cmp(&b.id)));
        let rows = listed.into_iter().map(|(index, model)| Row {
            model: index,
            text: text_of(model),
            cells: model
                .endpoints
                .iter()
                .map(|endpoint| Cell::of(*endpoint, &catalog.endpoints[*endpoint], now))
                .collect(),
        });
        Self {
            version: catalog.version.clone(),
            minute,
            rows: rows.collect(),
        }
    }

    /// The models that are offered.
    pub(crate) fn offered<'a>(&'a self, offer: &'a Offer) -> impl Iterator<Item = &'a Model> {
        let rows = self.rows.iter().filter(|row| row.is_offered(offer));
        rows.map(|row| &offer.catalog.models[row.model])
    }

    /// How many models are offered.
    pub(crate) fn models_of(&self, offer: &Offer) -> u64 {
        let offered = self.rows.iter().filter(|row| row.is_offered(offer));
        offered.count() as u64
    }

    /// How many providers are among those who serve them.
    pub(crate) fn providers_of(&self, offer: &Offer) -> u64 {
        let mut serving = vec![false; offer.catalog.providers.len()];
        let cells = self.rows.iter().flat_map(|row| &row.cells);
        for cell in cells.filter(|cell| offer.whose(cell.endpoint).is_some()) {
            serving[cell.provider] = true;
        }
        serving.into_iter().filter(|serves| *serves).count() as u64
    }
}

impl Row {
    pub(super) fn is_offered(&self, offer: &Offer) -> bool {
        let mut cells = self.cells.iter();
        cells.any(|cell| offer.whose(cell.endpoint).is_some())
    }
}

impl Cell {
    fn of(index: usize, endpoint: &Endpoint, now: Timestamp) -> Self {
        let prices = endpoint.prices.as_ref().and_then(|list| {
            let prices = prices_now(list, now);
            Some((prices.prompt?.picos(), prices.completion?.picos()))
        });
        let served = endpoint.regions.as_deref().unwrap_or_default();
        let regions = REGIONS.map(|(allowed, _)| {
            !served.is_empty() && served.iter().all(|region| region_includes(allowed, region))
        });
        Self {
            endpoint: index,
            provider: endpoint.provider,
            zero_data_retention: endpoint.zero_data_retention,
            free: endpoint.free,
            regions,
            is_ordinary: endpoint.service_tier == ServiceTier::Default,
            prices,
        }
    }
}

fn text_of(model: &Model) -> String {
    format!("{} {} {}", model.name, model.id, model.author).to_lowercase()
}
