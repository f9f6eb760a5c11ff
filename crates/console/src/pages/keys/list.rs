//! The list of keys of the workspace that is looked at.

use std::collections::HashMap;

use askama::Template;
use axum::{
    extract::{Query, State as Shared},
    response::Response,
};
use serde::Deserialize;
use switchyard_app::api_keys::{KeyQuery, ManagedKey};
use switchyard_domain::{clock::Timestamp, id::PersonId};

use super::{
    makes_management_keys, names_of_people, sight_of,
    words::{Meter, State},
};
use crate::{
    Console,
    error::PageError,
    shell::{Nav, Shell, page},
    ui::ApiCall,
    visit::SignedIn,
};

const PER_PAGE: u32 = 50;
/// Counts stop there.
const COUNTED_MAX: u64 = 10_000;
const SEARCH_CHARS_MAX: usize = 100;
/// Pages that can be turned to.
const PAGES_MAX: u32 = 10_000;

/// Which keys are looked at.
const STATES: &[(&str, &str)] = &[
    ("", "All"),
    ("active", "Active"),
    ("disabled", "Disabled"),
    ("expired", "Expired"),
    ("unused", "Never used"),
];

/// What the address says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Wanted {
    q: String,
    state: String,
    page: String,
    done: String,
}

struct Row {
    managed: ManagedKey,
    owner: String,
    state: State,
    meter: Option<Meter>,
}

#[derive(Template)]
#[template(path = "pages/keys/list.html")]
struct ListPage {
    shell: Shell,
    rows: Vec<Row>,
    total: u64,
    wanted: Wanted,
    page: u32,
    pages: u32,
    shows_owners: bool,
    may_manage: bool,
    call: ApiCall,
    now: Timestamp,
}

impl ListPage {
    /// The address of another page of the same list.
    fn address(&self, page: u32) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        if !self.wanted.q.is_empty() {
            query.append_pair("q", &self.wanted.q);
        }
        if !self.wanted.state.is_empty() {
            query.append_pair("state", &self.wanted.state);
        }
        if page > 1 {
            query.append_pair("page", &page.to_string());
        }
        let query = query.finish();
        if query.is_empty() {
            "/keys".to_owned()
        } else {
            format!("/keys?{query}")
        }
    }

    fn is_filtered(&self) -> bool {
        !self.wanted.q.is_empty() || !self.wanted.state.is_empty()
    }

    fn said(&self) -> String {
        let first = u64::from(self.page - 1) * u64::from(PER_PAGE) + 1;
        let last = first + self.rows.len() as u64 - 1;
        let total = if self.total > COUNTED_MAX {
            "10,000+".to_owned()
        } else {
            crate::ui::count(self.total)
        };
        format!("{first}–{last} of {total}")
    }

    fn previous(&self) -> String {
        let page = self.page - 1;
        if page > 0 {
            self.address(page)
        } else {
            String::new()
        }
    }

    fn next(&self) -> String {
        if self.page < self.pages {
            self.address(self.page + 1)
        } else {
            String::new()
        }
    }
}

/// The list.
pub(crate) async fn show(
    Shared(console): Shared<Console>,
    signed_in: SignedIn,
    Query(mut wanted): Query<Wanted>,
) -> Result<Response, PageError> {
    let visitor = &signed_in.visitor;
    wanted.q = wanted.q.trim().chars().take(SEARCH_CHARS_MAX).collect();
    let page_no = wanted.page.parse().unwrap_or(1).clamp(1, PAGES_MAX);
    let query = |page: u32| {
        let (disabled, expired, never_used) = match wanted.state.as_str() {
            "active" => (Some(false), Some(false), false),
            "disabled" => (Some(true), None, false),
            "expired" => (None, Some(true), false),
            "unused" => (None, None, true),
            _ => (None, None, false),
        };
        KeyQuery {
            workspace_id: Some(visitor.workspace_id()),
            sight: sight_of(visitor),
            disabled,
            expired,
            never_used,
            text: (!wanted.q.is_empty()).then(|| wanted.q.clone()),
            offset: (page - 1) * PER_PAGE,
            limit: PER_PAGE,
        }
    };
    let account = visitor.account_id();
    let (mut keys, mut total) = console.app.api_keys(account, query(page_no)).await?;
    let mut page_no = page_no;
    if keys.is_empty() && page_no > 1 {
        page_no = 1;
        (keys, total) = console.app.api_keys(account, query(1)).await?;
    }
    let names = names_of_people(&console, visitor).await?;
    let now = console.app.clock().now();
    let notice = notice_of(&wanted.done);
    let mut shell = Shell::new(&signed_in.visit, "API keys", Nav::Keys);
    if let Some(notice) = notice {
        shell = shell.with_notice(notice);
    }
    let rows = keys
        .into_iter()
        .map(|managed| Row {
            owner: owner_of(&names, &managed),
            state: State::of(&managed, now),
            meter: Meter::of(&managed),
            managed,
        })
        .collect();
    page(&ListPage {
        shell,
        rows,
        total,
        page: page_no,
        pages: u32::try_from(total.div_ceil(u64::from(PER_PAGE))).unwrap_or(PAGES_MAX),
        shows_owners: sight_of(visitor).creator.is_none(),
        may_manage: makes_management_keys(visitor),
        call: ApiCall::new(
            &console.settings.public_url,
            "GET",
            &format!(
                "/keys?workspace_id={}&include_disabled=true&include_expired=true",
                visitor.workspace_id()
            ),
        ),
        wanted,
        now,
    })
}

/// Whose key it is.
pub(super) fn owner_of(names: &HashMap<PersonId, String>, managed: &ManagedKey) -> String {
    match managed.key.creator_id {
        None => "The workspace".to_owned(),
        Some(person) => match names.get(&person) {
            Some(name) => name.clone(),
            None => "Somebody who left".to_owned(),
        },
    }
}

/// What was just done, as the address names it.
fn notice_of(done: &str) -> Option<String> {
    let (what, count) = done.split_once('-').unwrap_or((done, ""));
    let count: u32 = count.parse().unwrap_or(1);
    let keys = if count == 1 {
        "1 key was".to_owned()
    } else {
        format!("{count} keys were")
    };
    match what {
        "deleted" => Some(format!(
            "{keys} deleted. Every node refuses within five seconds."
        )),
        "disabled" => Some(format!(
            "{keys} disabled. Every node refuses within five seconds."
        )),
        "enabled" => Some(format!("{keys} enabled.")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_have_been_done_is_told() {
        assert_eq!(
            notice_of("disabled-3").as_deref(),
            Some("3 keys were disabled. Every node refuses within five seconds.")
        );
        assert_eq!(
            notice_of("enabled-1").as_deref(),
            Some("1 key was enabled.")
        );
        assert_eq!(notice_of("<b>hi</b>"), None);
        assert_eq!(notice_of(""), None);
    }
}
