//! The keys of one provider in the order in which they are tried, and what a request would be tried with.

use std::collections::HashMap;

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    response::{IntoResponse as _, Redirect, Response},
};
use serde::Deserialize;
use serde_json::json;
use switchyard_app::{
    api_keys::{KeyQuery, KeySight},
    explain::{AttemptList, AttemptListError, any_key_of},
    own_credentials::{OwnCredentialRow, StoredSection},
};
use switchyard_domain::{
    authority::Capability, clock::Timestamp, id::CredentialId, provider::ProviderSlug,
};

use super::{
    Sent, manages_all, may_change, provider_named, used_here,
    words::{Trouble, filters_words, name_of, paid_words, state_of, trouble},
};
use crate::{
    Console,
    error::PageError,
    form::Submitted,
    pages::keys::sight_of,
    shell::{Nav, Shell, page},
    ui::ApiCall,
    visit::SignedIn,
};

/// Since when openings are counted.
const OPENINGS: std::time::Duration = std::time::Duration::from_secs(30 * 86_400);

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Wanted {
    model: String,
    key: String,
    done: String,
}

/// One key in its place.
struct Row {
    id: CredentialId,
    href: String,
    name: String,
    label: String,
    kind: &'static str,
    word: &'static str,
    trouble: Option<Trouble>,
    last_ok_at: Option<Timestamp>,
    openings: u64,
    paid: &'static str,
    is_required: bool,
    filters: String,
    everywhere: bool,
    place: usize,
    is_first: bool,
    is_last: bool,
}

/// A try of the attempt list.
struct Attempt {
    provider: String,
    endpoint: String,
    credential: String,
    is_own: bool,
}

/// What a request would be tried with.
struct Attempts {
    tries: Vec<Attempt>,
    ruled_out: Vec<String>,
    unavailable: Option<String>,
}

#[derive(Template)]
#[template(path = "pages/credentials/provider.html")]
struct ProviderPage {
    shell: Shell,
    slug: String,
    name: String,
    first: Vec<Row>,
    fallback: Vec<Row>,
    may_order: bool,
    models: Vec<String>,
    keys: Vec<(String, String)>,
    wanted: Wanted,
    attempts: Option<Attempts>,
    call: ApiCall,
    now: Timestamp,
}

impl ProviderPage {
    fn action(&self) -> String {
        format!("/byok/{}/order", self.slug)
    }

    fn adding(&self) -> String {
        format!("/byok/{}/new", self.slug)
    }
}

impl From<AttemptListError> for PageError {
    fn from(error: AttemptListError) -> Self {
        match error {
            AttemptListError::Credentials(error) => error.into(),
            error @ AttemptListError::Policy(_) => Self::Unavailable(Box::new(error)),
        }
    }
}

/// The keys of the provider.
pub(crate) async fn show(
    State(console): State<Console>,
    signed_in: SignedIn,
    Path(slug): Path<String>,
    Query(mut wanted): Query<Wanted>,
) -> Result<Response, PageError> {
    let visitor = &signed_in.visitor;
    let catalog = console.app.catalog();
    let provider = provider_named(&catalog, &slug)?;
    let all = used_here(&console, visitor).await?;
    let models = models_of(&catalog, &slug);
    if wanted.model.is_empty() {
        wanted.model = models.first().cloned().unwrap_or_default();
    }
    let own: Vec<&OwnCredentialRow> = all
        .iter()
        .filter(|row| row.provider.as_str() == slug)
        .collect();
    let of = |section| {
        let rows = own
            .iter()
            .filter(move |row| row.settings.section == section);
        rows.copied().collect::<Vec<_>>()
    };
    let first = lines(&console, &of(StoredSection::Prioritized)).await?;
    let fallback = lines(&console, &of(StoredSection::Fallback)).await?;
    let attempts = if own.is_empty() {
        None
    } else {
        Some(attempts(&console, &signed_in, &wanted, &all).await?)
    };
    let mut shell = Shell::new(&signed_in.visit, &*provider.name, Nav::Credentials);
    let notice = match wanted.done.as_str() {
        "ordered" => Some("The order is saved. Requests from now on go by it."),
        "deleted" => Some("The key is deleted. Its secret is gone for good."),
        _ => None,
    };
    if let Some(notice) = notice {
        shell = shell.with_notice(notice);
    }
    let ids: Vec<String> = own.iter().map(|row| row.id.to_string()).collect();
    page(&ProviderPage {
        shell,
        name: provider.name.to_string(),
        may_order: manages_all(visitor) && own.iter().all(|row| may_change(visitor, row)),
        keys: keys_of(&console, &signed_in).await?,
        call: ApiCall::new(&console.settings.public_url, "PUT", "/byok/order")
            .with_body(json!({ "provider": slug, "ids": ids })),
        slug,
        first,
        fallback,
        models,
        wanted,
        attempts,
        now: console.app.clock().now(),
    })
}

async fn lines(console: &Console, rows: &[&OwnCredentialRow]) -> Result<Vec<Row>, PageError> {
    let since = console.app.clock().now().minus(OPENINGS);
    let own = console.app.own_credentials();
    let mut lines = Vec::with_capacity(rows.len());
    for (place, row) in rows.iter().enumerate() {
        let (kind, word) = state_of(row);
        lines.push(Row {
            id: row.id,
            href: format!("/byok/{}/{}", row.provider.as_str(), row.id),
            name: name_of(row).to_owned(),
            label: row.label.clone(),
            kind,
            word,
            trouble: trouble(row),
            last_ok_at: row.state.as_ref().and_then(|state| state.last_ok_at),
            openings: own.openings(row.account_id, row.id, since).await?,
            paid: paid_words(row),
            is_required: row.settings.is_required || row.settings.is_byok_only,
            filters: filters_words(row),
            everywhere: row.workspace_id.is_none(),
            place: place + 1,
            is_first: place == 0,
            is_last: place + 1 == rows.len(),
        });
    }
    Ok(lines)
}

/// Models that the provider serves.
fn models_of(catalog: &switchyard_catalog::snapshot::Catalog, slug: &str) -> Vec<String> {
    let endpoints = catalog.endpoints.iter().filter(|endpoint| {
        let provider = catalog.provider_of(endpoint);
        provider.slug.as_str() == slug && endpoint.is_callable(provider)
    });
    let mut models: Vec<String> = endpoints
        .map(|endpoint| catalog.model_of(endpoint).id.to_string())
        .collect();
    models.sort_unstable();
    models.dedup();
    models
}

/// Keys that a request could come with: hash and name.
async fn keys_of(
    console: &Console,
    signed_in: &SignedIn,
) -> Result<Vec<(String, String)>, PageError> {
    let visitor = &signed_in.visitor;
    let query = KeyQuery {
        workspace_id: Some(visitor.workspace_id()),
        sight: KeySight {
            management: false,
            ..sight_of(visitor)
        },
        expired: Some(false),
        ..KeyQuery::default()
    };
    let (keys, _) = console.app.api_keys(visitor.account_id(), query).await?;
    let named = keys.into_iter().map(|one| (one.key.hash, one.key.name));
    let any = (String::new(), "Any key of this workspace".to_owned());
    Ok(std::iter::once(any).chain(named).collect())
}

async fn attempts(
    console: &Console,
    signed_in: &SignedIn,
    wanted: &Wanted,
    rows: &[OwnCredentialRow],
) -> Result<Attempts, PageError> {
    let visitor = &signed_in.visitor;
    let key = if wanted.key.is_empty() {
        any_key_of(
            visitor.account_id(),
            visitor.workspace_id(),
            Some(visitor.person().id),
        )
    } else {
        let sight = sight_of(visitor);
        let found = console
            .app
            .api_key(visitor.account_id(), sight, &wanted.key);
        found.await?.key
    };
    let list = console.app.attempt_list(&key, &wanted.model).await?;
    Ok(told(list, rows))
}

fn told(list: AttemptList, rows: &[OwnCredentialRow]) -> Attempts {
    let names: HashMap<CredentialId, &str> =
        rows.iter().map(|row| (row.id, name_of(row))).collect();
    let tries = list.attempts.into_iter().map(|attempt| Attempt {
        provider: attempt.provider,
        endpoint: attempt.endpoint.to_string(),
        is_own: attempt.credential.is_some(),
        credential: match attempt.credential {
            None => "Paid capacity".to_owned(),
            Some(id) => match names.get(&id) {
                Some(name) => (*name).to_owned(),
                None => "A key of another workspace".to_owned(),
            },
        },
    });
    Attempts {
        tries: tries.collect(),
        ruled_out: list.ruled_out,
        unavailable: list.unavailable,
    }
}

/// Puts the keys of one section in another order: by the button that was pressed, or as they were
/// dragged.
pub(crate) async fn order(
    State(console): State<Console>,
    signed_in: SignedIn,
    Path(slug): Path<String>,
    Submitted(fields): Submitted<Vec<(String, String)>>,
) -> Result<Response, PageError> {
    let visitor = &signed_in.visitor;
    provider_named(&console.app.catalog(), &slug)?;
    if !manages_all(visitor) {
        return Err(PageError::NotAllowed(Capability::ManageCredentials));
    }
    let sent = Sent(fields);
    let rows = used_here(&console, visitor).await?;
    let mut rows: Vec<&OwnCredentialRow> = rows
        .iter()
        .filter(|row| row.provider.as_str() == slug)
        .collect();
    rows.sort_by_key(|row| row.settings.section == StoredSection::Fallback);
    let ids: Vec<(CredentialId, StoredSection)> = rows
        .iter()
        .map(|row| (row.id, row.settings.section))
        .collect();
    let ids = match sent.get("move").split_once(':') {
        Some((way, id)) => moved(ids, way, id)?,
        None => dragged(ids, sent.get("order"))?,
    };
    let by = signed_in.acting().as_audited();
    let provider = ProviderSlug::new(slug.as_str());
    let own = console.app.own_credentials();
    own.order(visitor.account_id(), &provider, &ids, &by)
        .await?;
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("done", "ordered")
        .append_pair("model", sent.get("model"))
        .finish();
    Ok(Redirect::to(&format!("/byok/{slug}?{query}")).into_response())
}

/// The order with one moved within its section.
fn moved(
    mut ids: Vec<(CredentialId, StoredSection)>,
    way: &str,
    id: &str,
) -> Result<Vec<CredentialId>, PageError> {
    let place = ids
        .iter()
        .position(|(one, _)| one.to_string() == id)
        .ok_or(PageError::NotFound)?;
    let section = ids[place].1;
    let start = ids
        .iter()
        .position(|(_, one)| *one == section)
        .unwrap_or(place);
    match way {
        "up" if place > start => ids.swap(place, place - 1),
        "down" if ids.get(place + 1).is_some_and(|(_, one)| *one == section) => {
            ids.swap(place, place + 1);
        }
        "top" => ids[start..=place].rotate_right(1),
        "up" | "down" => {}
        _ => return Err(PageError::BadForm("It does not say where to.".to_owned())),
    }
    Ok(ids.into_iter().map(|(id, _)| id).collect())
}

/// The order with those named in the places that they have together.
fn dragged(
    ids: Vec<(CredentialId, StoredSection)>,
    order: &str,
) -> Result<Vec<CredentialId>, PageError> {
    let mut wanted = Vec::new();
    for id in order.split(',').filter(|id| !id.is_empty()) {
        let known = ids.iter().find(|(one, _)| one.to_string() == id);
        let (id, _) = known.ok_or(PageError::NotFound)?;
        if wanted.contains(id) {
            return Err(PageError::BadForm("It names a key twice.".to_owned()));
        }
        wanted.push(*id);
    }
    if wanted.is_empty() {
        return Err(PageError::BadForm(
            "It does not say what to move.".to_owned(),
        ));
    }
    let mut next = wanted.clone().into_iter();
    let placed = ids.into_iter().map(|(id, _)| {
        if wanted.contains(&id) {
            next.next().unwrap_or(id)
        } else {
            id
        }
    });
    Ok(placed.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u32) -> CredentialId {
        format!("cred_{number:032x}").parse().expect("an id")
    }

    fn ids() -> Vec<(CredentialId, StoredSection)> {
        use StoredSection::{Fallback, Prioritized};
        vec![
            (id(1), Prioritized),
            (id(2), Prioritized),
            (id(3), Prioritized),
            (id(4), Fallback),
            (id(5), Fallback),
        ]
    }

    #[test]
    fn buttons_move_within_a_section() {
        for (way, which, expected) in [
            ("up", 2, [2, 1, 3, 4, 5]),
            ("up", 1, [1, 2, 3, 4, 5]),
            ("down", 3, [1, 2, 3, 4, 5]),
            ("down", 4, [1, 2, 3, 5, 4]),
            ("top", 3, [3, 1, 2, 4, 5]),
            ("up", 4, [1, 2, 3, 4, 5]),
        ] {
            let order = moved(ids(), way, &id(which).to_string()).expect("known");
            assert_eq!(order, expected.map(id), "{way} {which}");
        }
        assert!(moved(ids(), "up", &id(9).to_string()).is_err());
        assert!(moved(ids(), "sideways", &id(1).to_string()).is_err());
    }

    #[test]
    fn what_is_dragged_keeps_the_places_that_it_has_together() {
        let order = format!("{},{},{}", id(3), id(1), id(2));
        assert_eq!(
            dragged(ids(), &order).expect("known"),
            [3, 1, 2, 4, 5].map(id)
        );
        assert!(dragged(ids(), &id(9).to_string()).is_err());
        assert!(dragged(ids(), "").is_err());
    }
}
