//! One generation, laid open: what was tried, why it went where it went, and how its charge adds up.

mod amounts;
mod feedback;
mod waterfall;

use std::collections::HashMap;

use askama::Template;
use axum::{
    extract::{Path, State},
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use switchyard_app::{
    activity::{Cursor, LogQuery, LogStatus, Names, Scope, Turn},
    explain::Verdict,
    inspection::{ChargedFor, CostStory, CredentialStory, Inspection, MoveStory, failure_in_words},
    people::sessions::Visitor,
};
use switchyard_domain::{
    authority::Capability,
    clock::Timestamp,
    id::{CredentialId, GenerationId},
};

pub(crate) use self::feedback::tell;
use self::feedback::{CATEGORIES, FeedbackForm};
use super::logs::{
    Address, Lens, Window, filter_of,
    status::{StatusWords, words_of},
    terms_of,
};
use crate::{
    Console,
    error::PageError,
    form::Faults,
    shell::{Nav, Shell, page},
    ui::{ApiCall, Markup, milliseconds},
    visit::{SignedIn, Visit},
};

#[derive(Template)]
#[template(path = "pages/generation.html")]
pub(super) struct GenerationPage {
    shell: Shell,
    now: Timestamp,
    it: Inspection,
    status: StatusWords,
    key_name: String,
    workspace_name: String,
    credentials: HashMap<CredentialId, String>,
    waterfall: Option<Markup>,
    /// The list this was opened from, and its neighbours there.
    list: String,
    newer: Option<String>,
    older: Option<String>,
    chat: Option<String>,
    may_read_content: bool,
    public_url: String,
    faults: Faults,
    categories: Vec<(&'static str, &'static str)>,
    form: FeedbackForm,
}

/// One generation with what it takes to show it.
pub(super) struct Found {
    pub(super) it: Inspection,
    names: Names,
}

/// One generation.
pub(crate) async fn show(
    State(console): State<Console>,
    signed_in: SignedIn,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let found = find(&console, &signed_in, &id).await?;
    let page_of = page_of(
        &console,
        &signed_in,
        found,
        Faults::default(),
        FeedbackForm::default(),
    );
    page(&page_of.await?)
}

/// Its signed receipt, as a file.
pub(crate) async fn receipt(
    State(console): State<Console>,
    signed_in: SignedIn,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let found = find(&console, &signed_in, &id).await?;
    let generation = &found.it.generation;
    let (workspace, id) = (generation.workspace_id, &generation.generation_id);
    let receipt = console.app.receipts().of_generation(workspace, id).await;
    let receipt = receipt.map_err(|error| PageError::Unavailable(Box::new(error)))?;
    let receipt = receipt.ok_or(PageError::NotFound)?;
    let mut response = receipt.into_response();
    let name = format!("attachment; filename=\"{id}-receipt.json\"");
    let headers = response.headers_mut();
    let json = HeaderValue::from_static("application/json");
    headers.insert(header::CONTENT_TYPE, json);
    if let Ok(name) = HeaderValue::try_from(name) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

/// A generation of the account that the visitor may see. What they may not see is not there.
pub(super) async fn find(
    console: &Console,
    signed_in: &SignedIn,
    id: &str,
) -> Result<Found, PageError> {
    let visitor = &signed_in.visitor;
    let id: GenerationId = id.parse().map_err(|_| PageError::NotFound)?;
    let account = visitor.account_id();
    let it = console.app.inspect(account, &id).await?;
    let it = it.ok_or(PageError::NotFound)?;
    let key = it.generation.api_key_id;
    let names = console.app.activity().names(account, &[key]).await?;
    let lens = Lens::of(visitor, Capability::ReadGenerations, &Address::default());
    if !lens.shows(key, &names) {
        return Err(PageError::NotFound);
    }
    Ok(Found { it, names })
}

pub(super) async fn page_of(
    console: &Console,
    SignedIn { visit, visitor }: &SignedIn,
    Found { it, names }: Found,
    faults: Faults,
    form: FeedbackForm,
) -> Result<GenerationPage, PageError> {
    let now = console.app.clock().now();
    let here = Address::parse(&visit.address);
    let list = here.without(&["told"]);
    let (newer, older) = neighbours(console, visitor, &it, &list, now).await?;
    let credentials = credentials(console, visitor, &it).await?;
    let generation = &it.generation;
    let key = names.keys.get(&generation.api_key_id);
    let workspace = names.workspaces.get(&generation.workspace_id);
    let model = generation.served.as_ref().map_or_else(
        || generation.request.requested_model.clone(),
        |served| served.model.clone(),
    );
    let chat = visitor.may(Capability::Infer).then(|| {
        let chat = Address::parse("/chat").with("model", &model);
        chat.with("from", generation.generation_id.as_str())
            .to_string()
    });
    let shell = Shell::new(visit, "Generation", Nav::Logs);
    Ok(GenerationPage {
        shell: match here.get("told") {
            Some(_) => shell.with_notice("Thank you. It was noted, and we will look at it."),
            None => shell,
        },
        now,
        status: words_of(it.status),
        key_name: key.map_or_else(|| "a deleted key".to_owned(), |key| key.name.clone()),
        workspace_name: workspace.map_or_else(String::new, |one| one.name.clone()),
        credentials,
        waterfall: waterfall::picture(&it),
        list: list.at("/logs").to_string(),
        newer,
        older,
        chat,
        may_read_content: visitor.may(Capability::ReadContent),
        public_url: console.settings.public_url.clone(),
        it,
        faults,
        categories: [("", "Choose")].into_iter().chain(CATEGORIES).collect(),
        form,
    })
}

/// The next newer and the next older one in the list that this one was opened from.
async fn neighbours(
    console: &Console,
    visitor: &Visitor,
    it: &Inspection,
    here: &Address,
    now: Timestamp,
) -> Result<(Option<String>, Option<String>), PageError> {
    let lens = Lens::of(visitor, Capability::ReadGenerations, here);
    let mut range = Window::of(here, now).range;
    let at = it.generation.admitted_at;
    // One that was opened by its address may lie outside the usual stretch.
    range.from = range.from.min(at);
    let scope = Scope {
        account: lens.account,
        range,
        filter: lens.narrow(filter_of(&terms_of(here))),
    };
    let place = Cursor {
        admitted_at: at,
        generation_id: it.generation.generation_id.clone(),
    };
    let ask = |turn| LogQuery {
        scope: scope.clone(),
        turn,
        limit: 1,
    };
    let (after, before) = (ask(Turn::After(place.clone())), ask(Turn::Before(place)));
    let activity = console.app.activity();
    let (newer, older) = tokio::try_join!(activity.log_page(&after), activity.log_page(&before))?;
    let href = |rows: Vec<switchyard_app::activity::LogRow>| {
        let row = rows.into_iter().next()?;
        Some(here.at(&format!("/logs/{}", row.generation_id)).to_string())
    };
    Ok((href(newer), href(older)))
}

/// What the account's own credentials that took part are called.
async fn credentials(
    console: &Console,
    visitor: &Visitor,
    it: &Inspection,
) -> Result<HashMap<CredentialId, String>, PageError> {
    let candidates = it.decision.iter().flat_map(|story| &story.candidates);
    let ids = candidates.filter_map(|one| match one.credential {
        CredentialStory::Own(id) => Some(id),
        CredentialStory::Shared | CredentialStory::Supplied(_) => None,
    });
    let ids: std::collections::BTreeSet<_> = ids.collect();
    let mut names = HashMap::new();
    for id in ids.into_iter().take(8) {
        let found = console.app.own_credentials().get(visitor.account_id(), id);
        // One that is gone goes by its id.
        if let Ok(row) = found.await {
            names.insert(id, row.settings.name.unwrap_or(row.label));
        }
    }
    Ok(names)
}

impl GenerationPage {
    fn model(&self) -> &str {
        let generation = &self.it.generation;
        let served = generation.served.as_ref();
        served.map_or(&generation.request.requested_model, |served| &served.model)
    }

    fn first_token(&self) -> String {
        let served = self.it.generation.served.as_ref();
        let ms = served.and_then(|served| served.latency_ms);
        ms.map_or_else(|| "\u{2013}".to_owned(), milliseconds)
    }

    fn provider(&self) -> Option<&str> {
        let served = self.it.generation.served.as_ref();
        served.map(|served| served.provider_name.as_str())
    }

    fn credential(&self, credential: CredentialStory) -> String {
        match credential {
            CredentialStory::Shared => "shared".to_owned(),
            CredentialStory::Supplied(place) => format!("from the request, no. {place}"),
            CredentialStory::Own(id) => {
                let name = self.credentials.get(&id).cloned();
                format!("own: {}", name.unwrap_or_else(|| id.to_string()))
            }
        }
    }

    /// What the charge is, in a sentence.
    fn charge_in_words(&self, cost: &CostStory) -> &'static str {
        match cost.charged_for {
            ChargedFor::TheListPrice if self.it.status == LogStatus::Cancelled => {
                "The caller left before the end. What was produced until then is charged."
            }
            ChargedFor::TheListPrice => "The list price is charged.",
            ChargedFor::FreeModel => "This endpoint is free.",
            ChargedFor::OwnCredential => {
                "Your own credential served: its provider bills you for the tokens."
            }
            ChargedFor::Insured => {
                "Insured: there was no complete answer, so the tokens are not charged."
            }
        }
    }

    /// The sum of what was booked to the account.
    fn booked(&self) -> switchyard_domain::money::UsdNanos {
        let own = self.it.ledger.iter().filter(|entry| entry.is_own);
        own.map(|entry| -entry.amount).sum()
    }

    /// Whether what is on this page agrees with the ledger.
    fn is_reconciled(&self) -> bool {
        self.booked() == self.it.generation.charge.total
    }

    fn call(&self, before: &str, after: &str) -> ApiCall {
        let id = &self.it.generation.generation_id;
        let path = format!("/generation{before}{id}{after}");
        ApiCall::new(&self.public_url, "GET", &path)
    }

    fn feedback_href(&self) -> String {
        let id = &self.it.generation.generation_id;
        let list = Address::parse(&self.list);
        list.at(&format!("/logs/{id}/feedback")).to_string()
    }

    fn session_href(&self) -> Option<String> {
        let session = self.it.generation.request.session_id.as_deref()?;
        Some(format!("/sessions/{}", super::logs::segment(session)))
    }
}

/// Which badge a verdict has.
const fn verdict_badge(verdict: Verdict) -> (&'static str, &'static str) {
    match verdict {
        Verdict::Selected => ("ok", "first choice"),
        Verdict::Planned => ("info", "fallback"),
        Verdict::RuledOut => ("plain", "ruled out"),
        Verdict::CutOff => ("warn", "cut off: fallbacks are off"),
    }
}

/// Where a generation is, in the list that a visit is in.
fn address_of(visit: &Visit, id: &GenerationId) -> Address {
    Address::parse(&visit.address).at(&format!("/logs/{id}"))
}
