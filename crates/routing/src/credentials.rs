//! Whose credential a provider can be called with. Routing knows whose there are, never what they
//! say.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use switchyard_domain::{id::CredentialId, model::ModelId, provider::ProviderSlug};

/// Every credential that a request may be served with.
#[derive(Debug, Clone, Copy)]
pub struct Credentials<'a> {
    /// The operator's.
    pub shared: Shared<'a>,
    /// The customer's own: those that are switched on and open to this key and member, in their
    /// owner's order.
    pub own: &'a [OwnCredential],
}

impl Credentials<'_> {
    /// The operator's for everybody, and none of the customer's.
    pub const ALL_SHARED: Self = Self {
        shared: Shared::All,
        own: &[],
    };
}

/// The providers that the operator has a credential for.
#[derive(Debug, Clone, Copy)]
pub enum Shared<'a> {
    /// All of them.
    All,
    /// These.
    Only(&'a HashSet<ProviderSlug>),
}

impl Shared<'_> {
    /// Whether the operator can call this provider.
    pub fn includes(&self, provider: &ProviderSlug) -> bool {
        match self {
            Self::All => true,
            Self::Only(held) => held.contains(provider),
        }
    }
}

/// A customer's own provider credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnCredential {
    /// Its row.
    pub id: CredentialId,
    /// Where it is good.
    pub provider: ProviderSlug,
    /// Before or behind the operator's.
    pub section: Section,
    /// The models it is for; `None` is all.
    pub allowed_models: Option<Vec<ModelId>>,
    /// The operator's credential is not used at this provider as long as this one is eligible.
    /// Means nothing in the fallback section.
    pub is_required: bool,
    /// Its owner states that the provider keeps nothing of what is sent with it.
    pub declared_zdr: bool,
}

impl OwnCredential {
    /// Whether it may serve `model` at `provider`.
    pub fn is_for(&self, provider: &ProviderSlug, model: &ModelId) -> bool {
        self.provider == *provider
            && self
                .allowed_models
                .as_ref()
                .is_none_or(|allowed| allowed.contains(model))
    }
}

/// When a customer's own credential is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Section {
    /// Before every shared one.
    Prioritized,
    /// After every shared one.
    Fallback,
}

impl Section {
    /// Its class: prioritized credentials are tried before those of the operator
    /// ([`SHARED_CLASS`]), and fallback ones after.
    pub(crate) const fn class(self) -> u8 {
        match self {
            Self::Prioritized => 0,
            Self::Fallback => 2,
        }
    }
}

/// The class of the operator's credentials.
pub(crate) const SHARED_CLASS: u8 = 1;

/// Whose credential serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CredentialUse {
    /// The operator's.
    #[default]
    Shared,
    /// The customer's own.
    Own(CredentialId),
}

impl CredentialUse {
    /// Whether it is the operator's.
    pub fn is_shared(&self) -> bool {
        *self == Self::Shared
    }

    /// The customer's own credential, if it is one.
    pub const fn own(&self) -> Option<CredentialId> {
        match self {
            Self::Shared => None,
            Self::Own(id) => Some(*id),
        }
    }
}
