//! How people prove to be who they say.

mod attempts;
mod authenticators;
mod passkeys;
mod passwords;
mod unfinished;

use async_trait::async_trait;
use serde_json::Value;
use switchyard_domain::{
    clock::Timestamp,
    id::{AccountId, CredentialId, PasskeyId, PersonId, SessionId},
};

use super::{Engine, TRIES_MAX};
use crate::{
    account::NewAccount,
    audit::AuditEvent,
    directory::DirectoryError,
    failure::Failure,
    proof::{
        Attempts, KeptAuthenticator, KeptPasskey, KeptPassword, NewPasskey, NewUnfinished,
        ProofStore, Unfinished,
    },
};

#[async_trait]
impl ProofStore for Engine {
    async fn sign_up(
        &self,
        account: &NewAccount,
        phc: &str,
        audit: &AuditEvent,
    ) -> Result<(), DirectoryError> {
        retried!(self.insert_signed_up(account, phc, audit))
    }

    async fn verify_email(
        &self,
        link_hash: &[u8; 32],
        purpose: &str,
        audit: &AuditEvent,
    ) -> Result<Option<PersonId>, DirectoryError> {
        retried!(self.verify_by_link(link_hash, purpose, audit))
    }

    async fn has_verified_owner(&self, account: AccountId) -> Result<bool, DirectoryError> {
        retried!(self.select_has_verified_owner(account))
    }

    async fn password(&self, person: PersonId) -> Result<Option<KeptPassword>, DirectoryError> {
        retried!(self.select_password(person))
    }

    async fn set_password(
        &self,
        person: PersonId,
        phc: &str,
        keep: Option<SessionId>,
        audit: &AuditEvent,
    ) -> Result<(), DirectoryError> {
        retried!(self.upsert_password(person, phc, keep, audit))
    }

    async fn rehash_password(
        &self,
        person: PersonId,
        expected: &str,
        phc: &str,
    ) -> Result<(), DirectoryError> {
        retried!(self.update_password_hash(person, expected, phc))
    }

    async fn reset_password(
        &self,
        link_hash: &[u8; 32],
        purpose: &str,
        phc: &str,
        audit: &AuditEvent,
    ) -> Result<Option<PersonId>, DirectoryError> {
        retried!(self.reset_by_link(link_hash, purpose, phc, audit))
    }

    async fn authenticator(
        &self,
        person: PersonId,
    ) -> Result<Option<KeptAuthenticator>, DirectoryError> {
        retried!(self.select_authenticator(person))
    }

    async fn set_up_authenticator(
        &self,
        person: PersonId,
        record: CredentialId,
        sealed: &[u8],
        at: Timestamp,
    ) -> Result<(), DirectoryError> {
        retried!(self.upsert_authenticator(person, record, sealed, at))
    }

    async fn confirm_authenticator(
        &self,
        person: PersonId,
        record: CredentialId,
        step: u64,
        code_hashes: &[[u8; 32]],
        audit: &AuditEvent,
    ) -> Result<(), DirectoryError> {
        retried!(self.mark_authenticator_confirmed(person, record, step, code_hashes, audit))
    }

    async fn use_step(&self, person: PersonId, step: u64) -> Result<bool, DirectoryError> {
        retried!(self.update_last_step(person, step))
    }

    async fn remove_authenticator(
        &self,
        person: PersonId,
        audit: &AuditEvent,
    ) -> Result<(), DirectoryError> {
        retried!(self.delete_authenticator(person, audit))
    }

    async fn replace_recovery_codes(
        &self,
        person: PersonId,
        code_hashes: &[[u8; 32]],
        audit: &AuditEvent,
    ) -> Result<(), DirectoryError> {
        retried!(self.rewrite_recovery_codes(person, code_hashes, audit))
    }

    async fn use_recovery_code(
        &self,
        person: PersonId,
        code_hash: &[u8; 32],
        audit: &AuditEvent,
    ) -> Result<bool, DirectoryError> {
        retried!(self.consume_recovery_code(person, code_hash, audit))
    }

    async fn recovery_codes_left(&self, person: PersonId) -> Result<u32, DirectoryError> {
        retried!(self.count_recovery_codes(person))
    }

    async fn insert_passkey(
        &self,
        passkey: &NewPasskey,
        audit: &AuditEvent,
    ) -> Result<(), DirectoryError> {
        retried!(self.insert_person_passkey(passkey, audit))
    }

    async fn passkeys(&self, person: PersonId) -> Result<Vec<KeptPasskey>, DirectoryError> {
        retried!(self.select_passkeys(person))
    }

    async fn passkey_by_credential(
        &self,
        credential_id: &[u8],
    ) -> Result<Option<KeptPasskey>, DirectoryError> {
        retried!(self.select_passkey(credential_id))
    }

    async fn touch_passkey(
        &self,
        id: PasskeyId,
        passkey: &Value,
        at: Timestamp,
    ) -> Result<(), DirectoryError> {
        retried!(self.update_passkey_use(id, passkey, at))
    }

    async fn rename_passkey(
        &self,
        person: PersonId,
        id: PasskeyId,
        name: &str,
        audit: &AuditEvent,
    ) -> Result<(), DirectoryError> {
        retried!(self.update_passkey_name(person, id, name, audit))
    }

    async fn remove_passkey(
        &self,
        person: PersonId,
        id: PasskeyId,
        audit: &AuditEvent,
    ) -> Result<(), DirectoryError> {
        retried!(self.delete_passkey(person, id, audit))
    }

    async fn insert_unfinished(&self, unfinished: &NewUnfinished) -> Result<(), DirectoryError> {
        retried!(self.insert_unfinished_proof(unfinished))
    }

    async fn unfinished(
        &self,
        token_hash: &[u8; 32],
        purpose: &str,
        now: Timestamp,
    ) -> Result<Option<Unfinished>, DirectoryError> {
        retried!(self.select_unfinished(token_hash, purpose, now))
    }

    async fn take_unfinished(
        &self,
        token_hash: &[u8; 32],
        purpose: &str,
        now: Timestamp,
    ) -> Result<Option<Unfinished>, DirectoryError> {
        retried!(self.delete_unfinished(token_hash, purpose, now))
    }

    async fn attempts(&self, subject: &[u8; 32]) -> Result<Option<Attempts>, DirectoryError> {
        retried!(self.select_attempts(subject))
    }

    async fn note_attempt(
        &self,
        subject: &[u8; 32],
        expected: Option<Attempts>,
        now: Attempts,
    ) -> Result<bool, DirectoryError> {
        retried!(self.write_attempts(subject, expected, now))
    }

    async fn forget_attempts(&self, subject: &[u8; 32]) -> Result<(), DirectoryError> {
        retried!(self.delete_attempts(subject))
    }

    async fn forget_old_proofs(
        &self,
        now: Timestamp,
        quiet_since: Timestamp,
    ) -> Result<u64, DirectoryError> {
        retried!(self.delete_old_proofs(now, quiet_since))
    }
}
