//! Putting a new key in an old one's place.

use std::{sync::Arc, time::Duration};

use askama::Template;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use serde::Deserialize;
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
    visit::SignedIn,
};

/// How long the old key works on: as forms and the API name it, in words.
const LIVES: [(&str, &str, Duration); 4] = [
    ("24h", "24 hours", OLD_KEY_LIVES[2]),
    ("7d", "7 days", OLD_KEY_LIVES[3]),
    ("1h", "1 hour", OLD_KEY_LIVES[1]),
    ("0s", "It stops at once", OLD_KEY_LIVES[0]),
];

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
    now: Timestamp,
}

impl RotatePage {
    fn as_api_call(&self) -> String {
        format!(
            "curl \"$SWITCHYARD_URL/api/v1/keys/{}/rotate\" \\\n  -H \"Authorization: Bearer $MANAGEMENT_KEY\" \\\n  -H \"Idempotency-Key: $(uuidgen)\" \\\n  -d '{{\"old_key_expires_in\":\"{}\"}}'",
            self.managed.key.hash, self.wanted.life
        )
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
    let Some((_, _, life)) = LIVES.iter().find(|(name, ..)| *name == wanted.life) else {
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
    let (sight, life) = (sight_of(&signed_in.visitor), *life);
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
