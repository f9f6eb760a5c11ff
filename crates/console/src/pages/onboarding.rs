//! From signing up to a first answer: a key, something to paste, and a light that turns green.

use std::time::Duration;

use askama::Template;
use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;
use switchyard_app::{
    api_keys::{KeyQuery, LimitWishes, NewKey},
    reads::GenerationView,
};
use switchyard_domain::{authority::Capability, clock::Timestamp, tenancy::KeyKind};

use super::{models, sign_in_link::Nothing};
use crate::{
    Console,
    error::PageError,
    form::Submitted,
    shell::{Nav, Shell, page},
    snippets::{Asking, NO_KEY, snippets},
    ui::{self, Markup},
    visit::SignedIn,
};

/// From then on it is time to look for what is wrong.
const PATIENCE: Duration = Duration::from_secs(10 * 60);

#[derive(Template)]
#[template(path = "pages/onboarding.html")]
struct StartPage {
    shell: Shell,
    start: Start,
}

/// What making a key replaces.
#[derive(Template)]
#[template(path = "pages/onboarding/start.html")]
struct StartPart {
    shell: Shell,
    start: Start,
}

struct Start {
    /// The key that was just made; told once.
    made: Option<String>,
    has_keys: bool,
    may_make: bool,
    snippets: Vec<(&'static str, String)>,
    first: FirstPart,
}

/// Whether there was a first request.
#[derive(Template)]
#[template(path = "pages/onboarding/first.html")]
struct FirstPart {
    state: FirstState,
}

enum FirstState {
    /// Since so many seconds after 1970.
    Waiting(i64),
    TooLong,
    Came(Box<Came>),
}

struct Came {
    id: String,
    model: String,
    provider: Option<String>,
    at: Markup,
    cost: String,
    has_failed: bool,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Since {
    #[serde(default)]
    since: i64,
}

/// The page.
pub(crate) async fn show(
    State(console): State<Console>,
    signed_in: SignedIn,
) -> Result<Response, PageError> {
    let start = Start::of(&console, &signed_in, None).await?;
    page(&StartPage {
        shell: Shell::new(&signed_in.visit, "Start", Nav::None),
        start,
    })
}

/// Makes a key, and shows it this once.
pub(crate) async fn make_key(
    State(console): State<Console>,
    signed_in: SignedIn,
    Submitted(Nothing {}): Submitted<Nothing>,
) -> Result<Response, PageError> {
    let wanted = NewKey {
        name: "First key".to_owned(),
        kind: KeyKind::Inference,
        workspace_id: Some(signed_in.visitor.workspace_id()),
        limit: LimitWishes::default(),
        expires_at: None,
        creator_id: None,
        external: None,
    };
    let acting = signed_in.acting();
    let made = console.app.create_api_key(&acting, wanted).await?;
    let text = made.text.expose().clone();
    let start = Start::of(&console, &signed_in, Some(text)).await?;
    let shell = Shell::new(&signed_in.visit, "Start", Nav::None);
    if signed_in.visit.is_partial {
        page(&StartPart { shell, start })
    } else {
        page(&StartPage { shell, start })
    }
}

/// `GET /start/first-request?since=…`: nothing new is 204.
pub(crate) async fn first_request(
    State(console): State<Console>,
    Query(Since { since }): Query<Since>,
    signed_in: SignedIn,
) -> Result<Response, PageError> {
    let part = FirstPart::of(&console, &signed_in, Some(since)).await?;
    match part.state {
        FirstState::Waiting(_) => Ok(StatusCode::NO_CONTENT.into_response()),
        FirstState::TooLong | FirstState::Came(_) => page(&part),
    }
}

impl Start {
    async fn of(
        console: &Console,
        signed_in: &SignedIn,
        made: Option<String>,
    ) -> Result<Self, PageError> {
        let visitor = &signed_in.visitor;
        let may_make = visitor.may(Capability::ManageApiKeys);
        let query = KeyQuery {
            workspace_id: Some(visitor.workspace_id()),
            ..KeyQuery::default()
        };
        let (_, keys) = console.app.api_keys(visitor.account_id(), query).await?;
        let offer = models::offered(console, &signed_in.visit).await?;
        Ok(Self {
            has_keys: keys > 0,
            may_make,
            snippets: snippets(&Asking {
                public_url: &console.settings.public_url,
                key: made.as_deref().unwrap_or(NO_KEY),
                model: models::showcase(&offer).unwrap_or("author/model"),
            }),
            first: FirstPart::of(console, signed_in, None).await?,
            made,
        })
    }
}

impl FirstPart {
    async fn of(
        console: &Console,
        signed_in: &SignedIn,
        since: Option<i64>,
    ) -> Result<Self, PageError> {
        let now = console.app.clock().now();
        let account = signed_in.visitor.account_id();
        let state = match console.app.first_generation(account).await? {
            Some(generation) => FirstState::Came(Box::new(Came::of(&generation, now))),
            None => match since.map(Timestamp::from_seconds) {
                Some(since) if now.since(since) > PATIENCE => FirstState::TooLong,
                Some(since) => FirstState::Waiting(since.seconds()),
                None => FirstState::Waiting(now.seconds()),
            },
        };
        Ok(Self { state })
    }
}

impl Came {
    fn of(generation: &GenerationView, now: Timestamp) -> Self {
        let served = generation.served.as_ref();
        Self {
            id: generation.generation_id.to_string(),
            model: served
                .map_or(&generation.request.requested_model, |served| &served.model)
                .clone(),
            provider: served.map(|served| served.provider_name.clone()),
            at: ui::when(generation.admitted_at, now),
            cost: ui::usd_exact(generation.charge.total),
            has_failed: served.is_none(),
        }
    }
}
