use switchyard_coordination::in_process::InProcess;
use switchyard_vault::api_key::{Pepper, Peppers};
use uuid::Uuid;

use super::*;
use crate::fixture::{HandClock, Installation};

struct Numbers(AtomicI64);

impl RandomSource for Numbers {
    fn u64(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst).unsigned_abs()
    }

    fn uuid(&self, _: Timestamp) -> Uuid {
        Uuid::from_u128(5_000 + u128::from(self.u64()))
    }
}

fn keys(installation: &Installation, clock: &Arc<HandClock>) -> Keys {
    let pepper = Pepper::new(1, Secret::new([5; 32]));
    Keys::new(
        Arc::clone(&installation.store.directory),
        Arc::new(InProcess::new(Arc::clone(clock) as Arc<_>)),
        Peppers::new(pepper, Vec::new()),
        Arc::clone(clock) as Arc<_>,
        Arc::new(Numbers(AtomicI64::new(0))),
    )
}

async fn made(keys: &Keys, installation: &Installation) -> CreatedKey {
    let request = KeyRequest {
        account_id: installation.account,
        workspace_id: installation.workspace,
        name: "test".to_owned(),
        kind: KeyKind::Inference,
        limit: None,
        expires_at: None,
        creator_id: None,
    };
    keys.create(request).await.expect("made")
}

/// The same with another character in the place `at` and the checksum that goes with it.
fn altered(key: &str, at: usize, digit: char) -> String {
    let mut body: String = key[..key.len() - 8].to_owned();
    body.replace_range(at..=at, &digit.to_string());
    let check = crc32fast::hash(body.as_bytes());
    format!("{body}{check:08x}")
}

/// A database that fails every question is never asked about what cannot be a key.
#[tokio::test]
async fn t12_what_is_no_key_is_refused_before_anything_is_asked() {
    let broken = Installation::without_schema().await;
    let clock = Arc::default();
    let keys = keys(&broken, &clock);
    let well_formed = MintedKey::mint(&OsRandom).expect("random");
    let well_formed = well_formed.text().expose();
    let refused = keys.authenticate(well_formed).await;
    assert!(
        matches!(refused, Err(AuthError::Unavailable(_))),
        "{refused:?}"
    );
    let mut corpus: Vec<String> = (0..=0x7f_u8)
        .chain(0xc0..=0xff)
        .map(|byte| well_formed.replace('-', &char::from(byte).to_string()))
        .filter(|text| text != well_formed)
        .collect();
    for place in [0, 9, well_formed.len() - 9, well_formed.len() - 1] {
        for odd in ['\0', '\n', '\'', '%', '_', 'A', 'g', 'ü', '\u{202e}'] {
            let mut text: String = well_formed.chars().take(place).collect();
            text.push(odd);
            text.push_str(&well_formed[place + 1..]);
            corpus.push(text);
        }
    }
    let injections = [
        "' OR '1'='1",
        "'; DROP TABLE api_keys; --",
        "",
        " ",
        "\0",
        "sk-sy-v1-%",
    ];
    corpus.extend(injections.map(str::to_owned));
    corpus.push(format!("{well_formed}' --"));
    assert!(corpus.len() > 200);
    for text in corpus {
        let refused = keys.authenticate(&text).await;
        assert!(
            matches!(refused, Err(AuthError::Unknown)),
            "{text:?}: {refused:?}"
        );
    }
}

/// A key whose row is there but is another's, and one without a row, take the same way and leave the
/// same behind. (How many MACs that is, the vault counts.)
#[tokio::test]
async fn t13_wrong_and_unknown_keys_take_the_same_way() {
    let installation = Installation::new().await;
    let clock = Arc::default();
    let keys = keys(&installation, &clock);
    let (unknown, wrong) = (
        MintedKey::mint(&OsRandom).expect("random"),
        MintedKey::mint(&OsRandom).expect("random"),
    );
    let mut row = made(&keys, &installation).await.key;
    row.id = ApiKeyId::from_uuid(Uuid::from_u128(77));
    row.hash = "another's".to_owned();
    let row = NewApiKey {
        key: row,
        lookup_id: wrong.presented().lookup_id(),
        verifier: [7; 32],
        pepper_version: 1,
    };
    let directory = &installation.store.directory;
    directory.insert_key(&row).await.expect("stored");
    for key in [&unknown, &wrong] {
        for _ in 0..2 {
            let before = keys.cache.read().expect("unlocked").generation;
            let refused = keys.authenticate(key.text().expose()).await;
            assert!(matches!(refused, Err(AuthError::Unknown)), "{refused:?}");
            let cache = keys.cache.read().expect("unlocked");
            assert_eq!(
                cache.generation,
                before + 1,
                "it was looked up, and forgotten"
            );
            assert!(cache.by_digest.is_empty());
        }
    }
}

#[tokio::test]
async fn t14_keys_that_differ_in_one_byte_never_share_an_entry() {
    let installation = Installation::new().await;
    let clock = Arc::default();
    let keys = keys(&installation, &clock);
    let genuine = made(&keys, &installation).await;
    let text = genuine.text.expose();
    keys.authenticate(text).await.expect("known");
    let last_of_secret = text.len() - 9;
    let others = "0123456789abcdef".chars();
    for digit in others {
        let mut same_but_last = text[..text.len() - 1].to_owned();
        same_but_last.push(digit);
        let same_but_secret = altered(text, last_of_secret, digit);
        for other in [same_but_last, same_but_secret] {
            let outcome = keys.authenticate(&other).await;
            if other == *text {
                assert_eq!(outcome.expect("known").key.id, genuine.key.id);
            } else {
                assert!(matches!(outcome, Err(AuthError::Unknown)), "{outcome:?}");
            }
        }
    }
    let entries = keys.cache.read().expect("unlocked").by_digest.len();
    assert_eq!(entries, 1);
    // Keys that are both known have an entry each.
    let second = made(&keys, &installation).await;
    let caller = keys
        .authenticate(second.text.expose())
        .await
        .expect("known");
    assert_eq!(caller.key.id, second.key.id);
    let again = keys.authenticate(text).await.expect("known");
    assert_eq!(again.key.id, genuine.key.id);
}

#[tokio::test]
async fn uses_are_told_once_and_only_when_there_were_new_ones() {
    let installation = Installation::new().await;
    let clock: Arc<HandClock> = Arc::default();
    let keys = keys(&installation, &clock);
    let key = made(&keys, &installation).await;
    assert_eq!(keys.take_uses(), []);
    keys.authenticate(key.text.expose()).await.expect("known");
    assert_eq!(keys.take_uses(), [(key.key.id, crate::fixture::NOW)]);
    assert_eq!(keys.take_uses(), []);
    clock.advance(Duration::from_secs(5));
    keys.authenticate(key.text.expose()).await.expect("known");
    let later = crate::fixture::NOW.plus(Duration::from_secs(5));
    assert_eq!(keys.take_uses(), [(key.key.id, later)]);
    // Refused keys are not used.
    let stranger = MintedKey::mint(&OsRandom).expect("random");
    let refused = keys.authenticate(stranger.text().expose()).await;
    assert!(refused.is_err());
    assert_eq!(keys.take_uses(), []);
}
