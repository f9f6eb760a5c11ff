//! What a key used, by window.

use switchyard_billing::test_suite::{Fixture, Tenant, scene::sample_settlement};
use switchyard_domain::{
    clock::Timestamp,
    id::{CredentialId, GenerationId},
    money::UsdNanos,
};
use switchyard_store::api_key::{KeyUsage, WindowSums};

use crate::engine::{Engine, NOW};

fn sums(total: i64, daily: i64, weekly: i64, monthly: i64) -> WindowSums {
    WindowSums {
        total: UsdNanos::new(total),
        daily: UsdNanos::new(daily),
        weekly: UsdNanos::new(weekly),
        monthly: UsdNanos::new(monthly),
    }
}

async fn spend(engine: &Engine, tenant: Tenant, charges: &[(&str, i64)]) {
    let batch: Vec<_> = (1..)
        .zip(charges)
        .map(|(number, (at, charge))| {
            let at = Timestamp::parse_rfc3339(at).expect("an instant");
            let id = GenerationId::new(at.seconds(), number);
            sample_settlement(tenant, id, at, UsdNanos::new(*charge), Vec::new())
        })
        .collect();
    engine.ledger().post(&batch).await.expect("posted");
}

async fn usage(engine: &Engine, tenant: Tenant, now: &str) -> KeyUsage {
    let now = Timestamp::parse_rfc3339(now).expect("an instant");
    engine
        .directory()
        .key_usage(tenant.api_key_id, now)
        .await
        .expect("answered")
}

pub(crate) async fn spending_is_told_by_window(engine: &Engine) {
    let (tenant, other) = (engine.new_account().await, engine.new_account().await);
    spend(
        engine,
        tenant,
        &[
            ("2025-01-01T00:00:00Z", 1),        // long ago
            ("2026-10-31T23:59:59.999999Z", 2), // the month before
            ("2026-11-01T00:00:00Z", 4),        // this month
            ("2026-11-22T23:59:59Z", 8),        // Sunday, the week before
            ("2026-11-23T00:00:00Z", 16),       // Monday
            ("2026-11-24T00:00:00Z", 32),       // today
            ("2026-11-24T23:59:59Z", 64),
        ],
    )
    .await;
    spend(engine, other, &[("2026-11-24T01:00:00Z", 1_000)]).await;

    for (now, total, daily, weekly, monthly) in [
        ("2026-11-24T23:59:59Z", 127, 96, 112, 124),
        ("2026-11-25T00:00:00Z", 127, 0, 112, 124),
        ("2026-11-30T00:00:00Z", 127, 0, 0, 124),
        ("2026-12-01T00:00:00Z", 127, 0, 0, 0),
    ] {
        let told = usage(engine, tenant, now).await;
        assert_eq!(told.usage, sums(total, daily, weekly, monthly), "{now}");
        assert_eq!(told.byok_usage, WindowSums::default(), "{now}");
        assert_eq!(told.requests, 7, "{now}");
    }
}

pub(crate) async fn byok_traffic_is_told_apart(engine: &Engine) {
    let tenant = engine.new_account().await;
    let id = GenerationId::new(NOW.seconds(), 1);
    let mut own = sample_settlement(tenant, id, NOW, UsdNanos::ZERO, Vec::new());
    own.charge.list = UsdNanos::new(500);
    own.charge.list_prompt = UsdNanos::new(500);
    own.served.as_mut().expect("served").byok_credential_id =
        Some(CredentialId::from_uuid(engine.fresh_uuid()));
    let id = GenerationId::new(NOW.seconds(), 2);
    let paid = sample_settlement(tenant, id, NOW, UsdNanos::new(7), Vec::new());
    engine.ledger().post(&[own, paid]).await.expect("posted");

    let told = usage(engine, tenant, "2026-11-24T07:00:00Z").await;

    assert_eq!(told.usage, sums(7, 7, 7, 7));
    assert_eq!(told.byok_usage, sums(500, 500, 500, 500));
    assert_eq!(told.requests, 2);
}

pub(crate) async fn a_new_key_used_nothing(engine: &Engine) {
    let tenant = engine.new_account().await;
    assert_eq!(
        usage(engine, tenant, "2026-11-24T07:00:00Z").await,
        KeyUsage::default()
    );
}
