//! Looking up what was settled.

use std::time::Duration;

use serde_json::json;
use switchyard_billing::{
    ledger::postings_for,
    settlement::Settlement,
    test_suite::{Fixture, Tenant, scene::sample_settlement},
};
use switchyard_domain::{
    clock::Timestamp,
    id::{CredentialId, GenerationId, LedgerTransactionId},
    money::UsdNanos,
    tokens::{TokenUsage, UsageSource},
};
use switchyard_store::generation::GenerationView;

use crate::engine::{Engine, NOW};

fn settlement(tenant: Tenant, number: u128, at: Timestamp) -> Settlement {
    let id = GenerationId::new(at.seconds(), number);
    let mut settlement = sample_settlement(tenant, id, at, UsdNanos::new(225), Vec::new());
    settlement.usage = TokenUsage {
        input_uncached: 1,
        cache_read: 2,
        cache_write_5m: 3,
        cache_write_1h: 4,
        audio_in: 5,
        output_text: 6,
        reasoning: 7,
        audio_out: 8,
        image_out: 9,
        images_in: 10,
    };
    settlement.charge.inference = UsdNanos::new(200);
    settlement.charge.tools = UsdNanos::new(25);
    settlement.charge.list = UsdNanos::new(199);
    settlement.charge.list_prompt = UsdNanos::new(100);
    settlement.charge.list_completion = UsdNanos::new(99);
    settlement.charge.cache_discount = UsdNanos::new(-3);
    settlement
}

async fn post(engine: &Engine, settlement: &Settlement) {
    engine
        .ledger()
        .post(std::slice::from_ref(settlement))
        .await
        .expect("posted");
}

async fn lookup(engine: &Engine, settlement: &Settlement) -> GenerationView {
    let (account, id) = (settlement.account_id, &settlement.generation_id);
    engine
        .directory()
        .generation(account, id)
        .await
        .expect("answered")
        .expect("known")
}

/// Compares as documents, which name the field that differs. The spaces that `jsonb` puts into a
/// decision are not compared.
fn assert_same(view: GenerationView, settlement: &Settlement) {
    let told = Settlement {
        generation_id: view.generation_id,
        account_id: view.account_id,
        workspace_id: view.workspace_id,
        api_key_id: view.api_key_id,
        admitted_at: view.admitted_at,
        finished_at: view.finished_at,
        request: view.request,
        served: view.served,
        usage: view.usage,
        usage_source: view.usage_source,
        charge: view.charge,
        holds: settlement.holds.clone(),
        attempts: view.attempts,
        decision: view.decision,
        receipt: settlement.receipt.clone(),
    };
    let document = |settlement| serde_json::to_value(settlement).expect("serializable");
    assert_eq!(document(&told), document(settlement));
}

pub(crate) async fn a_generation_is_read_back_as_it_was_settled(engine: &Engine) {
    let tenant = engine.new_account().await;
    let plain = settlement(tenant, 1, NOW);
    let mut odd = settlement(tenant, 2, NOW.plus(Duration::from_micros(123_457)));
    odd.usage_source = UsageSource::LocalEstimate;
    odd.charge.insured = true;
    let served = odd.served.as_mut().expect("served");
    served.byok_credential_id = Some(CredentialId::from_uuid(engine.fresh_uuid()));
    served.cancelled = true;
    served.upstream_id = None;
    served.finish_reason = None;
    served.latency_ms = None;
    odd.request.user_agent = None;
    odd.request.streamed = false;
    for settlement in [plain, odd] {
        post(engine, &settlement).await;
        assert_same(lookup(engine, &settlement).await, &settlement);
    }
}

pub(crate) async fn a_settlement_is_booked_to_the_nano(engine: &Engine) {
    let tenant = engine.new_account().await;
    let settlement = settlement(tenant, 1, NOW);
    post(engine, &settlement).await;
    let booked = postings_for(&settlement).expect("something is charged");
    let found = engine.directory().postings_of(booked.id()).await;
    assert_eq!(found.expect("answered"), booked.postings());
    let nothing = LedgerTransactionId::from_uuid(engine.fresh_uuid());
    let found = engine.directory().postings_of(nothing).await;
    assert_eq!(found.expect("answered"), []);
}

pub(crate) async fn a_generation_that_nothing_served_is_read_back(engine: &Engine) {
    let tenant = engine.new_account().await;
    let mut failed = settlement(tenant, 1, NOW);
    failed.served = None;
    failed.usage = TokenUsage::default();
    failed.usage_source = UsageSource::None;
    failed.charge = Default::default();
    failed.attempts.clear();
    failed.decision = None;
    post(engine, &failed).await;
    assert_same(lookup(engine, &failed).await, &failed);
}

pub(crate) async fn other_accounts_see_nothing(engine: &Engine) {
    let (tenant, other) = (engine.new_account().await, engine.new_account().await);
    let own = settlement(tenant, 1, NOW);
    let unknown = GenerationId::new(NOW.seconds(), 2);
    assert!(
        engine
            .directory()
            .generation(tenant.account_id, &own.generation_id)
            .await
            .expect("answered")
            .is_none()
    );
    post(engine, &own).await;

    for (account, id) in [
        (other.account_id, &own.generation_id),
        (tenant.account_id, &unknown),
    ] {
        let answer = engine
            .directory()
            .generation(account, id)
            .await
            .expect("answered");
        assert!(answer.is_none(), "{account} {id}");
    }
    assert_same(lookup(engine, &own).await, &own);
}

pub(crate) async fn months_do_not_matter_to_a_lookup(engine: &Engine) {
    let tenant = engine.new_account().await;
    for _ in 0..2 {
        engine
            .directory()
            .ensure_partitions(NOW)
            .await
            .expect("again is nothing to do");
    }
    let days = [0, 6, 7, 40, 400, 4_000];
    let mut posted = Vec::new();
    for (number, day) in (0..).zip(days) {
        let at = NOW.plus(Duration::from_secs(86_400 * day));
        let settlement = settlement(tenant, number, at);
        post(engine, &settlement).await;
        posted.push(settlement);
    }
    let late = NOW.plus(Duration::from_secs(86_400 * 400));
    engine
        .directory()
        .ensure_partitions(late)
        .await
        .expect("what is there stays where it is");

    for settlement in &posted {
        assert_same(lookup(engine, settlement).await, settlement);
    }
    assert_eq!(
        engine.ledger().verify().await.expect("read").faults,
        Vec::<String>::new()
    );
}

pub(crate) async fn text_without_nul_survives(engine: &Engine) {
    let tenant = engine.new_account().await;
    let mut hostile = settlement(tenant, 1, NOW);
    hostile.request.app_title = Some("a\0b \\u0000 \u{1} ü🦀 '\"".to_owned());
    post(engine, &hostile).await;

    let view = lookup(engine, &hostile).await;
    assert_eq!(
        view.request.app_title.as_deref(),
        Some("a\u{fffd}b \\u0000 \u{1} ü🦀 '\"")
    );
    let decision = serde_json::to_value(view.decision).expect("a document");
    assert_eq!(
        decision,
        json!({"candidates": ["acme/fast", "bolt/fast"], "ruled_out": []})
    );
}

pub(crate) async fn an_accounts_first_generation(engine: &Engine) {
    let (mine, other) = (engine.new_account().await, engine.new_account().await);
    let first = |tenant: Tenant| {
        let directory = engine.directory();
        async move {
            directory
                .first_generation(tenant.account_id)
                .await
                .expect("answered")
        }
    };
    assert_eq!(first(mine).await, None);
    // Posted in another order than they were admitted in, and in another month.
    let day = Duration::from_secs(86_400);
    let (early, late) = (NOW.minus(40 * day), NOW);
    post(
        engine,
        &settlement(mine, engine.fresh_uuid().as_u128(), late),
    )
    .await;
    let oldest = settlement(mine, engine.fresh_uuid().as_u128(), early);
    post(engine, &oldest).await;
    post(
        engine,
        &settlement(other, engine.fresh_uuid().as_u128(), early.minus(day)),
    )
    .await;
    assert_eq!(first(mine).await, Some(oldest.generation_id));
}
