//! What the account's owners should hear of, newest first, each with where its cause is.

use std::collections::HashMap;

use askama::Template;
use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse as _, Redirect, Response},
};
use serde::Deserialize;
use switchyard_app::own_credentials::{OwnCredentialFilter, OwnCredentialRow, OwnerEvent, Page};
use switchyard_domain::{authority::Capability, clock::Timestamp, id::AccountId};

use super::logs::Address;
use crate::{
    Console,
    error::PageError,
    form::Submitted,
    shell::{Nav, Shell, page},
    visit::{SignedIn, cookie},
};

const PAGE: u32 = 50;
const ELSEWHERE: &str = "Requests go to the next credential until it is taken again.";
/// Credentials whose names are known.
const NAMED: Page = Page {
    offset: 0,
    limit: 200,
};
/// Remembers, for each account, up to which number somebody has read on this device.
const READ_COOKIE: &str = "__Host-read";
/// Accounts that are remembered.
const ACCOUNTS_MAX: usize = 8;

#[derive(Template)]
#[template(path = "pages/notifications.html")]
struct NotificationsPage {
    shell: Shell,
    now: Timestamp,
    notices: Vec<Notice>,
    older: Option<String>,
    latest: i64,
    has_unread: bool,
    may_hear: bool,
}

/// Something that happened, in words.
pub(crate) struct Notice {
    number: i64,
    pub(crate) at: Timestamp,
    pub(crate) kind: &'static str,
    pub(crate) title: String,
    pub(crate) text: String,
    /// Where its cause is, and what is there.
    pub(crate) links: Vec<(&'static str, String)>,
    pub(crate) is_unread: bool,
}

/// The list.
pub(crate) async fn show(
    State(console): State<Console>,
    SignedIn { visit, visitor }: SignedIn,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let address = Address::parse(&visit.address);
    let before = address.get("before").and_then(|text| text.parse().ok());
    let may_hear = visitor.may(Capability::ManageCredentials);
    let account = visitor.account_id();
    let mut notices = if may_hear {
        latest(
            &console,
            &headers,
            account,
            before.unwrap_or(i64::MAX),
            PAGE + 1,
        )
        .await?
    } else {
        Vec::new()
    };
    let has_more = notices.len() > PAGE as usize;
    notices.truncate(PAGE as usize);
    let last = notices.last().filter(|_| has_more);
    page(&NotificationsPage {
        shell: Shell::new(&visit, "Notifications", Nav::Notifications),
        now: console.app.clock().now(),
        older: last.map(|last| address.with("before", &last.number.to_string()).to_string()),
        latest: notices.first().map_or(0, |first| first.number),
        has_unread: notices.iter().any(|one| one.is_unread),
        notices,
        may_hear,
    })
}

/// The account's latest notices.
pub(crate) async fn latest(
    console: &Console,
    headers: &HeaderMap,
    account: AccountId,
    before: i64,
    limit: u32,
) -> Result<Vec<Notice>, PageError> {
    let own = console.app.own_credentials();
    let events = own.events_before(account, before, limit).await?;
    let read = read_until(headers, account);
    let names = if events.is_empty() {
        HashMap::new()
    } else {
        names(console, account).await?
    };
    let told = |event| told(event, &names, read);
    Ok(events.iter().map(told).collect())
}

/// What credentials are called, by their ids.
async fn names(
    console: &Console,
    account: AccountId,
) -> Result<HashMap<String, String>, PageError> {
    let own = console.app.own_credentials();
    let (rows, _) = own
        .list(account, &OwnCredentialFilter::default(), NAMED)
        .await
        .map_err(|error| PageError::Unavailable(Box::new(error)))?;
    let name = |row: OwnCredentialRow| {
        let name = row.settings.name.unwrap_or(row.label);
        (row.id.to_string(), format!("{name} for {}", row.provider))
    };
    Ok(rows.into_iter().map(name).collect())
}

/// What is read.
#[derive(Debug, Deserialize)]
pub(crate) struct ReadForm {
    until: i64,
}

/// Notes what was read on this device.
pub(crate) async fn mark(
    SignedIn { visitor, .. }: SignedIn,
    headers: HeaderMap,
    Submitted(form): Submitted<ReadForm>,
) -> Result<Response, PageError> {
    let account = visitor.account_id();
    let mut marks = marks(&headers);
    marks.retain(|(of, _)| *of != account);
    marks.insert(0, (account, form.until.max(0)));
    marks.truncate(ACCOUNTS_MAX);
    let value: Vec<_> = marks
        .iter()
        .map(|(account, until)| format!("{account}.{until}"))
        .collect();
    let line = format!(
        "{READ_COOKIE}={}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=31536000",
        value.join("/")
    );
    let mut response = Redirect::to("/notifications").into_response();
    if let Ok(line) = HeaderValue::try_from(line) {
        response.headers_mut().append(header::SET_COOKIE, line);
    }
    Ok(response)
}

fn marks(headers: &HeaderMap) -> Vec<(AccountId, i64)> {
    let value = cookie(headers, READ_COOKIE).unwrap_or_default();
    let marks = value.split('/').filter_map(|mark| {
        let (account, until) = mark.split_once('.')?;
        Some((account.parse().ok()?, until.parse().ok()?))
    });
    marks.take(ACCOUNTS_MAX).collect()
}

fn read_until(headers: &HeaderMap, account: AccountId) -> i64 {
    let marks = marks(headers);
    let found = marks.into_iter().find(|(of, _)| *of == account);
    found.map_or(0, |(_, until)| until)
}

fn told(event: &OwnerEvent, names: &HashMap<String, String>, read: i64) -> Notice {
    let detail = |name: &str| event.detail.get(name).and_then(|value| value.as_str());
    let what = names.get(&event.subject).map_or_else(
        || "A credential that is deleted".to_owned(),
        |name| format!("The credential {name}"),
    );
    let subject = &event.subject;
    let credential = ("The credential", format!("/byok/{subject}"));
    let logs = Address::parse("/logs").with("credential", subject);
    let logs = ("Its requests", logs.to_string());
    let (kind, title, text, links) = match event.kind.as_str() {
        "credential.failing" => (
            "danger",
            format!("{what} is failing"),
            detail("message").map_or_else(
                || format!("Its provider refuses it. {ELSEWHERE}"),
                |message| format!("Its provider says: {message} {ELSEWHERE}"),
            ),
            vec![credential, logs],
        ),
        "credential.recovered" => (
            "ok",
            format!("{what} works again"),
            "Its provider takes it again.".to_owned(),
            vec![credential, logs],
        ),
        other => (
            "info",
            other.replace(['.', '_'], " "),
            String::new(),
            Vec::new(),
        ),
    };
    Notice {
        number: event.number,
        at: event.at,
        kind,
        title,
        text,
        links,
        is_unread: event.number > read,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_is_remembered_by_account() {
        let account = |last: char| -> AccountId {
            let zeros = "0".repeat(31);
            format!("acct_{zeros}{last}").parse().expect("an id")
        };
        let mut headers = HeaderMap::new();
        let line = format!(
            "{READ_COOKIE}={}.7/{}.9/junk/x.y",
            account('1'),
            account('2')
        );
        headers.insert(header::COOKIE, line.parse().expect("a header"));
        assert_eq!(read_until(&headers, account('1')), 7);
        assert_eq!(read_until(&headers, account('2')), 9);
        assert_eq!(read_until(&headers, account('3')), 0);
    }
}
