//! The catalogue, rendered. Rendering happens once per version and UTC day (models expire at
//! midnight), so that a request for everything is one copy of a pointer.

use std::{
    ops::Range,
    sync::{Arc, OnceLock},
};

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use serde::Serialize;
use switchyard_app::health::EndpointFigures;
use switchyard_catalog::snapshot::{Catalog, Endpoint, Model};
use switchyard_domain::{
    clock::{Clock, Timestamp},
    endpoint::EndpointId,
};

use super::{
    endpoint_view::EndpointView, model_view::ModelView, providers::ProviderView, sort::by_age,
};

/// Where the handlers find the catalogue. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Shelf(Arc<Inner>);

struct Inner {
    source: Box<dyn Fn() -> Arc<Catalog> + Send + Sync>,
    figures: Box<dyn Fn(&EndpointId) -> EndpointFigures + Send + Sync>,
    clock: Arc<dyn Clock>,
    rendered: ArcSwapOption<Rendered>,
}

/// One version of the catalogue on one day.
pub(crate) struct Rendered {
    pub(crate) catalog: Arc<Catalog>,
    day: i64,
    /// Listed models, newest first.
    pub(crate) rows: Vec<Row>,
    text: Bytes,
    /// The list that most ask for: without any condition.
    plain: OnceLock<Bytes>,
    zero_data_retention: Bytes,
    providers: Bytes,
}

/// A listed model.
pub(crate) struct Row {
    /// Index into [`Catalog::models`].
    pub(crate) model: usize,
    /// Index into [`Catalog::endpoints`]: the endpoint whose prices the row shows.
    pub(crate) endpoint: usize,
    text: Range<usize>,
}

impl Shelf {
    pub(crate) fn new(
        source: impl Fn() -> Arc<Catalog> + Send + Sync + 'static,
        figures: impl Fn(&EndpointId) -> EndpointFigures + Send + Sync + 'static,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self(Arc::new(Inner {
            source: Box::new(source),
            figures: Box::new(figures),
            clock,
            rendered: ArcSwapOption::empty(),
        }))
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// The catalogue as it is.
    pub(crate) fn catalog(&self) -> Arc<Catalog> {
        (self.0.source)()
    }

    /// How an endpoint has been doing.
    pub(crate) fn figures(&self, endpoint: &EndpointId) -> EndpointFigures {
        (self.0.figures)(endpoint)
    }

    /// The catalogue as it is, rendered.
    pub(crate) fn rendered(&self) -> Arc<Rendered> {
        let catalog = self.catalog();
        let now = self.now();
        if let Some(rendered) = self.0.rendered.load_full()
            && rendered.catalog.version == catalog.version
            && rendered.day == day_of(now)
        {
            return rendered;
        }
        // Two requests may both get here after a reload: the work is the same and short.
        let rendered = Arc::new(Rendered::new(catalog, now));
        self.0.rendered.store(Some(Arc::clone(&rendered)));
        rendered
    }
}

fn day_of(at: Timestamp) -> i64 {
    at.seconds().div_euclid(86_400)
}

#[derive(Serialize)]
struct List<T> {
    data: Vec<T>,
}

impl Rendered {
    fn new(catalog: Arc<Catalog>, now: Timestamp) -> Self {
        let mut listed: Vec<(usize, usize)> = catalog
            .models
            .iter()
            .enumerate()
            .filter(|(_, model)| !model.is_expired(now))
            .filter_map(|(index, model)| Some((index, shown_endpoint(&catalog, model)?)))
            .collect();
        listed.sort_by(|a, b| by_age(&catalog.models[a.0], &catalog.models[b.0]));
        let mut text = Vec::new();
        let rows = listed
            .into_iter()
            .map(|(model, endpoint)| {
                let view = ModelView::new(&catalog.models[model], &catalog.endpoints[endpoint]);
                let start = text.len();
                text.extend_from_slice(&rendered(&view));
                Row {
                    model,
                    endpoint,
                    text: start..text.len(),
                }
            })
            .collect();
        let private = catalog.endpoints.iter().filter(|endpoint| {
            endpoint.zero_data_retention && !catalog.model_of(endpoint).is_expired(now)
        });
        let private = private.filter_map(|endpoint| EndpointView::new(&catalog, endpoint));
        let zero_data_retention = rendered(&List {
            data: private.collect(),
        })
        .into();
        let providers = catalog.providers.iter().map(ProviderView::from).collect();
        let providers = rendered(&List { data: providers }).into();
        Self {
            rows,
            text: text.into(),
            plain: OnceLock::new(),
            zero_data_retention,
            providers,
            day: day_of(now),
            catalog,
        }
    }

    /// The JSON of a row.
    pub(crate) fn json(&self, row: &Row) -> &[u8] {
        &self.text[row.text.clone()]
    }

    /// The list without any condition, written by the first who asks.
    pub(crate) fn plain(&self, write: impl FnOnce() -> Vec<u8>) -> Bytes {
        self.plain.get_or_init(|| write().into()).clone()
    }

    pub(crate) fn zero_data_retention(&self) -> Bytes {
        self.zero_data_retention.clone()
    }

    pub(crate) fn providers(&self) -> Bytes {
        self.providers.clone()
    }
}

fn rendered(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("catalogue views have text keys and cannot fail")
}

/// The endpoint whose prices stand for the model: the cheapest of the ordinary tier that can be
/// called and is in good health, as far as there is one.
pub(crate) fn shown_endpoint(catalog: &Catalog, model: &Model) -> Option<usize> {
    let rank = |endpoint: &Endpoint| {
        let base = endpoint.prices.as_ref()?.base;
        let price = base
            .prompt?
            .picos()
            .saturating_add(base.completion?.picos());
        let is_callable = endpoint.is_callable(catalog.provider_of(endpoint));
        Some((
            !is_callable,
            endpoint.service_tier,
            endpoint.status < 0,
            price,
        ))
    };
    model
        .endpoints
        .iter()
        .filter_map(|index| Some((rank(&catalog.endpoints[*index])?, *index)))
        .min()
        .map(|(_, index)| index)
}
