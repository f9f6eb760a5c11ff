//! Time is an argument everywhere, so these tests move it themselves.

mod breaking;
mod counting;
mod nodes;
mod recovery;
mod sketches;
mod tools;

use std::time::Duration;

use switchyard_domain::{clock::Timestamp, endpoint::EndpointId, id::CredentialId};
use switchyard_interchange::failure::{Failure, FailureKind};
use switchyard_routing::{
    credentials::CredentialUse,
    health::{EndpointHealth, HealthRank},
};
use uuid::Uuid;

use super::{AttemptEnd, EndpointState, HealthBoard, Outcome, Permit};

const SHARED: CredentialUse = CredentialUse::Shared;

/// A board with a clock.
struct Scene {
    board: HealthBoard,
    now: Timestamp,
}

impl Default for Scene {
    fn default() -> Self {
        Self {
            board: HealthBoard::new(7),
            now: Timestamp::from_seconds(1_764_000_000),
        }
    }
}

impl Scene {
    fn pass(&mut self, time: Duration) {
        self.now = self.now.plus(time);
    }

    fn seconds(&mut self, seconds: u64) {
        self.pass(Duration::from_secs(seconds));
    }

    fn begin(&self, endpoint: &str) -> Option<Permit> {
        self.board.begin(&id(endpoint), SHARED, self.now)
    }

    fn permit(&self, endpoint: &str, credential: CredentialUse) -> Permit {
        self.board.insist(&id(endpoint), credential, self.now)
    }

    fn end(&self, permit: Permit, end: AttemptEnd<'_>) {
        self.board
            .finish(permit, &Outcome::unmeasured(end), self.now);
    }

    /// An attempt, whether or not the endpoint is left alone.
    fn attempt(&self, endpoint: &str, credential: CredentialUse, end: AttemptEnd<'_>) {
        self.end(self.permit(endpoint, credential), end);
    }

    fn succeed(&self, endpoint: &str) {
        self.attempt(endpoint, SHARED, AttemptEnd::Finished);
    }

    fn fail(&self, endpoint: &str, failure: &Failure) {
        self.attempt(endpoint, SHARED, AttemptEnd::Failed(failure));
    }

    /// What the snapshot says, without a turn.
    fn told(&self, endpoint: &str, credential: CredentialUse) -> EndpointHealth {
        self.board
            .snapshot()
            .of(&id(endpoint), credential, self.now)
    }

    /// What the snapshot says after a turn.
    fn health(&self, endpoint: &str) -> EndpointHealth {
        self.board.take_turn(self.now);
        self.told(endpoint, SHARED)
    }

    fn rank(&self, endpoint: &str) -> HealthRank {
        self.health(endpoint).rank
    }

    fn state(&self, endpoint: &str) -> EndpointState {
        self.board.take_turn(self.now);
        self.board.figures(&id(endpoint), self.now).state
    }
}

fn id(endpoint: &str) -> EndpointId {
    EndpointId::new(endpoint)
}

fn own(number: u128) -> CredentialUse {
    CredentialUse::Own(CredentialId::from_uuid(Uuid::from_u128(number)))
}

/// A provider's answer with this status, as it is classified.
fn status(status: u16) -> Failure {
    let kind = match status {
        401 => FailureKind::Auth,
        402 => FailureKind::QuotaBilling,
        403 => FailureKind::Permission,
        404 => FailureKind::NotFound,
        413 => FailureKind::TooLarge,
        429 => FailureKind::RateLimit,
        503 | 529 => FailureKind::Overloaded,
        500.. => FailureKind::Server,
        _ => FailureKind::BadRequest,
    };
    Failure {
        status: Some(status),
        ..Failure::new(kind, "no")
    }
}

/// The same, asking to come back later.
fn asking_to_wait(code: u16, seconds: u64) -> Failure {
    Failure {
        retry_after: Some(Duration::from_secs(seconds)),
        ..status(code)
    }
}
