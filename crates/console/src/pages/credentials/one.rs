//! One credential: how it is doing, its settings, and a new secret in place of the old one.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use serde::Deserialize;
use serde_json::json;
use switchyard_app::own_credentials::{
    CredentialChange, CredentialSettings, OwnCredentialError, OwnCredentialRow, StoredSection,
};
use switchyard_domain::{clock::Timestamp, patch::Patch};

use super::{
    Sent,
    add::tried_out,
    at_field, changeable, may_change, named, provider_named,
    secret::SecretForm,
    settings::{Choice, Form, PAID, SECTIONS},
    words::{Trouble, name_of, paid_words, state_of, trouble},
};
use crate::{
    Console,
    error::PageError,
    form::{Faults, Submitted},
    shell::{Nav, Shell, page, page_with},
    ui::ApiCall,
    visit::SignedIn,
};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Wanted {
    checked: String,
    done: String,
}

#[derive(Template)]
#[template(path = "pages/credentials/one.html")]
struct CredentialPage {
    shell: Shell,
    faults: Faults,
    slug: String,
    provider: String,
    row: OwnCredentialRow,
    title: String,
    kind: &'static str,
    word: &'static str,
    paid: &'static str,
    trouble: Option<Trouble>,
    is_unchecked: bool,
    secret: SecretForm,
    sent: Sent,
    form: Form,
    keys: Vec<Choice>,
    people: Vec<Choice>,
    may_change: bool,
    call: ApiCall,
    now: Timestamp,
}

impl CredentialPage {
    fn shape(&self) -> &str {
        match self.sent.get("shape") {
            "" => self.secret.first_shape(),
            shape => shape,
        }
    }

    fn href(&self) -> String {
        format!("/byok/{}/{}", self.slug, self.row.id)
    }

    fn back(&self) -> String {
        format!("/byok/{}", self.slug)
    }

    fn last_ok_at(&self) -> Option<Timestamp> {
        self.row.state.as_ref()?.last_ok_at
    }
}

/// The credential.
pub(crate) async fn show(
    State(console): State<Console>,
    signed_in: SignedIn,
    Path((slug, id)): Path<(String, String)>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, PageError> {
    let row = named(&console, &signed_in.visitor, &slug, &id).await?;
    let filled = (Sent::default(), Form::of(&row.settings), Faults::default());
    let mut shown = look(&console, &signed_in, row, filled).await?;
    shown.is_unchecked = wanted.checked == "unchecked";
    let notice = match (wanted.checked.as_str(), wanted.done.as_str()) {
        ("ok", _) => Some("Saved. The provider takes the key."),
        ("refused", _) => Some("Saved, but the provider refuses the key."),
        ("unchecked", _) => Some("Saved unchecked: the provider could not be asked."),
        (_, "saved") => Some("Saved. Requests from now on go by it."),
        (_, "disabled") => Some("The key is disabled. It is not used any more."),
        (_, "enabled") => Some("The key is enabled."),
        _ => None,
    };
    if let Some(notice) = notice {
        shown.shell = shown.shell.with_notice(notice);
    }
    page(&shown)
}

async fn look(
    console: &Console,
    signed_in: &SignedIn,
    row: OwnCredentialRow,
    (sent, form, faults): (Sent, Form, Faults),
) -> Result<CredentialPage, PageError> {
    let visitor = &signed_in.visitor;
    let catalog = console.app.catalog();
    let provider = catalog.provider(row.provider.as_str());
    let family = provider.and_then(|provider| provider.family);
    let name = provider.map_or_else(
        || row.provider.to_string(),
        |provider| provider.name.to_string(),
    );
    let (kind, word) = state_of(&row);
    let settings = &row.settings;
    let call = ApiCall::new(
        &console.settings.public_url,
        "PATCH",
        &format!("/byok/{}", row.id),
    )
    .with_body(json!({
        "name": settings.name,
        "is_fallback": settings.section == StoredSection::Fallback,
        "is_required": settings.is_required,
        "is_byok_only": settings.is_byok_only,
        "allowed_models": settings.filters.models,
    }));
    Ok(CredentialPage {
        shell: Shell::new(&signed_in.visit, name_of(&row).to_owned(), Nav::Credentials),
        faults,
        slug: row.provider.as_str().to_owned(),
        provider: name,
        title: name_of(&row).to_owned(),
        kind,
        word,
        paid: paid_words(&row),
        trouble: trouble(&row),
        is_unchecked: false,
        secret: family.map_or(SecretForm::Key, SecretForm::of),
        keys: form.key_choices(console, visitor).await?,
        people: form.people_choices(console, visitor).await?,
        may_change: may_change(visitor, &row),
        call,
        now: console.app.clock().now(),
        sent,
        form,
        row,
    })
}

/// Changes the settings.
pub(crate) async fn change(
    State(console): State<Console>,
    signed_in: SignedIn,
    Path((slug, id)): Path<(String, String)>,
    Submitted(fields): Submitted<Vec<(String, String)>>,
) -> Result<Response, PageError> {
    let row = changeable(&console, &signed_in.visitor, &slug, &id).await?;
    let sent = Sent(fields);
    let wanted = Form::read(&sent);
    let mut faults = Faults::default();
    let settings = wanted.settings(row.settings.disabled, &mut faults);
    if faults.is_empty() {
        let change = whole(settings);
        match store(&console, &signed_in, &row, change).await? {
            Ok(_) => {
                let to = format!("/byok/{slug}/{id}?done=saved");
                return Ok(Redirect::to(&to).into_response());
            }
            Err(error) => at_field(error, &mut faults)?,
        }
    }
    let shown = look(&console, &signed_in, row, (sent, wanted, faults)).await?;
    page_with(StatusCode::UNPROCESSABLE_ENTITY, &shown)
}

/// All settings of the form as a change: what is empty there is taken away.
fn whole(settings: CredentialSettings) -> CredentialChange {
    fn stated<T>(value: Option<T>) -> Patch<T> {
        value.map_or(Patch::Clear, Patch::Set)
    }
    let filters = settings.filters;
    CredentialChange {
        name: stated(settings.name),
        is_fallback: Some(settings.section == StoredSection::Fallback),
        is_required: Some(settings.is_required),
        is_byok_only: Some(settings.is_byok_only),
        declared_zdr: stated(settings.declared_zdr),
        allowed_models: stated(filters.models),
        allowed_api_key_hashes: stated(filters.api_key_hashes),
        allowed_user_ids: stated(filters.user_ids),
        ..CredentialChange::default()
    }
}

/// Carries a change out to its end, whether or not anybody waits.
async fn store(
    console: &Console,
    signed_in: &SignedIn,
    row: &OwnCredentialRow,
    change: CredentialChange,
) -> Result<Result<OwnCredentialRow, OwnCredentialError>, PageError> {
    let (app, by) = (Arc::clone(&console.app), signed_in.acting().as_audited());
    let (account, id) = (row.account_id, row.id);
    let work = async move {
        let catalog = app.catalog();
        app.own_credentials()
            .change(account, &catalog, id, change, &by)
            .await
    };
    let changed = console.app.see_through(work).await;
    changed.ok_or_else(|| PageError::Broken("changing a key panicked".into()))
}

/// Puts a new secret in place of the old one; order and filters stay.
pub(crate) async fn replace(
    State(console): State<Console>,
    signed_in: SignedIn,
    Path((slug, id)): Path<(String, String)>,
    Submitted(fields): Submitted<Vec<(String, String)>>,
) -> Result<Response, PageError> {
    let row = changeable(&console, &signed_in.visitor, &slug, &id).await?;
    let catalog = console.app.catalog();
    let family = provider_named(&catalog, &slug)?.family;
    let sent = Sent(fields);
    let mut faults = Faults::default();
    let secret = family
        .map_or(SecretForm::Key, SecretForm::of)
        .read(&sent, &mut faults);
    if let Some(secret) = secret {
        let change = CredentialChange {
            secret: Some(secret),
            ..CredentialChange::default()
        };
        match store(&console, &signed_in, &row, change).await? {
            Ok(row) => {
                let said = tried_out(&console, &signed_in, row.account_id, row.id).await;
                let to = format!("/byok/{slug}/{id}?checked={said}");
                return Ok(Redirect::to(&to).into_response());
            }
            Err(error) => at_field(error, &mut faults)?,
        }
    }
    let form = Form::of(&row.settings);
    let shown = look(&console, &signed_in, row, (sent, form, faults)).await?;
    page_with(StatusCode::UNPROCESSABLE_ENTITY, &shown)
}

/// Asks the provider again.
pub(crate) async fn check(
    State(console): State<Console>,
    signed_in: SignedIn,
    Path((slug, id)): Path<(String, String)>,
    Submitted(_): Submitted<Vec<(String, String)>>,
) -> Result<Response, PageError> {
    let row = changeable(&console, &signed_in.visitor, &slug, &id).await?;
    let said = tried_out(&console, &signed_in, row.account_id, row.id).await;
    Ok(Redirect::to(&format!("/byok/{slug}/{id}?checked={said}")).into_response())
}

#[derive(Debug, Deserialize)]
pub(crate) struct Switch {
    disabled: bool,
}

/// Switches it off or on.
pub(crate) async fn switch(
    State(console): State<Console>,
    signed_in: SignedIn,
    Path((slug, id)): Path<(String, String)>,
    Submitted(Switch { disabled }): Submitted<Switch>,
) -> Result<Response, PageError> {
    let row = changeable(&console, &signed_in.visitor, &slug, &id).await?;
    let change = CredentialChange {
        disabled: Some(disabled),
        ..CredentialChange::default()
    };
    store(&console, &signed_in, &row, change).await??;
    let done = if disabled { "disabled" } else { "enabled" };
    Ok(Redirect::to(&format!("/byok/{slug}/{id}?done={done}")).into_response())
}
