//! Walking through what was decided.

use std::time::Duration;

use switchyard_billing::{
    settlement::Settlement,
    test_suite::{Fixture, Tenant, scene::sample_settlement},
};
use switchyard_domain::{
    id::{AccountId, GenerationId},
    money::UsdNanos,
};
use switchyard_store::generation::{DecidedGeneration, Walk};

use crate::engine::{Engine, NOW};

async fn settle(engine: &Engine, tenant: Tenant, number: u128, micros: u64) -> Settlement {
    let at = NOW.plus(Duration::from_micros(micros));
    let id = GenerationId::new(at.seconds(), number);
    let settlement = sample_settlement(tenant, id, at, UsdNanos::new(225), Vec::new());
    let posted = std::slice::from_ref(&settlement);
    engine.ledger().post(posted).await.expect("posted");
    settlement
}

fn everything(account: Option<AccountId>) -> Walk {
    Walk {
        account,
        since: NOW,
        until: NOW.plus(Duration::from_secs(3_600)),
        after: None,
        limit: 2,
    }
}

async fn walk(engine: &Engine, mut walk: Walk) -> Vec<DecidedGeneration> {
    let mut seen: Vec<DecidedGeneration> = Vec::new();
    loop {
        let page = engine
            .directory()
            .decided_generations(&walk)
            .await
            .expect("answered");
        assert!(page.len() <= 2, "{page:?}");
        let is_last = page.len() < 2;
        seen.extend(page);
        if is_last {
            return seen;
        }
        let last = seen.last().expect("a full page");
        walk.after = Some((last.admitted_at, last.generation_id.clone()));
    }
}

fn ids(seen: &[DecidedGeneration]) -> Vec<&str> {
    let mut ids: Vec<&str> = seen.iter().map(|one| one.generation_id.as_str()).collect();
    ids.sort_unstable();
    ids
}

pub(crate) async fn a_walk_sees_each_generation_once(engine: &Engine) {
    let tenant = engine.new_account().await;
    // Several at one instant, and one in a month without a partition of its own.
    let year = 400 * 86_400 * 1_000_000;
    let mut settled = Vec::new();
    for (number, micros) in (1..).zip([0, 5, 5, 5, 7, 1_000_000, 2_500_000, year]) {
        settled.push(settle(engine, tenant, number, micros).await);
    }
    let mut expected: Vec<&str> = settled
        .iter()
        .map(|one| one.generation_id.as_str())
        .collect();
    expected.sort_unstable();
    for account in [None, Some(tenant.account_id)] {
        let seen = walk(
            engine,
            Walk {
                until: NOW.plus(Duration::from_micros(year + 1)),
                ..everything(account)
            },
        )
        .await;
        assert_eq!(ids(&seen), expected, "{account:?}");
        let (one, settlement) = (&seen[0], &settled[0]);
        assert_eq!(one.api_key_id, settlement.api_key_id);
        assert_eq!(one.workspace_id, settlement.workspace_id);
        assert_eq!(one.charge, settlement.charge.total);
        let served = settlement.served.as_ref().expect("served");
        assert_eq!(one.endpoint_id.as_ref(), Some(&served.endpoint_id));
        assert_eq!(one.byok_credential_id, served.byok_credential_id);
        let document = |raw: &Option<Box<serde_json::value::RawValue>>| {
            serde_json::to_value(raw).expect("a document")
        };
        assert_eq!(document(&one.decision), document(&settlement.decision));
    }
}

pub(crate) async fn a_walk_keeps_to_its_account_and_time(engine: &Engine) {
    let (tenant, other) = (engine.new_account().await, engine.new_account().await);
    let second = 1_000_000;
    let mine = settle(engine, tenant, 1, 10 * second).await;
    settle(engine, tenant, 2, 0).await;
    settle(engine, tenant, 3, 20 * second).await;
    let theirs = settle(engine, other, 4, 10 * second).await;
    let at = |micros| NOW.plus(Duration::from_micros(micros));
    let between = |account| Walk {
        since: at(1),
        until: at(20 * second),
        ..everything(account)
    };
    let seen = walk(engine, between(Some(tenant.account_id))).await;
    assert_eq!(ids(&seen), [mine.generation_id.as_str()]);
    let seen = walk(engine, between(None)).await;
    let mut both = [mine.generation_id.as_str(), theirs.generation_id.as_str()];
    both.sort_unstable();
    assert_eq!(ids(&seen), both);
}
