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

    /// Whether the operator's credential may be used for `model` at `provider`: it is there, and no
    /// prioritized one of the customer's keeps it out.
    pub(crate) fn offer_shared(&self, provider: &ProviderSlug, model: &ModelId) -> bool {
        self.shared.includes(provider)
            && !self.own.iter().any(|own| {
                own.section == Section::Prioritized
                    && own.provider == *provider
                    && (own.is_byok_only || own.is_required && own.is_for(provider, model))
            })
    }
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
    /// Which one it is.
    pub id: OwnCredentialId,
    /// Where it is good.
    pub provider: ProviderSlug,
    /// Before or behind the operator's.
    pub section: Section,
    /// The models it is for; `None` is all.
    pub allowed_models: Option<Vec<ModelId>>,
    /// The operator's credential is not used at this provider as long as this one is eligible.
    /// Means nothing in the fallback section.
    pub is_required: bool,
    /// The operator's credential is not used at this provider at all, whatever the model. Means
    /// nothing in the fallback section.
    pub is_byok_only: bool,
    /// Its owner states that the provider keeps nothing of what is sent with it.
    pub declared_zdr: bool,
}

/// Tells one of the credentials that a request may be served with from the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OwnCredentialId {
    /// Stored: its row.
    Stored(CredentialId),
    /// Supplied by the request itself: its place there, from 0. Nothing about it outlives the
    /// request.
    Supplied(u32),
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
    /// The customer's own, which we store.
    Own(CredentialId),
    /// The customer's own, which the request supplied: its place there, from 0.
    Supplied(u32),
}

impl From<OwnCredentialId> for CredentialUse {
    fn from(id: OwnCredentialId) -> Self {
        match id {
            OwnCredentialId::Stored(id) => Self::Own(id),
            OwnCredentialId::Supplied(place) => Self::Supplied(place),
        }
    }
}

impl CredentialUse {
    /// Whether it is the operator's.
    pub fn is_shared(&self) -> bool {
        *self == Self::Shared
    }

    /// The customer's own stored credential, if it is one.
    pub const fn own(&self) -> Option<CredentialId> {
        match self {
            Self::Shared | Self::Supplied(_) => None,
            Self::Own(id) => Some(*id),
        }
    }

    /// Which of the customer's own it is, if it is one.
    pub(crate) const fn owned(&self) -> Option<OwnCredentialId> {
        match self {
            Self::Shared => None,
            Self::Own(id) => Some(OwnCredentialId::Stored(*id)),
            Self::Supplied(place) => Some(OwnCredentialId::Supplied(*place)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_are_written_apart() {
        let stored: CredentialId = "cred_00000000000000000000000000000007"
            .parse()
            .expect("an id");
        for (credential, written) in [
            (CredentialUse::Shared, r#""shared""#.to_owned()),
            (
                CredentialUse::Own(stored),
                format!(r#"{{"own":"{stored}"}}"#),
            ),
            (CredentialUse::Supplied(0), r#"{"supplied":0}"#.to_owned()),
        ] {
            let text = serde_json::to_string(&credential).expect("plain data");
            assert_eq!(text, written);
            assert_eq!(
                serde_json::from_str::<CredentialUse>(&text).expect("read back"),
                credential
            );
        }
    }
}
