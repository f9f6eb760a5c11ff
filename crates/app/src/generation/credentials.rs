//! Whose credentials a request may be served with: those that the account stored, and those that the
//! request brought itself, which take the place of stored ones at their providers.

use std::sync::Arc;

use switchyard_catalog::snapshot::Catalog;
use switchyard_domain::{
    id::CredentialId, provider::ProviderSlug, secret::Secret, tenancy::Caller,
};
use switchyard_interchange::{
    failure::{Failure, FailureKind},
    request::SuppliedCredential,
};
use switchyard_routing::{
    credentials::{CredentialUse, OwnCredential, OwnCredentialId, Section},
    vetted::Vetted,
};
use switchyard_upstream::credential::inspect;

use crate::{
    App,
    generation::{GenerateError, plan::Planned},
    own_credentials::{Eligible, OpeningError, family_of},
};

/// What one request may be served with beside the operator's.
pub(crate) struct OwnSet {
    eligible: Arc<Eligible>,
    /// With those that the request brought; `None`: it brought none.
    with_supplied: Option<Vec<OwnCredential>>,
}

/// A credential in plain form, for one send.
pub(super) struct OpenedCredential {
    pub(super) secret: Arc<Secret<Vec<u8>>>,
    /// Which stored one it is, if it is a customer's, and of which of its secrets.
    pub(super) stored: Option<(CredentialId, i32)>,
}

/// Why there is none.
pub(super) enum Unopened {
    /// Another candidate may be asked.
    Passed(Failure),
    /// The request ends here.
    Fatal(OpeningError),
}

impl OwnSet {
    /// As provider selection knows them, in order.
    pub(crate) fn own(&self) -> &[OwnCredential] {
        self.with_supplied
            .as_deref()
            .unwrap_or_else(|| self.eligible.own())
    }
}

impl App {
    /// Looks up what is open to the caller, and checks what came with the request.
    pub(crate) async fn own_set(
        &self,
        caller: &Caller,
        supplied: &[SuppliedCredential],
        catalog: &Catalog,
    ) -> Result<OwnSet, GenerateError> {
        let eligible = self.own_credentials.open_to(caller).await?;
        if supplied.is_empty() {
            return Ok(OwnSet {
                eligible,
                with_supplied: None,
            });
        }
        for (place, one) in supplied.iter().enumerate() {
            check(one, catalog).map_err(|message| GenerateError::SuppliedCredential {
                place,
                provider: ProviderSlug::new(one.provider.as_str()),
                message,
            })?;
        }
        Ok(OwnSet {
            with_supplied: Some(with_supplied(supplied, eligible.own())),
            eligible,
        })
    }

    /// The plain form of the credential that a candidate was vetted with.
    pub(super) async fn open_credential(
        &self,
        planned: &Planned,
        candidate: &Vetted,
    ) -> Result<OpenedCredential, Unopened> {
        match candidate.credential() {
            CredentialUse::Shared => {
                let slug = &candidate.provider().slug;
                let secret = self.credentials.open(slug).await;
                Ok(OpenedCredential {
                    secret: secret.map_err(Unopened::Passed)?,
                    stored: None,
                })
            }
            CredentialUse::Supplied(place) => {
                let supplied = &planned.admitted.chat.supplied_credentials;
                let place = usize::try_from(place).unwrap_or(usize::MAX);
                let one = supplied.get(place);
                Ok(OpenedCredential {
                    secret: one
                        .map(|one| Arc::clone(&one.secret))
                        .ok_or_else(withdrawn)?,
                    stored: None,
                })
            }
            CredentialUse::Own(id) => {
                let caller = &planned.admitted.caller;
                let eligible = &planned.own.eligible;
                match self.own_credentials.open(caller, eligible, id).await {
                    Ok(opened) => Ok(OpenedCredential {
                        secret: opened.secret,
                        stored: Some((id, opened.record_version)),
                    }),
                    Err(OpeningError::Withdrawn) => Err(withdrawn()),
                    Err(error) => Err(Unopened::Fatal(error)),
                }
            }
        }
    }
}

fn withdrawn() -> Unopened {
    Unopened::Passed(Failure::new(
        FailureKind::Auth,
        "the credential was withdrawn while the request was under way",
    ))
}

/// What is wrong with a credential that came with a request; nothing of it is repeated.
fn check(one: &SuppliedCredential, catalog: &Catalog) -> Result<(), String> {
    let provider = ProviderSlug::new(one.provider.as_str());
    let family = family_of(catalog, &provider).map_err(|error| error.to_string())?;
    match inspect(family, &provider, &one.secret) {
        Ok(_) => Ok(()),
        Err(invalid) => Err(invalid.to_string()),
    }
}

/// Supplied ones first, in their order; then stored ones at other providers. What an owner rules
/// out at a provider (paid capacity) stays ruled out, whosever credential is used instead.
fn with_supplied(supplied: &[SuppliedCredential], stored: &[OwnCredential]) -> Vec<OwnCredential> {
    let is_replaced = |own: &&OwnCredential| {
        supplied
            .iter()
            .any(|one| one.provider == own.provider.as_str())
    };
    let brought = (0_u32..).zip(supplied).map(|(place, one)| {
        let rules = |rule: fn(&OwnCredential) -> bool| {
            stored.iter().any(|own| {
                own.section == Section::Prioritized
                    && own.provider.as_str() == one.provider
                    && rule(own)
            })
        };
        OwnCredential {
            id: OwnCredentialId::Supplied(place),
            provider: ProviderSlug::new(one.provider.as_str()),
            section: Section::Prioritized,
            allowed_models: None,
            is_required: rules(|own| own.is_required),
            is_byok_only: rules(|own| own.is_byok_only),
            declared_zdr: false,
        }
    });
    let kept = stored.iter().filter(|own| !is_replaced(own)).cloned();
    brought.chain(kept).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(provider: &str, section: Section) -> OwnCredential {
        OwnCredential {
            id: OwnCredentialId::Stored(CredentialId::from_uuid(Default::default())),
            provider: ProviderSlug::new(provider),
            section,
            allowed_models: None,
            is_required: false,
            is_byok_only: false,
            declared_zdr: true,
        }
    }

    fn supplied(provider: &str) -> SuppliedCredential {
        SuppliedCredential {
            provider: provider.to_owned(),
            secret: Arc::new(Secret::new(b"sk-0123456789".to_vec())),
        }
    }

    #[test]
    fn what_a_request_brings_replaces_what_is_stored_there_and_nowhere_else() {
        let mut strict = stored("alder", Section::Prioritized);
        strict.is_byok_only = true;
        let mut ineffective = stored("birch", Section::Fallback);
        ineffective.is_byok_only = true;
        let kept = stored("cedar", Section::Prioritized);
        let set = with_supplied(
            &[supplied("birch"), supplied("alder"), supplied("birch")],
            &[strict, ineffective, kept.clone()],
        );
        let told: Vec<_> = set
            .iter()
            .map(|own| (own.id, own.provider.as_str(), own.is_byok_only))
            .collect();
        assert_eq!(
            told,
            [
                (OwnCredentialId::Supplied(0), "birch", false),
                (OwnCredentialId::Supplied(1), "alder", true),
                (OwnCredentialId::Supplied(2), "birch", false),
                (kept.id, "cedar", false),
            ]
        );
        assert!(!set[0].declared_zdr, "nobody stated that");
    }
}
