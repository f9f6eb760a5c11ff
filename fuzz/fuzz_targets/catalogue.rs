//! No file makes the catalogue's loader panic; what it refuses, it refuses with a finding.
#![no_main]

use libfuzzer_sys::fuzz_target;
use switchyard_catalog::load::load_from_bytes;
use switchyard_domain::clock::Timestamp;

fuzz_target!(|data: &[u8]| {
    let mut files = data.split(|byte| *byte == 0);
    let mut next = || files.next().unwrap_or_default();
    let (providers, models, endpoints, aliases) = (next(), next(), next(), next());
    let now = Timestamp::from_seconds(1_795_500_000);
    if let Err(refused) = load_from_bytes(providers, models, endpoints, aliases, now) {
        assert!(!refused.faults.is_empty());
    }
});
