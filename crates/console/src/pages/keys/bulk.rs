//! The same for many keys at once.

use axum::{
    extract::State,
    response::{IntoResponse as _, Redirect, Response},
};
use switchyard_app::api_keys::{ApiKeyError, KeyWishes, ManagedKey};

use super::{
    remove::{RemovePage, call},
    seen, sight_of,
};
use crate::{
    Console,
    error::PageError,
    form::Submitted,
    shell::{Nav, Shell, page},
    visit::SignedIn,
};

const KEYS_MAX: usize = 100;

/// Does something to every key that was chosen.
pub(crate) async fn act(
    State(console): State<Console>,
    signed_in: SignedIn,
    Submitted(fields): Submitted<Vec<(String, String)>>,
) -> Result<Response, PageError> {
    let value = |name: &str| fields.iter().find(|(given, _)| given == name);
    let value = |name: &str| value(name).map_or("", |(_, value)| value.as_str());
    let mut chosen: Vec<&str> = fields
        .iter()
        .filter(|(name, _)| name == "id")
        .map(|(_, hash)| hash.as_str())
        .collect();
    chosen.sort_unstable();
    chosen.dedup();
    if chosen.is_empty() {
        return Err(PageError::Conflict(
            "No key is selected. Tick the keys that it is about first.".to_owned(),
        ));
    }
    if chosen.len() > KEYS_MAX {
        return Err(PageError::BadForm(format!(
            "Select at most {KEYS_MAX} keys."
        )));
    }
    let mut keys = Vec::with_capacity(chosen.len());
    for hash in chosen {
        keys.push(seen(&console, &signed_in, hash).await?);
    }
    match (value("act"), value("confirmed")) {
        ("delete", "yes") => delete(&console, &signed_in, &keys).await,
        ("delete", _) => page(&RemovePage {
            shell: Shell::new(&signed_in.visit, "Delete keys", Nav::Keys),
            keys,
            action: "/keys/bulk".to_owned(),
            back: "/keys".to_owned(),
            call: call(&console, "{hash}"),
            now: console.app.clock().now(),
        }),
        ("disable", _) => switch(&console, &signed_in, &keys, true).await,
        ("enable", _) => switch(&console, &signed_in, &keys, false).await,
        _ => Err(PageError::BadForm("It does not say what to do.".to_owned())),
    }
}

async fn switch(
    console: &Console,
    signed_in: &SignedIn,
    keys: &[ManagedKey],
    disabled: bool,
) -> Result<Response, PageError> {
    let (actor, sight) = (signed_in.acting(), sight_of(&signed_in.visitor));
    let wishes = KeyWishes {
        disabled: Some(disabled),
        ..KeyWishes::default()
    };
    for one in keys {
        let changed = console
            .app
            .change_api_key(&actor, sight, &one.key.hash, &wishes);
        changed.await?;
    }
    let done = if disabled { "disabled" } else { "enabled" };
    Ok(back(done, keys.len()))
}

async fn delete(
    console: &Console,
    signed_in: &SignedIn,
    keys: &[ManagedKey],
) -> Result<Response, PageError> {
    let (actor, sight) = (signed_in.acting(), sight_of(&signed_in.visitor));
    for one in keys {
        let deleted = console.app.delete_api_key(&actor, sight, &one.key.hash);
        match deleted.await {
            // Somebody else was quicker.
            Ok(()) | Err(ApiKeyError::NoSuchKey) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(back("deleted", keys.len()))
}

fn back(done: &str, count: usize) -> Response {
    Redirect::to(&format!("/keys?done={done}-{count}")).into_response()
}
