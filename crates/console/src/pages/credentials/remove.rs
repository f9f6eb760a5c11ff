//! Deleting a credential: its secret is gone for good, so its label is to be typed.

use askama::Template;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use serde::Deserialize;
use switchyard_app::own_credentials::OwnCredentialRow;

use super::{changeable, words::name_of};
use crate::{
    Console,
    error::PageError,
    form::{Faults, Submitted},
    shell::{Nav, Shell, page, page_with},
    ui::ApiCall,
    visit::SignedIn,
};

/// Since when openings are counted.
const OPENINGS: std::time::Duration = std::time::Duration::from_secs(30 * 86_400);

#[derive(Template)]
#[template(path = "pages/credentials/remove.html")]
struct RemovePage {
    shell: Shell,
    faults: Faults,
    slug: String,
    row: OwnCredentialRow,
    title: String,
    openings: u64,
    call: ApiCall,
}

impl RemovePage {
    fn href(&self) -> String {
        format!("/byok/{}/{}", self.slug, self.row.id)
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct Typed {
    #[serde(default)]
    label: String,
}

/// What deleting it does.
pub(crate) async fn ask(
    State(console): State<Console>,
    signed_in: SignedIn,
    Path((slug, id)): Path<(String, String)>,
) -> Result<Response, PageError> {
    let row = changeable(&console, &signed_in.visitor, &slug, &id).await?;
    page(&form(&console, &signed_in, slug, row, Faults::default()).await?)
}

async fn form(
    console: &Console,
    signed_in: &SignedIn,
    slug: String,
    row: OwnCredentialRow,
    faults: Faults,
) -> Result<RemovePage, PageError> {
    let since = console.app.clock().now().minus(OPENINGS);
    let own = console.app.own_credentials();
    Ok(RemovePage {
        shell: Shell::new(&signed_in.visit, "Delete a provider key", Nav::Credentials),
        faults,
        slug,
        title: format!("Delete “{}”?", name_of(&row)),
        openings: own.openings(row.account_id, row.id, since).await?,
        call: ApiCall::new(
            &console.settings.public_url,
            "DELETE",
            &format!("/byok/{}", row.id),
        ),
        row,
    })
}

/// Deletes it.
pub(crate) async fn remove(
    State(console): State<Console>,
    signed_in: SignedIn,
    Path((slug, id)): Path<(String, String)>,
    Submitted(Typed { label }): Submitted<Typed>,
) -> Result<Response, PageError> {
    let row = changeable(&console, &signed_in.visitor, &slug, &id).await?;
    if label.trim() != row.label {
        let mut faults = Faults::default();
        faults.add("label", "That is not its label. Type it as it stands here.");
        let filled = form(&console, &signed_in, slug, row, faults).await?;
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &filled);
    }
    let by = signed_in.acting().as_audited();
    let own = console.app.own_credentials();
    own.delete(row.account_id, row.id, &by).await?;
    Ok(Redirect::to(&format!("/byok/{slug}?done=deleted")).into_response())
}
