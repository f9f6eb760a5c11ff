//! Long random histories, each decided by a seed, compared with the naive [`Books`].

use std::{sync::Arc, time::Duration};

use switchyard_domain::{
    clock::Timestamp,
    id::{GenerationId, LeaseId, LedgerTransactionId, NodeId},
    money::UsdNanos,
};
use tokio::task::JoinSet;

use super::{
    Fixture, Tenant,
    books::Books,
    scene::{Dice, LEASE_LIFE, START, Scene, sample_settlement},
};
use crate::{
    fund::{FundId, FundRef},
    settlement::{ConsumedHold, Settlement},
    store::{CreditGrant, LeaseAsk, LeaseOutcome, LedgerStore, PostOutcome},
};

const SEEDS: std::ops::Range<u64> = 0..4;
const STEPS: usize = 120;
const KEY_LIMIT: UsdNanos = UsdNanos::new(40_000);

/// Every answer and every balance of the store equals the model's, step by step.
pub async fn random_histories_match_the_model(fixture: &dyn Fixture) {
    for seed in SEEDS {
        let mut history = History::begin(fixture, seed).await;
        for step in 0..STEPS {
            history.step(&format!("seed {seed}, step {step}")).await;
        }
        history.close().await;
    }
}

/// A history that plays against the store and the model at once. Instants of expiry are even
/// seconds and sweeps happen at odd ones, so nothing hangs on the last instant of a lease.
struct History {
    store: Arc<dyn LedgerStore>,
    books: Books,
    dice: Dice,
    tenants: Vec<Tenant>,
    nodes: Vec<NodeId>,
    leases: Vec<LeaseAsk>,
    posted: Vec<Settlement>,
    grants: Vec<CreditGrant>,
    now: Timestamp,
}

impl History {
    async fn begin(fixture: &dyn Fixture, seed: u64) -> Self {
        let mut tenants = Vec::new();
        let mut nodes = Vec::new();
        let mut books = Books::default();
        for _ in 0..2 {
            let tenant = fixture.new_account().await;
            books.open_account(tenant.account_id);
            tenants.push(tenant);
            nodes.push(fixture.new_node().await);
        }
        Self {
            store: fixture.store(),
            books,
            dice: Dice::seeded(seed),
            tenants,
            nodes,
            leases: Vec::new(),
            posted: Vec::new(),
            grants: Vec::new(),
            now: START,
        }
    }

    async fn step(&mut self, label: &str) {
        match self.dice.below(16) {
            0..=1 => self.grant(label).await,
            2..=6 => self.take(label).await,
            7..=11 => self.post(label).await,
            12 => self.give_back().await,
            13 => self.pass_time(label).await,
            14 => self.renew().await,
            _ => self.restart_node(label).await,
        }
        for fund in self.funds() {
            let balance = self.store.fund(fund.id).await.expect("the store answers");
            assert_eq!(balance, self.books.fund(fund.id), "{label}: {}", fund.id);
        }
    }

    async fn close(mut self) {
        for node in self.nodes.clone() {
            let released = self.store.release_node(node).await.expect("released");
            assert_eq!(released, self.books.release_node(node));
        }
        let report = self.store.verify().await.expect("the ledger is read");
        assert_eq!(report.faults, Vec::<String>::new());
        assert_eq!(report.postings_sum, 0);
        assert_eq!(self.books.verify().faults, Vec::<String>::new());
        for settlement in &self.posted {
            let id = &settlement.generation_id;
            assert!(
                self.store.is_posted(id).await.expect("the store answers"),
                "{id}"
            );
        }
    }

    fn funds(&self) -> Vec<FundRef> {
        let of_tenant = |tenant: &Tenant| {
            let limit = FundId::KeyLimit {
                key: tenant.api_key_id,
                window_start: Some(START),
            };
            [
                FundRef {
                    id: FundId::Credits(tenant.account_id),
                    capacity: None,
                },
                FundRef {
                    id: limit,
                    capacity: Some(KEY_LIMIT),
                },
            ]
        };
        self.tenants.iter().flat_map(of_tenant).collect()
    }

    async fn grant(&mut self, label: &str) {
        let mut grant = CreditGrant {
            transaction_id: LedgerTransactionId::from_uuid(self.dice.uuid()),
            idempotency_key: format!("history:{:016x}", self.dice.next()),
            account_id: self
                .pick(self.tenants.len(), |h, i| h.tenants[i])
                .account_id,
            amount: UsdNanos::new(1 + self.dice.amount_below(30_000)),
            reason: "history".to_owned(),
            at: self.now,
        };
        if !self.grants.is_empty() && self.dice.below(4) == 0 {
            grant.idempotency_key = self.pick(self.grants.len(), |h, i| {
                h.grants[i].idempotency_key.clone()
            });
        }
        let made = self.store.grant(&grant).await.expect("answered");
        assert_eq!(
            made,
            self.books.grant(&grant).expect("a known account"),
            "{label}"
        );
        self.grants.push(grant);
    }

    async fn take(&mut self, label: &str) {
        let funds = self.funds();
        let mut ask = LeaseAsk {
            fund: self.pick(funds.len(), |_, i| funds[i]),
            lease: LeaseId::from_uuid(self.dice.uuid()),
            node: self.pick(self.nodes.len(), |h, i| h.nodes[i]),
            needed: UsdNanos::new(1 + self.dice.amount_below(4_000)),
            wanted: UsdNanos::new(self.dice.amount_below(20_000)),
            expires_at: self.now.plus(LEASE_LIFE),
            now: self.now,
        };
        if !self.leases.is_empty() && self.dice.below(2) == 0 {
            let known = self.pick(self.leases.len(), |h, i| h.leases[i]);
            (ask.fund, ask.lease, ask.node) = (known.fund, known.lease, known.node);
        }
        let outcome = self
            .store
            .take_lease(&ask)
            .await
            .expect("the store answers");
        assert_eq!(outcome, self.books.take_lease(&ask), "{label}: {ask:?}");
        if matches!(outcome, LeaseOutcome::Granted(_)) {
            self.leases.push(ask);
        }
    }

    async fn post(&mut self, label: &str) {
        let mut batch = Vec::new();
        for _ in 0..1 + self.dice.below(5) {
            let settlement = match self.dice.below(5) {
                0 if !self.posted.is_empty() => self.replay(),
                _ => self.new_settlement(),
            };
            self.posted.push(settlement.clone());
            batch.push(settlement);
        }
        let outcomes = self.store.post(&batch).await.expect("posted");
        assert_eq!(
            outcomes,
            self.books.post(&batch).expect("known accounts"),
            "{label}"
        );
    }

    fn replay(&mut self) -> Settlement {
        let mut settlement = self.pick(self.posted.len(), |h, i| h.posted[i].clone());
        if self.dice.below(4) == 0 {
            settlement.usage.reasoning += 1;
        }
        settlement
    }

    /// Charges its account's credits, and its key's limit where that was ever held; from leases
    /// that may be spent, swept or given back by now, and often beyond what they hold.
    fn new_settlement(&mut self) -> Settlement {
        let tenant = self.pick(self.tenants.len(), |h, i| h.tenants[i]);
        let id = GenerationId::new(self.now.seconds(), self.dice.uuid().as_u128());
        let charge = UsdNanos::new(self.dice.amount_below(3_000));
        let unheld = LeaseId::from_uuid(self.dice.uuid());
        let credits = FundId::Credits(tenant.account_id);
        let lease = self.lease_of(credits).unwrap_or(unheld);
        let mut holds = vec![ConsumedHold::new(credits, lease)];
        let limit = FundId::KeyLimit {
            key: tenant.api_key_id,
            window_start: Some(START),
        };
        if let Some(lease) = self.lease_of(limit) {
            holds.push(ConsumedHold::new(limit, lease));
        }
        sample_settlement(tenant, id, self.now, charge, holds)
    }

    fn lease_of(&mut self, fund: FundId) -> Option<LeaseId> {
        let of_fund = self.leases.iter().filter(|ask| ask.fund.id == fund);
        let leases: Vec<_> = of_fund.map(|ask| ask.lease).collect();
        (!leases.is_empty()).then(|| self.pick(leases.len(), |_, i| leases[i]))
    }

    async fn give_back(&mut self) {
        if self.leases.is_empty() {
            return;
        }
        let lease = self.pick(self.leases.len(), |h, i| h.leases[i].lease);
        let amount = UsdNanos::new(self.dice.amount_below(6_000));
        self.store
            .return_lease(lease, amount)
            .await
            .expect("given back");
        self.books.return_lease(lease, amount);
    }

    async fn pass_time(&mut self, label: &str) {
        self.now = self.now.plus(Duration::from_secs(2 * self.dice.below(30)));
        let odd = self.now.plus(Duration::from_secs(1));
        let swept = self.store.sweep_expired(odd).await.expect("swept");
        assert_eq!(swept, self.books.sweep_expired(odd), "{label}");
    }

    async fn renew(&mut self) {
        let node = self.pick(self.nodes.len(), |h, i| h.nodes[i]);
        let expires_at = self.now.plus(LEASE_LIFE);
        self.store
            .renew_leases(node, expires_at)
            .await
            .expect("renewed");
        self.books.renew_leases(node, expires_at);
    }

    async fn restart_node(&mut self, label: &str) {
        let node = self.pick(self.nodes.len(), |h, i| h.nodes[i]);
        let released = self.store.release_node(node).await.expect("released");
        assert_eq!(released, self.books.release_node(node), "{label}");
    }

    fn pick<T>(&mut self, count: usize, item: impl Fn(&Self, usize) -> T) -> T {
        let index = usize::try_from(self.dice.below(count as u64)).expect("an index");
        item(self, index)
    }
}

/// A journal whose records arrive five times, shuffled and cut into other batches each time.
pub async fn shuffled_replays_have_one_effect(fixture: &dyn Fixture) {
    let mut scene = Scene::new(fixture, "shuffled_replays_have_one_effect").await;
    let credits = scene.credits();
    scene.grant(100_000).await;
    let hold = scene.hold(credits, 50_000).await;
    let mut journal: Vec<_> = (0..40).map(|i| scene.settlement(i * 10, &[hold])).collect();

    let mut posted = 0;
    for _ in 0..5 {
        scene.dice.shuffle(&mut journal);
        let mut rest = journal.as_slice();
        while !rest.is_empty() {
            let size = 1 + usize::try_from(scene.dice.below(12)).expect("a size");
            let (batch, later) = rest.split_at(size.min(rest.len()));
            let outcomes = scene.post(batch).await;
            assert!(!outcomes.contains(&PostOutcome::Conflict), "{outcomes:?}");
            posted += outcomes
                .iter()
                .filter(|o| **o == PostOutcome::Posted)
                .count();
            rest = later;
        }
    }

    assert_eq!(posted, 40);
    assert_eq!(scene.balance(credits).await, (100_000, 7_800, 42_200));
    scene.sound_report().await;
}

/// Nodes that lease, spend what they lease and give back, all at once on one fund: the fund is
/// never overdrawn, and in the end what was charged is what is spent.
pub async fn parallel_nodes_never_overdraw(fixture: &dyn Fixture) {
    let mut scene = Scene::new(fixture, "parallel_nodes_never_overdraw").await;
    let credits = scene.credits();
    scene.grant(20_000).await;

    let mut nodes = JoinSet::new();
    for _ in 0..6 {
        scene.node = fixture.new_node().await;
        let spender = Spender {
            store: scene.store.clone(),
            tenant: scene.tenant,
            dice: Dice::seeded(scene.dice.next()),
            ask: scene.new_ask(credits, 400, 3_000),
        };
        nodes.spawn(spender.spend());
    }
    let charged: UsdNanos = nodes.join_all().await.into_iter().sum();

    assert!(charged.is_positive());
    assert_eq!(scene.balance(credits).await, (20_000, charged.get(), 0));
    assert_eq!(scene.sound_report().await.leases, 0);
}

struct Spender {
    store: Arc<dyn LedgerStore>,
    tenant: Tenant,
    dice: Dice,
    ask: LeaseAsk,
}

impl Spender {
    /// Runs twelve rounds and tells what was charged.
    async fn spend(mut self) -> UsdNanos {
        let (mut held, mut charged) = (0_i64, 0_i64);
        for _ in 0..12 {
            match self
                .store
                .take_lease(&self.ask)
                .await
                .expect("the store answers")
            {
                LeaseOutcome::Granted(amount) => held += amount.get(),
                LeaseOutcome::Insufficient { available } => assert!(available < self.ask.needed),
            }
            let mut batch = Vec::new();
            for _ in 0..3 {
                let charge = self.dice.amount_below(held + 1) / 2;
                held -= charge;
                charged += charge;
                batch.push(self.settlement(charge));
            }
            self.store.post(&batch).await.expect("posted");
            let back = self.dice.amount_below(held + 1);
            held -= back;
            let amount = UsdNanos::new(back);
            self.store
                .return_lease(self.ask.lease, amount)
                .await
                .expect("given back");
            let fund = self
                .store
                .fund(self.ask.fund.id)
                .await
                .expect("the store answers");
            assert!(fund.available() >= UsdNanos::ZERO, "overdrawn: {fund:?}");
        }
        let rest = self
            .store
            .release_node(self.ask.node)
            .await
            .expect("released");
        assert_eq!(rest, UsdNanos::new(held), "what is left of the lease");
        UsdNanos::new(charged)
    }

    fn settlement(&mut self, charge: i64) -> Settlement {
        let id = GenerationId::new(START.seconds(), self.dice.uuid().as_u128());
        let hold = ConsumedHold::new(self.ask.fund.id, self.ask.lease);
        sample_settlement(self.tenant, id, START, UsdNanos::new(charge), vec![hold])
    }
}
