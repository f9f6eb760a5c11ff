//! API keys: a list, one at a time, and what is done to them. Members see and change their own, admins
//! everybody's; whatever somebody does not see is answered like what is not there.

pub(crate) mod bulk;
pub(crate) mod create;
pub(crate) mod list;
pub(crate) mod one;
pub(crate) mod remove;
pub(crate) mod rotate;

mod once;
mod words;

use std::{collections::HashMap, str::FromStr as _};

use switchyard_app::api_keys::{KeySight, ManagedKey};
use switchyard_app::{people::sessions::Visitor, workspaces::WorkspaceError};
use switchyard_domain::{
    authority::{Capability, Reach},
    clock::ResetInterval,
    id::PersonId,
    money::UsdNanos,
};

use crate::{Console, error::PageError, form::Faults, visit::SignedIn};

/// People that are looked up for their names.
const PEOPLE_MAX: u32 = 1_000;
const NAME_CHARS_MAX: usize = 255;

/// Which keys there are for a visitor.
pub(crate) fn sight_of(visitor: &Visitor) -> KeySight {
    let sees_all = visitor.reach(Capability::ManageApiKeys) == Reach::Everything;
    KeySight {
        creator: (!sees_all).then_some(visitor.person().id),
        management: makes_management_keys(visitor),
    }
}

/// A management key manages the whole account, so nobody makes one whose reach is less.
pub(crate) fn makes_management_keys(visitor: &Visitor) -> bool {
    visitor.reach(Capability::ManageManagementKeys) == Reach::Everything
}

/// One key that the visitor sees.
async fn seen(
    console: &Console,
    signed_in: &SignedIn,
    hash: &str,
) -> Result<ManagedKey, PageError> {
    let visitor = &signed_in.visitor;
    let found = console
        .app
        .api_key(visitor.account_id(), sight_of(visitor), hash);
    Ok(found.await?)
}

/// What the people of the visitor's account are called.
pub(crate) async fn names_of_people(
    console: &Console,
    visitor: &Visitor,
) -> Result<HashMap<PersonId, String>, PageError> {
    let page = switchyard_app::workspaces::Page {
        offset: 0,
        limit: PEOPLE_MAX,
    };
    let people = console.app.workspaces();
    let (people, _) = people
        .people(visitor.account_id(), page)
        .await
        .map_err(of_people)?;
    let named = people.into_iter().map(|person| {
        let name = if person.name.is_empty() {
            person.email
        } else {
            person.name
        };
        (person.id, name)
    });
    Ok(named.collect())
}

fn of_people(error: WorkspaceError) -> PageError {
    match error {
        WorkspaceError::Directory(error) => error.into(),
        _ => PageError::NotFound,
    }
}

/// How a limit starts afresh, as forms have it.
const RESETS: &[(&str, &str)] = &[
    ("", "Never"),
    ("daily", "Every day"),
    ("weekly", "Every week"),
    ("monthly", "Every month"),
];

/// A name from a form.
fn name_from(text: &str, faults: &mut Faults) -> String {
    let name = text.trim();
    if name.is_empty() {
        faults.add("name", "Give it a name, such as what will use it.");
    } else if name.chars().count() > NAME_CHARS_MAX || name.chars().any(char::is_control) {
        faults.add("name", "Write at most 255 characters, on one line.");
    }
    name.to_owned()
}

/// An amount of dollars from a form; nothing is no limit.
fn usd_from(field: &str, text: &str, faults: &mut Faults) -> Option<UsdNanos> {
    let plain = text.trim().trim_start_matches('$').replace([',', ' '], "");
    if plain.is_empty() {
        return None;
    }
    match UsdNanos::from_str(&plain) {
        Ok(amount) if amount >= UsdNanos::ZERO => Some(amount),
        Ok(_) | Err(_) => {
            faults.add(field, "Write an amount of dollars, such as 25 or 0.50.");
            None
        }
    }
}

fn reset_from(text: &str, faults: &mut Faults) -> Option<ResetInterval> {
    let found = ResetInterval::from_name(text);
    if found.is_none() && !text.is_empty() {
        faults.add("reset", "Choose one of the list.");
    }
    found
}

/// The limit of a key as a form shows it: dollars without trailing zeros.
fn plain_usd(amount: UsdNanos) -> String {
    let text = amount.to_string();
    match text.split_once('.') {
        Some((whole, cents)) => {
            let cents = cents.trim_end_matches('0');
            match cents.len() {
                0 => whole.to_owned(),
                1 => format!("{whole}.{cents}0"),
                _ => format!("{whole}.{cents}"),
            }
        }
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_people_write_them() {
        for (text, nanos) in [
            ("", None),
            ("  ", None),
            ("25", Some(25_000_000_000)),
            ("$1,000.50", Some(1_000_500_000_000)),
            ("0.01", Some(10_000_000)),
            ("0", Some(0)),
        ] {
            let mut faults = Faults::default();
            let read = usd_from("limit", text, &mut faults);
            assert_eq!(read.map(UsdNanos::get), nanos, "{text}");
            assert!(faults.is_empty(), "{text}");
        }
        for text in ["-1", "ten", "1e3", "1.2.3"] {
            let mut faults = Faults::default();
            assert_eq!(usd_from("limit", text, &mut faults), None);
            assert!(faults.at("limit").is_some(), "{text}");
        }
    }

    #[test]
    fn amounts_are_shown_without_zeros_that_say_nothing() {
        for (nanos, text) in [
            (25_000_000_000, "25"),
            (500_000_000, "0.50"),
            (10_000_000, "0.01"),
            (1_234_567, "0.001234567"),
        ] {
            assert_eq!(plain_usd(UsdNanos::new(nanos)), text);
        }
    }
}
