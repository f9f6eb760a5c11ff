//! One key: what it spends, what bounds it, what it may be served with, and its settings.

use askama::Template;
use axum::{
    extract::{Path, Query, State as Shared},
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};
use switchyard_app::api_keys::{
    KeyDay, KeyWishes, LimitWishes, ManagedKey, SpendLayerKind, SpendingRoom,
};
use switchyard_domain::{
    clock::{ResetInterval, Timestamp},
    money::UsdNanos,
    patch::Patch,
    tenancy::KeyKind,
};

use super::{
    list::owner_of,
    name_from, names_of_people, plain_usd, reset_from, seen, sight_of, usd_from,
    words::{Meter, State},
};
use crate::{
    Console,
    error::PageError,
    form::{Faults, Submitted},
    shell::{Nav, Shell, page, page_with},
    ui::{
        ApiCall, Markup, Places,
        chart::{Chart, Series, Tick, Unit},
    },
    visit::SignedIn,
};

const DAYS: u32 = 30;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Done {
    done: String,
}

/// The settings as a form has them.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Wanted {
    name: String,
    limit: String,
    reset: String,
    include_byok: bool,
}

/// One bound of what a key may spend.
struct LayerRow {
    name: &'static str,
    meter: Meter,
    remaining: UsdNanos,
    resets_at: Option<Timestamp>,
    blocks: bool,
    is_first: bool,
    is_own: bool,
}

/// A credential that the key's requests may be served with.
struct CredentialRow {
    href: String,
    name: String,
    section: &'static str,
}

#[derive(Template)]
#[template(path = "pages/keys/one.html")]
struct KeyPage {
    shell: Shell,
    faults: Faults,
    wanted: Wanted,
    managed: ManagedKey,
    state: State,
    owner: String,
    layers: Vec<LayerRow>,
    chart: Markup,
    call: ApiCall,
    requests: u64,
    credentials: Vec<CredentialRow>,
    old: Option<ManagedKey>,
    successor: Option<ManagedKey>,
    now: Timestamp,
}

impl KeyPage {
    fn calls_models(&self) -> bool {
        self.managed.key.kind == KeyKind::Inference
    }

    fn is_expired(&self) -> bool {
        self.managed
            .key
            .expires_at
            .is_some_and(|end| end <= self.now)
    }

    fn may_rotate(&self) -> bool {
        self.calls_models() && self.successor.is_none() && !self.is_expired()
    }

    /// The bound that stops the key first, in words.
    fn first(&self) -> Option<&LayerRow> {
        self.layers.iter().find(|layer| layer.is_first)
    }
}

/// The key.
pub(crate) async fn show(
    Shared(console): Shared<Console>,
    signed_in: SignedIn,
    Path(hash): Path<String>,
    Query(Done { done }): Query<Done>,
) -> Result<Response, PageError> {
    let managed = seen(&console, &signed_in, &hash).await?;
    let wanted = filled(&managed);
    let mut shown = look(&console, &signed_in, managed, wanted, Faults::default()).await?;
    let notice = match done.as_str() {
        "saved" => Some("Saved. Every node goes by it within five seconds."),
        "disabled" => Some("The key is disabled. Every node refuses it within five seconds."),
        "enabled" => Some("The key is enabled."),
        _ => None,
    };
    if let Some(notice) = notice {
        shown.shell = shown.shell.with_notice(notice);
    }
    page(&shown)
}

fn filled(managed: &ManagedKey) -> Wanted {
    let limit = managed.key.limit;
    Wanted {
        name: managed.key.name.clone(),
        limit: limit.map_or_else(String::new, |limit| plain_usd(limit.limit)),
        reset: limit
            .and_then(|limit| limit.reset)
            .map_or_else(String::new, |reset| reset.as_str().to_owned()),
        include_byok: limit.is_some_and(|limit| limit.include_byok),
    }
}

async fn look(
    console: &Console,
    signed_in: &SignedIn,
    managed: ManagedKey,
    wanted: Wanted,
    faults: Faults,
) -> Result<KeyPage, PageError> {
    let visitor = &signed_in.visitor;
    let (app, account) = (&console.app, visitor.account_id());
    let names = names_of_people(console, visitor).await?;
    let room = app.spending_room(account, &managed).await?;
    let days = app.key_days(&managed, DAYS).await?;
    let other = async |hash: &Option<String>| match hash {
        // One that was deleted meanwhile, or is not the visitor's, is not shown.
        Some(hash) => app.api_key(account, sight_of(visitor), hash).await.ok(),
        None => None,
    };
    let (old, successor) = (
        other(&managed.rotated_from).await,
        other(&managed.rotated_to).await,
    );
    let now = app.clock().now();
    Ok(KeyPage {
        shell: Shell::new(&signed_in.visit, managed.key.name.clone(), Nav::Keys),
        faults,
        wanted,
        state: State::of(&managed, now),
        owner: owner_of(&names, &managed),
        layers: layers(&room),
        requests: days.iter().map(|day| day.requests).sum(),
        chart: chart(&days),
        call: call(&console.settings.public_url, &managed),
        credentials: credentials(console, &managed).await?,
        old,
        successor,
        now,
        managed,
    })
}

fn call(public_url: &str, managed: &ManagedKey) -> ApiCall {
    let key = &managed.key;
    let body = match key.limit {
        Some(limit) => json!({
            "name": key.name,
            "limit": limit.limit.to_string().parse::<Value>().unwrap_or_default(),
            "limit_reset": limit.reset.map(ResetInterval::as_str),
            "include_byok_in_limit": limit.include_byok,
        }),
        None => json!({ "name": key.name, "limit": null }),
    };
    ApiCall::new(public_url, "PATCH", &format!("/keys/{}", key.hash)).with_body(body)
}

fn layers(room: &SpendingRoom) -> Vec<LayerRow> {
    let first = room.effective();
    let row = |layer: &switchyard_app::api_keys::SpendLayer| LayerRow {
        name: match layer.kind {
            SpendLayerKind::KeyLimit => "This key's limit",
            SpendLayerKind::Credit => "The account's credit",
        },
        is_own: layer.kind == SpendLayerKind::KeyLimit,
        meter: Meter::new("Spent", layer.spent, layer.limit),
        remaining: layer.remaining,
        resets_at: layer.resets_at,
        blocks: layer.blocks(),
        is_first: first == Some(layer),
    };
    room.layers.iter().map(row).collect()
}

/// A bar for each day, which leads to its requests.
fn chart(days: &[KeyDay]) -> Markup {
    let ticks = days.iter().map(|day| {
        let label: String = day.day.to_rfc3339().chars().take(10).collect();
        Tick::new(label)
    });
    let spent: UsdNanos = days.iter().map(|day| day.charge).sum();
    let title = format!("{} in 30 days", crate::ui::usd_plain(spent, Places::Two));
    let nanos = |amount: UsdNanos| u64::try_from(amount.get()).ok();
    let mut chart = Chart::bars(title, Unit::Usd, ticks.collect()).with(Series::new(
        "Spend",
        days.iter().map(|day| nanos(day.charge)).collect(),
    ));
    if days.iter().any(|day| day.byok_list_price.is_positive()) {
        let own = days.iter().map(|day| nanos(day.byok_list_price)).collect();
        chart = chart.with(Series::new("Own provider keys, list price", own));
    }
    chart.draw()
}

async fn credentials(
    console: &Console,
    managed: &ManagedKey,
) -> Result<Vec<CredentialRow>, PageError> {
    if managed.key.kind != KeyKind::Inference {
        return Ok(Vec::new());
    }
    let open = console
        .app
        .own_credentials()
        .open_to_key(&managed.key)
        .await?;
    let row = |row: &switchyard_app::own_credentials::OwnCredentialRow| CredentialRow {
        href: format!("/byok/{}/{}", row.provider.as_str(), row.id),
        name: format!(
            "{} · {}",
            row.provider.as_str(),
            row.settings.name.as_deref().unwrap_or(&row.label)
        ),
        section: row.settings.section.as_str(),
    };
    Ok(open.iter().map(row).collect())
}

/// Changes the settings.
pub(crate) async fn change(
    Shared(console): Shared<Console>,
    signed_in: SignedIn,
    Path(hash): Path<String>,
    Submitted(wanted): Submitted<Wanted>,
) -> Result<Response, PageError> {
    let managed = seen(&console, &signed_in, &hash).await?;
    let mut faults = Faults::default();
    let name = name_from(&wanted.name, &mut faults);
    let limit = usd_from("limit", &wanted.limit, &mut faults);
    let reset = reset_from(&wanted.reset, &mut faults);
    if limit.is_none() && faults.at("limit").is_none() && (reset.is_some() || wanted.include_byok) {
        faults.add("limit", "Give a limit, or leave out how it counts.");
    }
    if !faults.is_empty() {
        let shown = look(&console, &signed_in, managed, wanted, faults).await?;
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &shown);
    }
    let wishes = KeyWishes {
        name: Some(name),
        disabled: None,
        limit: LimitWishes {
            limit: limit.map_or(Patch::Clear, Patch::Set),
            reset: reset.map_or(Patch::Clear, Patch::Set),
            include_byok: Some(wanted.include_byok && limit.is_some()),
        },
    };
    store(&console, &signed_in, hash, wishes, "saved").await
}

#[derive(Debug, Deserialize)]
pub(crate) struct Switch {
    disabled: bool,
}

/// Switches the key off or on.
pub(crate) async fn switch(
    Shared(console): Shared<Console>,
    signed_in: SignedIn,
    Path(hash): Path<String>,
    Submitted(Switch { disabled }): Submitted<Switch>,
) -> Result<Response, PageError> {
    let wishes = KeyWishes {
        disabled: Some(disabled),
        ..KeyWishes::default()
    };
    let done = if disabled { "disabled" } else { "enabled" };
    store(&console, &signed_in, hash, wishes, done).await
}

async fn store(
    console: &Console,
    signed_in: &SignedIn,
    hash: String,
    wishes: KeyWishes,
    done: &str,
) -> Result<Response, PageError> {
    let sight = sight_of(&signed_in.visitor);
    let (actor, app) = (signed_in.acting(), &console.app);
    let changed = app.change_api_key(&actor, sight, &hash, &wishes).await?;
    let to = format!("/keys/{}?done={done}", changed.key.hash);
    Ok(Redirect::to(&to).into_response())
}
