//! The log, page by page.

use std::time::Duration;

use switchyard_billing::{settlement::Settlement, test_suite::Fixture};
use switchyard_domain::id::GenerationId;
use switchyard_store::activity::{
    Bound, Condition, Cursor, Dimension, LogQuery, LogRow, LogStatus, RowMeasure, Scope,
    SessionQuery, Turn, Value,
};

use super::activity_traffic::{DAY, Traffic, activity};
use crate::engine::{Engine, NOW};

async fn page(engine: &Engine, scope: &Scope, turn: Turn, limit: u32) -> Vec<LogRow> {
    let asked = LogQuery {
        scope: scope.clone(),
        turn,
        limit,
    };
    activity(engine).log_page(&asked).await.expect("answered")
}

fn ids(rows: &[LogRow]) -> Vec<GenerationId> {
    rows.iter().map(|row| row.generation_id.clone()).collect()
}

fn ids_of(settlements: &[&Settlement]) -> Vec<GenerationId> {
    settlements
        .iter()
        .map(|one| one.generation_id.clone())
        .collect()
}

pub(crate) async fn pages_follow_each_other_both_ways(engine: &Engine) {
    let traffic = Traffic::posted(engine, "pages", 60).await;
    let (scope, ordered) = (traffic.whole(), ids_of(&traffic.in_order()));
    let mut seen = Vec::new();
    let mut turn = Turn::Newest;
    loop {
        let rows = page(engine, &scope, turn, 13).await;
        seen.extend(ids(&rows));
        match rows.last() {
            Some(last) if rows.len() == 13 => turn = Turn::Before(Cursor::of(last)),
            _ => break,
        }
    }
    assert_eq!(seen, ordered);
    let middle = page(engine, &scope, Turn::Newest, 31).await;
    let place = Cursor::of(&middle[30]);
    let mut newer = ids(&page(engine, &scope, Turn::After(place.clone()), 100).await);
    newer.reverse();
    assert_eq!(newer, ordered[..30]);
    let oldest = page(engine, &scope, Turn::Oldest, 1).await;
    assert_eq!(ids(&oldest)[0], ordered[59]);
    // The place of a generation is a place also where the filter has no such generation.
    let narrow = traffic.scope(NOW.minus(4 * DAY), place.admitted_at);
    let older = page(engine, &narrow, Turn::Before(place), 100).await;
    assert_eq!(ids(&older), ordered[31..]);
    let count = activity(engine)
        .log_count(&scope, 10_001)
        .await
        .expect("answered");
    assert_eq!(count, 60);
    let capped = activity(engine)
        .log_count(&scope, 7)
        .await
        .expect("answered");
    assert_eq!(capped, 7);
}

pub(crate) async fn filters_read_as_they_say(engine: &Engine) {
    let traffic = Traffic::posted(engine, "log filters", 90).await;
    for row in page(engine, &traffic.whole(), Turn::Newest, 100).await {
        let one = traffic
            .settlements
            .iter()
            .find(|one| one.generation_id == row.generation_id)
            .expect("one of them");
        assert_eq!(row.status, LogStatus::of(one));
        assert_eq!((row.usage, row.charge), (one.usage, one.charge));
        assert_eq!((&row.request, row.is_byok), (&one.request, one.is_byok()));
        assert_eq!(row.attempts as usize, one.attempts.len());
        if one.served.is_none() && one.attempts.is_empty() {
            assert_eq!(
                (row.model.as_str(), row.provider),
                (one.request.requested_model.as_str(), None)
            );
        } else {
            let tried = one.attempts.last().map(|last| last.endpoint_id.as_str());
            let tried = tried.expect("one").split('|').next().expect("its model");
            assert_eq!(row.model, tried);
            assert!(row.provider.is_some());
        }
    }
    let model = Condition::AnyOf(Dimension::Model, vec![Some(Value::from("acme/fast"))]);
    let session = Condition::NoneOf(Dimension::Session, vec![Some(Value::from("session-1"))]);
    let dear = Condition::Bounded(RowMeasure::Charge, Bound::Above, 500_000);
    let mut scope = traffic.whole();
    scope.filter.conditions = vec![model, session, dear];
    let holds = |one: &&&Settlement| {
        let model = one.served.as_ref().map_or_else(
            || {
                let last = one.attempts.last().map(|last| last.endpoint_id.as_str());
                last.unwrap_or(&one.request.requested_model)
                    .split('|')
                    .next()
                    .expect("text")
                    .to_owned()
            },
            |served| served.model.clone(),
        );
        model == "acme/fast"
            && one.request.session_id.as_deref() != Some("session-1")
            && one.charge.total.get() > 500_000
    };
    let ordered = traffic.in_order();
    let expected: Vec<_> = ordered.iter().filter(holds).copied().collect();
    assert!(!expected.is_empty());
    let rows = page(engine, &scope, Turn::Newest, 100).await;
    assert_eq!(ids(&rows), ids_of(&expected));
    let count = activity(engine)
        .log_count(&scope, 100)
        .await
        .expect("answered");
    assert_eq!(count, expected.len() as u64);
}

pub(crate) async fn other_accounts_read_nothing(engine: &Engine) {
    let traffic = Traffic::posted(engine, "mine", 30).await;
    let other = engine.new_account().await;
    let mut scope = traffic.whole();
    scope.account = other.account_id;
    let own = traffic.settlements[0].workspace_id.as_uuid();
    scope.filter.conditions = vec![Condition::AnyOf(
        Dimension::Workspace,
        vec![Some(Value::Id(own))],
    )];
    assert_eq!(ids(&page(engine, &scope, Turn::Newest, 100).await), []);
    let asked = SessionQuery {
        account: other.account_id,
        workspace: traffic.tenant.workspace_id,
        before: None,
        limit: 10,
    };
    assert_eq!(
        activity(engine).sessions(&asked).await.expect("answered"),
        []
    );
    let rows = activity(engine).session_log(
        other.account_id,
        traffic.tenant.workspace_id,
        "session-1",
        None,
        10,
    );
    assert_eq!(rows.await.expect("answered").len(), 0);
    let names = activity(engine)
        .names(other.account_id, &[traffic.tenant.api_key_id])
        .await
        .expect("answered");
    assert!(names.keys.is_empty());
}

pub(crate) async fn what_finished_late_is_found_by_its_end(engine: &Engine) {
    let traffic = Traffic::posted(engine, "tail", 60).await;
    let since = NOW.minus(DAY);
    let mut expected: Vec<_> = traffic
        .settlements
        .iter()
        .filter(|one| one.finished_at >= since)
        .collect();
    expected.sort_by_key(|one| (one.finished_at, one.generation_id.clone()));
    let rows = activity(engine)
        .log_finished_since(&traffic.whole(), since, 100)
        .await;
    assert_eq!(ids(&rows.expect("answered")), ids_of(&expected));
    let few = activity(engine)
        .log_finished_since(&traffic.whole(), since, 3)
        .await;
    assert_eq!(ids(&few.expect("answered")), ids_of(&expected[..3]));
}

pub(crate) async fn sessions_are_listed_by_their_last_turn(engine: &Engine) {
    let traffic = Traffic::posted(engine, "sessions", 90).await;
    let workspace = traffic.tenant.workspace_id;
    let of_session = |name: &str| -> Vec<&Settlement> {
        let mut turns = traffic.in_order();
        turns.retain(|one| {
            one.workspace_id == workspace && one.request.session_id.as_deref() == Some(name)
        });
        turns.reverse();
        turns
    };
    let mut asked = SessionQuery {
        account: traffic.tenant.account_id,
        workspace,
        before: None,
        limit: 4,
    };
    let mut listed = activity(engine).sessions(&asked).await.expect("answered");
    asked.before = listed.last().map(|session| session.last.clone());
    listed.extend(activity(engine).sessions(&asked).await.expect("answered"));
    assert_eq!(listed.len(), 6);
    assert!(listed.is_sorted_by_key(|one| std::cmp::Reverse(one.last.admitted_at)));
    for session in &listed {
        let turns = of_session(&session.session_id);
        let sums = traffic.sums_of(|one| {
            turns
                .iter()
                .any(|turn| turn.generation_id == one.generation_id)
        });
        assert_eq!(session.turns, turns.len() as u64);
        assert_eq!(
            (
                session.charge,
                session.prompt_tokens,
                session.cached_tokens,
                session.errors
            ),
            (
                sums.charge,
                sums.prompt_tokens,
                sums.cached_tokens,
                sums.errors
            )
        );
        let last = turns.last().expect("it has turns");
        assert_eq!(session.first_at, turns[0].admitted_at);
        assert_eq!(session.last.generation_id, last.generation_id);
        let rows =
            activity(engine).session_log(asked.account, workspace, &session.session_id, None, 100);
        let rows = rows.await.expect("answered");
        assert_eq!(ids(&rows), ids_of(&turns));
        let after = Cursor::of(&rows[0]);
        let rest = activity(engine).session_log(
            asked.account,
            workspace,
            &session.session_id,
            Some(&after),
            100,
        );
        assert_eq!(ids(&rest.await.expect("answered")), ids_of(&turns[1..]));
    }
}

pub(crate) async fn names_outlive_what_they_name(engine: &Engine) {
    let account = engine.new_account_row("owner@example.com");
    engine
        .directory()
        .create_account(&account)
        .await
        .expect("created");
    let key = engine.new_key_row(account.account_id, account.workspace_id);
    engine.directory().insert_key(&key).await.expect("stored");
    let id = key.key.id;
    let gone_at = NOW.plus(Duration::from_secs(1));
    engine
        .directory()
        .delete_key(account.workspace_id, id, gone_at)
        .await
        .expect("deleted");
    let names = activity(engine)
        .names(account.account_id, &[id])
        .await
        .expect("answered");
    let named = &names.keys[&id];
    assert_eq!((named.name.as_str(), named.is_deleted), ("ci", true));
    assert_eq!(names.workspaces[&account.workspace_id].slug, "default");
    assert!(
        names
            .people
            .values()
            .any(|person| person.email == "owner@example.com")
    );
}
