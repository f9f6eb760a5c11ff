//! Putting a new key in an old one's place.

use std::{sync::Arc, time::Duration};

use askama::Template;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use serde::Deserialize;
use serde_json::json;
use switchyard_app::api_keys::{ManagedKey, OLD_KEY_LIVES};
use switchyard_domain::{clock::Timestamp, tenancy::KeyKind};

use super::{
    create::{MadePage, curl},
    once::{Turn, turn},
    seen, sight_of,
};
use crate::{
    Console,
    error::PageError,
    form::{Faults, Submitted},
    shell::{Nav, Shell, page, page_with},
    ui::ApiCall,
    visit::SignedIn,
};

/// How long the old key works on: as forms and the API name it, in words.
const LIVES: &[(&str, &str, &str)] = &[
    ("24h", "24 hours", "Time to change it everywhere."),
    ("7d", "7 days", ""),
    ("1h", "1 hour", ""),
    (
        "0s",
        "It stops at once",
        "For a key that others know: what still uses it gets 401.",
    ),
];

fn life_of(name: &str) -> Option<Duration> {
    let place = ["0s", "1h", "24h", "7d"]
        .iter()
        .position(|one| *one == name)?;
    OLD_KEY_LIVES.get(place).copied()
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Wanted {
    life: String,
    once: String,
}

#[derive(Template)]
#[template(path = "pages/keys/rotate.html")]
struct RotatePage {
    shell: Shell,
    faults: Faults,
    managed: ManagedKey,
    wanted: Wanted,
    call: ApiCall,
    now: Timestamp,
}

impl RotatePage {
    fn href(&self) -> String {
        format!("/keys/{}", self.managed.key.hash)
    }
}

/// The form.
pub(crate) async fn ask(
    State(console): State<Console>,
    signed_in: SignedIn,
    Path(hash): Path<String>,
) -> Result<Response, PageError> {
    let managed = rotatable(&console, &signed_in, &hash).await?;
    page(&form(&console, &signed_in, managed))
}

fn form(console: &Console, signed_in: &SignedIn, managed: ManagedKey) -> RotatePage {
    RotatePage {
        shell: Shell::new(&signed_in.visit, "Rotate a key", Nav::Keys),
        faults: Faults::default(),
        call: ApiCall::new(
            &console.settings.public_url,
            "POST",
            &format!("/keys/{}/rotate", managed.key.hash),
        )
        .with_body(json!({ "old_key_expires_in": LIVES[0].0 })),
        managed,
        wanted: Wanted {
            life: LIVES[0].0.to_owned(),
            once: console.app.new_request_id(),
        },
        now: console.app.clock().now(),
    }
}

/// Only what calls models is rotated: a new management key is made by the form for that.
async fn rotatable(
    console: &Console,
    signed_in: &SignedIn,
    hash: &str,
) -> Result<ManagedKey, PageError> {
    let managed = seen(console, signed_in, hash).await?;
    match managed.key.kind {
        KeyKind::Inference => Ok(managed),
        KeyKind::Management => Err(PageError::NotFound),
    }
}

/// Rotates the key.
pub(crate) async fn rotate(
    State(console): State<Console>,
    signed_in: SignedIn,
    Path(hash): Path<String>,
    Submitted(wanted): Submitted<Wanted>,
) -> Result<Response, PageError> {
    let managed = rotatable(&console, &signed_in, &hash).await?;
    let Some(life) = life_of(&wanted.life) else {
        let mut filled = form(&console, &signed_in, managed);
        filled
            .faults
            .add("life", "Choose how long the old key works on.");
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &filled);
    };
    let fields = format!("{hash} {}", wanted.life);
    let route = "POST console/keys/rotate";
    let account = signed_in.visitor.account_id();
    let claim = match turn(&console.app, account, route, &wanted.once, &fields).await? {
        Turn::First(claim) => claim,
        Turn::Again(made) => {
            return page(&MadePage {
                shell: Shell::new(&signed_in.visit, "This key was rotated already", Nav::Keys),
                title: "This key was rotated already",
                secret: None,
                hash: made,
                curl: String::new(),
                old: None,
            });
        }
    };
    let (app, actor) = (Arc::clone(&console.app), signed_in.acting());
    let sight = sight_of(&signed_in.visitor);
    let work = async move {
        let rotated = app.rotate_api_key(&actor, sight, &hash, life).await;
        match &rotated {
            Ok(rotated) => {
                let made = rotated.key.key.hash.as_bytes();
                app.idempotency().keep(&claim, 201, made).await;
            }
            Err(_) => app.idempotency().give_up(&claim).await,
        }
        rotated
    };
    let rotated = console.app.see_through(work).await;
    let rotated = rotated.ok_or_else(|| PageError::Broken("rotating a key panicked".into()))??;
    let ends = rotated.old.key.expires_at.map(Timestamp::to_rfc3339);
    let old = format!(
        "The old key {} works until {}. Both spend from the same limit.",
        rotated.old.key.label,
        ends.as_deref().unwrap_or("it is deleted")
    );
    page(&MadePage {
        shell: Shell::new(&signed_in.visit, "Your new key", Nav::Keys),
        title: "Your new key",
        secret: Some(rotated.text),
        hash: rotated.key.key.hash,
        curl: curl(&console.settings.public_url, KeyKind::Inference),
        old: Some(old),
    })
}
