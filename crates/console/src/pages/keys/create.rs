//! Making a key, which is shown once.

use std::{sync::Arc, time::Duration};

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use serde::Deserialize;
use serde_json::json;
use switchyard_app::{
    api_keys::{LimitWishes, ManagedKey, NewKey},
    idempotency::Claim,
};
use switchyard_domain::{clock::Timestamp, patch::Patch, secret::Secret, tenancy::KeyKind};

use super::{
    makes_management_keys, name_from,
    once::{Turn, turn},
    reset_from, usd_from,
};
use crate::{
    Console,
    error::PageError,
    form::{Faults, Submitted},
    shell::{Nav, Shell, page, page_with},
    ui::ApiCall,
    visit::SignedIn,
};

/// When a key's time is over: after how many days, and in words.
const EXPIRIES: &[(&str, &str)] = &[
    ("", "Never"),
    ("1", "After 1 day"),
    ("7", "After 7 days"),
    ("30", "After 30 days"),
    ("90", "After 90 days"),
    ("365", "After 1 year"),
];

/// A form as it was sent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Wanted {
    name: String,
    limit: String,
    reset: String,
    include_byok: bool,
    expires: String,
    once: String,
}

#[derive(Template)]
#[template(path = "pages/keys/create.html")]
struct CreatePage {
    shell: Shell,
    faults: Faults,
    wanted: Wanted,
    is_management: bool,
    may_manage: bool,
    /// `None`: the API has none for this.
    call: Option<ApiCall>,
}

/// A secret that is there now and never again; used for rotation, too.
#[derive(Template)]
#[template(path = "pages/keys/made.html")]
pub(super) struct MadePage {
    pub(super) shell: Shell,
    pub(super) title: &'static str,
    /// `None`: it was shown in an earlier answer.
    pub(super) secret: Option<Secret<String>>,
    pub(super) hash: String,
    pub(super) curl: String,
    /// What is to be known about the key that this one takes the place of.
    pub(super) old: Option<String>,
}

impl MadePage {
    fn href(&self) -> String {
        format!("/keys/{}", self.hash)
    }
}

impl CreatePage {
    fn action(&self) -> &'static str {
        if self.is_management {
            "/keys/new/management"
        } else {
            "/keys/new"
        }
    }
}

/// The form for a key that calls models.
pub(crate) async fn ask(
    State(console): State<Console>,
    signed_in: SignedIn,
) -> Result<Response, PageError> {
    page(&form(&console, &signed_in, false))
}

/// The form for a key that manages.
pub(crate) async fn ask_management(
    State(console): State<Console>,
    signed_in: SignedIn,
) -> Result<Response, PageError> {
    expect_management(&signed_in)?;
    page(&form(&console, &signed_in, true))
}

fn form(console: &Console, signed_in: &SignedIn, is_management: bool) -> CreatePage {
    CreatePage {
        shell: Shell::new(&signed_in.visit, "Create a key", Nav::Keys),
        faults: Faults::default(),
        wanted: Wanted {
            once: console.app.new_request_id(),
            ..Wanted::default()
        },
        is_management,
        may_manage: makes_management_keys(&signed_in.visitor),
        call: (!is_management).then(|| {
            let body = json!({
                "name": "laptop",
                "limit": 25,
                "limit_reset": "monthly",
                "workspace_id": signed_in.visitor.workspace_id().to_string(),
            });
            ApiCall::new(&console.settings.public_url, "POST", "/keys").with_body(body)
        }),
    }
}

fn expect_management(signed_in: &SignedIn) -> Result<(), PageError> {
    use switchyard_domain::authority::Capability;
    if makes_management_keys(&signed_in.visitor) {
        Ok(())
    } else {
        Err(PageError::NotAllowed(Capability::ManageManagementKeys))
    }
}

/// Makes a key that calls models.
pub(crate) async fn make(
    State(console): State<Console>,
    signed_in: SignedIn,
    Submitted(wanted): Submitted<Wanted>,
) -> Result<Response, PageError> {
    make_kind(&console, &signed_in, wanted, KeyKind::Inference).await
}

/// Makes a key that manages.
pub(crate) async fn make_management(
    State(console): State<Console>,
    signed_in: SignedIn,
    Submitted(wanted): Submitted<Wanted>,
) -> Result<Response, PageError> {
    expect_management(&signed_in)?;
    make_kind(&console, &signed_in, wanted, KeyKind::Management).await
}

async fn make_kind(
    console: &Console,
    signed_in: &SignedIn,
    wanted: Wanted,
    kind: KeyKind,
) -> Result<Response, PageError> {
    let now = console.app.clock().now();
    let visitor = &signed_in.visitor;
    let (mut new, faults) = read(&wanted, kind, now);
    if !faults.is_empty() {
        let filled = CreatePage {
            faults,
            wanted,
            ..form(console, signed_in, kind == KeyKind::Management)
        };
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &filled);
    }
    new.workspace_id = Some(visitor.workspace_id());
    let fields = format!("{wanted:?}");
    let route = "POST console/keys/new";
    let account = visitor.account_id();
    match turn(&console.app, account, route, &wanted.once, &fields).await? {
        Turn::First(claim) => {
            let (secret, key) = carry_out(console, signed_in, claim, new).await?;
            page(&made(console, signed_in, Some(secret), key.key.hash, kind))
        }
        Turn::Again(hash) => page(&made(console, signed_in, None, hash, kind)),
    }
}

async fn carry_out(
    console: &Console,
    signed_in: &SignedIn,
    claim: Box<Claim>,
    new: NewKey,
) -> Result<(Secret<String>, ManagedKey), PageError> {
    let (app, actor) = (Arc::clone(&console.app), signed_in.acting());
    let work = async move {
        let made = app.create_api_key(&actor, new).await;
        match &made {
            Ok(made) => {
                let hash = made.key.key.hash.as_bytes();
                app.idempotency().keep(&claim, 201, hash).await;
            }
            Err(_) => app.idempotency().give_up(&claim).await,
        }
        made
    };
    let made = console.app.see_through(work).await;
    let made = made.ok_or_else(|| PageError::Broken("making a key panicked".into()))??;
    Ok((made.text, made.key))
}

fn read(wanted: &Wanted, kind: KeyKind, now: Timestamp) -> (NewKey, Faults) {
    let mut faults = Faults::default();
    let name = name_from(&wanted.name, &mut faults);
    let calls = kind == KeyKind::Inference;
    let limit = usd_from("limit", &wanted.limit, &mut faults).filter(|_| calls);
    let reset = reset_from(&wanted.reset, &mut faults).filter(|_| calls);
    let counts = wanted.include_byok && calls;
    if limit.is_none() && faults.at("limit").is_none() && (reset.is_some() || counts) {
        faults.add("limit", "Give a limit, or leave out how it counts.");
    }
    if !EXPIRIES.iter().any(|(days, _)| *days == wanted.expires) {
        faults.add("expires", "Choose one of the list.");
    }
    let days = wanted.expires.parse().ok();
    let expires_at = days.map(|days: u64| now.plus(Duration::from_secs(days * 86_400)));
    let new = NewKey {
        name,
        kind,
        workspace_id: None,
        limit: LimitWishes {
            limit: limit.map_or(Patch::Keep, Patch::Set),
            reset: reset.map_or(Patch::Keep, Patch::Set),
            include_byok: counts.then_some(true),
        },
        expires_at,
        creator_id: None,
        external: None,
    };
    (new, faults)
}

fn made(
    console: &Console,
    signed_in: &SignedIn,
    secret: Option<Secret<String>>,
    hash: String,
    kind: KeyKind,
) -> MadePage {
    let title = if secret.is_some() {
        "Your new key"
    } else {
        "This key was made already"
    };
    let base = &console.settings.public_url;
    MadePage {
        shell: Shell::new(&signed_in.visit, title, Nav::Keys),
        title,
        secret,
        hash,
        curl: curl(base, kind),
        old: None,
    }
}

/// What to paste next.
pub(super) fn curl(base: &str, kind: KeyKind) -> String {
    match kind {
        KeyKind::Inference => format!(
            "curl {base}/api/v1/chat/completions \\\n  -H \"Authorization: Bearer $SWITCHYARD_KEY\" \\\n  -H \"Content-Type: application/json\" \\\n  -d '{{\"model\":\"openai/gpt-oss-120b\",\"messages\":[{{\"role\":\"user\",\"content\":\"Hello\"}}]}}'"
        ),
        KeyKind::Management => {
            format!("curl {base}/api/v1/keys -H \"Authorization: Bearer $SWITCHYARD_KEY\"")
        }
    }
}
