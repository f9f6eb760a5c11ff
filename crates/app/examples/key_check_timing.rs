//! Whether the time that a refusal takes tells an unknown API key from a known one with a wrong secret:
//! Welch's t over so many of each, in random order. Below 4.5 nobody can tell.
//! `cargo run --release -p switchyard-app --example key_check_timing`
#![expect(clippy::print_stdout, reason = "printing is what it is for")]
#![expect(clippy::disallowed_methods, reason = "measuring is what it is for")]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use switchyard_app::{
    accounts,
    audit::KeyedLinks,
    keys::{KeyRequest, Keys},
    random::RandomSource,
};
use switchyard_coordination::in_process::InProcess;
use switchyard_domain::{
    clock::{Clock, Timestamp},
    secret::Secret,
    tenancy::KeyKind,
};
use switchyard_store::OpenOptions;
use switchyard_testkit::folder::Folder;
use switchyard_vault::{
    OsRandom, Random,
    api_key::{MintedKey, Pepper, Peppers},
    keyed_digest::{DigestKey, DigestKeys},
};

const OF_EACH: usize = 20_000;

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(1_795_500_000)
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

struct System;

impl RandomSource for System {
    fn u64(&self) -> u64 {
        let mut bytes = [0; 8];
        OsRandom.fill(&mut bytes).expect("random bytes");
        u64::from_be_bytes(bytes)
    }
}

/// Counts, mean and variance, in nanoseconds.
#[derive(Default)]
struct Sample {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Sample {
    fn add(&mut self, nanos: f64) {
        self.count += 1.0;
        let before = nanos - self.mean;
        self.mean += before / self.count;
        self.squares += before * (nanos - self.mean);
    }

    fn variance_of_mean(&self) -> f64 {
        self.squares / (self.count - 1.0) / self.count
    }
}

/// The same key with other bits in its last place, under the checksum that goes with it.
fn with_wrong_secret(key: &str) -> String {
    let mut body = key[..key.len() - 8].to_owned();
    let last = body.pop().expect("a key has digits");
    body.push(if last == '0' { '1' } else { '0' });
    let check = crc32fast::hash(body.as_bytes());
    format!("{body}{check:08x}")
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let folder = Folder::fresh();
    let url = format!("sqlite:{}", folder.path().join("keys.db").display());
    let store = switchyard_store::open(&url, &OpenOptions::default())
        .await
        .expect("opened");
    store.migrate().await.expect("migrated");
    let links = DigestKeys::new(DigestKey::new(1, Secret::new([9; 32])), Vec::new());
    store.link_audit_with(Arc::new(KeyedLinks::new(links)));
    let clock: Arc<dyn Clock> = Arc::new(Still);
    let directory = &store.directory;
    let account = accounts::create(&**directory, &*clock, &System, "ada@example.com", None)
        .await
        .expect("created");
    let keys = Keys::new(
        Arc::clone(directory),
        Arc::new(InProcess::new(Arc::clone(&clock))),
        Peppers::new(Pepper::new(1, Secret::new([5; 32])), Vec::new()),
        clock,
        Arc::new(System),
    );
    let request = KeyRequest {
        account_id: account.account_id,
        workspace_id: account.default_workspace_id,
        name: "known".to_owned(),
        kind: KeyKind::Inference,
        limit: None,
        expires_at: None,
        creator_id: None,
    };
    let known = keys.create(request).await.expect("made");
    let wrong = with_wrong_secret(known.text.expose());
    let (mut unknown_times, mut wrong_times) = (Sample::default(), Sample::default());
    let mut left = [OF_EACH + 500, OF_EACH + 500];
    while left != [0, 0] {
        let which = usize::from(System.u64() & 1 == 1);
        let which = if left[which] == 0 { 1 - which } else { which };
        left[which] -= 1;
        let unknown = MintedKey::mint(&OsRandom).expect("random bytes");
        let presented = if which == 0 {
            unknown.text().expose().as_str()
        } else {
            wrong.as_str()
        };
        let before = Instant::now();
        let refused = keys.authenticate(presented).await;
        let nanos = before.elapsed().as_nanos();
        assert!(refused.is_err());
        // The first ones warm everything up.
        if left[which] >= OF_EACH {
            continue;
        }
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let nanos = nanos as f64;
        if which == 0 {
            unknown_times.add(nanos);
        } else {
            wrong_times.add(nanos);
        }
    }
    let spread = unknown_times.variance_of_mean() + wrong_times.variance_of_mean();
    let t = (unknown_times.mean - wrong_times.mean) / spread.sqrt();
    println!(
        "unknown: {:.0} ns, wrong secret: {:.0} ns, over {OF_EACH} of each: t = {t:.2}",
        unknown_times.mean, wrong_times.mean
    );
}
