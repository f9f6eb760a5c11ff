//! How often something may be tried. Some tries are free; from then on each costs a wait twice as long as
//! the one before. A try is written down before it is made.

use std::time::Duration;

use sha2::{Digest as _, Sha256};
use switchyard_domain::clock::Timestamp;
use switchyard_store::proof::Attempts;

use super::{ProofError, Proofs};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

/// After so long a quiet all limits start anew.
pub(super) const QUIET_MAX: Duration = Duration::from_secs(24 * 3_600);
/// Tries at once that are told apart; who comes then waits a moment.
const WRITES_MAX: usize = 20;

/// How often, and what then.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit {
    name: &'static str,
    /// The try after which one has to wait first.
    free: u32,
    first_wait: Duration,
    longest_wait: Duration,
    /// A quiet after which it starts anew.
    quiet: Duration,
}

/// Passwords of one person.
pub(super) const PASSWORD: Limit = Limit {
    name: "password",
    free: 5,
    first_wait: Duration::from_secs(30),
    longest_wait: Duration::from_secs(15 * 60),
    quiet: QUIET_MAX,
};

/// Codes of one person, who showed to know the password.
pub(super) const CODE: Limit = Limit {
    name: "code",
    free: 5,
    first_wait: Duration::from_secs(30),
    longest_wait: HOUR,
    quiet: QUIET_MAX,
};

/// Mails of one kind to one address, which anybody can ask for.
const fn mails(name: &'static str) -> Limit {
    Limit {
        name,
        free: 1,
        first_wait: MINUTE,
        longest_wait: HOUR,
        quiet: QUIET_MAX,
    }
}

/// Mails that ask to confirm an address.
pub(super) const VERIFICATION_MAIL: Limit = mails("verification mail");

/// Mails with which a new password can be chosen.
pub(super) const RESET_MAIL: Limit = mails("reset mail");

/// Accounts made from one network address.
pub(super) const SIGN_UP: Limit = Limit {
    name: "sign-up",
    free: 20,
    first_wait: MINUTE,
    longest_wait: HOUR,
    quiet: HOUR,
};

/// Failed sign-ins from one network address.
pub(super) const fn failures(free: u32) -> Limit {
    Limit {
        name: "failures",
        free,
        first_wait: Duration::from_secs(30),
        longest_wait: Duration::from_secs(5 * 60),
        quiet: Duration::from_secs(15 * 60),
    }
}

impl Limit {
    /// What is written down for one more try, or until when there is none.
    fn next(&self, before: Option<Attempts>, now: Timestamp) -> Result<Attempts, Timestamp> {
        let recent = before.filter(|one| now < one.last_at.plus(self.quiet));
        if let Some(until) = recent.and_then(|one| one.locked_until)
            && now < until
        {
            return Err(until);
        }
        let count = recent.map_or(0, |one| one.count).saturating_add(1);
        let locked_until = count.checked_sub(self.free).map(|over| {
            let wait = self.first_wait.saturating_mul(1 << over.min(20));
            now.plus(wait.min(self.longest_wait))
        });
        Ok(Attempts {
            count,
            last_at: now,
            locked_until,
        })
    }

    /// Whom it is about, unreadably.
    fn subject(&self, whom: &str) -> [u8; 32] {
        let digest = Sha256::new()
            .chain_update(self.name)
            .chain_update([0])
            .chain_update(whom.trim().to_lowercase());
        digest.finalize().into()
    }
}

impl Proofs {
    /// Writes down one more try, if there is one.
    pub(super) async fn attempt(&self, limit: &Limit, whom: &str) -> Result<(), ProofError> {
        let subject = limit.subject(whom);
        for _ in 0..WRITES_MAX {
            let now = self.now();
            let before = self.store.attempts(&subject).await?;
            let next = limit
                .next(before, now)
                .map_err(|until| ProofError::Locked { until })?;
            if self.store.note_attempt(&subject, before, next).await? {
                return Ok(());
            }
        }
        let until = self.now().plus(Duration::from_secs(1));
        Err(ProofError::Locked { until })
    }

    /// Whether there is another try, without taking it.
    pub(super) async fn may_attempt(&self, limit: &Limit, whom: &str) -> Result<(), ProofError> {
        let before = self.store.attempts(&limit.subject(whom)).await?;
        let next = limit.next(before, self.now());
        next.map(|_| ())
            .map_err(|until| ProofError::Locked { until })
    }

    /// It was right: tries are counted anew.
    pub(super) async fn succeeded(&self, limit: &Limit, whom: &str) -> Result<(), ProofError> {
        Ok(self.store.forget_attempts(&limit.subject(whom)).await?)
    }

    /// Whether sign-ins from this network address are looked at.
    pub(super) async fn may_come_from(&self, ip: Option<&str>) -> Result<(), ProofError> {
        match (self.settings.address_failures_max, ip) {
            (Some(free), Some(ip)) => self.may_attempt(&failures(free), ip).await,
            _ => Ok(()),
        }
    }

    /// Notes that one from there failed.
    pub(super) async fn failed_from(&self, ip: Option<&str>) -> Result<(), ProofError> {
        let (Some(free), Some(ip)) = (self.settings.address_failures_max, ip) else {
            return Ok(());
        };
        match self.attempt(&failures(free), ip).await {
            // Others fail from there as well, and one of them was the last free one.
            Ok(()) | Err(ProofError::Locked { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_end() {
        let mut now = Timestamp::from_seconds(1_000);
        let mut before = None;
        let mut waits = Vec::new();
        for _ in 0..14 {
            let next = PASSWORD.next(before, now).expect("another try");
            if let Some(until) = next.locked_until {
                assert_eq!(PASSWORD.next(Some(next), now), Err(until));
                waits.push(until.since(now).as_secs());
                now = until;
            }
            before = Some(next);
        }
        assert_eq!(waits, [30, 60, 120, 240, 480, 900, 900, 900, 900, 900]);
        let later = now.plus(QUIET_MAX);
        let anew = PASSWORD.next(before, later).expect("another try");
        assert_eq!((anew.count, anew.locked_until), (1, None));
    }

    #[test]
    fn spellings_of_an_address_are_one_and_limits_are_apart() {
        assert_eq!(
            PASSWORD.subject(" A@b.example"),
            PASSWORD.subject("a@B.example")
        );
        assert_ne!(PASSWORD.subject("a@b.example"), CODE.subject("a@b.example"));
    }
}
