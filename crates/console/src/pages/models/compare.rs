//! Up to four models beside each other.

use askama::Template;
use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use switchyard_app::offer::Offer;
use switchyard_catalog::snapshot::Model;
use switchyard_domain::clock::Timestamp;

use super::{offered, one::facts_of, price::per_million, why};
use crate::{
    Console,
    error::PageError,
    shell::{Nav, Shell, page},
    ui,
    visit::Visit,
};

/// More than these do not fit beside each other.
const COMPARED_MAX: usize = 4;

#[derive(Template)]
#[template(path = "pages/models/compare.html")]
struct ComparePage {
    shell: Shell,
    models: Vec<Compared>,
    missing: Vec<String>,
    /// How many were left out because there were too many.
    beyond: usize,
    chat: Option<String>,
}

struct Compared {
    name: String,
    id: String,
    facts: Vec<(&'static str, String)>,
    /// Where one gets without it.
    without: String,
    why: Option<why::Why>,
}

/// The models of the query, as `models=a/b,c/d` or one after the other.
pub(crate) async fn show(
    State(console): State<Console>,
    RawQuery(query): RawQuery,
    visit: Visit,
) -> Result<Response, PageError> {
    let asked = asked(query.as_deref().unwrap_or_default());
    let offer = offered(&console, &visit).await?;
    let now = console.app.clock().now();
    let (known, missing): (Vec<_>, Vec<_>) = asked
        .iter()
        .cloned()
        .partition(|id| offer.catalog.model(id).is_some());
    let beyond = known.len().saturating_sub(COMPARED_MAX);
    let shown = &known[..known.len() - beyond];
    let models = shown.iter().filter_map(|id| {
        let model = offer.catalog.model(id)?;
        let others: Vec<_> = shown.iter().filter(|other| *other != id).cloned().collect();
        Some(Compared::of(model, &offer, &others, now, &visit))
    });
    let may_chat = visit
        .visitor
        .as_ref()
        .is_some_and(|visitor| visitor.may(switchyard_domain::authority::Capability::Infer));
    page(&ComparePage {
        shell: Shell::new(&visit, "Compare models", Nav::Models).public(),
        models: models.collect(),
        missing,
        beyond,
        chat: (may_chat && !shown.is_empty()).then(|| address("/chat", shown)),
    })
}

/// Each once, in the order in which they are named.
pub(crate) fn asked(query: &str) -> Vec<String> {
    let mut asked: Vec<String> = Vec::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        if name == "models" {
            for id in value.split(',').map(str::trim).filter(|id| !id.is_empty()) {
                if !asked.iter().any(|known| known == id) {
                    asked.push(id.to_owned());
                }
            }
        }
    }
    asked
}

fn address(path: &str, models: &[String]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("models", &models.join(","));
    format!("{path}?{}", query.finish())
}

impl Compared {
    fn of(model: &Model, offer: &Offer, others: &[String], now: Timestamp, visit: &Visit) -> Self {
        let usable: Vec<_> = model
            .endpoints
            .iter()
            .filter(|index| offer.whose(**index).is_some())
            .map(|index| &offer.catalog.endpoints[*index])
            .collect();
        let price = |of: fn(&switchyard_domain::price_list::Prices) -> Option<_>| {
            let lists = usable
                .iter()
                .filter_map(|endpoint| endpoint.prices.as_ref());
            let prices = lists.map(|list| switchyard_catalog::listing::prices_now(list, now));
            let cheapest = prices.filter_map(|prices| of(&prices)).min();
            cheapest.map_or_else(|| "–".to_owned(), per_million)
        };
        let yes_no = |is: bool| if is { "yes" } else { "no" }.to_owned();
        let mut facts = facts_of(model, offer);
        facts.extend([
            ("Input / 1M, from", price(|prices| prices.prompt)),
            ("Output / 1M, from", price(|prices| prices.completion)),
            (
                "Cache read / 1M, from",
                price(|prices| prices.input_cache_read),
            ),
            (
                "Zero data retention",
                yes_no(usable.iter().any(|endpoint| endpoint.zero_data_retention)),
            ),
            ("Reasoning", yes_no(model.reasoning.supported)),
            (
                "Parameters",
                ui::count(model.supported_parameters.iter().count() as u64),
            ),
        ]);
        Self {
            name: model.name.clone(),
            id: model.id.to_string(),
            facts: aligned(facts),
            without: address("/models/compare", others),
            why: usable
                .is_empty()
                .then(|| why::of_nothing(offer, model, visit)),
        }
    }
}

/// The same lines for every model, so that they stand beside each other.
fn aligned(facts: Vec<(&'static str, String)>) -> Vec<(&'static str, String)> {
    const LINES: [&str; 14] = [
        "Author",
        "Reads",
        "Writes",
        "Context",
        "Longest answer",
        "Knows until",
        "Ends on",
        "Endpoints",
        "Input / 1M, from",
        "Output / 1M, from",
        "Cache read / 1M, from",
        "Zero data retention",
        "Reasoning",
        "Parameters",
    ];
    let value = |line: &str| {
        let found = facts.iter().find(|(name, _)| *name == line);
        found.map_or_else(|| "–".to_owned(), |(_, value)| value.clone())
    };
    LINES.map(|line| (line, value(line))).to_vec()
}
