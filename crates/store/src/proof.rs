//! How people prove to be who they say, and what limits how often that can be tried.

use async_trait::async_trait;
use serde_json::Value;
use switchyard_domain::{
    clock::Timestamp,
    id::{AccountId, CredentialId, PasskeyId, PersonId, SessionId},
};

use crate::{account::NewAccount, audit::AuditEvent, directory::DirectoryError};

/// A password as kept.
#[derive(Clone, PartialEq, Eq)]
pub struct KeptPassword {
    /// The PHC string.
    pub phc: String,
    /// Since when it is this one.
    pub changed_at: Timestamp,
}

impl std::fmt::Debug for KeptPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[password of {}]", self.changed_at)
    }
}

/// An authenticator app as kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAuthenticator {
    /// The record its seed is sealed as.
    pub record: CredentialId,
    /// The sealed seed.
    pub sealed: Vec<u8>,
    /// When a code of it was seen first; `None` while it is only set up.
    pub confirmed_at: Option<Timestamp>,
    /// The step of the last code that was used.
    pub last_step: Option<u64>,
}

/// A passkey to be kept.
#[derive(Debug, Clone)]
pub struct NewPasskey {
    /// Its id.
    pub id: PasskeyId,
    /// Whose.
    pub person_id: PersonId,
    /// What browsers call it by.
    pub credential_id: Vec<u8>,
    /// What checks its signatures.
    pub passkey: Value,
    /// What its owner calls it.
    pub name: String,
    /// Now.
    pub at: Timestamp,
}

/// A passkey as kept.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptPasskey {
    /// Its id.
    pub id: PasskeyId,
    /// Whose.
    pub person_id: PersonId,
    /// What checks its signatures.
    pub passkey: Value,
    /// What its owner calls it.
    pub name: String,
    /// Since when.
    pub created_at: Timestamp,
    /// When it was used last.
    pub last_used_at: Option<Timestamp>,
}

/// Something that a browser is in the middle of.
#[derive(Debug, Clone)]
pub struct NewUnfinished {
    /// SHA-256 of the token in its cookie.
    pub token_hash: [u8; 32],
    /// What it is about.
    pub purpose: &'static str,
    /// Whose affair it is, where that is known.
    pub person_id: Option<PersonId>,
    /// What was found out so far, a JSON object.
    pub state: Value,
    /// Now.
    pub at: Timestamp,
    /// Useless from then on.
    pub expires_at: Timestamp,
}

/// The same, found again.
#[derive(Debug, Clone, PartialEq)]
pub struct Unfinished {
    /// Whose affair it is, where that is known.
    pub person_id: Option<PersonId>,
    /// What was found out so far.
    pub state: Value,
}

/// How often something was tried lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempts {
    /// How often, since it was quiet.
    pub count: u32,
    /// When last.
    pub last_at: Timestamp,
    /// Not again before.
    pub locked_until: Option<Timestamp>,
}

/// Keeps people's proofs.
#[async_trait]
pub trait ProofStore: Send + Sync + 'static {
    /// Makes an account whose owner has not shown yet to read mail at its address, with a password.
    /// `Conflict` on `email` when the address has an account.
    async fn sign_up(
        &self,
        account: &NewAccount,
        phc: &str,
        audit: &AuditEvent,
    ) -> Result<(), DirectoryError>;

    /// Notes by a link of this purpose, which is used up, that its person reads mail at their address;
    /// `None` where the link cannot be used any more.
    async fn verify_email(
        &self,
        link_hash: &[u8; 32],
        purpose: &str,
        audit: &AuditEvent,
    ) -> Result<Option<PersonId>, DirectoryError>;

    /// Whether an owner of the account has shown to read mail at their address.
    async fn has_verified_owner(&self, account: AccountId) -> Result<bool, DirectoryError>;

    /// Somebody's password.
    async fn password(&self, person: PersonId) -> Result<Option<KeptPassword>, DirectoryError>;

    /// Sets a password, and ends all of the person's sessions but one.
    async fn set_password(
        &self,
        person: PersonId,
        phc: &str,
        keep: Option<SessionId>,
        audit: &AuditEvent,
    ) -> Result<(), DirectoryError>;

    /// Keeps the same password at another cost, unless it was changed meanwhile.
    async fn rehash_password(
        &self,
        person: PersonId,
        expected: &str,
        phc: &str,
    ) -> Result<(), DirectoryError>;

    /// Sets a password by a link of this purpose, which is used up together with all its like, and ends
    /// all of the person's sessions. Whoever can do so reads mail at the address. `None` where the link
    /// cannot be used any more.
    async fn reset_password(
        &self,
        link_hash: &[u8; 32],
        purpose: &str,
        phc: &str,
        audit: &AuditEvent,
    ) -> Result<Option<PersonId>, DirectoryError>;

    /// Somebody's authenticator app.
    async fn authenticator(
        &self,
        person: PersonId,
    ) -> Result<Option<KeptAuthenticator>, DirectoryError>;

    /// Sets up an authenticator app, in place of one that was only set up. `Conflict` when there is a
    /// confirmed one.
    async fn set_up_authenticator(
        &self,
        person: PersonId,
        record: CredentialId,
        sealed: &[u8],
        at: Timestamp,
    ) -> Result<(), DirectoryError>;

    /// Confirms it by a code's step, and keeps a new set of recovery codes. `Missing` when this one is
    /// not waiting to be confirmed.
    async fn confirm_authenticator(
        &self,
        person: PersonId,
        record: CredentialId,
        step: u64,
        code_hashes: &[[u8; 32]],
        audit: &AuditEvent,
    ) -> Result<(), DirectoryError>;

    /// Uses a step up: `false` when it or a later one was used.
    async fn use_step(&self, person: PersonId, step: u64) -> Result<bool, DirectoryError>;

    /// Removes the authenticator app and all recovery codes.
    async fn remove_authenticator(
        &self,
        person: PersonId,
        audit: &AuditEvent,
    ) -> Result<(), DirectoryError>;

    /// Keeps a new set of recovery codes in place of the old.
    async fn replace_recovery_codes(
        &self,
        person: PersonId,
        code_hashes: &[[u8; 32]],
        audit: &AuditEvent,
    ) -> Result<(), DirectoryError>;

    /// Uses a recovery code up: `false` when there is no such unused one.
    async fn use_recovery_code(
        &self,
        person: PersonId,
        code_hash: &[u8; 32],
        audit: &AuditEvent,
    ) -> Result<bool, DirectoryError>;

    /// How many recovery codes are left.
    async fn recovery_codes_left(&self, person: PersonId) -> Result<u32, DirectoryError>;

    /// Keeps a passkey. `Conflict` when it is somebody's already.
    async fn insert_passkey(
        &self,
        passkey: &NewPasskey,
        audit: &AuditEvent,
    ) -> Result<(), DirectoryError>;

    /// Somebody's passkeys, oldest first.
    async fn passkeys(&self, person: PersonId) -> Result<Vec<KeptPasskey>, DirectoryError>;

    /// The passkey that browsers call this.
    async fn passkey_by_credential(
        &self,
        credential_id: &[u8],
    ) -> Result<Option<KeptPasskey>, DirectoryError>;

    /// Notes that a passkey was used, and how it is from now on.
    async fn touch_passkey(
        &self,
        id: PasskeyId,
        passkey: &Value,
        at: Timestamp,
    ) -> Result<(), DirectoryError>;

    /// Calls one of somebody's passkeys something else. `Missing` when they have no such one.
    async fn rename_passkey(
        &self,
        person: PersonId,
        id: PasskeyId,
        name: &str,
        audit: &AuditEvent,
    ) -> Result<(), DirectoryError>;

    /// Removes one of somebody's passkeys. `Missing` when they have no such one.
    async fn remove_passkey(
        &self,
        person: PersonId,
        id: PasskeyId,
        audit: &AuditEvent,
    ) -> Result<(), DirectoryError>;

    /// Keeps what a browser is in the middle of.
    async fn insert_unfinished(&self, unfinished: &NewUnfinished) -> Result<(), DirectoryError>;

    /// Finds it again.
    async fn unfinished(
        &self,
        token_hash: &[u8; 32],
        purpose: &str,
        now: Timestamp,
    ) -> Result<Option<Unfinished>, DirectoryError>;

    /// Finds it again for the last time.
    async fn take_unfinished(
        &self,
        token_hash: &[u8; 32],
        purpose: &str,
        now: Timestamp,
    ) -> Result<Option<Unfinished>, DirectoryError>;

    /// How often this was tried lately.
    async fn attempts(&self, subject: &[u8; 32]) -> Result<Option<Attempts>, DirectoryError>;

    /// Writes down one more attempt, unless somebody else did meanwhile: then `false`.
    async fn note_attempt(
        &self,
        subject: &[u8; 32],
        expected: Option<Attempts>,
        now: Attempts,
    ) -> Result<bool, DirectoryError>;

    /// Starts to count anew.
    async fn forget_attempts(&self, subject: &[u8; 32]) -> Result<(), DirectoryError>;

    /// Forgets what is over: unfinished proofs that expired before `now`, and attempts not repeated
    /// since `quiet_since`.
    async fn forget_old_proofs(
        &self,
        now: Timestamp,
        quiet_since: Timestamp,
    ) -> Result<u64, DirectoryError>;
}
