//! The ledger in its plainest form: maps in memory, one step at a time. Random histories compare
//! every store with it, and behind a lock it is a [`LedgerStore`] for tests that need no database.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use switchyard_domain::{
    clock::Timestamp,
    id::{AccountId, GenerationId, LeaseId, NodeId},
    money::UsdNanos,
};

use crate::{
    fund::{FundBalance, FundId},
    ledger::{LedgerAccount, LedgerTransaction, content_digest, postings_for, postings_for_grant},
    settlement::Settlement,
    store::{
        CreditGrant, LeaseAsk, LeaseOutcome, LedgerReport, LedgerStore, PostOutcome, StoreError,
    },
};

/// Every fund, lease, generation and transaction.
#[derive(Debug, Default)]
pub struct Books {
    accounts: BTreeSet<AccountId>,
    funds: BTreeMap<FundId, FundBalance>,
    leases: BTreeMap<LeaseId, Lease>,
    generations: HashMap<GenerationId, [u8; 32]>,
    transactions: BTreeMap<String, LedgerTransaction>,
}

#[derive(Debug, Clone, Copy)]
struct Lease {
    fund: FundId,
    node: NodeId,
    amount: UsdNanos,
    expires_at: Timestamp,
}

impl Books {
    /// Makes an account known; grants and charges to others are refused.
    pub fn open_account(&mut self, account: AccountId) {
        self.accounts.insert(account);
    }

    /// See [`LedgerStore::take_lease`].
    pub fn take_lease(&mut self, ask: &LeaseAsk) -> LeaseOutcome {
        let fund = self.funds.entry(ask.fund.id).or_default();
        if let Some(capacity) = ask.fund.capacity {
            fund.capacity = capacity;
        }
        let available = fund.available();
        if available < ask.needed {
            return LeaseOutcome::Insufficient { available };
        }
        let share = UsdNanos::new(available.get() / 8);
        let amount = ask.needed.max(ask.wanted.min(share));
        fund.held = fund.held.saturating_add(amount);
        let lease = self.leases.entry(ask.lease).or_insert(Lease {
            fund: ask.fund.id,
            node: ask.node,
            amount: UsdNanos::ZERO,
            expires_at: ask.expires_at,
        });
        lease.amount = lease.amount.saturating_add(amount);
        lease.expires_at = lease.expires_at.max(ask.expires_at);
        LeaseOutcome::Granted(amount)
    }

    /// See [`LedgerStore::return_lease`].
    pub fn return_lease(&mut self, id: LeaseId, amount: UsdNanos) {
        self.take_from_lease(id, amount);
    }

    /// See [`LedgerStore::renew_leases`].
    pub fn renew_leases(&mut self, node: NodeId, expires_at: Timestamp) {
        for lease in self.leases.values_mut().filter(|lease| lease.node == node) {
            lease.expires_at = lease.expires_at.max(expires_at);
        }
    }

    /// See [`LedgerStore::release_node`].
    pub fn release_node(&mut self, node: NodeId) -> UsdNanos {
        self.end_leases(|lease| lease.node == node)
    }

    /// See [`LedgerStore::sweep_expired`].
    pub fn sweep_expired(&mut self, now: Timestamp) -> UsdNanos {
        self.end_leases(|lease| lease.expires_at <= now)
    }

    /// See [`LedgerStore::post`].
    pub fn post(&mut self, batch: &[Settlement]) -> Result<Vec<PostOutcome>, StoreError> {
        if let Some(orphan) = batch
            .iter()
            .find(|s| !self.accounts.contains(&s.account_id))
        {
            return Err(StoreError::Missing(orphan.account_id.to_string()));
        }
        Ok(batch
            .iter()
            .map(|settlement| self.post_one(settlement))
            .collect())
    }

    /// See [`LedgerStore::grant`].
    pub fn grant(&mut self, grant: &CreditGrant) -> Result<bool, StoreError> {
        if !self.accounts.contains(&grant.account_id) {
            return Err(StoreError::Missing(grant.account_id.to_string()));
        }
        if self.transactions.contains_key(&grant.idempotency_key) {
            return Ok(false);
        }
        let fund = self
            .funds
            .entry(FundId::Credits(grant.account_id))
            .or_default();
        fund.capacity = fund.capacity.saturating_add(grant.amount);
        if let Some(transaction) = postings_for_grant(grant) {
            self.transactions
                .insert(grant.idempotency_key.clone(), transaction);
        }
        Ok(true)
    }

    /// See [`LedgerStore::fund`].
    pub fn fund(&self, id: FundId) -> FundBalance {
        self.funds.get(&id).copied().unwrap_or_default()
    }

    /// See [`LedgerStore::is_posted`].
    pub fn is_posted(&self, id: &GenerationId) -> bool {
        self.generations.contains_key(id)
    }

    /// See [`LedgerStore::verify`].
    pub fn verify(&self) -> LedgerReport {
        let mut faults = Vec::new();
        for (id, fund) in &self.funds {
            let of_fund = self.leases.values().filter(|lease| lease.fund == *id);
            let held: UsdNanos = of_fund.map(|lease| lease.amount).sum();
            if held != fund.held {
                faults.push(format!("{id} holds {}, its leases hold {held}", fund.held));
            }
            let FundId::Credits(account) = *id else {
                continue;
            };
            let in_books = self.ledger_balance(LedgerAccount::CustomerCredits(account));
            let in_fund = fund.capacity.saturating_sub(fund.spent);
            if in_books != i128::from(in_fund.get()) {
                faults.push(format!("{id} has {in_fund}, the ledger has {in_books} n"));
            }
        }
        let postings = self
            .transactions
            .values()
            .flat_map(LedgerTransaction::postings);
        LedgerReport {
            transactions: self.transactions.len() as u64,
            generations: self.generations.len() as u64,
            postings_sum: postings
                .map(|posting| i128::from(posting.amount.get()))
                .sum(),
            held: self.leases.values().map(|lease| lease.amount).sum(),
            leases: self.leases.len() as u64,
            faults,
        }
    }

    /// What a lease holds; nothing when it is not there.
    pub fn lease_amount(&self, id: LeaseId) -> UsdNanos {
        self.leases
            .get(&id)
            .map_or(UsdNanos::ZERO, |lease| lease.amount)
    }

    /// The fold of an account's postings, in nano-dollars.
    pub fn ledger_balance(&self, account: LedgerAccount) -> i128 {
        let postings = self
            .transactions
            .values()
            .flat_map(LedgerTransaction::postings);
        let of_account = postings.filter(|posting| posting.account == account);
        of_account
            .map(|posting| i128::from(posting.amount.get()))
            .sum()
    }

    fn post_one(&mut self, settlement: &Settlement) -> PostOutcome {
        let digest = content_digest(settlement);
        if let Some(known) = self.generations.get(&settlement.generation_id) {
            let same = *known == digest;
            return if same {
                PostOutcome::AlreadyPosted
            } else {
                PostOutcome::Conflict
            };
        }
        self.generations
            .insert(settlement.generation_id.clone(), digest);
        let charge = settlement.charge.total;
        for hold in &settlement.holds {
            let share = hold.share_of(charge);
            self.take_from_lease(hold.lease, share);
            let fund = self.funds.entry(hold.fund).or_default();
            fund.spent = fund.spent.saturating_add(share);
        }
        if let Some(transaction) = postings_for(settlement) {
            self.transactions
                .insert(transaction.idempotency_key().to_owned(), transaction);
        }
        PostOutcome::Posted
    }

    fn take_from_lease(&mut self, id: LeaseId, amount: UsdNanos) {
        let Some(lease) = self.leases.get_mut(&id) else {
            return;
        };
        let taken = amount.min(lease.amount);
        lease.amount = lease.amount.saturating_sub(taken);
        let fund = self.funds.entry(lease.fund).or_default();
        fund.held = fund.held.saturating_sub(taken);
        if lease.amount == UsdNanos::ZERO {
            self.leases.remove(&id);
        }
    }

    fn end_leases(&mut self, ends: impl Fn(&Lease) -> bool) -> UsdNanos {
        let ended: Vec<_> = self
            .leases
            .iter()
            .filter(|(_, lease)| ends(lease))
            .map(|(id, l)| (*id, *l))
            .collect();
        for (id, lease) in &ended {
            self.take_from_lease(*id, lease.amount);
        }
        ended.iter().map(|(_, lease)| lease.amount).sum()
    }
}

/// [`Books`] behind a lock, as a store.
#[derive(Debug, Default)]
pub struct InMemoryLedger(Mutex<Books>);

impl InMemoryLedger {
    /// The books, for a look or for opening accounts.
    pub fn books(&self) -> MutexGuard<'_, Books> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl LedgerStore for InMemoryLedger {
    async fn take_lease(&self, ask: &LeaseAsk) -> Result<LeaseOutcome, StoreError> {
        Ok(self.books().take_lease(ask))
    }

    async fn return_lease(&self, lease: LeaseId, amount: UsdNanos) -> Result<(), StoreError> {
        self.books().return_lease(lease, amount);
        Ok(())
    }

    async fn renew_leases(&self, node: NodeId, expires_at: Timestamp) -> Result<(), StoreError> {
        self.books().renew_leases(node, expires_at);
        Ok(())
    }

    async fn release_node(&self, node: NodeId) -> Result<UsdNanos, StoreError> {
        Ok(self.books().release_node(node))
    }

    async fn sweep_expired(&self, now: Timestamp) -> Result<UsdNanos, StoreError> {
        Ok(self.books().sweep_expired(now))
    }

    async fn post(&self, batch: &[Settlement]) -> Result<Vec<PostOutcome>, StoreError> {
        self.books().post(batch)
    }

    async fn grant(&self, grant: &CreditGrant) -> Result<bool, StoreError> {
        self.books().grant(grant)
    }

    async fn fund(&self, id: FundId) -> Result<FundBalance, StoreError> {
        Ok(self.books().fund(id))
    }

    async fn is_posted(&self, id: &GenerationId) -> Result<bool, StoreError> {
        Ok(self.books().is_posted(id))
    }

    async fn verify(&self) -> Result<LedgerReport, StoreError> {
        Ok(self.books().verify())
    }
}
