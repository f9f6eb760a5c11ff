//! Settlements reaching the books, once.

use std::time::Duration;

use switchyard_domain::{
    clock::Timestamp,
    id::{AccountId, GenerationId},
    money::UsdNanos,
    tokens::{TokenUsage, UsageSource},
};
use tokio::task::JoinSet;

use super::{
    Fixture,
    scene::{START, Scene, granted, insufficient, json},
};
use crate::{
    settlement::Charge,
    store::PostOutcome::{AlreadyPosted, Conflict, Posted},
};

/// The charge leaves the hold it was reserved under; the rest stays held.
pub async fn a_charge_moves_from_held_to_spent(fixture: &dyn Fixture) {
    let mut scene = Scene::new(fixture, "a_charge_moves_from_held_to_spent").await;
    let credits = scene.credits();
    scene.grant(1_000_000).await;
    let hold = scene.hold(credits, 100_000).await;
    let before = scene.sound_report().await;

    let settlement = scene.settlement(225, &[hold]);
    assert!(!is_posted(&scene, &settlement.generation_id).await);
    assert_eq!(
        scene.post(std::slice::from_ref(&settlement)).await,
        [Posted]
    );

    assert!(is_posted(&scene, &settlement.generation_id).await);
    assert_eq!(scene.balance(credits).await, (1_000_000, 225, 99_775));
    let after = scene.sound_report().await;
    assert_eq!(after.generations, before.generations + 1);
    assert_eq!(after.transactions, before.transactions + 1);
    assert_eq!(after.held, UsdNanos::new(99_775));
}

/// Credits and the key's limit are spent alike, each from its own lease.
pub async fn a_charge_spends_every_fund_it_names(fixture: &dyn Fixture) {
    let mut scene = Scene::new(fixture, "a_charge_spends_every_fund_it_names").await;
    let (credits, limit) = (scene.credits(), scene.key_limit(500));
    scene.grant(1_000).await;
    let holds = [scene.hold(credits, 100).await, scene.hold(limit, 60).await];

    let settlement = scene.settlement(40, &holds);
    assert_eq!(scene.post(&[settlement]).await, [Posted]);

    assert_eq!(scene.balance(credits).await, (1_000, 40, 60));
    assert_eq!(scene.balance(limit).await, (500, 40, 20));
    scene.sound_report().await;
}

/// A journal that is replayed changes nothing, even where the record of how it went differs.
pub async fn posting_again_changes_nothing(fixture: &dyn Fixture) {
    let mut scene = Scene::new(fixture, "posting_again_changes_nothing").await;
    let credits = scene.credits();
    scene.grant(1_000).await;
    let hold = scene.hold(credits, 100).await;
    let settlement = scene.settlement(40, &[hold]);
    scene.post(std::slice::from_ref(&settlement)).await;
    let before = scene.sound_report().await;

    let mut retold = settlement.clone();
    retold.decision = None;
    retold.attempts.clear();
    retold.finished_at = retold.finished_at.plus(Duration::from_secs(1));
    for replay in [settlement, retold] {
        assert_eq!(scene.post(&[replay]).await, [AlreadyPosted]);
        assert_eq!(scene.balance(credits).await, (1_000, 40, 60));
    }
    assert_eq!(scene.sound_report().await, before);
}

/// The same generation with other usage is refused and the first result stands; the rest of the
/// batch is posted.
pub async fn other_content_under_the_same_id_is_a_conflict(fixture: &dyn Fixture) {
    let mut scene = Scene::new(fixture, "other_content_under_the_same_id_is_a_conflict").await;
    let credits = scene.credits();
    scene.grant(1_000).await;
    let hold = scene.hold(credits, 100).await;
    let original = scene.settlement(40, &[hold]);
    scene.post(std::slice::from_ref(&original)).await;

    let mut dearer = original.clone();
    dearer.charge.total = UsdNanos::new(41);
    dearer.charge.inference = UsdNanos::new(41);
    let mut recounted = original.clone();
    recounted.usage.output_text += 1;
    let (left, right) = (scene.settlement(1, &[hold]), scene.settlement(2, &[hold]));
    let outcomes = scene
        .post(&[left, dearer, recounted, right, original])
        .await;

    assert_eq!(
        outcomes,
        [Posted, Conflict, Conflict, Posted, AlreadyPosted]
    );
    assert_eq!(scene.balance(credits).await, (1_000, 43, 57));
    scene.sound_report().await;
}

/// Within one batch, too, the first settlement of a generation stands.
pub async fn repeats_inside_one_batch_count_once(fixture: &dyn Fixture) {
    let mut scene = Scene::new(fixture, "repeats_inside_one_batch_count_once").await;
    let credits = scene.credits();
    scene.grant(1_000).await;
    let hold = scene.hold(credits, 100).await;
    let first = scene.settlement(40, &[hold]);
    let mut other = first.clone();
    other.usage = TokenUsage::default();

    let outcomes = scene
        .post(&[first.clone(), first.clone(), other, first])
        .await;

    assert_eq!(outcomes, [Posted, AlreadyPosted, Conflict, AlreadyPosted]);
    assert_eq!(scene.balance(credits).await, (1_000, 40, 60));
    scene.sound_report().await;
}

/// One settlement that cannot be written, here of an account that does not exist, keeps its whole
/// batch out of the books.
pub async fn a_batch_is_posted_wholly_or_not_at_all(fixture: &dyn Fixture) {
    let mut scene = Scene::new(fixture, "a_batch_is_posted_wholly_or_not_at_all").await;
    let credits = scene.credits();
    scene.grant(1_000).await;
    let hold = scene.hold(credits, 100).await;
    let before = scene.sound_report().await;
    let good = scene.settlement(40, &[hold]);
    let mut orphan = scene.settlement(5, &[]);
    orphan.account_id = AccountId::from_uuid(scene.dice.uuid());

    for batch in [[good.clone(), orphan.clone()], [orphan, good.clone()]] {
        scene
            .store
            .post(&batch)
            .await
            .expect_err("the orphan cannot be posted");
        assert!(!is_posted(&scene, &good.generation_id).await);
        assert_eq!(scene.balance(credits).await, (1_000, 0, 100));
        assert_eq!(scene.sound_report().await, before);
    }
    assert_eq!(scene.post(&[good]).await, [Posted]);
    assert_eq!(scene.balance(credits).await, (1_000, 40, 60));
}

/// Settling never refuses: a balance of 50,000,000 bears a charge of 50,145,000 and goes negative.
/// After that nothing can be held, not even nothing.
pub async fn a_charge_beyond_the_balance_is_posted(fixture: &dyn Fixture) {
    let mut scene = Scene::new(fixture, "a_charge_beyond_the_balance_is_posted").await;
    let credits = scene.credits();
    scene.grant(50_000_000).await;
    let too_much = scene.new_ask(credits, 64_440_000, 64_440_000);
    assert_eq!(scene.take(&too_much).await, insufficient(50_000_000));
    let hold = scene.hold(credits, 49_995_000).await;

    let settlement = scene.settlement(50_145_000, &[hold]);
    assert_eq!(scene.post(&[settlement]).await, [Posted]);

    assert_eq!(scene.balance(credits).await, (50_000_000, 50_145_000, 0));
    for needed in [1, 0] {
        let ask = scene.new_ask(credits, needed, 1_000);
        assert_eq!(
            scene.take(&ask).await,
            insufficient(-145_000),
            "needed {needed}"
        );
    }
    assert_eq!(scene.sound_report().await.held, UsdNanos::ZERO);
}

/// A lease that lapsed before its charge was posted: only what is spent moves.
pub async fn a_charge_after_the_lease_was_swept_is_posted(fixture: &dyn Fixture) {
    let name = "a_charge_after_the_lease_was_swept_is_posted";
    let mut scene = Scene::new(fixture, name).await;
    let credits = scene.credits();
    scene.grant(1_000).await;
    let lapsed = scene.hold(credits, 100).await;
    let swept = scene
        .store
        .sweep_expired(START.plus(Duration::from_secs(61)))
        .await;
    assert_eq!(swept.expect("swept"), UsdNanos::new(100));
    scene.now = START.plus(Duration::from_secs(61));
    scene.hold(credits, 70).await;

    let settlement = scene.settlement(40, &[lapsed]);
    assert_eq!(scene.post(&[settlement]).await, [Posted]);

    assert_eq!(
        scene.balance(credits).await,
        (1_000, 40, 70),
        "the other lease is untouched"
    );
    scene.sound_report().await;
}

/// A charge above what its lease still holds uses the lease up and takes the rest from what is
/// free; charges of one batch share the lease.
pub async fn a_charge_beyond_the_lease_takes_the_rest_from_the_balance(fixture: &dyn Fixture) {
    let name = "a_charge_beyond_the_lease_takes_the_rest_from_the_balance";
    let mut scene = Scene::new(fixture, name).await;
    let credits = scene.credits();
    scene.grant(1_000).await;
    let (small, large) = (
        scene.hold(credits, 100).await,
        scene.hold(credits, 300).await,
    );

    let batch = [
        scene.settlement(60, &[small]),
        scene.settlement(60, &[small]),
        scene.settlement(50, &[large]),
        scene.settlement(60, &[small]),
    ];
    assert_eq!(scene.post(&batch).await, [Posted, Posted, Posted, Posted]);

    assert_eq!(scene.balance(credits).await, (1_000, 230, 250));
    scene.sound_report().await;
    let ask = scene.new_ask(credits, 520, 520);
    assert_eq!(
        scene.take(&ask).await,
        granted(520),
        "all that is neither spent nor held"
    );
}

/// A generation that costs nothing is kept, but there is nothing to book.
pub async fn nothing_charged_is_recorded_without_a_transaction(fixture: &dyn Fixture) {
    let name = "nothing_charged_is_recorded_without_a_transaction";
    let mut scene = Scene::new(fixture, name).await;
    let credits = scene.credits();
    scene.grant(1_000).await;
    let hold = scene.hold(credits, 100).await;
    let before = scene.sound_report().await;

    let mut insured = scene.settlement(0, &[hold]);
    insured.charge = Charge {
        list: UsdNanos::new(7),
        insured: true,
        ..Charge::default()
    };
    insured.charge.list_prompt = insured.charge.list;
    let free = scene.settlement(0, &[]);
    assert_eq!(scene.post(&[insured.clone(), free]).await, [Posted, Posted]);

    assert!(is_posted(&scene, &insured.generation_id).await);
    assert_eq!(scene.balance(credits).await, (1_000, 0, 100));
    let after = scene.sound_report().await;
    assert_eq!(after.generations, before.generations + 2);
    assert_eq!(after.transactions, before.transactions);
    assert_eq!(scene.post(&[insured]).await, [AlreadyPosted]);
}

/// A charge with both parts, and one with tools alone, leave a sound ledger.
pub async fn tools_and_inference_are_booked_apart(fixture: &dyn Fixture) {
    let mut scene = Scene::new(fixture, "tools_and_inference_are_booked_apart").await;
    let credits = scene.credits();
    scene.grant(100_000_000).await;
    let hold = scene.hold(credits, 50_000_000).await;

    let mut both = scene.settlement(27_500_000, &[hold]);
    both.charge.inference = UsdNanos::new(18_500_000);
    both.charge.tools = UsdNanos::new(9_000_000);
    let mut tools_only = scene.settlement(7_000_000, &[hold]);
    tools_only.charge = Charge {
        total: UsdNanos::new(7_000_000),
        tools: UsdNanos::new(7_000_000),
        insured: true,
        ..Charge::default()
    };
    assert_eq!(scene.post(&[both, tools_only]).await, [Posted, Posted]);

    assert_eq!(
        scene.balance(credits).await,
        (100_000_000, 34_500_000, 15_500_000)
    );
    scene.sound_report().await;
}

/// A request that every endpoint failed is a generation too.
pub async fn a_generation_that_nothing_served_is_recorded(fixture: &dyn Fixture) {
    let name = "a_generation_that_nothing_served_is_recorded";
    let mut scene = Scene::new(fixture, name).await;
    let mut failed = scene.settlement(0, &[]);
    failed.served = None;
    failed.usage = TokenUsage::default();
    failed.usage_source = UsageSource::None;
    failed.decision = None;
    failed.request.session_id = None;
    for attempt in &mut failed.attempts {
        attempt.status = None;
        attempt.first_token_ms = None;
        attempt.failure = Some("connect".to_owned());
    }
    let mut refused = scene.settlement(0, &[]);
    refused.served = None;
    refused.attempts.clear();

    assert_eq!(
        scene.post(&[failed.clone(), refused]).await,
        [Posted, Posted]
    );
    assert!(is_posted(&scene, &failed.generation_id).await);
    scene.sound_report().await;
}

/// Text that callers chose must not be able to keep a charge out of the books: quotes, control
/// characters, NUL (which PostgreSQL stores in neither text nor JSON), great length.
pub async fn hostile_text_cannot_stop_the_books(fixture: &dyn Fixture) {
    let mut scene = Scene::new(fixture, "hostile_text_cannot_stop_the_books").await;
    let credits = scene.credits();
    scene.grant(1_000).await;
    let hold = scene.hold(credits, 1_000).await;

    let long = "ü".repeat(20_000);
    let hostile = [
        "",
        "'; DROP TABLE postings; --",
        "a\0b",
        "\u{1}\u{7f}\u{202e}🦀",
        "$1 ? %s \\",
        &long,
    ];
    let mut batch = Vec::new();
    for text in hostile {
        let mut settlement = scene.settlement(3, &[hold]);
        settlement.request.requested_model = text.to_owned();
        settlement.request.session_id = Some(text.to_owned());
        settlement.request.external_user = Some(text.to_owned());
        settlement.request.app_title = Some(text.to_owned());
        settlement.request.user_agent = Some(text.to_owned());
        let quoted = serde_json::to_string(text).expect("a JSON string");
        settlement.decision = Some(json(&format!("{{\"requested\":{quoted}}}")));
        if let Some(served) = &mut settlement.served {
            served.upstream_id = Some(text.to_owned());
            served.native_finish_reason = Some(text.to_owned());
        }
        settlement.attempts[0].failure = Some(text.to_owned());
        batch.push(settlement);
    }

    assert_eq!(scene.post(&batch).await, vec![Posted; hostile.len()]);
    assert_eq!(scene.post(&batch).await, vec![AlreadyPosted; hostile.len()]);
    assert_eq!(scene.balance(credits).await.1, 18);
    scene.sound_report().await;
}

/// A batch above any limit on bound parameters, over several accounts and months.
pub async fn a_large_batch_keeps_its_order(fixture: &dyn Fixture) {
    let mut scene = Scene::new(fixture, "a_large_batch_keeps_its_order").await;
    let mut holds = Vec::new();
    let mut funds = Vec::new();
    for _ in 0..3 {
        scene.tenant = fixture.new_account().await;
        scene.grant(1_000_000).await;
        let credits = scene.credits();
        holds.push((scene.tenant, scene.hold(credits, 1_000_000).await));
        funds.push((credits, 0));
    }
    let mut batch = Vec::new();
    for index in 0..900_usize {
        let (tenant, hold) = holds[index % 3];
        scene.tenant = tenant;
        scene.now = Timestamp::from_seconds(START.seconds() + 86_400 * (index as i64 % 70));
        let charge = scene.dice.amount_below(500);
        funds[index % 3].1 += charge;
        batch.push(scene.settlement(charge, &[hold]));
    }
    let already: Vec<_> = batch.iter().step_by(7).cloned().collect();
    scene.post(&already).await;

    let outcomes = scene.post(&batch).await;

    for (index, outcome) in outcomes.iter().enumerate() {
        let expected = if index % 7 == 0 {
            AlreadyPosted
        } else {
            Posted
        };
        assert_eq!(*outcome, expected, "position {index}");
    }
    for (fund, spent) in funds {
        assert_eq!(
            scene.balance(fund).await,
            (1_000_000, spent, 1_000_000 - spent)
        );
    }
    scene.sound_report().await;
}

/// Nothing to post is answered with nothing.
pub async fn an_empty_batch_is_no_work(fixture: &dyn Fixture) {
    let scene = Scene::new(fixture, "an_empty_batch_is_no_work").await;
    assert_eq!(scene.post(&[]).await, []);
}

/// Two posters with the same journal at the same time: one effect.
pub async fn parallel_posts_of_one_settlement_count_once(fixture: &dyn Fixture) {
    let mut scene = Scene::new(fixture, "parallel_posts_of_one_settlement_count_once").await;
    let credits = scene.credits();
    scene.grant(1_000).await;
    let hold = scene.hold(credits, 200).await;
    let batch = [scene.settlement(40, &[hold]), scene.settlement(50, &[hold])];

    let mut tasks = JoinSet::new();
    for turn in 0..12 {
        let store = scene.store.clone();
        let mut batch = batch.clone();
        // Every other poster sends it in the other order: no order of locks may depend on it.
        batch.rotate_left(turn % 2);
        tasks.spawn(async move { store.post(&batch).await.expect("posted") });
    }
    let outcomes = tasks.join_all().await.concat();

    assert_eq!(
        outcomes
            .iter()
            .filter(|outcome| **outcome == Posted)
            .count(),
        2
    );
    assert_eq!(
        outcomes
            .iter()
            .filter(|outcome| **outcome == AlreadyPosted)
            .count(),
        22
    );
    assert_eq!(scene.balance(credits).await, (1_000, 90, 110));
    scene.sound_report().await;
}

async fn is_posted(scene: &Scene, id: &GenerationId) -> bool {
    scene.store.is_posted(id).await.expect("the store answers")
}
