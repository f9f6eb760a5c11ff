//! What tests of this crate share.

use std::time::Duration;

use switchyard_app::mail::Mail;
use switchyard_domain::{
    clock::{Clock, Timestamp},
    secret::Secret,
};

/// A clock that stands.
pub(crate) struct HandClock;

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(1_795_500_000)
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

pub(crate) fn mail(subject: &str) -> Mail {
    Mail {
        to: "ada@example.com".to_owned(),
        subject: subject.to_owned(),
        text: Secret::new("Follow\n\nhttps://switchyard.example/verify/0123\n".to_owned()),
    }
}
