//! A credential as its owner sees it. There is no secret in what this is made from.

use serde::Serialize;
use switchyard_app::own_credentials::{
    CredentialCheck, CredentialCondition, CredentialState, OwnCredentialRow, StoredSection,
};
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
pub(crate) struct CredentialAnswer<'a> {
    pub(super) data: CredentialView<'a>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct CredentialList<'a> {
    pub(super) data: Vec<CredentialView<'a>>,
    /// How many there are on all pages.
    pub(super) total_count: u64,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct CheckedCredentialAnswer<'a> {
    pub(super) data: CredentialView<'a>,
    pub(super) check: CheckView<'a>,
}

/// What came of trying a credential out.
#[derive(Serialize, ToSchema)]
#[schema(as = ByokCheck)]
pub(crate) struct CheckView<'a> {
    /// `ok`: the provider took it; `failing`: it refused; `unchecked`: nothing could be told.
    state: &'static str,
    /// The model that was asked.
    #[schema(required = true)]
    model: Option<&'a str>,
    /// The provider's HTTP status.
    #[schema(required = true)]
    status: Option<u16>,
    /// What the provider said, or why it was not asked.
    #[schema(required = true)]
    message: Option<&'a str>,
}

impl<'a> CheckView<'a> {
    pub(super) fn of(check: &'a CredentialCheck) -> Self {
        Self {
            state: check.condition.as_str(),
            model: check.model.as_deref(),
            status: check.status,
            message: check.message.as_deref(),
        }
    }
}

/// A provider credential that the account brought.
#[derive(Serialize, ToSchema)]
#[schema(as = ByokCredential)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the wire format has four flags"
)]
pub(crate) struct CredentialView<'a> {
    id: String,
    /// The provider's slug.
    provider: &'a str,
    /// Masked ends of the secret.
    label: &'a str,
    #[schema(required = true)]
    name: Option<&'a str>,
    disabled: bool,
    /// Tried after the service's own capacity, not before.
    is_fallback: bool,
    /// The service's own capacity at this provider is not used for models that it covers.
    is_required: bool,
    /// The service's own capacity at this provider is not used at all.
    is_byok_only: bool,
    /// Its place among those of its provider.
    sort_order: i32,
    /// `null`: every workspace of the account.
    #[schema(required = true)]
    workspace_id: Option<String>,
    #[schema(required = true)]
    allowed_models: Option<&'a [String]>,
    #[schema(required = true)]
    allowed_api_key_hashes: Option<&'a [String]>,
    #[schema(required = true)]
    allowed_user_ids: Option<&'a [String]>,
    #[schema(required = true)]
    declared_zdr: Option<bool>,
    /// `global`, `europe` or `us`.
    #[schema(required = true)]
    declared_region: Option<&'a str>,
    /// RFC 3339, UTC.
    created_at: String,
    updated_at: String,
    /// The form of the secret, such as `api_key`.
    kind: &'a str,
    /// `ok`: the provider took it last; `failing`: it refused; `unchecked`: it was not used yet.
    state: &'static str,
    /// When the provider took it last.
    #[schema(required = true)]
    last_ok_at: Option<String>,
    /// What the provider said last when it refused.
    #[schema(required = true)]
    last_error: Option<LastError<'a>>,
}

/// A provider's refusal.
#[derive(Serialize, ToSchema)]
#[schema(as = ByokError)]
struct LastError<'a> {
    /// The provider's HTTP status.
    #[schema(required = true)]
    status: Option<u16>,
    message: &'a str,
    /// RFC 3339, UTC.
    at: Option<String>,
}

impl<'a> CredentialView<'a> {
    pub(super) fn of(row: &'a OwnCredentialRow) -> Self {
        let (settings, filters) = (&row.settings, &row.settings.filters);
        let state = row.state.as_ref();
        let condition = state.map_or(CredentialCondition::Unchecked, |state| state.condition);
        Self {
            id: row.id.to_string(),
            provider: row.provider.as_str(),
            label: &row.label,
            name: settings.name.as_deref(),
            disabled: settings.disabled,
            is_fallback: settings.section == StoredSection::Fallback,
            is_required: settings.is_required,
            is_byok_only: settings.is_byok_only,
            sort_order: row.sort_order,
            workspace_id: row.workspace_id.map(|id| id.to_string()),
            allowed_models: filters.models.as_deref(),
            allowed_api_key_hashes: filters.api_key_hashes.as_deref(),
            allowed_user_ids: filters.user_ids.as_deref(),
            declared_zdr: settings.declared_zdr,
            declared_region: settings.declared_region.as_deref(),
            created_at: row.created_at.to_rfc3339(),
            updated_at: row.updated_at.to_rfc3339(),
            kind: &row.kind,
            state: condition.as_str(),
            last_ok_at: state
                .and_then(|state| state.last_ok_at)
                .map(|at| at.to_rfc3339()),
            last_error: state.and_then(LastError::of),
        }
    }
}

impl<'a> LastError<'a> {
    fn of(state: &'a CredentialState) -> Option<Self> {
        state.last_error.as_deref().map(|message| Self {
            status: state.last_error_status,
            message,
            at: state.last_error_at.map(|at| at.to_rfc3339()),
        })
    }
}
