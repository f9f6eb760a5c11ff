//! Conversations: what each cost, how warm its prompt cache was, and where it moved.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use switchyard_app::{
    activity::{
        Breakdown, Cursor, Detail, Dimension, LogRow, Scope, SessionQuery, SessionRow, Step, Sums,
        Value,
    },
    inspection::{MoveStory, pin_story},
};
use switchyard_domain::{authority::Capability, clock::Timestamp, id::AccountId, money::UsdNanos};

use super::logs::{Address, Lens, Line, PRESETS, Window, filter_of, lines_of, segment};
use crate::{
    Console,
    error::PageError,
    shell::{Nav, Shell, page},
    ui::{
        ApiCall, Markup,
        chart::{Chart, Series, Tick, Unit},
        count, percent, usd_exact,
    },
    visit::SignedIn,
};

const PAGE: u32 = 50;
/// Turns of one session that are shown.
const TURNS_MAX: u32 = 100;
/// Of them, those that are listed below the charts.
const LISTED_MAX: usize = 25;
/// Moves whose reasons are looked up.
const MOVES_MAX: usize = 20;

#[derive(Template)]
#[template(path = "pages/sessions.html")]
struct SessionsPage {
    shell: Shell,
    now: Timestamp,
    sessions: Vec<Session>,
    older: Option<String>,
    example: ApiCall,
    is_own_only: bool,
}

struct Session {
    name: String,
    href: String,
    logs: String,
    turns: u64,
    errors: u64,
    models: String,
    endpoints: usize,
    charge: UsdNanos,
    cached: String,
    last_at: Option<Timestamp>,
}

/// The list.
pub(crate) async fn list(
    State(console): State<Console>,
    SignedIn { visit, visitor }: SignedIn,
) -> Result<Response, PageError> {
    let address = Address::parse(&visit.address);
    let now = console.app.clock().now();
    let lens = Lens::of(&visitor, Capability::ReadGenerations, &Address::default());
    let (sessions, older) = if lens.is_own_only() {
        (own_sessions(&console, &lens, now).await?, None)
    } else {
        all_sessions(&console, &lens, &address).await?
    };
    page(&SessionsPage {
        shell: Shell::new(&visit, "Sessions", Nav::Sessions),
        now,
        sessions,
        older,
        example: example(&console.settings.public_url),
        is_own_only: lens.is_own_only(),
    })
}

/// How to name a conversation.
fn example(public_url: &str) -> ApiCall {
    let body = serde_json::json!({
        "model": "openai/gpt-oss-120b",
        "session_id": "my-agent-run-1",
        "messages": [{ "role": "user", "content": "Hello" }],
    });
    ApiCall::new(public_url, "POST", "/chat/completions").with_body(body)
}

async fn all_sessions(
    console: &Console,
    lens: &Lens,
    address: &Address,
) -> Result<(Vec<Session>, Option<String>), PageError> {
    let asked = SessionQuery {
        account: lens.account,
        workspace: lens.workspace,
        before: address.get("before").and_then(place),
        limit: PAGE + 1,
    };
    let mut rows = console.app.activity().sessions(&asked).await?;
    let has_more = rows.len() > PAGE as usize;
    rows.truncate(PAGE as usize);
    let older = rows.last().filter(|_| has_more).map(|row| {
        let place = format!(
            "{}.{}",
            row.last.admitted_at.micros(),
            row.last.generation_id
        );
        address.with("before", &place).to_string()
    });
    Ok((rows.iter().map(session).collect(), older))
}

fn place(text: &str) -> Option<Cursor> {
    let (micros, id) = text.split_once('.')?;
    Some(Cursor {
        admitted_at: Timestamp::from_micros(micros.parse().ok()?),
        generation_id: id.parse().ok()?,
    })
}

fn session(row: &SessionRow) -> Session {
    Session {
        turns: row.turns,
        errors: row.errors,
        models: row.models.join(", "),
        endpoints: row.endpoints.len(),
        charge: row.charge,
        cached: percent(row.cached_tokens, row.prompt_tokens),
        last_at: Some(row.last.admitted_at),
        ..Session::named(&row.session_id)
    }
}

impl Session {
    fn named(id: &str) -> Self {
        Self {
            name: id.to_owned(),
            href: format!("/sessions/{}", segment(id)),
            logs: Address::parse("/logs").with("session", id).to_string(),
            turns: 0,
            errors: 0,
            models: String::new(),
            endpoints: 0,
            charge: UsdNanos::ZERO,
            cached: String::new(),
            last_at: None,
        }
    }
}

/// The sessions of somebody's own keys, the dearest first.
async fn own_sessions(
    console: &Console,
    lens: &Lens,
    now: Timestamp,
) -> Result<Vec<Session>, PageError> {
    let asked = Breakdown {
        scope: Scope {
            account: lens.account,
            range: Window::named(PRESETS[3], now).range,
            filter: lens.narrow(filter_of(&[])),
        },
        step: Step::Whole,
        dimensions: vec![Dimension::Session],
        detail: Detail::Counts,
        limit: 1_000,
    };
    let slices = console.app.activity().breakdown(&asked).await?;
    let mut sessions: Vec<_> = slices
        .iter()
        .filter_map(|slice| match slice.values.first() {
            Some(Some(Value::Text(id))) => Some(of_sums(id, &slice.sums)),
            _ => None,
        })
        .collect();
    sessions.sort_by_key(|one| std::cmp::Reverse(one.charge));
    sessions.truncate(PAGE as usize);
    Ok(sessions)
}

fn of_sums(id: &str, sums: &Sums) -> Session {
    Session {
        turns: sums.requests,
        errors: sums.errors,
        charge: sums.charge,
        cached: percent(sums.cached_tokens, sums.prompt_tokens),
        ..Session::named(id)
    }
}

#[derive(Template)]
#[template(path = "pages/session.html")]
struct SessionPage {
    shell: Shell,
    name: String,
    logs: String,
    lines: Vec<Line>,
    moves: Vec<Move>,
    charge: UsdNanos,
    turns: usize,
    cached: String,
    endpoints: String,
    models: String,
    cost_chart: Markup,
    cache_chart: Markup,
    is_cut: bool,
}

/// A turn that went elsewhere than the one before.
struct Move {
    turn: usize,
    href: String,
    from: String,
    to: String,
    why: String,
}

/// One conversation.
pub(crate) async fn one(
    State(console): State<Console>,
    SignedIn { visit, visitor }: SignedIn,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let lens = Lens::of(&visitor, Capability::ReadGenerations, &Address::default());
    let activity = console.app.activity();
    let (account, workspace) = (lens.account, lens.workspace);
    let mut rows = activity
        .session_log(account, workspace, &id, None, TURNS_MAX + 1)
        .await?;
    let keys: Vec<_> = rows.iter().map(|row| row.api_key_id).collect();
    let names = activity.names(account, &keys).await?;
    rows.retain(|row| lens.shows(row.api_key_id, &names));
    if rows.is_empty() {
        return Err(PageError::NotFound);
    }
    let is_cut = rows.len() > TURNS_MAX as usize;
    rows.truncate(TURNS_MAX as usize);
    let moves = moves(&console, account, &rows).await?;
    let now = console.app.clock().now();
    let logs = Address::parse("/logs").with("session", &id);
    let prompt: u64 = rows.iter().map(|row| row.usage.input_total()).sum();
    let cached: u64 = rows.iter().map(|row| row.usage.cache_read).sum();
    page(&SessionPage {
        shell: Shell::new(&visit, format!("Session {id}"), Nav::Sessions),
        lines: lines_of(&rows[..rows.len().min(LISTED_MAX)], &names, &logs, now),
        logs: logs.to_string(),
        moves,
        charge: rows.iter().map(|row| row.charge.total).sum(),
        turns: rows.len(),
        cached: percent(cached, prompt),
        endpoints: distinct(
            rows.iter()
                .filter_map(|row| row.endpoint_id.as_ref().map(|id| id.as_str())),
        ),
        models: distinct(rows.iter().map(|row| row.model.as_str())),
        cost_chart: cost_chart(&rows),
        cache_chart: cache_chart(&rows),
        is_cut,
        name: id,
    })
}

fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut seen = Vec::new();
    for name in names {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    seen.join(", ")
}

fn ticks(rows: &[LogRow]) -> Vec<Tick> {
    let turns = rows.iter().enumerate();
    turns
        .map(|(place, row)| {
            Tick::new(format!("Turn {}", place + 1)).linked(format!("/logs/{}", row.generation_id))
        })
        .collect()
}

/// What each turn cost.
fn cost_chart(rows: &[LogRow]) -> Markup {
    let costs = rows
        .iter()
        .map(|row| u64::try_from(row.charge.total.get()).ok());
    let dearest = rows
        .iter()
        .enumerate()
        .max_by_key(|(_, row)| row.charge.total);
    let title = dearest.map_or_else(String::new, |(place, row)| {
        format!(
            "Turn {} cost most: {}",
            place + 1,
            usd_exact(row.charge.total)
        )
    });
    Chart::bars(title, Unit::Usd, ticks(rows))
        .with(Series::new("Cost", costs.collect()))
        .headed("Turn")
        .low()
        .draw()
}

/// How much of each turn's prompt came from a cache.
fn cache_chart(rows: &[LogRow]) -> Markup {
    let share = |row: &LogRow| {
        let prompt = row.usage.input_total();
        (prompt > 0).then(|| row.usage.cache_read.saturating_mul(1_000) / prompt)
    };
    let warm = rows.iter().filter(|row| row.usage.cache_read > 0).count();
    let title = format!(
        "{} of {} turns read from a cache",
        count(u64::try_from(warm).unwrap_or(0)),
        rows.len()
    );
    Chart::lines(title, Unit::PerMille, ticks(rows))
        .with(Series::new(
            "Read from cache",
            rows.iter().map(share).collect(),
        ))
        .headed("Turn")
        .low()
        .draw()
}

/// Where it went elsewhere, and why, from the decisions of those turns.
async fn moves(
    console: &Console,
    account: AccountId,
    rows: &[LogRow],
) -> Result<Vec<Move>, PageError> {
    let mut moves = Vec::new();
    let mut home: Option<(&str, &str)> = None;
    for (place, row) in rows.iter().enumerate() {
        let Some(endpoint) = row.endpoint_id.as_ref() else {
            continue;
        };
        let before = home.replace((endpoint.as_str(), &row.model));
        let Some((before, model)) = before.filter(|(before, _)| *before != endpoint.as_str())
        else {
            continue;
        };
        if moves.len() == MOVES_MAX {
            break;
        }
        moves.push(Move {
            turn: place + 1,
            href: format!("/logs/{}", row.generation_id),
            from: before.to_owned(),
            to: endpoint.to_string(),
            why: if model == row.model {
                reason(console, account, row).await?
            } else {
                format!("another model served: {}", row.model)
            },
        });
    }
    Ok(moves)
}

async fn reason(console: &Console, account: AccountId, row: &LogRow) -> Result<String, PageError> {
    let found = console.app.generation(account, &row.generation_id).await?;
    let Some(found) = found else {
        return Ok("its record is not there any more".to_owned());
    };
    let story = found.decision.as_ref().and_then(|one| pin_story(one.get()));
    Ok(match story {
        Some(MoveStory::Moved {
            why, extra_cost, ..
        }) => match extra_cost {
            Some(cost) if cost.get() != 0 => {
                format!("{why}; expected to cost {} more", usd_exact(cost))
            }
            _ => why.to_owned(),
        },
        Some(MoveStory::Began) => "the conversation had no warm cache to stay with".to_owned(),
        Some(MoveStory::Stayed) => "it stayed with its pin".to_owned(),
        None => "the request kept no conversation at an endpoint".to_owned(),
    })
}
