//! Authenticator apps and recovery codes. A seed is sealed in the vault; it is shown while the app is set
//! up and never again.

use switchyard_domain::{
    id::{CredentialId, PersonId},
    provider::ProviderSlug,
    secret::Secret,
};
use switchyard_identity::{
    recovery_codes::{self, ENTROPY_BYTES, RecoveryCodeHash},
    totp::{Authenticator, SEED_BYTES},
};
use switchyard_store::{proof::KeptAuthenticator, sealed::AUTHENTICATOR};
use switchyard_vault::{SealedSecret, SecretContext, Tenant};
use zeroize::Zeroizing;

use super::{PRODUCT, ProofError, Proofs, attempts, mails};
use crate::people::sessions::{Proof, Visitor};

/// Digits that an app shows.
const CODE_DIGITS: usize = 6;

/// Recovery codes as they are shown, once.
pub type ShownCodes = Vec<Secret<String>>;

/// What a person has of codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeState {
    /// Whether a code is asked at sign-in.
    pub is_on: bool,
    /// Recovery codes that were not used.
    pub recovery_codes_left: u32,
}

/// An app that is being set up.
#[derive(Debug)]
pub struct SetUp {
    /// An SVG image for its camera.
    pub picture: Secret<String>,
    /// The seed for typing in.
    pub seed: Secret<String>,
}

impl Proofs {
    /// Whether a code is asked of this person after the password.
    pub(super) async fn asks_code(&self, person: PersonId) -> Result<bool, ProofError> {
        let kept = self.store.authenticator(person).await?;
        Ok(kept.is_some_and(|kept| kept.confirmed_at.is_some()))
    }

    /// What a person has of codes.
    pub async fn code_state(&self, person: PersonId) -> Result<CodeState, ProofError> {
        Ok(CodeState {
            is_on: self.asks_code(person).await?,
            recovery_codes_left: self.store.recovery_codes_left(person).await?,
        })
    }

    /// Draws a seed for a new app. It counts once a code of it was seen.
    pub async fn set_up_authenticator(&self, visitor: &Visitor) -> Result<(), ProofError> {
        let mut seed = Zeroizing::new([0; SEED_BYTES]);
        self.people.secrets.fill(&mut *seed)?;
        let at = self.now();
        let record = CredentialId::from_uuid(self.people.random.uuid(at));
        let seed = Secret::new(seed.to_vec());
        let sealed = self.vault.seal(&context(record), &seed).await?;
        let person = visitor.person().id;
        Ok(self
            .store
            .set_up_authenticator(person, record, sealed.as_bytes(), at)
            .await?)
    }

    /// The app that is being set up, if one is.
    pub async fn authenticator_set_up(
        &self,
        visitor: &Visitor,
    ) -> Result<Option<SetUp>, ProofError> {
        let person = visitor.person();
        let kept = self.store.authenticator(person.id).await?;
        let Some(kept) = kept.filter(|kept| kept.confirmed_at.is_none()) else {
            return Ok(None);
        };
        let authenticator = self.open(&kept, &person.email).await?;
        Ok(Some(SetUp {
            picture: authenticator.svg().map_err(|_| ProofError::Unreadable)?,
            seed: authenticator.typed_seed(),
        }))
    }

    /// Takes the app's first code: from now on one is asked. Returns recovery codes, which are shown
    /// only now.
    pub async fn confirm_authenticator(
        &self,
        visitor: &Visitor,
        code: &Secret<String>,
    ) -> Result<ShownCodes, ProofError> {
        let person = visitor.person();
        self.attempt(&attempts::CODE, &person.id.to_string())
            .await?;
        let kept = self.store.authenticator(person.id).await?;
        let kept = kept
            .filter(|kept| kept.confirmed_at.is_none())
            .ok_or(ProofError::Expired)?;
        let authenticator = self.open(&kept, &person.email).await?;
        let step = authenticator
            .check(code.expose(), self.now(), None)
            .ok_or(ProofError::Wrong)?;
        let (shown, hashes) = self.mint_codes(person.id)?;
        let event = self.visitor_event(visitor, "authenticator.confirm");
        self.store
            .confirm_authenticator(person.id, kept.record, step, &hashes, &event)
            .await?;
        self.succeeded(&attempts::CODE, &person.id.to_string())
            .await?;
        Ok(shown)
    }

    /// Asks no code from now on.
    pub async fn remove_authenticator(&self, visitor: &Visitor) -> Result<(), ProofError> {
        let event = self.visitor_event(visitor, "authenticator.remove");
        let person = visitor.person().id;
        Ok(self.store.remove_authenticator(person, &event).await?)
    }

    /// New recovery codes in place of the old.
    pub async fn new_recovery_codes(&self, visitor: &Visitor) -> Result<ShownCodes, ProofError> {
        let person = visitor.person().id;
        if !self.asks_code(person).await? {
            return Err(ProofError::Expired);
        }
        let (shown, hashes) = self.mint_codes(person)?;
        let event = self.visitor_event(visitor, "recovery_codes.replace");
        self.store
            .replace_recovery_codes(person, &hashes, &event)
            .await?;
        Ok(shown)
    }

    /// Takes a code of the app or a recovery code, each of which works once. Counted before it is looked
    /// at.
    pub(super) async fn check_code(
        &self,
        person: PersonId,
        code: &Secret<String>,
        ip: Option<&str>,
    ) -> Result<Proof, ProofError> {
        let whom = person.to_string();
        self.attempt(&attempts::CODE, &whom).await?;
        let proof = if is_apps(code.expose()) {
            self.use_code(person, code).await?
        } else {
            self.use_recovery_code(person, code, ip).await?
        };
        let Some(proof) = proof else {
            self.failed_from(ip).await?;
            return Err(ProofError::Wrong);
        };
        self.succeeded(&attempts::CODE, &whom).await?;
        Ok(proof)
    }

    async fn use_code(
        &self,
        person: PersonId,
        code: &Secret<String>,
    ) -> Result<Option<Proof>, ProofError> {
        let kept = self.store.authenticator(person).await?;
        let Some(kept) = kept.filter(|kept| kept.confirmed_at.is_some()) else {
            return Ok(None);
        };
        let authenticator = self.open(&kept, "").await?;
        let Some(step) = authenticator.check(code.expose(), self.now(), kept.last_step) else {
            return Ok(None);
        };
        let is_first = self.store.use_step(person, step).await?;
        Ok(is_first.then_some(Proof::PasswordAndCode))
    }

    async fn use_recovery_code(
        &self,
        person: PersonId,
        code: &Secret<String>,
        ip: Option<&str>,
    ) -> Result<Option<Proof>, ProofError> {
        let Some(hash) = RecoveryCodeHash::of(person, code.expose()) else {
            return Ok(None);
        };
        let event = self.event(person, None, ip, "recovery_code.use");
        let used = self
            .store
            .use_recovery_code(person, hash.as_bytes(), &event)
            .await?;
        if !used {
            return Ok(None);
        }
        let left = self.store.recovery_codes_left(person).await?;
        if let Some(person) = self.people.person(person).await? {
            let security = self.address("/settings/security");
            self.send(mails::recovery_code_used(&person, left, &security))
                .await;
        }
        Ok(Some(Proof::PasswordAndRecoveryCode))
    }

    fn mint_codes(&self, person: PersonId) -> Result<(ShownCodes, Vec<[u8; 32]>), ProofError> {
        let mut entropy = Zeroizing::new([0; ENTROPY_BYTES]);
        self.people.secrets.fill(&mut *entropy)?;
        let codes = recovery_codes::mint(person, &Secret::new(*entropy));
        Ok(codes
            .into_iter()
            .map(|code| (code.shown, *code.hash.as_bytes()))
            .unzip())
    }

    async fn open(
        &self,
        kept: &KeptAuthenticator,
        address: &str,
    ) -> Result<Authenticator, ProofError> {
        let sealed = SealedSecret::from_bytes(kept.sealed.as_slice());
        let seed = self.vault.open(&context(kept.record), &sealed).await;
        // Asked for once in a while, and secret: not worth remembering.
        self.vault.forget(kept.record);
        // An app needs some address; without one the seed is only to check codes.
        let address = if address.is_empty() { "code" } else { address };
        Authenticator::new(&*seed?, PRODUCT, address).map_err(|_| ProofError::Unreadable)
    }
}

fn context(record: CredentialId) -> SecretContext {
    SecretContext {
        tenant: Tenant::Operator,
        workspace: None,
        provider: ProviderSlug::new(AUTHENTICATOR),
        endpoint_host: None,
        record,
        record_version: 1,
    }
}

/// Whether it has the form of an app's code. All else may be a recovery code.
fn is_apps(code: &str) -> bool {
    let digits = code.chars().filter(|c| !c.is_whitespace());
    digits.clone().count() == CODE_DIGITS && digits.clone().all(|c| c.is_ascii_digit())
}
