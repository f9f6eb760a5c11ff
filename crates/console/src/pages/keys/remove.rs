//! Deleting one key, after a page that says what that does.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::{IntoResponse as _, Redirect, Response},
};
use switchyard_app::api_keys::ManagedKey;
use switchyard_domain::clock::Timestamp;

use super::{seen, sight_of};
use crate::{
    Console,
    error::PageError,
    form::Submitted,
    pages::sign_in_link::Nothing,
    shell::{Nav, Shell, page},
    ui::ApiCall,
    visit::SignedIn,
};

#[derive(Template)]
#[template(path = "pages/keys/remove.html")]
pub(super) struct RemovePage {
    pub(super) shell: Shell,
    /// What is to go.
    pub(super) keys: Vec<ManagedKey>,
    /// Where the form goes.
    pub(super) action: String,
    pub(super) back: String,
    pub(super) call: ApiCall,
    pub(super) now: Timestamp,
}

impl RemovePage {
    fn requests(&self) -> u64 {
        self.keys.iter().map(|one| one.usage.requests).sum()
    }

    fn spent_this_month(&self) -> switchyard_domain::money::UsdNanos {
        self.keys.iter().map(|one| one.usage.usage.monthly).sum()
    }

    fn is_bulk(&self) -> bool {
        self.action == "/keys/bulk"
    }

    fn title(&self) -> String {
        match self.keys.as_slice() {
            [one] => format!("Delete “{}”?", one.key.name),
            keys => format!("Delete {} keys?", keys.len()),
        }
    }
}

/// What deleting it does.
pub(crate) async fn ask(
    State(console): State<Console>,
    signed_in: SignedIn,
    Path(hash): Path<String>,
) -> Result<Response, PageError> {
    let managed = seen(&console, &signed_in, &hash).await?;
    page(&RemovePage {
        shell: Shell::new(&signed_in.visit, "Delete a key", Nav::Keys),
        action: format!("/keys/{}/delete", managed.key.hash),
        back: format!("/keys/{}", managed.key.hash),
        call: call(&console, &managed.key.hash),
        now: console.app.clock().now(),
        keys: vec![managed],
    })
}

pub(super) fn call(console: &Console, hash: &str) -> ApiCall {
    ApiCall::new(
        &console.settings.public_url,
        "DELETE",
        &format!("/keys/{hash}"),
    )
}

/// Deletes it.
pub(crate) async fn remove(
    State(console): State<Console>,
    signed_in: SignedIn,
    Path(hash): Path<String>,
    Submitted(Nothing {}): Submitted<Nothing>,
) -> Result<Response, PageError> {
    let sight = sight_of(&signed_in.visitor);
    let actor = signed_in.acting();
    console.app.delete_api_key(&actor, sight, &hash).await?;
    Ok(Redirect::to("/keys?done=deleted-1").into_response())
}
