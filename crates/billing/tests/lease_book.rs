//! Several nodes, each with its lease book, on shared books: whatever happens in whatever order,
//! the funds are not overdrawn, and each lease book agrees with a naive count of what is open.

use std::time::Duration;

use proptest::prelude::*;
use switchyard_billing::{
    fund::{FundId, FundRef},
    lease::{LeaseBook, LeaseState, Reservation},
    settlement::{ConsumedHold, Settlement},
    store::{CreditGrant, LeaseAsk, LeaseOutcome},
    test_suite::{
        Tenant,
        books::Books,
        scene::{START, sample_settlement},
    },
};
use switchyard_domain::{
    clock::Timestamp,
    id::{AccountId, ApiKeyId, GenerationId, LeaseId, LedgerTransactionId, NodeId, WorkspaceId},
    money::UsdNanos,
};
use uuid::Uuid;

const NODES: usize = 3;
const LIFE: Duration = Duration::from_secs(60);
const CREDIT: i64 = 20_000;
const KEY_LIMIT: i64 = 12_000;

#[derive(Debug, Clone)]
enum Step {
    Reserve {
        node: usize,
        with_key: bool,
        amount: i64,
    },
    /// `share` in percent of what was reserved; above 100 is an overrun.
    Settle {
        pick: usize,
        share: i64,
    },
    Release {
        pick: usize,
    },
    Post {
        count: usize,
    },
    /// Asks SQL; the answer arrives with a later step.
    Ask {
        node: usize,
        key: bool,
        needed: i64,
    },
    Answer {
        pick: usize,
    },
    GiveBack {
        node: usize,
        quiet_s: u64,
        succeeds: bool,
    },
    Renew {
        node: usize,
    },
    Pass {
        seconds: u64,
    },
}

/// Whether leases may lapse and charges may exceed their reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weather {
    Calm,
    Rough,
}

fn any_step(weather: Weather) -> impl Strategy<Value = Step> {
    let (share_max, pass_max): (i64, u64) = if weather == Weather::Calm {
        (100, 0)
    } else {
        (160, 40)
    };
    let node = 0..NODES;
    prop_oneof![
        6 => (node.clone(), any::<bool>(), 0..2_000_i64)
            .prop_map(|(node, with_key, amount)| Step::Reserve { node, with_key, amount }),
        4 => (any::<usize>(), 0..=share_max).prop_map(|(pick, share)| Step::Settle { pick, share }),
        1 => any::<usize>().prop_map(|pick| Step::Release { pick }),
        2 => (1..6_usize).prop_map(|count| Step::Post { count }),
        2 => (node.clone(), any::<bool>(), 1..2_000_i64)
            .prop_map(|(node, key, needed)| Step::Ask { node, key, needed }),
        2 => any::<usize>().prop_map(|pick| Step::Answer { pick }),
        1 => (node.clone(), 0..5_u64, any::<bool>())
            .prop_map(|(node, quiet_s, succeeds)| Step::GiveBack { node, quiet_s, succeeds }),
        1 => node.prop_map(|node| Step::Renew { node }),
        1 => (0..=pass_max).prop_map(|seconds| Step::Pass { seconds }),
    ]
}

struct World {
    books: Books,
    nodes: Vec<LeaseBook>,
    tenant: Tenant,
    now: Timestamp,
    generations: u128,
    reservations: Vec<(usize, Reservation)>,
    unposted: Vec<(usize, Settlement)>,
    answers: Vec<(usize, LeaseAsk, LeaseOutcome)>,
    /// Leases that something was granted under.
    opened: Vec<LeaseId>,
    /// Leases whose charges may have exceeded them; SQL and the lease book may differ.
    blurred: Vec<LeaseId>,
}

impl World {
    fn new() -> Self {
        let tenant = Tenant {
            account_id: AccountId::from_uuid(Uuid::from_u128(1)),
            workspace_id: WorkspaceId::from_uuid(Uuid::from_u128(2)),
            api_key_id: ApiKeyId::from_uuid(Uuid::from_u128(3)),
        };
        let mut books = Books::default();
        books.open_account(tenant.account_id);
        let grant = CreditGrant {
            transaction_id: LedgerTransactionId::from_uuid(Uuid::from_u128(4)),
            idempotency_key: "welcome".to_owned(),
            account_id: tenant.account_id,
            amount: UsdNanos::new(CREDIT),
            reason: "welcome".to_owned(),
            at: START,
        };
        assert!(books.grant(&grant).expect("a known account"));
        Self {
            books,
            nodes: (0..NODES)
                .map(|node| LeaseBook::new(node_id(node), START))
                .collect(),
            tenant,
            now: START,
            generations: 0,
            reservations: Vec::new(),
            unposted: Vec::new(),
            answers: Vec::new(),
            opened: Vec::new(),
            blurred: Vec::new(),
        }
    }

    fn fund(&self, key: bool) -> FundRef {
        if key {
            let id = FundId::KeyLimit {
                key: self.tenant.api_key_id,
                window_start: None,
            };
            return FundRef {
                id,
                capacity: Some(UsdNanos::new(KEY_LIMIT)),
            };
        }
        FundRef {
            id: FundId::Credits(self.tenant.account_id),
            capacity: None,
        }
    }

    fn play(&mut self, step: Step) {
        match step {
            Step::Reserve {
                node,
                with_key,
                amount,
            } => self.reserve(node, with_key, amount),
            Step::Settle { pick, share } => self.settle(pick, share),
            Step::Release { pick } => {
                if let Some((node, reservation)) = take(&mut self.reservations, pick) {
                    self.nodes[node].release(reservation);
                }
            }
            Step::Post { count } => self.post(count),
            Step::Ask { node, key, needed } => {
                let answer = self.ask(node, self.fund(key), UsdNanos::new(needed));
                self.answers.push(answer);
            }
            Step::Answer { pick } => {
                if let Some((node, ask, outcome)) = take(&mut self.answers, pick) {
                    self.answer(node, &ask, outcome);
                }
            }
            Step::GiveBack {
                node,
                quiet_s,
                succeeds,
            } => self.give_back(node, quiet_s, succeeds),
            Step::Renew { node } => {
                self.books.renew_leases(node_id(node), self.now.plus(LIFE));
                self.nodes[node].renewed(self.now.plus(LIFE), self.now);
            }
            Step::Pass { seconds } => {
                self.now = self.now.plus(Duration::from_secs(seconds));
                self.books.sweep_expired(self.now);
            }
        }
    }

    /// As the service does it: when a lease is short, SQL is asked for as much and it is tried
    /// again, fund by fund.
    fn reserve(&mut self, node: usize, with_key: bool, amount: i64) {
        let mut funds = vec![self.fund(false).id];
        if with_key {
            funds.push(self.fund(true).id);
        }
        let amount = UsdNanos::new(amount);
        for _ in 0..=funds.len() {
            let usable = |id: &FundId| {
                let state = self.nodes[node].states().find(|(fund, _)| fund == id);
                state.is_some_and(|(_, state)| {
                    let open = self.opened.contains(&state.lease) && self.now < state.expires_at;
                    open && free(&state) >= amount
                })
            };
            let expected = funds.iter().all(usable);
            let result = self.nodes[node].reserve(&funds, amount, self.now);
            assert_eq!(result.is_ok(), expected, "{result:?}");
            match result {
                Ok(reservation) => return self.reservations.push((node, reservation)),
                Err(short) => {
                    let fund = self.fund(short.fund == self.fund(true).id);
                    let (node, ask, outcome) = self.ask(node, fund, short.missing);
                    self.answer(node, &ask, outcome);
                    if matches!(outcome, LeaseOutcome::Insufficient { .. }) {
                        return;
                    }
                }
            }
        }
    }

    fn ask(
        &mut self,
        node: usize,
        fund: FundRef,
        needed: UsdNanos,
    ) -> (usize, LeaseAsk, LeaseOutcome) {
        let ask = self.nodes[node].ask(fund, needed, LIFE, self.now);
        let outcome = self.books.take_lease(&ask);
        (node, ask, outcome)
    }

    fn answer(&mut self, node: usize, ask: &LeaseAsk, outcome: LeaseOutcome) {
        match outcome {
            LeaseOutcome::Granted(amount) => {
                if self.nodes[node].granted(ask, amount, self.now) {
                    self.opened.push(ask.lease);
                } else {
                    self.books.return_lease(ask.lease, amount);
                }
            }
            LeaseOutcome::Insufficient { .. } => self.nodes[node].refused(ask),
        }
    }

    fn settle(&mut self, pick: usize, share: i64) {
        let Some((node, reservation)) = take(&mut self.reservations, pick) else {
            return;
        };
        let charge = UsdNanos::new(reservation.amount().get() * share / 100);
        if share > 100 {
            self.blurred
                .extend(reservation.holds().iter().map(|hold| hold.lease));
        }
        let holds = self.nodes[node].settle(reservation, charge);
        self.generations += 1;
        let id = GenerationId::new(self.now.seconds(), self.generations);
        let settlement = sample_settlement(self.tenant, id, self.now, charge, holds);
        self.unposted.push((node, settlement));
    }

    fn post(&mut self, count: usize) {
        for (node, settlement) in self.unposted.drain(..count.min(self.unposted.len())) {
            let batch = [settlement];
            self.books.post(&batch).expect("a known account");
            for hold in &batch[0].holds {
                self.nodes[node].posted(hold, batch[0].charge.total);
            }
        }
    }

    fn give_back(&mut self, node: usize, quiet_s: u64, succeeds: bool) {
        let quiet = Duration::from_secs(quiet_s);
        for part in self.nodes[node].take_returnable(self.now, quiet) {
            if succeeds {
                self.books.return_lease(part.lease(), part.amount());
                self.nodes[node].returned(part);
            } else {
                self.nodes[node].not_returned(part);
            }
        }
        for lease in self.nodes[node].take_given_up() {
            self.books.return_lease(lease, UsdNanos::MAX);
        }
    }

    /// The lease books against a naive count of what is open.
    fn check_states(&self) {
        for (node, book) in self.nodes.iter().enumerate() {
            for (fund, state) in book.states() {
                let hold = ConsumedHold::new(fund, state.lease);
                assert_eq!(state.reserved, self.reserved_under(&hold));
                assert_eq!(state.spent_unposted, self.unposted_under(&hold));
                assert!(state.granted >= UsdNanos::ZERO);
                assert_eq!(book.idle(fund), free(&state));
                if self.now < state.expires_at && !self.blurred.contains(&state.lease) {
                    let in_sql = self.books.lease_amount(state.lease);
                    let known = state
                        .granted
                        .saturating_add(self.unanswered(node, state.lease));
                    assert_eq!(known, in_sql, "node {node}, {fund}");
                    assert!(state.reserved.saturating_add(state.spent_unposted) <= state.granted);
                }
            }
        }
    }

    fn reserved_under(&self, hold: &ConsumedHold) -> UsdNanos {
        let under = self
            .reservations
            .iter()
            .filter(|(_, open)| open.holds().contains(hold));
        under.map(|(_, open)| open.amount()).sum()
    }

    fn unposted_under(&self, hold: &ConsumedHold) -> UsdNanos {
        let under = self
            .unposted
            .iter()
            .filter(|(_, open)| open.holds.contains(hold));
        under.map(|(_, open)| open.charge.total).sum()
    }

    fn unanswered(&self, node: usize, lease: LeaseId) -> UsdNanos {
        let of_lease = self
            .answers
            .iter()
            .filter(|(n, ask, _)| *n == node && ask.lease == lease);
        let amounts = of_lease.map(|(_, _, outcome)| match outcome {
            LeaseOutcome::Granted(amount) => *amount,
            LeaseOutcome::Insufficient { .. } => UsdNanos::ZERO,
        });
        amounts.sum()
    }

    /// What is spent, charged or set aside anywhere is covered by the fund.
    fn check_no_overdraft(&self) {
        for fund in [self.fund(false), self.fund(true)] {
            let balance = self.books.fund(fund.id);
            let in_fund = |hold: &ConsumedHold| hold.fund == fund.id;
            let reserved: UsdNanos = self
                .reservations
                .iter()
                .filter(|(_, open)| open.holds().iter().any(in_fund))
                .map(|(_, open)| open.amount())
                .sum();
            let unposted: UsdNanos = self
                .unposted
                .iter()
                .filter(|(_, open)| open.holds.iter().any(in_fund))
                .map(|(_, open)| open.charge.total)
                .sum();
            let committed: UsdNanos = [balance.spent, reserved, unposted].into_iter().sum();
            assert!(
                committed <= balance.capacity,
                "{}: {committed} of {balance:?}",
                fund.id
            );
        }
    }

    /// Lets everything come to rest: nothing stays held, and the ledger is sound.
    fn settle_down(mut self) {
        for (node, ask, outcome) in std::mem::take(&mut self.answers) {
            self.answer(node, &ask, outcome);
        }
        while !self.reservations.is_empty() {
            self.settle(0, 50);
        }
        self.post(usize::MAX);
        for node in 0..NODES {
            self.give_back(node, 0, true);
            assert_eq!(
                self.nodes[node]
                    .states()
                    .filter(|(_, s)| free(s).is_positive())
                    .count(),
                0
            );
            self.books.release_node(node_id(node));
        }
        let report = self.books.verify();
        assert_eq!(report.faults, Vec::<String>::new());
        assert_eq!(report.held, UsdNanos::ZERO);
        assert_eq!(u128::from(report.generations), self.generations);
    }
}

fn node_id(node: usize) -> NodeId {
    NodeId::from_uuid(Uuid::from_u128(100 + node as u128))
}

fn free(state: &LeaseState) -> UsdNanos {
    state
        .granted
        .saturating_sub(state.reserved)
        .saturating_sub(state.spent_unposted)
}

fn take<T>(items: &mut Vec<T>, pick: usize) -> Option<T> {
    (!items.is_empty()).then(|| items.swap_remove(pick % items.len()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// While leases hold and charges stay within what was reserved, no fund is ever overdrawn.
    #[test]
    fn calm_histories_never_overdraw(
        steps in proptest::collection::vec(any_step(Weather::Calm), 1..120),
    ) {
        let mut world = World::new();
        for step in steps {
            world.play(step);
            world.check_states();
            world.check_no_overdraft();
        }
        world.settle_down();
    }

    /// With overruns and leases that lapse, the books still add up and nothing stays held.
    #[test]
    fn rough_histories_add_up(
        steps in proptest::collection::vec(any_step(Weather::Rough), 1..120),
    ) {
        let mut world = World::new();
        for step in steps {
            world.play(step);
            world.check_states();
        }
        world.settle_down();
    }
}
