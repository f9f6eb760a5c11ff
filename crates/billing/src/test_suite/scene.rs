//! The stage of a case: a store, a tenant, a node, and short words for what happens to them.

use std::{sync::Arc, time::Duration};

use serde_json::value::RawValue;
use switchyard_domain::{
    clock::Timestamp,
    endpoint::EndpointId,
    id::{GenerationId, LeaseId, LedgerTransactionId, NodeId},
    money::{Price, UsdNanos},
    price_list::{PriceList, Prices},
    provider::ProviderSlug,
    tokens::{TokenUsage, UsageSource},
};
use uuid::Uuid;

use super::{Fixture, Tenant};
use crate::{
    fund::{FundId, FundRef},
    settlement::{AttemptFacts, Charge, ConsumedHold, RequestFacts, ServedFacts, Settlement},
    store::{CreditGrant, LeaseAsk, LeaseOutcome, LedgerReport, LedgerStore, PostOutcome},
};

/// When every case begins: 2026-11-24T06:00:00Z.
pub const START: Timestamp = Timestamp::from_seconds(1_795_500_000);
/// How long a lease lasts unless a case says otherwise.
pub const LEASE_LIFE: Duration = Duration::from_secs(60);

/// Where a case plays.
pub struct Scene {
    /// The store under test.
    pub store: Arc<dyn LedgerStore>,
    /// Who pays.
    pub tenant: Tenant,
    /// Who holds.
    pub node: NodeId,
    /// Makes ids and choices.
    pub dice: Dice,
    /// The time of whatever happens next.
    pub now: Timestamp,
}

impl Scene {
    /// Sets the stage. The case's name seeds its dice, so that cases do not share ids.
    pub async fn new(fixture: &dyn Fixture, case: &str) -> Self {
        Self {
            store: fixture.store(),
            tenant: fixture.new_account().await,
            node: fixture.new_node().await,
            dice: Dice::named(case),
            now: START,
        }
    }

    /// The tenant's credits.
    pub fn credits(&self) -> FundRef {
        FundRef {
            id: FundId::Credits(self.tenant.account_id),
            capacity: None,
        }
    }

    /// The key's limit, without reset.
    pub fn key_limit(&self, limit: i64) -> FundRef {
        let id = FundId::KeyLimit {
            key: self.tenant.api_key_id,
            window_start: None,
        };
        FundRef {
            id,
            capacity: Some(UsdNanos::new(limit)),
        }
    }

    /// A grant to the tenant under a name of its own.
    pub fn new_grant(&mut self, amount: i64) -> CreditGrant {
        let transaction_id = LedgerTransactionId::from_uuid(self.dice.uuid());
        CreditGrant {
            transaction_id,
            idempotency_key: format!("grant:{transaction_id}"),
            account_id: self.tenant.account_id,
            amount: UsdNanos::new(amount),
            reason: "welcome".to_owned(),
            at: self.now,
        }
    }

    /// Gives the tenant credit.
    pub async fn grant(&mut self, amount: i64) {
        let grant = self.new_grant(amount);
        assert!(
            self.store.grant(&grant).await.expect("the grant is made"),
            "made before"
        );
    }

    /// An ask for a new lease of this node.
    pub fn new_ask(&mut self, fund: FundRef, needed: i64, wanted: i64) -> LeaseAsk {
        LeaseAsk {
            fund,
            lease: LeaseId::from_uuid(self.dice.uuid()),
            node: self.node,
            needed: UsdNanos::new(needed),
            wanted: UsdNanos::new(wanted),
            expires_at: self.now.plus(LEASE_LIFE),
            now: self.now,
        }
    }

    /// What the store answers to an ask.
    pub async fn take(&self, ask: &LeaseAsk) -> LeaseOutcome {
        self.store.take_lease(ask).await.expect("the store answers")
    }

    /// Holds exactly `amount` of a fund.
    pub async fn hold(&mut self, fund: FundRef, amount: i64) -> ConsumedHold {
        let ask = self.new_ask(fund, amount, amount);
        assert_eq!(
            self.take(&ask).await,
            granted(amount),
            "the fund can bear it"
        );
        ConsumedHold::new(fund.id, ask.lease)
    }

    /// A fund's capacity, spent and held, in nano-dollars.
    pub async fn balance(&self, fund: FundRef) -> (i64, i64, i64) {
        let balance = self.store.fund(fund.id).await.expect("the store answers");
        (
            balance.capacity.get(),
            balance.spent.get(),
            balance.held.get(),
        )
    }

    /// A settlement of the tenant with this charge for inference.
    pub fn settlement(&mut self, charge: i64, holds: &[ConsumedHold]) -> Settlement {
        let id = GenerationId::new(self.now.seconds(), self.dice.uuid().as_u128());
        sample_settlement(
            self.tenant,
            id,
            self.now,
            UsdNanos::new(charge),
            holds.to_vec(),
        )
    }

    /// Posts a batch.
    pub async fn post(&self, batch: &[Settlement]) -> Vec<PostOutcome> {
        self.store.post(batch).await.expect("the batch is posted")
    }

    /// Checks every invariant of the ledger and hands over the report.
    pub async fn sound_report(&self) -> LedgerReport {
        let report = self.store.verify().await.expect("the ledger is read");
        assert_eq!(report.faults, Vec::<String>::new());
        assert_eq!(report.postings_sum, 0);
        report
    }
}

/// The outcome that grants `amount`.
pub const fn granted(amount: i64) -> LeaseOutcome {
    LeaseOutcome::Granted(UsdNanos::new(amount))
}

/// The outcome that refuses because only `available` is left.
pub const fn insufficient(available: i64) -> LeaseOutcome {
    LeaseOutcome::Insufficient {
        available: UsdNanos::new(available),
    }
}

/// A settlement as a served chat completion leaves it, every field filled.
pub fn sample_settlement(
    tenant: Tenant,
    generation_id: GenerationId,
    at: Timestamp,
    charge: UsdNanos,
    holds: Vec<ConsumedHold>,
) -> Settlement {
    let usage = TokenUsage {
        input_uncached: 1_000,
        output_text: 500,
        ..TokenUsage::default()
    };
    let finished_at = at.plus(Duration::from_millis(1_250));
    Settlement {
        generation_id,
        account_id: tenant.account_id,
        workspace_id: tenant.workspace_id,
        api_key_id: tenant.api_key_id,
        admitted_at: at,
        finished_at,
        request: sample_request(),
        served: Some(sample_served()),
        usage,
        usage_source: UsageSource::Upstream,
        charge: Charge {
            total: charge,
            inference: charge,
            list: charge,
            list_prompt: charge,
            ..Charge::default()
        },
        holds,
        attempts: vec![
            sample_attempt(1, Some("rate_limited"), at),
            sample_attempt(2, None, at),
        ],
        decision: Some(json(
            r#"{"candidates":["acme/fast","bolt/fast"],"ruled_out":[]}"#,
        )),
        receipt: None,
    }
}

/// Wraps a JSON text as it is.
pub fn json(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).expect("a JSON text")
}

fn sample_request() -> RequestFacts {
    RequestFacts {
        requested_model: "acme/fast".to_owned(),
        streamed: true,
        api_type: "completions".to_owned(),
        session_id: Some("session-1".to_owned()),
        external_user: Some("user-1".to_owned()),
        http_referer: Some("https://app.example".to_owned()),
        app_title: Some("An app".to_owned()),
        user_agent: Some("client/1.0".to_owned()),
        request_id: Some("req-1".to_owned()),
        media_prompt: 1,
    }
}

fn sample_served() -> ServedFacts {
    let base = Prices {
        prompt: Price::from_picos(75_000),
        completion: Price::from_picos(300_000),
        input_cache_read: Price::from_picos(18_750),
        ..Prices::default()
    };
    ServedFacts {
        model: "acme/fast".to_owned(),
        endpoint_id: EndpointId::new("acme/fast|bolt"),
        provider: ProviderSlug::new("bolt"),
        provider_name: "Bolt".to_owned(),
        byok_credential_id: None,
        upstream_id: Some("chatcmpl-1".to_owned()),
        finish_reason: Some("stop".to_owned()),
        native_finish_reason: Some("end_turn".to_owned()),
        service_tier: Some("default".to_owned()),
        cancelled: false,
        latency_ms: Some(180),
        generation_time_ms: Some(1_200),
        price_snapshot_id: "sample-prices".into(),
        prices: Arc::new(PriceList {
            base,
            ..PriceList::default()
        }),
    }
}

fn sample_attempt(number: u32, failure: Option<&str>, at: Timestamp) -> AttemptFacts {
    AttemptFacts {
        number,
        endpoint_id: EndpointId::new("acme/fast|bolt"),
        provider: ProviderSlug::new("bolt"),
        supplied: false,
        is_byok: false,
        started_at: at.plus(Duration::from_millis(u64::from(number))),
        duration_ms: 600,
        first_token_ms: failure.is_none().then_some(180),
        status: Some(if failure.is_some() { 429 } else { 200 }),
        failure: failure.map(str::to_owned),
    }
}

/// Choices that a name or a number decides, the same on every run.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Dice with a numbered seed.
    pub const fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// Dice whose seed is a name.
    pub fn named(name: &str) -> Self {
        let fold = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Self(name.bytes().fold(0xcbf2_9ce4_8422_2325, fold))
    }

    /// The next 64 bits.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which must not be zero.
    pub const fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// An amount in nano-dollars below `bound`, which must be positive.
    pub fn amount_below(&mut self, bound: i64) -> i64 {
        let bound = u64::try_from(bound).expect("a positive bound");
        i64::try_from(self.below(bound)).expect("below an i64")
    }

    /// A version 4 UUID.
    pub const fn uuid(&mut self) -> Uuid {
        let bits = (self.next() as u128) << 64 | self.next() as u128;
        uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid()
    }

    /// Puts items into a random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            let pick = usize::try_from(self.below(end as u64 + 1)).expect("an index");
            items.swap(end, pick);
        }
    }
}
