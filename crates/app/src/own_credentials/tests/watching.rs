//! How credentials are doing, as it is seen, written and told.

use std::time::Duration;

use switchyard_domain::id::WorkspaceId;
use switchyard_interchange::failure::{Failure, FailureKind};

use super::*;

fn failure(kind: FailureKind, status: Option<u16>) -> Failure {
    Failure {
        status,
        ..Failure::new(kind, "x".repeat(2_000))
    }
}

fn refused() -> Seen {
    Seen::of_failure(&failure(FailureKind::Auth, Some(401))).expect("it says something")
}

fn exhausted() -> Seen {
    Seen::of_failure(&failure(FailureKind::RateLimit, Some(429))).expect("it says something")
}

struct Watched {
    installation: Installation,
    node: Node,
    row: OwnCredentialRow,
}

impl Watched {
    async fn new() -> Self {
        let installation = Installation::new().await;
        let node = Node::start(&installation).await;
        let row = node
            .stored(&installation, "alder", "sk-alder-a123456789")
            .await;
        Self {
            installation,
            node,
            row,
        }
    }

    fn see(&self, record_version: i32, seen: &Seen) {
        let (account, workspace): (AccountId, WorkspaceId) =
            (self.installation.account, self.installation.workspace);
        self.node
            .own
            .see(account, workspace, self.row.id, record_version, seen);
    }

    /// What is written of it, and what was told.
    async fn written(&self) -> (Option<CredentialState>, Vec<String>) {
        self.node.own.write_states().await.expect("written");
        let account = self.installation.account;
        let row = self.node.own.get(account, self.row.id).await.expect("read");
        let events = self.node.own.events_after(account, 0, 100).await;
        let events = events.expect("read").into_iter().map(|event| event.kind);
        (row.state, events.collect())
    }
}

#[test]
fn only_what_a_provider_said_counts() {
    for (kind, status, counts) in [
        (FailureKind::Auth, Some(401), true),
        (FailureKind::Permission, Some(403), true),
        (FailureKind::QuotaBilling, Some(402), true),
        (FailureKind::RateLimit, Some(429), true),
        // Nobody has looked at it.
        (FailureKind::Auth, None, false),
        (FailureKind::Server, Some(500), false),
        (FailureKind::BadRequest, Some(400), false),
        (FailureKind::Overloaded, Some(529), false),
    ] {
        let seen = Seen::of_failure(&failure(kind, status));
        assert_eq!(seen.is_some(), counts, "{kind:?} {status:?}");
    }
    let Seen::Refused(refusal) = refused() else {
        panic!("it is a refusal")
    };
    assert_eq!(refusal.message.len(), 500, "providers may say much");
}

#[tokio::test]
async fn the_first_refusal_is_told_and_the_first_success_after_it() {
    let watched = Watched::new().await;
    watched.see(1, &Seen::Accepted);
    let (state, told) = watched.written().await;
    assert_eq!(
        state.map(|state| state.condition),
        Some(CredentialCondition::Ok)
    );
    assert_eq!(told, Vec::<String>::new());
    watched.node.clock.advance(Duration::from_secs(1));
    watched.see(1, &refused());
    let (state, told) = watched.written().await;
    let state = state.expect("seen");
    assert_eq!(state.condition, CredentialCondition::Failing);
    assert_eq!(state.last_error_status, Some(401));
    assert_eq!(told, ["credential.failing"]);
    watched.node.clock.advance(Duration::from_secs(1));
    watched.see(1, &refused());
    watched.see(1, &Seen::Accepted);
    let (state, told) = watched.written().await;
    assert_eq!(
        state.map(|state| state.condition),
        Some(CredentialCondition::Ok)
    );
    assert_eq!(told, ["credential.failing", "credential.recovered"]);
}

#[tokio::test]
async fn one_empty_quota_is_nothing_and_five_in_a_row_are() {
    let watched = Watched::new().await;
    for _ in 0..4 {
        watched.see(1, &exhausted());
    }
    watched.see(1, &Seen::Accepted);
    for _ in 0..4 {
        watched.see(1, &exhausted());
    }
    let (state, told) = watched.written().await;
    assert_eq!(
        state.map(|state| state.condition),
        Some(CredentialCondition::Ok)
    );
    assert_eq!(told, Vec::<String>::new());
    watched.node.clock.advance(Duration::from_secs(1));
    watched.see(1, &exhausted());
    let (state, told) = watched.written().await;
    assert_eq!(state.and_then(|state| state.last_error_status), Some(429));
    assert_eq!(told, ["credential.failing"]);
}

#[tokio::test]
async fn what_goes_on_is_written_once_a_minute() {
    let watched = Watched::new().await;
    watched.see(1, &Seen::Accepted);
    let (first, _) = watched.written().await;
    watched.node.clock.advance(Duration::from_secs(59));
    watched.see(1, &Seen::Accepted);
    assert_eq!(watched.written().await.0, first);
    watched.node.clock.advance(Duration::from_secs(1));
    watched.see(1, &Seen::Accepted);
    let (later, _) = watched.written().await;
    let (first, later) = (first.expect("seen"), later.expect("seen"));
    assert!(later.last_ok_at > first.last_ok_at);
    assert_eq!(later.changed_at, first.changed_at);
}

#[tokio::test]
async fn an_old_secrets_failures_are_not_the_new_ones() {
    let watched = Watched::new().await;
    watched.see(2, &Seen::Accepted);
    watched.see(1, &refused());
    let (state, told) = watched.written().await;
    assert_eq!(state, None, "the second secret is not there yet");
    assert_eq!(told, Vec::<String>::new());
}
