//! Randomness as an argument: the binary passes the operating system's, a simulation a seed.

/// A source of random bits.
pub trait RandomSource: Send + Sync + 'static {
    /// 64 random bits.
    fn u64(&self) -> u64;

    /// 128 random bits.
    fn u128(&self) -> u128 {
        u128::from(self.u64()) << 64 | u128::from(self.u64())
    }

    /// A random UUID that sorts by `now` (version 7).
    fn uuid(&self, now: switchyard_domain::clock::Timestamp) -> uuid::Uuid {
        let millis = u64::try_from(now.micros() / 1_000).unwrap_or(0);
        let bits = self.u128().to_be_bytes();
        let mut tail = [0; 10];
        tail.copy_from_slice(&bits[..10]);
        uuid::Builder::from_unix_timestamp_millis(millis, &tail).into_uuid()
    }
}
