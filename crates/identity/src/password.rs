//! Passwords: which are accepted, how they are kept, and how one is checked without letting anybody
//! keep all cores busy.
//!
//! argon2id makes each guess cost memory and time. That cost is also ours, so hashing happens in a pool
//! no wider than the machine, with a queue that ends: whoever comes later is told to come again. An
//! unknown person costs the same as a known one.

mod strength;
#[cfg(test)]
mod tests;

use std::{num::NonZeroUsize, sync::Arc};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher as _, phc::PasswordHash},
};
use subtle::ConstantTimeEq as _;
use switchyard_domain::secret::Secret;
use tokio::sync::Semaphore;

pub use strength::{About, Weakness, check_new};

/// A password has at least so many characters.
pub const CHARS_MIN: usize = 12;
/// And at most so many bytes.
pub const BYTES_MAX: usize = 1_024;
/// Random bytes that a stored password is salted with.
pub const SALT_BYTES: usize = 16;

/// Passwords that may wait for each worker. At about 100 ms apiece the last waits under two seconds.
const WAITING_PER_WORKER: usize = 16;
/// Bytes of what comes out.
const OUTPUT_BYTES: usize = 32;

/// What one guess costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
}

impl Cost {
    /// The least that is accepted: 19 MiB and two passes.
    pub const LEAST: Self = Self {
        memory_kib: 19 * 1_024,
        passes: 2,
    };

    fn argon2(self) -> Argon2<'static> {
        let params = Params::new(self.memory_kib, self.passes, 1, Some(OUTPUT_BYTES))
            .expect("memory and passes are far inside of what argon2 takes");
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// More passwords wait than will be served soon.
    #[error("too many sign-ins at once")]
    Busy,
    /// What is stored is not a hash that this program wrote.
    #[error("a stored password hash cannot be read")]
    Unreadable,
}

/// What is kept of a password: a PHC string, which says with which algorithm and cost it was made.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredPassword(String);

impl StoredPassword {
    /// From the database.
    pub fn from_stored(phc: String) -> Self {
        Self(phc)
    }

    /// The PHC string.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for StoredPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[password hash]")
    }
}

/// What came of checking a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checked {
    /// It is the one.
    Right,
    /// It is the one, but kept at another cost than is now wanted: keep it anew.
    RightButOutdated,
    /// It is not, or there is nobody.
    Wrong,
}

/// Keeps and checks passwords.
#[derive(Debug, Clone)]
pub struct Passwords {
    cost: Cost,
    workers: Arc<Semaphore>,
    places: Arc<Semaphore>,
    /// Checked in place of what is not there.
    decoy: Arc<StoredPassword>,
}

impl Passwords {
    /// A pool of `workers`, one a core.
    pub fn new(cost: Cost, workers: NonZeroUsize) -> Self {
        let decoy = keep(cost, b"nobody's password", [0; SALT_BYTES]);
        Self {
            cost,
            workers: Arc::new(Semaphore::new(workers.get())),
            places: Arc::new(Semaphore::new(
                workers.get().saturating_mul(1 + WAITING_PER_WORKER),
            )),
            decoy: Arc::new(decoy),
        }
    }

    /// What to store of `password`. `salt` must be random.
    pub async fn keep(
        &self,
        password: Secret<String>,
        salt: [u8; SALT_BYTES],
    ) -> Result<StoredPassword, PasswordError> {
        let cost = self.cost;
        self.work(move || keep(cost, password.expose().as_bytes(), salt))
            .await
    }

    /// Checks `password` against what is stored. Without anything stored it takes as long.
    pub async fn check(
        &self,
        password: Secret<String>,
        stored: Option<StoredPassword>,
    ) -> Result<Checked, PasswordError> {
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.decoy.as_ref().clone());
        let cost = self.cost;
        let checked = self
            .work(move || check(cost, password.expose().as_bytes(), &stored))
            .await??;
        Ok(if known { checked } else { Checked::Wrong })
    }

    /// Takes a place in the queue, then a worker. Both are held until the work is done, even if whoever
    /// waits for it goes away.
    async fn work<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let place = Arc::clone(&self.places)
            .try_acquire_owned()
            .map_err(|_| PasswordError::Busy)?;
        let worker = Arc::clone(&self.workers)
            .acquire_owned()
            .await
            .map_err(|_| PasswordError::Busy)?;
        tokio::task::spawn_blocking(move || {
            let outcome = job();
            drop((worker, place));
            outcome
        })
        .await
        .map_err(|_| PasswordError::Busy)
    }
}

fn keep(cost: Cost, password: &[u8], salt: [u8; SALT_BYTES]) -> StoredPassword {
    let hash: PasswordHash = cost
        .argon2()
        .hash_password_with_salt(password, &salt)
        .expect("salt and output have lengths that argon2 takes");
    StoredPassword(hash.to_string())
}

fn check(cost: Cost, password: &[u8], stored: &StoredPassword) -> Result<Checked, PasswordError> {
    let unreadable = |_| PasswordError::Unreadable;
    let kept = PasswordHash::new(stored.as_str()).map_err(|_| PasswordError::Unreadable)?;
    let (Some(salt), Some(output)) = (&kept.salt, &kept.hash) else {
        return Err(PasswordError::Unreadable);
    };
    let params = Params::try_from(&kept).map_err(unreadable)?;
    let algorithm =
        Algorithm::new(kept.algorithm.as_str()).map_err(|_| PasswordError::Unreadable)?;
    let argon2 = Argon2::new(algorithm, Version::V0x13, params.clone());
    let mut computed = [0; OUTPUT_BYTES];
    argon2
        .hash_password_into(password, salt.as_ref(), &mut computed)
        .map_err(|_| PasswordError::Unreadable)?;
    let right: bool = computed.ct_eq(output.as_bytes()).into();
    let wanted = cost.argon2();
    Ok(match right {
        true if algorithm == Algorithm::Argon2id && params == *wanted.params() => Checked::Right,
        true => Checked::RightButOutdated,
        false => Checked::Wrong,
    })
}
