//! What a caller may say about a key.

use std::time::Duration;

use switchyard_app::api_keys::{
    KeyWishes, LimitWishes, NewExternalIdentity, NewKey, OLD_KEY_LIVES as OLD_KEY_LIVES_S,
};
use switchyard_domain::{
    clock::ResetInterval, id::PersonId, id::WorkspaceId, patch::Patch, secret::Secret,
    tenancy::KeyKind,
};
use switchyard_interchange::reply::PublicFailure;

use crate::{
    error,
    management::fields::{Fields, flag, instant_in_utc, one_of, text, usd},
};

const NAME_CHARS_MAX: usize = 255;
const ID_CHARS_MAX: usize = 255;
/// Shorter ones can be guessed.
const EXTERNAL_KEY_CHARS_MIN: usize = 32;
const EXTERNAL_KEY_CHARS_MAX: usize = 1_024;

const INTERVALS: &[(&str, ResetInterval)] = &[
    ("daily", ResetInterval::Daily),
    ("weekly", ResetInterval::Weekly),
    ("monthly", ResetInterval::Monthly),
];

/// What only the service says about a key.
const BY_SERVICE: &[&str] = &[
    "id",
    "account_id",
    "organization_id",
    "hash",
    "key",
    "label",
    "kind",
    "is_management_key",
    "is_provisioning_key",
    "limit_remaining",
    "usage",
    "usage_daily",
    "usage_weekly",
    "usage_monthly",
    "byok_usage",
    "byok_usage_daily",
    "byok_usage_weekly",
    "byok_usage_monthly",
    "created_at",
    "updated_at",
    "last_used_at",
    "rotated_from",
    "rotated_to",
    "external_user",
    "budgets",
    "effective_budget",
];

/// What is said when a key is made, and stays.
const FIXED: &[&str] = &["expires_at", "workspace_id", "creator_user_id", "external"];

pub(crate) fn new_key(mut fields: Fields<'_>) -> Result<NewKey, PublicFailure> {
    let name = fields.required("name", text(1..=NAME_CHARS_MAX))?;
    let limit = limit_wishes(&mut fields)?;
    let expires_at = fields.optional("expires_at", instant_in_utc)?;
    let creator = fields.optional("creator_user_id", text(0..=ID_CHARS_MAX))?;
    let workspace = fields.optional("workspace_id", text(0..=ID_CHARS_MAX))?;
    let external = fields.object("external")?.given();
    fields.finish(BY_SERVICE)?;
    Ok(NewKey {
        name,
        kind: KeyKind::Inference,
        workspace_id: workspace.map(workspace_id).transpose()?,
        limit,
        expires_at,
        creator_id: creator.map(creator_id).transpose()?,
        external: external.map(external_identity).transpose()?,
    })
}

pub(crate) fn key_wishes(mut fields: Fields<'_>) -> Result<KeyWishes, PublicFailure> {
    let wishes = KeyWishes {
        name: fields.replacement("name", text(1..=NAME_CHARS_MAX))?,
        disabled: fields.replacement("disabled", flag)?,
        limit: limit_wishes(&mut fields)?,
    };
    fields.finish_change(BY_SERVICE, FIXED)?;
    Ok(wishes)
}

/// How long an old key works on: [`switchyard_app::api_keys::OLD_KEY_LIVES`].
const OLD_KEY_LIVES: &[(&str, Duration)] = &[
    ("0s", OLD_KEY_LIVES_S[0]),
    ("1h", OLD_KEY_LIVES_S[1]),
    ("24h", OLD_KEY_LIVES_S[2]),
    ("7d", OLD_KEY_LIVES_S[3]),
];

/// A day, where nothing is said.
pub(crate) fn old_key_life(mut fields: Fields<'_>) -> Result<Duration, PublicFailure> {
    let life = fields.optional("old_key_expires_in", one_of(OLD_KEY_LIVES))?;
    fields.finish(BY_SERVICE)?;
    Ok(life.unwrap_or(OLD_KEY_LIVES_S[2]))
}

fn limit_wishes(fields: &mut Fields<'_>) -> Result<LimitWishes, PublicFailure> {
    Ok(LimitWishes {
        limit: fields.patch("limit", usd)?,
        reset: fields.patch("limit_reset", one_of(INTERVALS))?,
        include_byok: fields.replacement("include_byok_in_limit", flag)?,
    })
}

/// What is no id of a workspace names none.
fn workspace_id(text: String) -> Result<WorkspaceId, PublicFailure> {
    text.parse()
        .map_err(|_| error::management::no_such_workspace())
}

fn creator_id(text: String) -> Result<PersonId, PublicFailure> {
    text.parse()
        .map_err(|_| error::management::no_such_creator())
}

fn external_identity(mut fields: Fields<'_>) -> Result<NewExternalIdentity, PublicFailure> {
    let user = fields.required("user", text(1..=ID_CHARS_MAX))?;
    let api_key = fields.patch(
        "api_key",
        text(EXTERNAL_KEY_CHARS_MIN..=EXTERNAL_KEY_CHARS_MAX),
    )?;
    fields.finish(&[])?;
    Ok(NewExternalIdentity {
        user,
        api_key: match api_key {
            Patch::Keep | Patch::Clear => None,
            Patch::Set(key) => Some(Secret::new(key)),
        },
    })
}
