//! What a seal is bound to. Every fact here is authenticated with the secret, and is taken from
//! what the caller expects, never from the sealed bytes: a row copied to another tenant, provider
//! or record, or an endpoint edited in the database, no longer opens.

use std::{fmt, sync::Arc};

use switchyard_domain::{
    id::{AccountId, CredentialId, WorkspaceId},
    provider::ProviderSlug,
};

/// Whose key a secret is sealed under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tenant {
    /// The operator of this deployment: shared provider credentials.
    Operator,
    /// A customer.
    Account(AccountId),
}

impl fmt::Display for Tenant {
    /// The stored form: `operator`, or the account's id.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operator => f.write_str("operator"),
            Self::Account(account_id) => account_id.fmt(f),
        }
    }
}

impl std::str::FromStr for Tenant {
    type Err = switchyard_domain::id::InvalidId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "operator" {
            Ok(Self::Operator)
        } else {
            text.parse().map(Self::Account)
        }
    }
}

/// Where a secret belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretContext {
    /// Whose it is.
    pub tenant: Tenant,
    /// The workspace that owns it; `None` for the operator's.
    pub workspace: Option<WorkspaceId>,
    /// The company it may be sent to.
    pub provider: ProviderSlug,
    /// The host it may be sent to, in lower case, where the tenant chose it; `None` for hosts
    /// from the catalogue.
    pub endpoint_host: Option<Arc<str>>,
    /// The credential's row.
    pub record: CredentialId,
    /// Counts the values this row has held; each is sealed anew.
    pub record_version: u32,
}

/// Which layer of the envelope a piece of authenticated data is for, so that no layer's
/// ciphertext can stand in for another's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Secret,
    DataKey,
    TenantKey,
}

impl Purpose {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::DataKey => "data-key",
            Self::TenantKey => "tenant-key",
        }
    }
}

/// Authenticated data under construction: each field behind its length, so that no two lists of
/// fields read the same.
pub(crate) struct AuthenticatedData(Vec<u8>);

impl AuthenticatedData {
    pub(crate) fn new(domain: &str) -> Self {
        Self(Vec::with_capacity(256)).with(domain.as_bytes())
    }

    pub(crate) fn with(mut self, field: &[u8]) -> Self {
        let length = u32::try_from(field.len()).expect("every field is far shorter than 4 GiB");
        self.0.extend_from_slice(&length.to_be_bytes());
        self.0.extend_from_slice(field);
        self
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

const DOMAIN: &str = "switchyard.vault.v1";

impl SecretContext {
    pub(crate) fn authenticated_data(&self, purpose: Purpose) -> AuthenticatedData {
        let workspace = self.workspace.map(|id| id.to_string()).unwrap_or_default();
        AuthenticatedData::new(DOMAIN)
            .with(self.tenant.to_string().as_bytes())
            .with(workspace.as_bytes())
            .with(self.provider.as_str().as_bytes())
            .with(self.endpoint_host.as_deref().unwrap_or_default().as_bytes())
            .with(self.record.to_string().as_bytes())
            .with(&self.record_version.to_be_bytes())
            .with(purpose.as_str().as_bytes())
    }
}

/// What the wrap of a tenant key is bound to.
pub(crate) fn tenant_key_data(tenant: Tenant, version: u32) -> AuthenticatedData {
    AuthenticatedData::new(DOMAIN)
        .with(tenant.to_string().as_bytes())
        .with(&version.to_be_bytes())
        .with(Purpose::TenantKey.as_str().as_bytes())
}
