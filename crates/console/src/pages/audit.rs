//! Who did what: the account's audit log, with what was changed field by field.

pub(crate) mod export;
mod filter;

use std::collections::BTreeMap;

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use serde_json::Value;
use switchyard_app::audit::AuditEntry;
use switchyard_domain::{clock::Timestamp, id::PersonId};

pub(crate) use self::filter::Asked;

use crate::{
    Console,
    error::PageError,
    shell::{Nav, Shell, page},
    visit::SignedIn,
};

/// Entries on one page.
const PAGE: u32 = 50;
/// Counted no further.
const COUNTED_MAX: u32 = 10_001;

/// An entry, told.
struct Told {
    number: i64,
    at: Timestamp,
    actor: String,
    /// What the actor is called, where that is known.
    actor_name: String,
    /// Everything that they did.
    actor_href: String,
    action: String,
    subject: String,
    via: String,
    ip: String,
    request_id: String,
    is_done: bool,
    changes: Vec<Change>,
    facts: Vec<(String, String)>,
}

/// What became of one field.
#[derive(Debug, PartialEq, Eq)]
struct Change {
    name: String,
    was: String,
    is: String,
}

#[derive(Template)]
#[template(path = "pages/audit.html")]
struct AuditPage {
    shell: Shell,
    asked: Asked,
    /// Name, label and text of each field of the filter.
    boxes: [(&'static str, &'static str, String); 6],
    doors: [(&'static str, &'static str); 5],
    entries: Vec<Told>,
    said: String,
    chips: Vec<filter::Chip>,
    first_href: String,
    next_href: String,
    csv_href: String,
    json_href: String,
    now: Timestamp,
}

/// The log.
pub(crate) async fn show(
    State(console): State<Console>,
    Query(asked): Query<Asked>,
    SignedIn { visit, visitor }: SignedIn,
) -> Result<Response, PageError> {
    let (account, filter) = (visitor.account_id(), asked.filter());
    let mut entries = console
        .app
        .audit_entries(account, &filter, asked.before, PAGE + 1)
        .await?;
    let has_more = entries.len() > PAGE as usize;
    entries.truncate(PAGE as usize);
    let count = console
        .app
        .audit_count(account, &filter, COUNTED_MAX)
        .await?;
    let names = names(&console, &entries).await?;
    let last = entries.last().filter(|_| has_more).map(|last| last.number);
    page(&AuditPage {
        shell: Shell::new(&visit, "Audit log", Nav::Audit),
        entries: entries
            .into_iter()
            .map(|entry| told(entry, &names))
            .collect(),
        said: said(count),
        chips: asked.chips(),
        first_href: asked
            .before
            .map(|_| asked.address(None))
            .unwrap_or_default(),
        next_href: last
            .map(|last| asked.address(Some(last)))
            .unwrap_or_default(),
        csv_href: asked.export_address("csv"),
        boxes: [
            ("actor", "Who (id)", asked.actor.clone()),
            ("action", "What begins with", asked.action.clone()),
            ("subject", "Target (id)", asked.subject.clone()),
            ("workspace", "Workspace (id)", asked.workspace.clone()),
            ("ip", "IP address", asked.ip.clone()),
            ("request", "Request id", asked.request.clone()),
        ],
        doors: [
            ("", "Any door"),
            ("console", "Console"),
            ("api", "API"),
            ("command", "Operator’s command"),
            ("service", "The service"),
        ],
        json_href: asked.export_address("json"),
        asked,
        now: console.app.clock().now(),
    })
}

fn said(count: u64) -> String {
    match count {
        1 => "1 entry".to_owned(),
        count if count >= u64::from(COUNTED_MAX) => "10,000+ entries".to_owned(),
        count => format!("{} entries", crate::ui::count(count)),
    }
}

/// What those people are called who did something on this page.
async fn names(
    console: &Console,
    entries: &[AuditEntry],
) -> Result<BTreeMap<String, String>, PageError> {
    let mut names = BTreeMap::new();
    for entry in entries {
        let actor = &entry.event.actor;
        let Ok(id) = actor.parse::<PersonId>() else {
            continue;
        };
        if !names.contains_key(actor)
            && let Some(person) = console.app.people().person(id).await?
        {
            names.insert(actor.clone(), person.name);
        }
    }
    Ok(names)
}

fn told(entry: AuditEntry, names: &BTreeMap<String, String>) -> Told {
    let event = entry.event;
    let (changes, facts) = differences(&event.detail);
    Told {
        number: entry.number,
        at: event.at,
        actor_name: match names.get(&event.actor) {
            Some(name) => name.clone(),
            None if event.actor == "operator" => "Operator".to_owned(),
            None if event.actor == "service" => "The service".to_owned(),
            None if event.actor.starts_with("key_") => "API key".to_owned(),
            None => String::new(),
        },
        actor_href: Asked::by(&event.actor).address(None),
        actor: event.actor,
        action: event.action,
        subject: event.subject,
        via: event.via.unwrap_or_default(),
        ip: event.ip.unwrap_or_default(),
        request_id: event.request_id.unwrap_or_default(),
        is_done: event
            .outcome
            .as_deref()
            .is_none_or(|outcome| outcome == "done"),
        changes,
        facts,
    }
}

/// What an entry says was changed, and what else it says.
fn differences(detail: &Value) -> (Vec<Change>, Vec<(String, String)>) {
    let empty = serde_json::Map::new();
    let part = |name: &str| {
        detail
            .get(name)
            .and_then(Value::as_object)
            .unwrap_or(&empty)
    };
    let (before, after) = (part("before"), part("after"));
    let mut fields: Vec<&String> = before.keys().chain(after.keys()).collect();
    fields.sort_unstable();
    fields.dedup();
    let changes = fields.into_iter().filter_map(|name| {
        let (was, is) = (before.get(name), after.get(name));
        (was != is).then(|| Change {
            name: name.replace('_', " "),
            was: was.map(text_of).unwrap_or_default(),
            is: is.map(text_of).unwrap_or_default(),
        })
    });
    let rest = detail.as_object().into_iter().flatten();
    let rest = rest
        .filter(|(name, value)| !matches!(name.as_str(), "before" | "after") && !value.is_null());
    let facts = rest.map(|(name, value)| (name.replace('_', " "), text_of(value)));
    (changes.collect(), facts.collect())
}

/// A value as people read it.
fn text_of(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text_of).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_differs_is_a_change() {
        let detail = json!({
            "before": { "name": "a", "limit_usd": null, "same": 1 },
            "after": { "name": "b", "limit_usd": "5", "same": 1, "new": true },
            "hash": "x", "nothing": null,
        });
        let (changes, facts) = differences(&detail);
        let change = |name: &str, was: &str, is: &str| Change {
            name: name.to_owned(),
            was: was.to_owned(),
            is: is.to_owned(),
        };
        assert_eq!(
            changes,
            [
                change("limit usd", "–", "5"),
                change("name", "a", "b"),
                change("new", "", "yes"),
            ]
        );
        assert_eq!(facts, [("hash".to_owned(), "x".to_owned())]);
        assert_eq!(differences(&json!({})), (Vec::new(), Vec::new()));
    }
}
