//! What clients say of a credential.

use serde::Deserialize;
use serde_json::value::RawValue;
use switchyard_app::own_credentials::{
    CredentialChange, CredentialFilters, CredentialSettings, StoredSection,
};
use switchyard_domain::{
    id::{CredentialId, WorkspaceId},
    patch::Patch,
    provider::ProviderSlug,
    secret::Secret,
};
use switchyard_interchange::reply::PublicFailure;
use utoipa::ToSchema;

use super::{
    super::fields::{Fields, Problem, flag, list, text},
    secret::secret,
};
use crate::error;

/// What only the service sets.
const OWNED: &[&str] = &[
    "id",
    "label",
    "sort_order",
    "created_at",
    "updated_at",
    "kind",
    "state",
    "last_ok_at",
    "last_error",
];

/// Ids that are put in order at once.
const ORDERED_MAX: usize = 500;

/// Characters of a model's name.
const MODEL_CHARS_MAX: usize = 256;

/// A credential to be stored. What is left out is open and off.
#[derive(ToSchema, Deserialize)]
#[schema(as = CreateByokRequest)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the wire and is never built")]
pub(crate) struct NewCredentialBody {
    /// A provider's slug, as `GET /api/v1/providers` lists them.
    #[schema(example = "openai")]
    provider: String,
    /// The secret: what the provider gave out. Where that is JSON, it may be given as JSON or as a
    /// string. It is sealed at once and never shown again.
    #[schema(example = "sk-…", write_only)]
    key: String,
    /// The workspace it is for; `null` is every workspace of the account. Left out: the default
    /// one.
    workspace_id: Option<String>,
    /// At most 255 characters.
    name: Option<String>,
    #[schema(nullable = false)]
    disabled: Option<bool>,
    /// Tried after the service's own capacity, not before.
    #[schema(nullable = false)]
    is_fallback: Option<bool>,
    /// The service's own capacity at this provider is not used for models that it covers.
    #[schema(nullable = false)]
    is_required: Option<bool>,
    /// The service's own capacity at this provider is not used at all. Goes without `is_fallback`.
    #[schema(nullable = false)]
    is_byok_only: Option<bool>,
    /// Your word that the provider keeps nothing of what is sent with it. Counts where the account
    /// trusts such words.
    declared_zdr: Option<bool>,
    /// Your word where it is served: `global`, `europe` or `us`.
    declared_region: Option<String>,
    /// Only for these models, 1 to 100.
    allowed_models: Option<Vec<String>>,
    /// Only for these API keys by hash, 1 to 100.
    allowed_api_key_hashes: Option<Vec<String>>,
    /// Only for API keys of these people, 1 to 100.
    allowed_user_ids: Option<Vec<String>>,
}

/// A change to a credential.
#[derive(ToSchema, Deserialize)]
#[schema(as = UpdateByokRequest)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the wire and is never built")]
pub(crate) struct CredentialEditBody {
    /// A new secret in place of the old one; everything else stays.
    #[schema(nullable = false, write_only)]
    key: Option<String>,
    name: Option<String>,
    #[schema(nullable = false)]
    disabled: Option<bool>,
    #[schema(nullable = false)]
    is_fallback: Option<bool>,
    #[schema(nullable = false)]
    is_required: Option<bool>,
    #[schema(nullable = false)]
    is_byok_only: Option<bool>,
    declared_zdr: Option<bool>,
    declared_region: Option<String>,
    allowed_models: Option<Vec<String>>,
    allowed_api_key_hashes: Option<Vec<String>>,
    allowed_user_ids: Option<Vec<String>>,
}

/// An order.
#[derive(ToSchema, Deserialize)]
#[schema(as = OrderByokRequest)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the wire and is never built")]
pub(crate) struct OrderBody {
    /// A provider's slug.
    provider: String,
    /// Credentials at that provider, the first one first. Those not named follow in their old
    /// order.
    ids: Vec<String>,
}

/// How a credential is tried out.
#[derive(ToSchema, Deserialize)]
#[schema(as = CheckByokRequest)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the wire and is never built")]
pub(crate) struct CheckBody {
    /// The model to ask. Left out: the cheapest one that the credential is for.
    model: Option<String>,
}

/// A credential that a client wants stored.
#[derive(Debug)]
pub(in crate::management) struct Draft {
    pub(super) provider: ProviderSlug,
    pub(super) secret: Secret<Vec<u8>>,
    /// `Keep` is the default workspace, `Clear` every one.
    pub(super) workspace: Patch<WorkspaceId>,
    pub(super) settings: CredentialSettings,
}

pub(in crate::management) fn draft(mut fields: Fields<'_>) -> Result<Draft, PublicFailure> {
    let provider = fields.required("provider", slug)?;
    let secret = fields.required("key", secret)?;
    let workspace = match fields.patch("workspace_id", words)? {
        Patch::Keep => Patch::Keep,
        Patch::Clear => Patch::Clear,
        Patch::Set(id) => Patch::Set(workspace_id(&id)?),
    };
    let change = settings(&mut fields)?;
    fields.finish(OWNED)?;
    let section = match change.is_fallback {
        Some(true) => StoredSection::Fallback,
        Some(false) | None => StoredSection::Prioritized,
    };
    Ok(Draft {
        provider,
        secret,
        workspace,
        settings: CredentialSettings {
            name: change.name.given(),
            disabled: change.disabled.unwrap_or_default(),
            section,
            is_required: change.is_required.unwrap_or_default(),
            is_byok_only: change.is_byok_only.unwrap_or_default(),
            declared_zdr: change.declared_zdr.given(),
            declared_region: change.declared_region.given(),
            filters: CredentialFilters {
                models: change.allowed_models.given(),
                api_key_hashes: change.allowed_api_key_hashes.given(),
                user_ids: change.allowed_user_ids.given(),
            },
        },
    })
}

pub(in crate::management) fn edit(
    mut fields: Fields<'_>,
) -> Result<CredentialChange, PublicFailure> {
    let secret = fields.replacement("key", secret)?;
    let mut change = settings(&mut fields)?;
    fields.finish_change(OWNED, &["provider", "workspace_id"])?;
    change.secret = secret;
    Ok(change)
}

pub(in crate::management) fn order(
    mut fields: Fields<'_>,
) -> Result<(ProviderSlug, Vec<CredentialId>), PublicFailure> {
    let provider = fields.required("provider", slug)?;
    let ids = fields.required("ids", list(1..=ORDERED_MAX))?;
    fields.finish(OWNED)?;
    let ids = ids.iter().map(|id| credential_id(id));
    Ok((provider, ids.collect::<Result<_, _>>()?))
}

/// The model to try a credential out with.
pub(in crate::management) fn check(
    mut fields: Fields<'_>,
) -> Result<Option<String>, PublicFailure> {
    let model = fields.optional("model", text(1..=MODEL_CHARS_MAX))?;
    fields.finish(&[])?;
    Ok(model)
}

/// The credential that a path or a body names. What is no id is nobody's.
pub(super) fn credential_id(text: &str) -> Result<CredentialId, PublicFailure> {
    text.parse().map_err(|_| error::tenancy::no_credential())
}

/// The workspace that a query or a body names. What is no id is nobody's.
pub(super) fn workspace_id(text: &str) -> Result<WorkspaceId, PublicFailure> {
    text.parse().map_err(|_| error::tenancy::no_workspace())
}

fn settings(fields: &mut Fields<'_>) -> Result<CredentialChange, PublicFailure> {
    Ok(CredentialChange {
        name: fields.patch("name", text(0..=usize::MAX))?,
        disabled: fields.replacement("disabled", flag)?,
        is_fallback: fields.replacement("is_fallback", flag)?,
        is_required: fields.replacement("is_required", flag)?,
        is_byok_only: fields.replacement("is_byok_only", flag)?,
        declared_zdr: fields.patch("declared_zdr", flag)?,
        declared_region: fields.patch("declared_region", words)?,
        allowed_models: fields.patch("allowed_models", words_list)?,
        allowed_api_key_hashes: fields.patch("allowed_api_key_hashes", words_list)?,
        allowed_user_ids: fields.patch("allowed_user_ids", words_list)?,
        secret: None,
    })
}

fn slug(value: &RawValue) -> Result<ProviderSlug, Problem> {
    text(1..=100)(value).map(ProviderSlug::new)
}

/// A string; what is wrong with it is told by whoever knows what it is for.
fn words(value: &RawValue) -> Result<String, Problem> {
    serde_json::from_str(value.get()).map_err(|_| "must be a string".into())
}

fn words_list(value: &RawValue) -> Result<Vec<String>, Problem> {
    serde_json::from_str(value.get()).map_err(|_| "must be a list of strings".into())
}

#[cfg(test)]
mod tests;
