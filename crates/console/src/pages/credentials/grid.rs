//! Every provider that takes keys of its customers, those with keys first.

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use serde::Deserialize;
use switchyard_app::own_credentials::{CredentialCondition, OwnCredentialRow};

use super::{takes_credentials, used_here};
use crate::{
    Console,
    error::PageError,
    shell::{Nav, Shell, page},
    ui::ApiCall,
    visit::SignedIn,
};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Wanted {
    q: String,
}

/// A provider, and how the keys for it are doing.
struct Card {
    slug: String,
    name: String,
    keys: usize,
    kind: &'static str,
    word: String,
}

#[derive(Template)]
#[template(path = "pages/credentials/grid.html")]
struct GridPage {
    shell: Shell,
    wanted: Wanted,
    configured: Vec<Card>,
    others: Vec<Card>,
    all_failing: Vec<String>,
    call: ApiCall,
}

/// The grid.
pub(crate) async fn show(
    State(console): State<Console>,
    signed_in: SignedIn,
    Query(wanted): Query<Wanted>,
) -> Result<Response, PageError> {
    let visitor = &signed_in.visitor;
    let rows = used_here(&console, visitor).await?;
    let catalog = console.app.catalog();
    let sought = wanted.q.trim().to_lowercase();
    let providers = catalog.providers.iter().filter(|one| {
        let is_sought = one.name.to_lowercase().contains(&sought)
            || one.slug.as_str().contains(sought.as_str());
        takes_credentials(one) && is_sought
    });
    let mut cards: Vec<Card> = providers
        .map(|provider| {
            let slug = provider.slug.as_str();
            let own = rows.iter().filter(|row| row.provider.as_str() == slug);
            card(slug, &provider.name, &own.collect::<Vec<_>>())
        })
        .collect();
    cards.sort_by_key(|card| card.name.to_lowercase());
    let all_failing = cards.iter().filter(|card| card.kind == "danger");
    let all_failing = all_failing.map(|card| card.name.clone()).collect();
    let (configured, others) = cards.into_iter().partition(|card| card.keys > 0);
    page(&GridPage {
        shell: Shell::new(&signed_in.visit, "Provider keys", Nav::Credentials),
        wanted,
        configured,
        others,
        all_failing,
        call: ApiCall::new(
            &console.settings.public_url,
            "GET",
            &format!("/byok?workspace_id={}", visitor.workspace_id()),
        ),
    })
}

fn card(slug: &str, name: &str, rows: &[&OwnCredentialRow]) -> Card {
    let on = rows.iter().filter(|row| !row.settings.disabled).count();
    let failing = rows.iter().filter(|row| {
        let condition = row.state.as_ref().map(|state| state.condition);
        !row.settings.disabled && condition == Some(CredentialCondition::Failing)
    });
    let (kind, word) = match (on, failing.count()) {
        (0, _) if rows.is_empty() => ("plain", "No key".to_owned()),
        (0, _) => ("plain", "Disabled".to_owned()),
        (on, failing) if on == failing => ("danger", "All failing".to_owned()),
        (_, 0) => ("ok", "Ready".to_owned()),
        (on, failing) => ("warn", format!("{failing} of {on} failing")),
    };
    Card {
        slug: slug.to_owned(),
        name: name.to_owned(),
        keys: rows.len(),
        kind,
        word,
    }
}
