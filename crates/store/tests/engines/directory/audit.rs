//! The audit log as a chain: whoever gets around the triggers is found out.

use serde_json::json;
use switchyard_billing::test_suite::Fixture;
use switchyard_domain::id::AccountId;
use switchyard_store::audit::{
    AuditEvent, AuditFilter, AuditOrigin, AuditOutcome, AuditReport, AuditVia,
};

use crate::{
    engine::{Engine, NOW},
    schema::Backdoor,
};

fn event(account: AccountId, number: u32) -> AuditEvent {
    AuditEvent {
        at: NOW,
        actor: format!("key_{number}"),
        action: "api_key.update".to_owned(),
        subject: format!("subject {number}"),
        detail: json!({"before": {"name": "a\0b"}, "after": {"name": "ü", "limit": 1.5}}),
        origin: AuditOrigin {
            account_id: Some(account),
            workspace_id: None,
            via: AuditVia::Api,
            ip: Some("192.0.2.1".to_owned()),
            request_id: Some(format!("req-{number}")),
            outcome: AuditOutcome::Done,
        },
    }
}

async fn append(engine: &Engine, account: AccountId, numbers: std::ops::Range<u32>) {
    for number in numbers {
        let event = event(account, number);
        engine
            .directory()
            .append_audit(&event)
            .await
            .expect("appended");
    }
}

async fn report(engine: &Engine) -> AuditReport {
    engine.store.audit.verify_audit().await.expect("checked")
}

pub(crate) async fn an_account_reads_its_own_entries_newest_first(engine: &Engine) {
    let (mine, other) = (engine.new_account().await, engine.new_account().await);
    append(engine, mine.account_id, 0..5).await;
    append(engine, other.account_id, 5..7).await;
    let audit = &engine.store.audit;
    let newest = audit
        .audit_entries(mine.account_id, None, 2)
        .await
        .expect("read");
    let subjects: Vec<_> = newest
        .iter()
        .map(|entry| entry.event.subject.as_str())
        .collect();
    assert_eq!(subjects, ["subject 4", "subject 3"]);
    assert_eq!(newest[0].event.ip.as_deref(), Some("192.0.2.1"));
    assert_eq!(newest[0].event.via.as_deref(), Some("api"));
    let before = Some(newest[1].number);
    let rest = audit
        .audit_entries(mine.account_id, before, 100)
        .await
        .expect("read");
    assert_eq!(rest.len(), 3);
    let about = audit.audit_of("subject 6", 10).await.expect("read");
    assert_eq!(about.len(), 1);
    assert_eq!(about[0].event.account_id, Some(other.account_id));
}

/// What is done to the log behind the triggers' back, and whether that cuts its end off or breaks a
/// link.
const TAMPERINGS: [(&str, bool); 7] = [
    (
        "UPDATE audit_log SET actor = 'nobody' WHERE sequence = 2",
        false,
    ),
    ("UPDATE audit_log SET ip = NULL WHERE sequence = 4", false),
    (
        "UPDATE audit_log SET detail = '{\"after\":{}}' WHERE sequence = 3",
        false,
    ),
    ("DELETE FROM audit_log WHERE sequence = 1", false),
    // Gone, and the ones after it moved up.
    (
        "DELETE FROM audit_log WHERE sequence = 3;
         UPDATE audit_log SET sequence = 3 WHERE sequence = 4;
         UPDATE audit_log SET sequence = 4 WHERE sequence = 5;
         UPDATE audit_chain SET sequence = 4",
        false,
    ),
    // Two change places.
    (
        "UPDATE audit_log SET sequence = 99 WHERE sequence = 2;
         UPDATE audit_log SET sequence = 2 WHERE sequence = 3;
         UPDATE audit_log SET sequence = 3 WHERE sequence = 99",
        false,
    ),
    ("DELETE FROM audit_log WHERE sequence = 5", true),
];

pub(crate) async fn what_is_done_to_the_log_is_found(engine: &Engine) {
    let account = engine.new_account().await.account_id;
    append(engine, account, 0..5).await;
    assert!(report(engine).await.is_whole());
    let mut backdoor = Backdoor::open(engine).await;
    let unlock = if engine.url.starts_with("sqlite:") {
        "DROP TRIGGER audit_log_no_update; DROP TRIGGER audit_log_no_delete"
    } else {
        "ALTER TABLE audit_log DISABLE TRIGGER USER"
    };
    backdoor.run(unlock).await.expect("unlocked");
    backdoor
        .run("CREATE TABLE kept AS SELECT * FROM audit_log")
        .await
        .expect("kept");
    backdoor
        .run("CREATE TABLE kept_chain AS SELECT * FROM audit_chain")
        .await
        .expect("kept");
    for (tampering, cuts) in TAMPERINGS {
        backdoor.run(tampering).await.expect(tampering);
        let found = report(engine).await;
        assert!(!found.is_whole(), "{tampering}: {found:?}");
        assert_eq!(found.is_cut, cuts, "{tampering}: {found:?}");
        assert_eq!(found.broken_at.is_none(), cuts, "{tampering}: {found:?}");
        let columns = "audit_no, at, actor, action, subject, detail, account_id, workspace_id,
            via, ip, request_id, outcome, sequence, link, link_key";
        let overriding = if engine.url.starts_with("sqlite:") {
            ""
        } else {
            "OVERRIDING SYSTEM VALUE"
        };
        let restore = format!(
            "DELETE FROM audit_log;
             INSERT INTO audit_log ({columns}) {overriding} SELECT {columns} FROM kept;
             UPDATE audit_chain SET sequence = (SELECT sequence FROM kept_chain)"
        );
        backdoor.run(&restore).await.expect("restored");
        assert_eq!(report(engine).await.entries, 5, "after {tampering}");
    }
    append(engine, account, 5..6).await;
    assert!(report(engine).await.is_whole());
}

pub(crate) async fn parallel_entries_make_one_chain(engine: &Engine) {
    let account = engine.new_account().await.account_id;
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..16 {
        let directory = engine.store.directory.clone();
        let event = event(account, number);
        tasks.spawn(async move { directory.append_audit(&event).await });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("ran").expect("appended");
    }
    let found = report(engine).await;
    assert!(found.is_whole(), "{found:?}");
    assert_eq!(found.entries, 16);
}

/// What makes a filter narrower.
type Narrow = fn(&mut AuditFilter);

pub(crate) async fn the_log_is_narrowed_down(engine: &Engine) {
    let mine = engine.new_account().await.account_id;
    for (action, actor) in [
        ("api_key.create", "a"),
        ("api_key.delete", "b"),
        ("apixkey.x", "a"),
    ] {
        let mut event = event(mine, 1);
        action.clone_into(&mut event.action);
        event.actor = actor.to_owned();
        engine
            .directory()
            .append_audit(&event)
            .await
            .expect("appended");
    }
    let find = async |filter: AuditFilter| {
        let audit = &engine.store.audit;
        let found = audit
            .find_audit_entries(mine, &filter, None, 10)
            .await
            .expect("found");
        let count = audit
            .count_audit_entries(mine, &filter, 2)
            .await
            .expect("counted");
        assert_eq!(count, (found.len() as u64).min(2));
        found
            .into_iter()
            .map(|entry| entry.event.action)
            .collect::<Vec<_>>()
    };
    assert_eq!(find(AuditFilter::default()).await.len(), 3);
    let cases: [(Narrow, usize); 9] = [
        (|filter| filter.action = Some("api_key.".to_owned()), 2),
        (|filter| filter.action = Some("api_key.%".to_owned()), 0),
        (|filter| filter.actor = Some("a".to_owned()), 2),
        (|filter| filter.ip = Some("192.0.2.1".to_owned()), 3),
        (|filter| filter.via = Some("console".to_owned()), 0),
        (|filter| filter.from = Some(NOW), 3),
        (|filter| filter.until = Some(NOW), 0),
        (|filter| filter.request_id = Some("x".to_owned()), 0),
        (|filter| filter.subject = Some("subject 1".to_owned()), 3),
    ];
    for (narrow, expected) in cases {
        let mut filter = AuditFilter::default();
        narrow(&mut filter);
        assert_eq!(find(filter.clone()).await.len(), expected, "{filter:?}");
    }
}
