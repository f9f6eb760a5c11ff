//! The statements, written once. This folder is compiled twice, as a child of `postgres.rs` and of
//! `sqlite.rs`; `super` is the engine.
//!
//! Order of locks, for all who write money: generation ids, then funds in the order of their names,
//! then leases, then roll-ups, then ledger balances. Rows of one table that one statement touches are
//! given to it sorted.

/// Runs a transaction again while the database sacrifices it to another one. An expression and not a
/// closure, so that what it borrows stays simple.
macro_rules! retried {
    ($call:expr) => {{
        let mut tries = 1;
        loop {
            match $call.await {
                Err(failure) if tries < TRIES_MAX && Failure::is_transient(&failure) => tries += 1,
                outcome => break outcome.map_err(Into::into),
            }
        }
    }};
}

mod accounts;
mod activity;
mod api_keys;
mod audit;
mod credentials;
mod decisions;
mod generations;
mod idempotency;
mod leases;
mod ledger;
mod limits;
mod logs;
mod managed_keys;
mod nodes;
mod oauth;
mod organizations;
mod own_credentials;
mod people;
mod policies;
mod post;
mod proofs;
mod receipts;
mod rows;
mod sealed;
mod spending;
mod tenancy;
mod verify;

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use serde_json::value::RawValue;
use sqlx::{Pool, Transaction};
use switchyard_billing::{
    fund::{FundBalance, FundId},
    ledger::Posting,
    settlement::Settlement,
    store::{
        CreditGrant, LeaseAsk, LeaseOutcome, LedgerReport, LedgerStore, PostOutcome, StoreError,
    },
};
use switchyard_domain::{
    clock::Timestamp,
    id::{AccountId, ApiKeyId, GenerationId, LeaseId, LedgerTransactionId, NodeId, WorkspaceId},
    money::UsdNanos,
    provider::ProviderSlug,
    tenancy::ApiKey,
};

use self::post::Known;
use super::{ConnectOptions, Db};
use crate::{
    account::{Account, Credits, NewAccount},
    api_key::{KeyRevision, KeyUsage, KeyVerifier, NewApiKey, Page, StoredKey},
    audit::{AuditEvent, AuditLinker},
    credential::{NewProviderCredential, StoredCredential, TenantKeyRow},
    directory::{Directory, DirectoryError},
    failure::Failure,
    generation::{DecidedGeneration, GenerationView, Walk},
    policy::{PolicyChange, PolicyRevision, PolicySubject, StoredPolicy},
    receipts::{ChainHead, Pending, ReceiptStore, SignedReceipt, SigningKeyRow, StoredReceipt},
};

/// How often a transaction is tried when the database sacrifices it to another one.
const TRIES_MAX: u32 = 5;

/// An open database.
pub(crate) struct Engine {
    reader: Pool<Db>,
    writer: Pool<Db>,
    connect: ConnectOptions,
    known: Known,
    /// What links entries of the audit log; set before anything is written there.
    linker: OnceLock<Arc<dyn AuditLinker>>,
}

impl Engine {
    pub(super) fn new(reader: Pool<Db>, writer: Pool<Db>, connect: ConnectOptions) -> Self {
        Self {
            reader,
            writer,
            connect,
            known: Known::default(),
            linker: OnceLock::new(),
        }
    }

    pub(crate) fn connect_options(&self) -> &ConnectOptions {
        &self.connect
    }

    /// Says what links the audit log; the first one counts.
    pub(crate) fn link_audit_with(&self, linker: Arc<dyn AuditLinker>) {
        let _ = self.linker.set(linker);
    }

    async fn begin(&self) -> Result<Transaction<'static, Db>, Failure> {
        Ok(self.writer.begin_with(super::BEGIN_WRITE).await?)
    }
}

#[async_trait]
impl LedgerStore for Engine {
    async fn take_lease(&self, ask: &LeaseAsk) -> Result<LeaseOutcome, StoreError> {
        retried!(self.take_lease_once(ask))
    }

    async fn return_lease(&self, lease: LeaseId, amount: UsdNanos) -> Result<(), StoreError> {
        retried!(self.return_lease_once(lease, amount))
    }

    async fn renew_leases(&self, node: NodeId, expires_at: Timestamp) -> Result<(), StoreError> {
        retried!(self.renew_leases_once(node, expires_at))
    }

    async fn release_node(&self, node: NodeId) -> Result<UsdNanos, StoreError> {
        retried!(self.release_node_once(node))
    }

    async fn sweep_expired(&self, now: Timestamp) -> Result<UsdNanos, StoreError> {
        retried!(self.sweep_expired_once(now))
    }

    async fn post(&self, batch: &[Settlement]) -> Result<Vec<PostOutcome>, StoreError> {
        retried!(self.post_once(batch))
    }

    async fn grant(&self, grant: &CreditGrant) -> Result<bool, StoreError> {
        retried!(self.grant_once(grant))
    }

    async fn fund(&self, id: FundId) -> Result<FundBalance, StoreError> {
        retried!(self.fund_balance(id))
    }

    async fn is_posted(&self, id: &GenerationId) -> Result<bool, StoreError> {
        retried!(self.generation_is_posted(id))
    }

    async fn verify(&self) -> Result<LedgerReport, StoreError> {
        retried!(self.verify_ledger())
    }
}

#[async_trait]
impl Directory for Engine {
    async fn create_account(&self, account: &NewAccount) -> Result<(), DirectoryError> {
        retried!(self.insert_account(account))
    }

    async fn account_by_email(&self, email: &str) -> Result<Option<Account>, DirectoryError> {
        retried!(self.select_account_by_email(email))
    }

    async fn account_by_id(&self, id: AccountId) -> Result<Option<Account>, DirectoryError> {
        retried!(self.select_account_by_id(id))
    }

    async fn credits(&self, account: AccountId) -> Result<Credits, DirectoryError> {
        retried!(self.select_credits(account))
    }

    async fn insert_key(&self, key: &NewApiKey) -> Result<KeyRevision, DirectoryError> {
        retried!(self.insert_api_key(key))
    }

    async fn key_by_lookup_id(&self, lookup_id: &str) -> Result<Option<StoredKey>, DirectoryError> {
        retried!(self.select_key_by_lookup_id(lookup_id))
    }

    async fn list_keys(
        &self,
        workspace: WorkspaceId,
        page: Page,
    ) -> Result<Vec<ApiKey>, DirectoryError> {
        retried!(self.select_keys(workspace, page))
    }

    async fn replace_verifier(
        &self,
        key: ApiKeyId,
        expected: &KeyVerifier,
        verifier: &KeyVerifier,
    ) -> Result<bool, DirectoryError> {
        retried!(self.update_verifier(key, expected, verifier))
    }

    async fn set_key_disabled(
        &self,
        workspace: WorkspaceId,
        key: ApiKeyId,
        disabled: bool,
        at: Timestamp,
    ) -> Result<KeyRevision, DirectoryError> {
        retried!(self.update_key_disabled(workspace, key, disabled, at))
    }

    async fn delete_key(
        &self,
        workspace: WorkspaceId,
        key: ApiKeyId,
        at: Timestamp,
    ) -> Result<KeyRevision, DirectoryError> {
        retried!(self.mark_key_deleted(workspace, key, at))
    }

    async fn key_revisions_after(&self, revision: i64) -> Result<Vec<KeyRevision>, DirectoryError> {
        retried!(self.select_key_revisions(revision))
    }

    async fn key_revision(&self) -> Result<i64, DirectoryError> {
        retried!(self.select_revision(rows::API_KEYS))
    }

    async fn key_usage(&self, key: ApiKeyId, now: Timestamp) -> Result<KeyUsage, DirectoryError> {
        retried!(self.select_key_usage(key, now))
    }

    async fn put_provider_credential(
        &self,
        credential: &NewProviderCredential,
    ) -> Result<(), DirectoryError> {
        retried!(self.upsert_provider_credential(credential))
    }

    async fn delete_provider_credential(
        &self,
        provider: &ProviderSlug,
        label: &str,
    ) -> Result<bool, DirectoryError> {
        retried!(self.remove_provider_credential(provider, label))
    }

    async fn provider_credentials(&self) -> Result<Vec<StoredCredential>, DirectoryError> {
        retried!(self.select_provider_credentials())
    }

    async fn credential_revision(&self) -> Result<i64, DirectoryError> {
        retried!(self.select_revision(rows::PROVIDER_CREDENTIALS))
    }

    async fn tenant_key(
        &self,
        tenant: &str,
        version: i32,
    ) -> Result<Option<TenantKeyRow>, DirectoryError> {
        retried!(self.select_tenant_key(tenant, version))
    }

    async fn latest_tenant_key(
        &self,
        tenant: &str,
    ) -> Result<Option<TenantKeyRow>, DirectoryError> {
        retried!(self.select_latest_tenant_key(tenant))
    }

    async fn put_tenant_key(&self, row: &TenantKeyRow) -> Result<TenantKeyRow, DirectoryError> {
        retried!(self.insert_tenant_key(row))
    }

    async fn rewrap_tenant_key(
        &self,
        expected: &TenantKeyRow,
        rewrapped: &TenantKeyRow,
    ) -> Result<bool, DirectoryError> {
        retried!(self.update_tenant_key(expected, rewrapped))
    }

    async fn tenant_keys_not_under(
        &self,
        kek_id: &str,
        kek_version: i32,
        after: Option<&TenantKeyRow>,
        limit: u32,
    ) -> Result<Vec<TenantKeyRow>, DirectoryError> {
        retried!(self.select_tenant_keys_not_under(kek_id, kek_version, after, limit))
    }

    async fn holds_sealed_rows(&self) -> Result<bool, DirectoryError> {
        retried!(self.select_sealed_rows_exist())
    }

    async fn generation(
        &self,
        account: AccountId,
        id: &GenerationId,
    ) -> Result<Option<GenerationView>, DirectoryError> {
        retried!(self.select_generation(account, id))
    }

    async fn first_generation(
        &self,
        account: AccountId,
    ) -> Result<Option<GenerationId>, DirectoryError> {
        retried!(self.select_first_generation(account))
    }

    async fn postings_of(
        &self,
        transaction: LedgerTransactionId,
    ) -> Result<Vec<Posting>, DirectoryError> {
        retried!(self.select_postings(transaction))
    }

    async fn decided_generations(
        &self,
        walk: &Walk,
    ) -> Result<Vec<DecidedGeneration>, DirectoryError> {
        retried!(self.select_decided_generations(walk))
    }

    async fn put_policy(
        &self,
        change: &PolicyChange,
        rules: &RawValue,
    ) -> Result<PolicyRevision, DirectoryError> {
        retried!(self.upsert_policy(change, rules))
    }

    async fn delete_policy(&self, change: &PolicyChange) -> Result<PolicyRevision, DirectoryError> {
        retried!(self.clear_policy(change))
    }

    async fn policy(
        &self,
        account: AccountId,
        subject: PolicySubject,
    ) -> Result<Option<StoredPolicy>, DirectoryError> {
        retried!(self.select_policy(account, subject))
    }

    async fn policies_of_account(
        &self,
        account: AccountId,
    ) -> Result<Vec<StoredPolicy>, DirectoryError> {
        retried!(self.select_policies_of_account(account))
    }

    async fn policies_for(
        &self,
        account: AccountId,
        workspace: WorkspaceId,
        key: ApiKeyId,
    ) -> Result<Vec<StoredPolicy>, DirectoryError> {
        retried!(self.select_policies_for(account, workspace, key))
    }

    async fn policy_revisions_after(
        &self,
        revision: i64,
    ) -> Result<Vec<PolicyRevision>, DirectoryError> {
        retried!(self.select_policy_revisions(revision))
    }

    async fn policy_revision(&self) -> Result<i64, DirectoryError> {
        retried!(self.select_revision(rows::POLICIES))
    }

    async fn append_audit(&self, event: &AuditEvent) -> Result<(), DirectoryError> {
        retried!(self.insert_audit_event(event))
    }

    async fn register_node(&self, node: NodeId, at: Timestamp) -> Result<(), DirectoryError> {
        retried!(self.upsert_node(node, at))
    }

    async fn ensure_partitions(&self, now: Timestamp) -> Result<(), DirectoryError> {
        retried!(self.make_partitions(now))
    }

    async fn ping(&self) -> Result<(), DirectoryError> {
        retried!(self.select_one())
    }
}

#[async_trait]
impl ReceiptStore for Engine {
    async fn workspaces_with_unsigned_receipts(
        &self,
        limit: u32,
    ) -> Result<Vec<WorkspaceId>, DirectoryError> {
        retried!(self.select_unsigned_workspaces(limit))
    }

    async fn unsigned_receipts(
        &self,
        workspace: WorkspaceId,
        limit: u32,
    ) -> Result<Pending, DirectoryError> {
        retried!(self.select_unsigned_receipts(workspace, limit))
    }

    async fn append_receipts(
        &self,
        workspace: WorkspaceId,
        head: Option<ChainHead>,
        receipts: &[SignedReceipt],
    ) -> Result<bool, DirectoryError> {
        retried!(self.extend_chain(workspace, head, receipts))
    }

    async fn receipt(
        &self,
        workspace: WorkspaceId,
        id: &GenerationId,
    ) -> Result<Option<StoredReceipt>, DirectoryError> {
        retried!(self.select_receipt(workspace, id))
    }

    async fn signing_keys(&self) -> Result<Vec<SigningKeyRow>, DirectoryError> {
        retried!(self.select_signing_keys())
    }

    async fn put_signing_key(&self, key: &SigningKeyRow) -> Result<SigningKeyRow, DirectoryError> {
        retried!(self.insert_signing_key(key))
    }
}
