//! "Am I fine?", answered on one page. Every number leads to what it is made of.

use askama::Template;
use axum::{extract::State, http::HeaderMap, response::Response};
use switchyard_app::activity::{
    Breakdown, Detail, Dimension, Facet, FacetCount, Names, Scope, Sums,
};
use switchyard_domain::{
    authority::{Capability, Reach},
    clock::Timestamp,
    id::ApiKeyId,
    money::UsdNanos,
};

use super::{
    logs::{
        Address, Lens, PRESETS, Preset, Window, filter_of, in_pieces, is_untouched, keys_in, named,
        raw_of, ticks, zoom,
    },
    notifications::{Notice, latest},
};
use crate::{
    Console,
    error::PageError,
    shell::{Nav, Shell, page},
    ui::{
        ApiCall, Markup,
        chart::{Chart, Series, Unit},
        count, milliseconds, percent, usd_exact,
    },
    visit::SignedIn,
};

/// Models and keys that are named.
const TOP: u32 = 5;
/// Notices that are shown.
const NOTICES: u32 = 3;

#[derive(Template)]
#[template(path = "pages/overview.html")]
struct OverviewPage {
    shell: Shell,
    now: Timestamp,
    /// `None` for those to whom it is not told.
    balance: Option<UsdNanos>,
    is_empty_balance: bool,
    may_buy: bool,
    is_spend_only: bool,
    /// Nothing was ever asked.
    first_call: Option<ApiCall>,
    window: Window,
    presets: Vec<(Preset, String)>,
    total: Sums,
    error_rate: String,
    slow: String,
    fast: String,
    cache_rate: String,
    own_words: String,
    chart: Markup,
    tops: Vec<Top>,
    notices: Vec<Notice>,
    links: Links,
}

/// Where the tiles lead.
struct Links {
    requests: String,
    errors: String,
    spend: String,
    first_token: String,
    savings: String,
    own: String,
}

/// The most frequent values of something.
struct Top {
    words: &'static str,
    rows: Vec<TopRow>,
    all: String,
}

struct TopRow {
    name: String,
    href: String,
    requests: u64,
    charge: UsdNanos,
}

/// The first page.
pub(crate) async fn show(
    State(console): State<Console>,
    signed_in: SignedIn,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let SignedIn { visit, visitor } = &signed_in;
    let now = console.app.clock().now();
    let address = Address::parse(&visit.address);
    let lens = Lens::of(visitor, Capability::ReadActivity, &address);
    let balance = balance(&console, &signed_in).await?;
    let window = Window::of(&address, now);
    let seen = seen(&console, &lens, &window, &address).await?;
    let first_call = if seen.total.requests == 0 && is_untouched(&console, &lens, now).await? {
        Some(first_call(&console.settings.public_url))
    } else {
        None
    };
    let notices = if visitor.may(Capability::ManageCredentials) {
        latest(&console, &headers, lens.account, i64::MAX, NOTICES).await?
    } else {
        Vec::new()
    };
    let total = seen.total;
    let preset = |preset: Preset| (preset, address.with("range", preset.name).to_string());
    page(&OverviewPage {
        shell: Shell::new(visit, "Overview", Nav::Overview),
        now,
        is_empty_balance: balance.is_some_and(|balance| !balance.is_positive()),
        balance,
        may_buy: visitor.may(Capability::Buy),
        is_spend_only: lens.is_spend_only,
        first_call,
        presets: PRESETS[1..4].iter().copied().map(preset).collect(),
        error_rate: format!("{} of requests", percent(total.errors, total.requests)),
        fast: percentile(&total, 500),
        slow: format!("95% within {}", percentile(&total, 950)),
        cache_rate: format!(
            "{} of input from cache",
            percent(total.cached_tokens, total.prompt_tokens)
        ),
        own_words: format!("{} at list price", usd_exact(total.byok_list_price)),
        chart: seen.chart,
        tops: seen.tops,
        notices: notices.into_iter().filter(|one| one.is_unread).collect(),
        links: links(&address),
        window,
        total,
    })
}

/// The account's balance, for those who may see all of its spending.
async fn balance(
    console: &Console,
    SignedIn { visitor, .. }: &SignedIn,
) -> Result<Option<UsdNanos>, PageError> {
    if visitor.reach(Capability::ReadSpend) != Reach::Everything {
        return Ok(None);
    }
    let credits = console.app.credits(visitor.account_id()).await?;
    Ok(Some(
        credits.total_credits.saturating_sub(credits.total_usage),
    ))
}

fn percentile(total: &Sums, per_mille: u32) -> String {
    let ms = total.latency.percentile_ms(per_mille);
    ms.map_or_else(|| "\u{2013}".to_owned(), milliseconds)
}

fn links(address: &Address) -> Links {
    let logs = address.at("/logs");
    let metric = |name: &str| address.at("/activity").with("metric", name).to_string();
    Links {
        requests: logs.to_string(),
        errors: logs.and("status", "error").to_string(),
        spend: address
            .at("/activity")
            .with("metric", "spend")
            .with("by", "model")
            .to_string(),
        first_token: metric("first_token"),
        savings: metric("cache_savings"),
        own: logs.and("byok", "true").to_string(),
    }
}

/// The request that a new owner sends first.
fn first_call(public_url: &str) -> ApiCall {
    let body = serde_json::json!({
        "model": "openai/gpt-oss-120b",
        "messages": [{ "role": "user", "content": "Why is the sky blue?" }],
    });
    ApiCall::new(public_url, "POST", "/chat/completions").with_body(body)
}

/// What the traffic of the stretch was.
struct Seen {
    total: Sums,
    chart: Markup,
    tops: Vec<Top>,
}

async fn seen(
    console: &Console,
    lens: &Lens,
    window: &Window,
    address: &Address,
) -> Result<Seen, PageError> {
    let activity = console.app.activity();
    let cut = window.cut(None);
    let scope = Scope {
        account: lens.account,
        range: window.range,
        filter: lens.narrow(filter_of(&[])),
    };
    let course = Breakdown {
        scope: scope.clone(),
        step: cut.step,
        dimensions: Vec::new(),
        detail: Detail::Timed,
        limit: 1_000,
    };
    let tops: &[Dimension] = if lens.is_spend_only {
        &[]
    } else {
        &[Dimension::Model, Dimension::ApiKey]
    };
    let (slices, facets) = tokio::try_join!(
        activity.breakdown(&course),
        activity.facets(&scope, tops, TOP),
    )?;
    let mut total = Sums::default();
    for slice in &slices {
        total += &slice.sums;
    }
    let keys = keys_of(&facets);
    let names = activity.names(lens.account, &keys).await?;
    let spent = in_pieces(&slices, &cut);
    let spent = spent
        .iter()
        .map(|sums| u64::try_from(sums.charge.get()).ok());
    let title = format!(
        "Spent {} on {} requests \u{b7} {}",
        usd_exact(total.charge),
        count(total.requests),
        window.words
    );
    let title = if lens.is_spend_only {
        format!("Spent {} \u{b7} {}", usd_exact(total.charge), window.words)
    } else {
        title
    };
    let chart = Chart::bars(title, Unit::Usd, ticks(&cut, address))
        .with(Series::new("Spend", spent.collect()))
        .zoomed_by(zoom(address))
        .headed(format!("Begin of {} (UTC)", cut.words))
        .draw();
    Ok(Seen {
        total,
        chart,
        tops: facets
            .iter()
            .map(|facet| top(facet, address, &names))
            .collect(),
    })
}

fn keys_of(facets: &[Facet]) -> Vec<ApiKeyId> {
    let keys = facets
        .iter()
        .filter(|one| one.dimension == Dimension::ApiKey);
    keys_in(keys.flat_map(|facet| facet.values.iter().filter_map(|one| one.value.as_ref())))
}

fn top(facet: &Facet, address: &Address, names: &Names) -> Top {
    let (name, words) = match facet.dimension {
        Dimension::ApiKey => ("key", "API keys"),
        _ => ("model", "Models"),
    };
    let logs = address.at("/logs");
    let row = |one: &FacetCount| TopRow {
        name: named(facet.dimension, one.value.as_ref(), names),
        href: logs
            .and(name, &raw_of(facet.dimension, one.value.as_ref()))
            .to_string(),
        requests: one.requests,
        charge: one.charge,
    };
    Top {
        words,
        rows: facet.values.iter().map(row).collect(),
        all: address
            .at("/activity")
            .with("metric", "requests")
            .with("by", name)
            .to_string(),
    }
}
