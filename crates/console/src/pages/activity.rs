//! What the traffic was, by time and by what it can be told apart by.

mod download;
mod measure;
mod table;

use askama::Template;
use axum::{extract::State, response::Response};
use switchyard_app::activity::{Breakdown, Detail, Dimension, Names, Scope, Slice, Sums};
use switchyard_domain::{authority::Capability, clock::Timestamp, id::ApiKeyId};

pub(crate) use self::download::download;
use self::{
    measure::{MEASURES, Measure, Shape},
    table::{Group, groups_of},
};
use super::logs::{
    ALL_WORKSPACES, Address, Chip, Cut, FIELDS, Lens, PRESETS, Preset, Rollup, Window, chips_of,
    filter_of, in_pieces, keys_in, named, raw_of, start_of, terms_of, ticks, zoom,
};
use crate::{
    Console,
    error::PageError,
    shell::{Nav, Shell, page},
    ui::{
        ApiCall, Markup,
        chart::{Chart, Series},
    },
    visit::SignedIn,
};

/// What it can be grouped by.
const GROUPS: [Dimension; 8] = [
    Dimension::Model,
    Dimension::Provider,
    Dimension::ApiKey,
    Dimension::App,
    Dimension::User,
    Dimension::Workspace,
    Dimension::Status,
    Dimension::Byok,
];
/// Groups that are drawn by themselves; all others are one.
const SERIES_MAX: usize = 7;
/// The same where each takes two lines.
const PAIRS_MAX: usize = 4;
/// Slices read at once: more are said to be left out.
const SLICES_MAX: u32 = 10_000;
/// Rows of the table.
const ROWS_MAX: usize = 50;

#[derive(Template)]
#[template(path = "pages/activity.html")]
struct ActivityPage {
    shell: Shell,
    lens: Lens,
    window: Window,
    presets: Vec<(Preset, String)>,
    chips: Vec<Chip>,
    measure: Measure,
    measures: Vec<(String, &'static str)>,
    measure_href: String,
    groups: Vec<(&'static str, &'static str)>,
    group: String,
    subgroup: String,
    rollup: String,
    rollups: Vec<(&'static str, &'static str)>,
    kept: Vec<(String, String)>,
    start_pairs: Vec<(String, String)>,
    change: String,
    logs: String,
    total: Sums,
    before: Sums,
    chart: Markup,
    rows: Vec<Group>,
    rows_left: usize,
    is_cut: bool,
    is_timed: bool,
    heading: String,
    wider: Option<String>,
    export: String,
    account_wide: String,
    call: ApiCall,
}

/// What an address asks for.
struct Asked {
    address: Address,
    lens: Lens,
    window: Window,
    cut: Cut,
    rollup: Option<Rollup>,
    measure: Measure,
    dimensions: Vec<Dimension>,
    scope: Scope,
    now: Timestamp,
}

impl Asked {
    fn of(console: &Console, signed_in: &SignedIn) -> Self {
        let address = Address::parse(&signed_in.visit.address);
        let now = console.app.clock().now();
        let lens = Lens::of(&signed_in.visitor, Capability::ReadActivity, &address);
        let window = Window::of(&address, now);
        let rollup = address.get("rollup");
        let rollup = rollup.and_then(|name| Rollup::of(name, window.range));
        let scope = Scope {
            account: lens.account,
            range: window.range,
            filter: lens.narrow(filter_of(&terms_of(&address))),
        };
        let measure = Measure::of(address.get("metric"), lens.is_spend_only);
        let mut dimensions: Vec<_> = ["by", "then"]
            .iter()
            .filter_map(|name| dimension(address.get(name)?))
            .collect();
        dimensions.dedup();
        Self {
            cut: window.cut(rollup),
            address,
            lens,
            window,
            rollup,
            measure,
            dimensions,
            scope,
            now,
        }
    }

    const fn detail(&self) -> Detail {
        if self.measure.is_timed() {
            Detail::Timed
        } else {
            Detail::Counts
        }
    }

    fn breakdown(&self) -> Breakdown {
        Breakdown {
            scope: self.scope.clone(),
            step: self.cut.step,
            dimensions: self.dimensions.clone(),
            detail: self.detail(),
            limit: SLICES_MAX,
        }
    }
}

fn dimension(name: &str) -> Option<Dimension> {
    let field = FIELDS.iter().find(|field| field.name == name)?;
    GROUPS.contains(&field.dimension).then_some(field.dimension)
}

/// What the API and addresses call a dimension, and what pages do.
fn field_of(dimension: Dimension) -> (&'static str, &'static str) {
    let field = FIELDS.iter().find(|field| field.dimension == dimension);
    field.map_or(("", ""), |field| (field.name, field.words))
}

/// The page.
pub(crate) async fn show(
    State(console): State<Console>,
    signed_in: SignedIn,
) -> Result<Response, PageError> {
    let asked = Asked::of(&console, &signed_in);
    let activity = console.app.activity();
    let before = Scope {
        range: asked.window.before(),
        ..asked.scope.clone()
    };
    let breakdown = asked.breakdown();
    let (mut slices, before) = tokio::try_join!(
        activity.breakdown(&breakdown),
        activity.totals(&before, asked.detail()),
    )?;
    let is_cut = slices.len() > SLICES_MAX as usize;
    slices.truncate(SLICES_MAX as usize);
    let names = names_of(&console, &asked, &slices).await?;
    let groups = groups_of(&slices, &asked, &names);
    let total = summed(&slices);
    let chart = chart(&asked, &slices, &groups, &total);
    let shell = Shell::new(&signed_in.visit, "Activity", Nav::Activity);
    page(&page_of(
        &console,
        shell,
        asked,
        &names,
        Told {
            total,
            before,
            chart,
            groups,
            is_cut,
        },
    ))
}

/// What was found out.
struct Told {
    total: Sums,
    before: Sums,
    chart: Markup,
    groups: Vec<Group>,
    is_cut: bool,
}

fn page_of(
    console: &Console,
    shell: Shell,
    asked: Asked,
    names: &Names,
    told: Told,
) -> ActivityPage {
    let address = &asked.address;
    let start = start_of(address);
    let without_range = start.without(&["from", "until"]);
    let href = |preset: Preset| (preset, without_range.with("range", preset.name).to_string());
    let metric = |one: &Measure| (start.with("metric", one.name).to_string(), one.words);
    let name_at = |place: usize| {
        let dimension = asked.dimensions.get(place);
        dimension.map_or_else(String::new, |one| field_of(*one).0.to_owned())
    };
    let headings: Vec<_> = asked
        .dimensions
        .iter()
        .map(|one| field_of(*one).1)
        .collect();
    let measures = MEASURES
        .iter()
        .filter(|one| !asked.lens.is_spend_only || one.is_spend());
    let rows_left = told.groups.len().saturating_sub(ROWS_MAX);
    let mut rows = told.groups;
    rows.truncate(ROWS_MAX);
    let (scope_name, scope_value) = ALL_WORKSPACES;
    ActivityPage {
        shell,
        presets: PRESETS.into_iter().map(href).collect(),
        chips: chips_of(&terms_of(address), address, names),
        measures: measures.map(metric).collect(),
        measure_href: start.with("metric", asked.measure.name).to_string(),
        groups: GROUPS.iter().map(|one| field_of(*one)).collect(),
        group: name_at(0),
        subgroup: name_at(1),
        rollup: asked
            .rollup
            .map_or_else(String::new, |one| one.as_str().to_owned()),
        rollups: Rollup::ALL
            .iter()
            .map(|one| (one.as_str(), one.as_str()))
            .collect(),
        kept: start.without(&["by", "then", "rollup"]).pairs().to_vec(),
        start_pairs: start.without(&["range", "from", "until"]).pairs().to_vec(),
        change: asked.measure.change(&told.total, &told.before),
        logs: start
            .without(&["metric", "by", "then", "rollup"])
            .at("/logs")
            .to_string(),
        wider: (told.total.requests == 0)
            .then(|| without_range.with("range", PRESETS[5].name).to_string()),
        total: told.total,
        before: told.before,
        chart: told.chart,
        rows,
        rows_left,
        is_cut: told.is_cut,
        is_timed: asked.measure.is_timed(),
        heading: headings.join(" · "),
        export: start.at("/activity/export").to_string(),
        account_wide: if asked.lens.is_account_wide {
            start.without(&[scope_name]).to_string()
        } else {
            start.with(scope_name, scope_value).to_string()
        },
        call: call(console, &asked),
        measure: asked.measure,
        lens: asked.lens,
        window: asked.window,
    }
}

/// The same question to the API.
fn call(console: &Console, asked: &Asked) -> ApiCall {
    let dimensions: Vec<_> = asked
        .dimensions
        .iter()
        .map(|one| match one {
            Dimension::ApiKey => "api_key_id",
            other => field_of(*other).0,
        })
        .collect();
    let range = asked.window.range;
    let body = serde_json::json!({
        "metrics": asked.measure.api,
        "dimensions": dimensions,
        "granularity": asked.rollup.unwrap_or(Rollup::Day).as_str(),
        "time_range": { "start": range.from.to_rfc3339(), "end": range.until.to_rfc3339() },
    });
    let url = &console.settings.public_url;
    ApiCall::new(url, "POST", "/analytics/query").with_body(body)
}

async fn names_of(console: &Console, asked: &Asked, slices: &[Slice]) -> Result<Names, PageError> {
    let mut keys: Vec<ApiKeyId> = Vec::new();
    for (place, dimension) in asked.dimensions.iter().enumerate() {
        if *dimension == Dimension::ApiKey {
            let values = slices
                .iter()
                .filter_map(|slice| slice.values.get(place)?.as_ref());
            keys.extend(keys_in(values));
        }
    }
    keys.sort();
    keys.dedup();
    let activity = console.app.activity();
    Ok(activity.names(asked.scope.account, &keys).await?)
}

/// The chart: groups by themselves, the rest as one; tokens without groups by their kind.
fn chart(asked: &Asked, slices: &[Slice], groups: &[Group], total: &Sums) -> Markup {
    let (measure, cut) = (asked.measure, &asked.cut);
    let title = measure.fact(
        total,
        &asked.window.words,
        groups.first().map(|one| one.name.as_str()),
    );
    let ticks = ticks(cut, &asked.address);
    let mut chart = match measure.shape {
        Shape::Bars => Chart::bars(title, measure.unit, ticks),
        Shape::Lines | Shape::Percentiles => Chart::lines(title, measure.unit, ticks),
    };
    let is_pair = measure.shape == Shape::Percentiles;
    let drawn = if is_pair { PAIRS_MAX } else { SERIES_MAX };
    if asked.dimensions.is_empty() {
        let sums = in_pieces(slices, cut);
        for (name, values) in measure.series(&sums) {
            chart = chart.with(dashed_if(
                Series::new(name, values),
                is_pair && name == "p95",
            ));
        }
    } else {
        for group in groups.iter().take(drawn) {
            let sums = in_pieces(&group.slices, cut);
            for (name, values) in measure.values(&sums) {
                let name = match name {
                    Some(part) => format!("{} {part}", group.name),
                    None => group.name.clone(),
                };
                let is_dashed = is_pair && name.ends_with(" p95");
                let series = Series::new(name, values);
                let series = match &group.href {
                    Some(href) => series.linked(href.clone()),
                    None => series,
                };
                chart = chart.with(dashed_if(series, is_dashed));
            }
        }
        if groups.len() > drawn && measure.shape == Shape::Bars {
            let rest = groups.iter().skip(drawn);
            let rest: Vec<Slice> = rest.flat_map(|one| one.slices.clone()).collect();
            let sums = in_pieces(&rest, cut);
            let values = sums.iter().map(|sums| measure.value(sums)).collect();
            chart = chart.with(Series::other(values));
        }
    }
    chart
        .zoomed_by(zoom(&asked.address))
        .headed(format!("Begin of {} (UTC)", cut.words))
        .draw()
}

fn dashed_if(series: Series, is_dashed: bool) -> Series {
    if is_dashed { series.dashed() } else { series }
}

impl ActivityPage {
    fn total_in_words(&self) -> String {
        self.measure.told(&self.total)
    }

    fn before_in_words(&self) -> String {
        self.measure.told(&self.before)
    }

    fn cache_rate(&self) -> String {
        crate::ui::percent(self.total.cached_tokens, self.total.prompt_tokens)
    }
}

/// All of some slices together.
fn summed(slices: &[Slice]) -> Sums {
    let mut total = Sums::default();
    for slice in slices {
        total += &slice.sums;
    }
    total
}
