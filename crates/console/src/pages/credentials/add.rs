//! Storing a credential: read, sealed, and then tried out with one tiny question.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use serde_json::{Value, json};
use switchyard_app::own_credentials::{CredentialCondition, NewCredential, OwnCredentialRow};
use switchyard_domain::{
    id::{AccountId, CredentialId},
    provider::ProviderSlug,
};

use super::{
    Sent, at_field, manages_all, provider_named,
    secret::SecretForm,
    settings::{Choice, Form, PAID, SECTIONS},
};
use crate::{
    Console,
    error::PageError,
    form::{Faults, Submitted},
    shell::{Nav, Shell, page, page_with},
    ui::ApiCall,
    visit::SignedIn,
};

#[derive(Template)]
#[template(path = "pages/credentials/add.html")]
struct AddPage {
    shell: Shell,
    faults: Faults,
    slug: String,
    name: String,
    secret: SecretForm,
    /// What was sent, to be filled in again; never a secret.
    sent: Sent,
    form: Form,
    keys: Vec<Choice>,
    people: Vec<Choice>,
    may_everywhere: bool,
    everywhere: bool,
    call: ApiCall,
}

impl AddPage {
    fn back(&self) -> String {
        format!("/byok/{}", self.slug)
    }

    fn shape(&self) -> &str {
        match self.sent.get("shape") {
            "" => self.secret.first_shape(),
            shape => shape,
        }
    }
}

/// The form.
pub(crate) async fn ask(
    State(console): State<Console>,
    signed_in: SignedIn,
    Path(slug): Path<String>,
) -> Result<Response, PageError> {
    let filled = (Sent::default(), Form::new(), Faults::default());
    page(&form(&console, &signed_in, slug, filled).await?)
}

async fn form(
    console: &Console,
    signed_in: &SignedIn,
    slug: String,
    (sent, form, faults): (Sent, Form, Faults),
) -> Result<AddPage, PageError> {
    let visitor = &signed_in.visitor;
    let catalog = console.app.catalog();
    let provider = provider_named(&catalog, &slug)?;
    let secret = provider.family.map_or(SecretForm::Key, SecretForm::of);
    let workspace = visitor.workspace_id().to_string();
    Ok(AddPage {
        shell: Shell::new(
            &signed_in.visit,
            format!("Add a key for {}", provider.name),
            Nav::Credentials,
        ),
        faults,
        name: provider.name.to_string(),
        secret,
        keys: form.key_choices(console, visitor).await?,
        people: form.people_choices(console, visitor).await?,
        may_everywhere: manages_all(visitor),
        everywhere: manages_all(visitor) && sent.get("where") == "everywhere",
        call: ApiCall::new(&console.settings.public_url, "POST", "/byok").with_body(json!({
            "provider": slug,
            "key": example(secret),
            "workspace_id": workspace,
            "is_byok_only": true,
        })),
        slug,
        sent,
        form,
    })
}

/// What stands in the place of the secret in an example.
fn example(form: SecretForm) -> Value {
    match form {
        SecretForm::Key => "…".into(),
        SecretForm::Azure => {
            json!({ "api_key": "…", "resource_name": "…", "resource_type": "openai" })
        }
        SecretForm::Bedrock => {
            json!({ "accessKeyId": "…", "secretAccessKey": "…", "region": "us-east-1" })
        }
        SecretForm::Vertex => json!({
            "type": "service_account", "project_id": "…", "private_key": "…",
            "client_email": "…", "region": "global",
        }),
    }
}

/// Stores it and tries it out.
pub(crate) async fn store(
    State(console): State<Console>,
    signed_in: SignedIn,
    Path(slug): Path<String>,
    Submitted(fields): Submitted<Vec<(String, String)>>,
) -> Result<Response, PageError> {
    let visitor = &signed_in.visitor;
    let catalog = console.app.catalog();
    let provider = provider_named(&catalog, &slug)?;
    let sent = Sent(fields);
    let mut faults = Faults::default();
    let wanted = Form::read(&sent);
    let kind = provider.family.map_or(SecretForm::Key, SecretForm::of);
    let settings = wanted.settings(false, &mut faults);
    let secret = kind.read(&sent, &mut faults);
    let everywhere = sent.get("where") == "everywhere" && manages_all(visitor);
    let stored = match secret {
        Some(secret) if faults.is_empty() => {
            let new = NewCredential {
                workspace_id: (!everywhere).then(|| visitor.workspace_id()),
                provider: ProviderSlug::new(slug.as_str()),
                secret,
                settings,
            };
            seal(&console, &signed_in, new, &mut faults).await?
        }
        _ => None,
    };
    let Some(row) = stored else {
        let filled = form(&console, &signed_in, slug, (sent, wanted, faults)).await?;
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &filled);
    };
    let came_of_it = tried_out(&console, &signed_in, row.account_id, row.id).await;
    Ok(Redirect::to(&format!("/byok/{slug}/{}?checked={came_of_it}", row.id)).into_response())
}

/// Stores a credential to the end, whether or not anybody waits. `None`: something is wrong at a field.
async fn seal(
    console: &Console,
    signed_in: &SignedIn,
    new: NewCredential,
    faults: &mut Faults,
) -> Result<Option<OwnCredentialRow>, PageError> {
    let (app, by) = (Arc::clone(&console.app), signed_in.acting().as_audited());
    let account = signed_in.visitor.account_id();
    let work = async move {
        let catalog = app.catalog();
        app.own_credentials()
            .create(account, &catalog, new, &by)
            .await
    };
    let stored = console.app.see_through(work).await;
    match stored.ok_or_else(|| PageError::Broken("storing a key panicked".into()))? {
        Ok(row) => Ok(Some(row)),
        Err(error) => at_field(error, faults).map(|()| None),
    }
}

/// Asks the provider; what came of it, as addresses name it. It is stored whatever this says.
pub(super) async fn tried_out(
    console: &Console,
    signed_in: &SignedIn,
    account: AccountId,
    id: CredentialId,
) -> &'static str {
    let by = signed_in.acting().as_audited();
    match console
        .app
        .check_own_credential(account, id, None, &by)
        .await
    {
        Ok((_, check)) => match check.condition {
            CredentialCondition::Ok => "ok",
            CredentialCondition::Failing => "refused",
            CredentialCondition::Unchecked => "unchecked",
        },
        Err(error) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "a credential was stored and could not be tried out"
            );
            "unchecked"
        }
    }
}
