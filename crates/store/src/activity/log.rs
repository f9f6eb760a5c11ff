//! Generations as the log shows them, and what is derived of each.

use std::{borrow::Cow, collections::HashMap};

use switchyard_billing::settlement::{Charge, RequestFacts, Settlement};
use switchyard_domain::{
    clock::Timestamp,
    endpoint::EndpointId,
    id::{AccountId, ApiKeyId, CredentialId, GenerationId, PersonId, WorkspaceId},
    money::UsdNanos,
    provider::ProviderSlug,
    tokens::TokenUsage,
};

use super::filter::Scope;
use crate::{generation::GenerationView, portable::without_nul};

/// A place between two generations: at this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// When it was admitted.
    pub admitted_at: Timestamp,
    /// Which it is.
    pub generation_id: GenerationId,
}

/// Which way to read the log from a place on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// The newest.
    Newest,
    /// Older ones than this, newest first.
    Before(Cursor),
    /// Newer ones than this, oldest first.
    After(Cursor),
    /// The oldest, oldest first.
    Oldest,
}

/// A page of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogQuery {
    /// Of which generations.
    pub scope: Scope,
    /// From where on, and which way.
    pub turn: Turn,
    /// How many at most.
    pub limit: u32,
}

/// How a generation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogStatus {
    /// An answer came.
    Ok,
    /// None came, or it broke off.
    Error,
    /// The caller left before its end.
    Cancelled,
}

/// The app that asked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AppName {
    /// Its origin, such as `https://app.example`; else its title.
    pub id: String,
    /// Its title; else its origin.
    pub name: String,
}

/// A generation as the log shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct LogRow {
    /// Its id.
    pub generation_id: GenerationId,
    /// When the request was admitted.
    pub admitted_at: Timestamp,
    /// When the last byte came.
    pub finished_at: Timestamp,
    /// Where the key lives.
    pub workspace_id: WorkspaceId,
    /// Which key asked.
    pub api_key_id: ApiKeyId,
    /// How it ended.
    pub status: LogStatus,
    /// The model that served; where none did, the one that was tried or asked for.
    pub model: String,
    /// What was asked for and how.
    pub request: RequestFacts,
    /// The endpoint that served.
    pub endpoint_id: Option<EndpointId>,
    /// Its provider, or the one that was tried last.
    pub provider: Option<ProviderSlug>,
    /// The display name of the provider that served.
    pub provider_name: Option<String>,
    /// Whether a credential of the customer's own served.
    pub is_byok: bool,
    /// The stored one that did.
    pub byok_credential_id: Option<CredentialId>,
    /// Why the model stopped.
    pub finish_reason: Option<String>,
    /// Milliseconds to the first token.
    pub first_token_ms: Option<u64>,
    /// Milliseconds to the last byte.
    pub generation_time_ms: Option<u64>,
    /// Tries at endpoints.
    pub attempts: u32,
    /// What went wrong in the last one.
    pub failure: Option<String>,
    /// What was used.
    pub usage: TokenUsage,
    /// What it cost.
    pub charge: Charge,
    /// Who asked, where the request says it.
    pub app: Option<AppName>,
}

/// A page of sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionQuery {
    /// Whose.
    pub account: AccountId,
    /// Where.
    pub workspace: WorkspaceId,
    /// The last generation of the last session of the page before.
    pub before: Option<Cursor>,
    /// How many at most.
    pub limit: u32,
}

/// A conversation that the caller gave a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// The caller's name for it.
    pub session_id: String,
    /// Its generations.
    pub turns: u64,
    /// Of them, those that failed.
    pub errors: u64,
    /// The models that served, by name.
    pub models: Vec<String>,
    /// The endpoints that served, by id; one where its cache was stayed with.
    pub endpoints: Vec<String>,
    /// What it cost.
    pub charge: UsdNanos,
    /// Prompt tokens, those from caches among them.
    pub prompt_tokens: u64,
    /// Prompt tokens that came from caches.
    pub cached_tokens: u64,
    /// Completion tokens.
    pub completion_tokens: u64,
    /// When it began.
    pub first_at: Timestamp,
    /// Its last generation: where the next page begins.
    pub last: Cursor,
}

/// What things are called.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Names {
    /// API keys.
    pub keys: HashMap<ApiKeyId, KeyName>,
    /// The account's workspaces.
    pub workspaces: HashMap<WorkspaceId, WorkspaceName>,
    /// The account's people, and those who made the keys.
    pub people: HashMap<PersonId, PersonName>,
    /// The account's apps, by their ids.
    pub apps: HashMap<String, String>,
}

/// An API key's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyName {
    /// The owner's name for it.
    pub name: String,
    /// Masked form.
    pub label: String,
    /// Its public identifier.
    pub hash: String,
    /// Who made it.
    pub creator_id: Option<PersonId>,
    /// Whether it is gone.
    pub is_deleted: bool,
}

/// A workspace's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkspaceName {
    /// What to call it.
    pub name: String,
    /// Its short name.
    pub slug: String,
}

/// A person's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonName {
    /// What to call them.
    pub name: String,
    /// Their address.
    pub email: String,
}

impl LogStatus {
    /// Every way to end.
    pub const ALL: [Self; 3] = [Self::Ok, Self::Error, Self::Cancelled];

    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Error => "error",
            Self::Cancelled => "cancelled",
        }
    }

    /// The status with this stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }

    /// How a settled generation ended.
    pub fn of(settlement: &Settlement) -> Self {
        let served = settlement.served.as_ref();
        Self::of_served(served.map(|one| (one.cancelled, one.finish_reason.as_deref())))
    }

    /// How a generation that was looked up ended.
    pub fn of_view(generation: &GenerationView) -> Self {
        let served = generation.served.as_ref();
        Self::of_served(served.map(|one| (one.cancelled, one.finish_reason.as_deref())))
    }

    /// From whether the caller left, and why the model stopped, of what served.
    pub(crate) fn of_served(served: Option<(bool, Option<&str>)>) -> Self {
        match served {
            Some((true, _)) => Self::Cancelled,
            None | Some((false, Some("error"))) => Self::Error,
            Some((false, _)) => Self::Ok,
        }
    }
}

impl Cursor {
    /// The place of a row.
    pub fn of(row: &LogRow) -> Self {
        Self {
            admitted_at: row.admitted_at,
            generation_id: row.generation_id.clone(),
        }
    }
}

/// Names that come from outside are kept to so many bytes where something is told apart by them.
const NAME_BYTES_MAX: usize = 128;
/// The same of callers' own ids, which clients make up of several.
const FOREIGN_ID_BYTES_MAX: usize = 256;

impl AppName {
    /// The app that the request says it is from.
    pub fn of(request: &RequestFacts) -> Option<Self> {
        let said = |text: &Option<String>| {
            let text = text.as_deref().unwrap_or_default().trim();
            (!text.is_empty()).then(|| shortened(text).into_owned())
        };
        let origin = request.http_referer.as_deref().and_then(origin_of);
        let title = said(&request.app_title);
        let id = origin.clone().or_else(|| title.clone())?;
        let name = title.or(origin)?;
        Some(Self { id, name })
    }
}

/// Scheme, host and port of an address.
fn origin_of(address: &str) -> Option<String> {
    let (scheme, rest) = address.trim().split_once("://")?;
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let is_web = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
    if !is_web || host.is_empty() {
        return None;
    }
    let origin = format!("{scheme}://{host}").to_ascii_lowercase();
    Some(shortened(&origin).into_owned())
}

/// What stands behind a model's name: of `acme/fast:free:online@preset/x`, `free:online`.
pub fn variant_of(requested_model: &str) -> Option<Cow<'_, str>> {
    let name = requested_model.split('@').next().unwrap_or_default();
    let (_, variant) = name.split_once(':')?;
    (!variant.is_empty()).then(|| shortened(variant))
}

/// The range that a prompt's length falls into.
pub const fn context_length_bucket(prompt_tokens: u64) -> &'static str {
    match prompt_tokens {
        0..1_000 => "0-1K",
        1_000..10_000 => "1K-10K",
        10_000..100_000 => "10K-100K",
        100_000..1_000_000 => "100K-1M",
        _ => "1M+",
    }
}

/// The beginning of a name from outside, fit for an index.
pub(crate) fn shortened(text: &str) -> Cow<'_, str> {
    without_nul(&text[..text.floor_char_boundary(NAME_BYTES_MAX)])
}

/// The same of a caller's own id for something.
pub(crate) fn foreign_id(text: &str) -> Cow<'_, str> {
    without_nul(&text[..text.floor_char_boundary(FOREIGN_ID_BYTES_MAX)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn apps_are_known_by_their_origin_or_title() {
        let app = |referer: Option<&str>, title: Option<&str>| {
            AppName::of(&RequestFacts {
                http_referer: referer.map(str::to_owned),
                app_title: title.map(str::to_owned),
                ..RequestFacts::default()
            })
            .map(|app| (app.id, app.name))
        };
        let named = |id: &str, name: &str| Some((id.to_owned(), name.to_owned()));
        assert_eq!(
            app(Some("https://App.Example/x?y"), Some("App")),
            named("https://app.example", "App")
        );
        assert_eq!(
            app(Some("http://me:secret@localhost:3000"), None),
            named("http://localhost:3000", "http://localhost:3000")
        );
        assert_eq!(app(Some("app.example"), Some(" T ")), named("T", "T"));
        assert_eq!(app(Some("javascript://x"), None), None);
        assert_eq!(app(None, Some("  ")), None);
    }

    #[test]
    fn variants_stand_behind_the_name() {
        assert_eq!(variant_of("acme/fast"), None);
        assert_eq!(variant_of("acme/fast:"), None);
        assert_eq!(
            variant_of("~acme/fast:free:online@preset/p:q").as_deref(),
            Some("free:online")
        );
        let long = format!("a/b:{}", "ü".repeat(300));
        assert_eq!(variant_of(&long).expect("one").chars().count(), 64);
    }
}
