//! One model: who serves it, for how much, on which terms, and how they have been doing.

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    response::Response,
};
use serde::Deserialize;
use switchyard_app::{health::EndpointFigures, offer::Offer};
use switchyard_catalog::snapshot::{Endpoint, Model};
use switchyard_domain::{clock::Timestamp, endpoint::DataPolicy, model::Modalities};

use super::{
    facets::modality,
    offered,
    price::PriceView,
    why::{self, Why},
};
use crate::{
    Console,
    error::PageError,
    shell::{Nav, Shell, page},
    snippets::{Asking, NO_KEY, snippets},
    ui::{self, Markup},
    visit::Visit,
};

#[derive(Template)]
#[template(path = "pages/models/one.html")]
struct ModelPage {
    shell: Shell,
    name: String,
    id: String,
    description: Option<String>,
    facts: Vec<(&'static str, String)>,
    parameters: Vec<&'static str>,
    columns: Vec<Column>,
    endpoints: Vec<EndpointView>,
    /// What stands against all of them.
    nothing: Option<Why>,
    mine: Option<Mine>,
    snippets: Vec<(&'static str, String)>,
    may_chat: bool,
}

/// A column that the table can go by.
struct Column {
    title: &'static str,
    href: String,
    direction: &'static str,
    is_number: bool,
}

struct EndpointView {
    provider: String,
    tag: String,
    tier: Option<&'static str>,
    price: Option<PriceView>,
    context: Option<Markup>,
    output_max: Option<Markup>,
    quantization: Option<String>,
    regions: String,
    retention: String,
    is_zdr: bool,
    training: &'static str,
    uptime: [Option<String>; 3],
    latency_p50: Option<String>,
    latency_p95: Option<String>,
    throughput: Option<String>,
    state: &'static str,
    access: Access,
}

enum Access {
    Shared,
    /// With the visitor's own credential; whether also with the operator's.
    Own(bool),
    Hidden(Why),
}

/// What the visitor pays where a request goes for the least.
struct Mine {
    provider: String,
    input: String,
    output: String,
    is_own: bool,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Order {
    #[serde(default)]
    sort: String,
}

/// The page of a model.
pub(crate) async fn show(
    State(console): State<Console>,
    Path((author, slug)): Path<(String, String)>,
    Query(order): Query<Order>,
    visit: Visit,
) -> Result<Response, PageError> {
    let offer = offered(&console, &visit).await?;
    let id = format!("{author}/{slug}");
    let model = offer.catalog.model(&id).ok_or(PageError::NotFound)?;
    let now = console.app.clock().now();
    let mut rows: Vec<_> = model
        .endpoints
        .iter()
        .map(|index| Facts::of(&console, &offer, *index))
        .collect();
    let sort = Sort::parse(&order.sort);
    rows.sort_by_key(|facts| (facts.offer.whose(facts.index).is_none(), sort.key(facts)));
    let nothing = rows.iter().all(|facts| offer.whose(facts.index).is_none());
    let views = rows
        .iter()
        .map(|facts| EndpointView::of(facts, &visit, now));
    page(&ModelPage {
        shell: Shell::new(&visit, model.name.clone(), Nav::Models).public(),
        name: model.name.clone(),
        id: id.clone(),
        description: model.description.clone(),
        facts: facts_of(model, &offer),
        parameters: model
            .supported_parameters
            .iter()
            .map(|one| one.as_str())
            .collect(),
        columns: columns(&id, sort),
        endpoints: views.collect(),
        nothing: nothing.then(|| why::of_nothing(&offer, model, &visit)),
        mine: visit
            .visitor
            .as_ref()
            .and_then(|_| mine(&offer, model, now)),
        snippets: snippets(&Asking {
            public_url: &console.settings.public_url,
            key: NO_KEY,
            model: &id,
        }),
        may_chat: visit
            .visitor
            .as_ref()
            .is_some_and(|visitor| visitor.may(switchyard_domain::authority::Capability::Infer)),
    })
}

/// An endpoint with how it has been doing.
struct Facts<'a> {
    index: usize,
    endpoint: &'a Endpoint,
    provider: &'a str,
    figures: EndpointFigures,
    offer: &'a Offer,
}

impl<'a> Facts<'a> {
    fn of(console: &Console, offer: &'a Offer, index: usize) -> Self {
        let endpoint = &offer.catalog.endpoints[index];
        Self {
            index,
            endpoint,
            provider: &offer.catalog.provider_of(endpoint).name,
            figures: console.app.endpoint_figures(&endpoint.id),
            offer,
        }
    }
}

/// What the table goes by. What is not known comes last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Price,
    Output,
    Context,
    Latency,
    Throughput,
    Uptime,
    Provider,
}

const SORTS: [(Sort, &str, &str, bool); 7] = [
    (Sort::Provider, "provider", "Provider", false),
    (Sort::Price, "price", "Input / 1M", true),
    (Sort::Output, "output", "Output / 1M", true),
    (Sort::Context, "context", "Context", true),
    (Sort::Uptime, "uptime", "Uptime 5m / 30m / 1d", true),
    (Sort::Latency, "latency", "First token p50 / p95", true),
    (Sort::Throughput, "throughput", "Tokens / s", true),
];

impl Sort {
    fn parse(name: &str) -> Self {
        let found = SORTS.iter().find(|(_, known, _, _)| *known == name);
        found.map_or(Self::Price, |(sort, ..)| *sort)
    }

    fn key(self, facts: &Facts<'_>) -> (bool, i128, String) {
        let base = facts.endpoint.prices.as_ref().map(|list| list.base);
        let most_first = |figure: Option<u64>| figure.map(|figure| -i128::from(figure));
        let figures = &facts.figures;
        let number = match self {
            Self::Price => base
                .and_then(|base| base.prompt)
                .map(|price| i128::from(price.picos())),
            Self::Output => {
                let price = base.and_then(|base| base.completion);
                price.map(|price| i128::from(price.picos()))
            }
            Self::Context => most_first(facts.endpoint.context_length),
            Self::Latency => figures.latency_ms.p50.map(i128::from),
            Self::Throughput => most_first(figures.throughput_milli_tps.p50),
            Self::Uptime => most_first(figures.uptime_1d_ppm.map(u64::from)),
            Self::Provider => Some(0),
        };
        (
            number.is_none(),
            number.unwrap_or(0),
            facts.provider.to_lowercase(),
        )
    }
}

fn columns(id: &str, sort: Sort) -> Vec<Column> {
    let column = |(own, name, title, is_number): &(Sort, &'static str, &'static str, bool)| {
        let descends = matches!(own, Sort::Context | Sort::Throughput | Sort::Uptime);
        let direction = if descends { "descending" } else { "ascending" };
        Column {
            title,
            href: format!("/models/{id}?sort={name}#endpoints"),
            direction: if *own == sort { direction } else { "" },
            is_number: *is_number,
        }
    };
    SORTS.iter().map(column).collect()
}

impl EndpointView {
    fn of(facts: &Facts<'_>, visit: &Visit, now: Timestamp) -> Self {
        let (endpoint, figures) = (facts.endpoint, &facts.figures);
        let percent = |ppm: Option<u32>| ppm.map(|ppm| ui::percent(ppm.into(), 1_000_000));
        let tier = endpoint.service_tier.as_str();
        Self {
            provider: facts.provider.to_owned(),
            tag: endpoint.tag.clone(),
            tier: (tier != "default").then_some(tier),
            price: endpoint
                .prices
                .as_ref()
                .map(|list| PriceView::of(list, now)),
            context: endpoint.context_length.map(ui::tokens),
            output_max: endpoint.max_completion_tokens.map(ui::tokens),
            quantization: endpoint.quantization.clone().filter(|one| one != "unknown"),
            regions: endpoint
                .regions
                .as_ref()
                .map_or_else(|| "not stated".to_owned(), |regions| regions.join(", ")),
            retention: retention(&endpoint.data_policy, endpoint.zero_data_retention),
            is_zdr: endpoint.zero_data_retention,
            training: match endpoint.data_policy.trains_on_data {
                Some(false) => "does not train",
                Some(true) => "trains on prompts",
                None => "training not stated",
            },
            uptime: [
                percent(figures.uptime_5m_ppm),
                percent(figures.uptime_30m_ppm),
                percent(figures.uptime_1d_ppm),
            ],
            latency_p50: figures.latency_ms.p50.map(ui::milliseconds),
            latency_p95: figures.latency_p95_ms.map(ui::milliseconds),
            throughput: figures.throughput_milli_tps.p50.map(tenths),
            state: figures.state.as_str(),
            access: Access::of(facts, visit),
        }
    }
}

impl Access {
    fn of(facts: &Facts<'_>, visit: &Visit) -> Self {
        if let Some(whose) = facts.offer.whose(facts.index) {
            return if whose.own {
                Self::Own(whose.shared)
            } else {
                Self::Shared
            };
        }
        let excluded = facts.offer.why_not(facts.index);
        Self::Hidden(excluded.map_or_else(
            || Why {
                text: "Not offered.".to_owned(),
                place: None,
            },
            |excluded| Why::of(&excluded, visit),
        ))
    }
}

fn retention(policy: &DataPolicy, is_zdr: bool) -> String {
    match (is_zdr, policy.retains_prompts, policy.retention_days) {
        (true, ..) => "keeps nothing".to_owned(),
        (_, Some(true), Some(days)) => format!("keeps prompts {days} days"),
        (_, Some(true), None) => "keeps prompts".to_owned(),
        (_, Some(false), _) => "does not keep prompts".to_owned(),
        (_, None, _) => "retention not stated".to_owned(),
    }
}

/// Thousandths as a number with one place.
fn tenths(milli: u64) -> String {
    format!("{}.{}", milli / 1_000, milli % 1_000 / 100)
}

pub(super) fn facts_of(model: &Model, offer: &Offer) -> Vec<(&'static str, String)> {
    let words = |set: Modalities| {
        let names: Vec<_> = set.iter().map(modality).collect();
        names.join(", ")
    };
    let mut facts = vec![
        ("Author", model.author.clone()),
        ("Reads", words(model.input_modalities)),
        ("Writes", words(model.output_modalities)),
    ];
    let mut add = |name, value: Option<String>| facts.extend(value.map(|value| (name, value)));
    add("Context", model.context_length.map(ui::count));
    add("Longest answer", model.max_completion_tokens.map(ui::count));
    add("Knows until", model.knowledge_cutoff.clone());
    add("Ends on", model.expiration_date.clone());
    let served = model.endpoints.iter();
    let served = served
        .filter(|index| offer.whose(**index).is_some())
        .count();
    add(
        "Endpoints",
        Some(format!("{served} of {}", model.endpoints.len())),
    );
    facts
}

/// The cheapest that the visitor could be served by, now.
fn mine(offer: &Offer, model: &Model, now: Timestamp) -> Option<Mine> {
    let rows = model.endpoints.iter().filter_map(|index| {
        let whose = offer.whose(*index)?;
        let endpoint = &offer.catalog.endpoints[*index];
        let prices = switchyard_catalog::listing::prices_now(endpoint.prices.as_ref()?, now);
        Some((
            endpoint,
            whose,
            prices.prompt?.picos(),
            prices.completion?.picos(),
        ))
    });
    let ordinary = rows.filter(|(endpoint, ..)| endpoint.service_tier.as_str() == "default");
    let cheapest = ordinary.min_by_key(|(_, whose, input, output)| {
        // One's own credentials are used first, as long as they are not said to be for when all else fails.
        (!whose.own, i128::from(*input) + i128::from(*output))
    })?;
    let (endpoint, whose, input, output) = cheapest;
    Some(Mine {
        provider: offer.catalog.provider_of(endpoint).name.to_string(),
        input: ui::usd_per_million(input),
        output: ui::usd_per_million(output),
        is_own: whose.own,
    })
}
