//! Randomness as a port, so that tests can freeze it.

use switchyard_domain::secret::Secret;
use zeroize::Zeroizing;

/// A cryptographically secure source of random bytes. Keys and nonces come from nowhere else;
/// nonces are never counted, because a restored snapshot would count them twice.
pub trait Random: Send + Sync + 'static {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomUnavailable>;
}

/// The operating system gave no random bytes.
#[derive(Debug, thiserror::Error)]
#[error("no secure random bytes are to be had")]
pub struct RandomUnavailable(#[source] Option<getrandom::Error>);

impl RandomUnavailable {
    /// For sources other than the operating system.
    pub const fn without_cause() -> Self {
        Self(None)
    }
}

/// The operating system's generator: the only one for production.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsRandom;

impl Random for OsRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomUnavailable> {
        getrandom::fill(bytes).map_err(|error| RandomUnavailable(Some(error)))
    }
}

/// A key, drawn where it is wiped.
pub(crate) fn draw_key<const N: usize>(
    random: &dyn Random,
) -> Result<Secret<[u8; N]>, RandomUnavailable> {
    let mut bytes = Zeroizing::new([0; N]);
    random.fill(&mut *bytes)?;
    Ok(Secret::new(*bytes))
}

/// A fixed-size draw of what may be known, such as a nonce.
pub(crate) fn draw<const N: usize>(random: &dyn Random) -> Result<[u8; N], RandomUnavailable> {
    let mut bytes = [0; N];
    random.fill(&mut bytes)?;
    Ok(bytes)
}
