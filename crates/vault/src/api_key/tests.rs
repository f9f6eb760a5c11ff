use proptest::prelude::*;

use super::*;
use crate::random::OsRandom;

thread_local! {
    /// How many MACs this thread has made.
    pub(super) static MACS_MADE: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

fn minted() -> MintedKey {
    MintedKey::mint(&OsRandom).expect("random bytes")
}

fn pepper(version: u32) -> Pepper {
    Pepper::new(
        version,
        Secret::new([u8::try_from(version).expect("a small version"); 32]),
    )
}

/// A well-formed key whose 256 bits are all zero.
fn zero_key() -> String {
    let body = format!("{PREFIX}{}", "0".repeat(SECRET_CHARS));
    let check = crc32fast::hash(body.as_bytes());
    format!("{body}{check:08x}")
}

#[test]
fn a_minted_key_is_recognised() {
    let key = minted();
    let text = key.text().expose();
    assert_eq!(text.len(), KEY_CHARS);
    assert_eq!(text.capacity(), KEY_CHARS, "it never moved while it grew");
    let parsed = parse_key(text).unwrap();
    assert_eq!(parsed.digest(), key.presented().digest());
    assert_eq!(parsed.public_hash().len(), 64);
    assert!(parsed.public_hash().starts_with(&parsed.lookup_id()));
    assert_eq!(parsed.lookup_id().len(), 32);
    assert_ne!(text, minted().text().expose());
}

#[test]
fn the_label_shows_six_digits() {
    let key = minted();
    let (text, label) = (key.text().expose(), key.label());
    assert_eq!(
        label,
        format!("sk-sy-v1-{}...{}", &text[9..12], &text[KEY_CHARS - 3..])
    );
}

#[test]
fn lookalikes_are_refused_before_any_lookup() {
    let good = zero_key();
    assert!(parse_key(&good).is_ok());
    let digits = &good[PREFIX.len()..];
    let table = [
        ("nothing", String::new()),
        ("only the prefix", PREFIX.to_owned()),
        ("another prefix", format!("sk-or-v1-{digits}")),
        ("a prefix in upper case", format!("SK-SY-V1-{digits}")),
        ("a digit too few", good[..good.len() - 1].to_owned()),
        ("a digit too many", format!("{good}0")),
        ("a space before", format!(" {}", &good[..good.len() - 1])),
        (
            "a line break after",
            format!("{}\n", &good[..good.len() - 1]),
        ),
        (
            "a wrong checksum",
            format!("{}00000000", &good[..good.len() - 8]),
        ),
        ("upper-case digits", good.replacen("00", "AA", 1)),
        ("no checksum at all", good[..good.len() - 8].to_owned()),
        (
            "a sign in the checksum",
            format!("{}+0000000", &good[..good.len() - 8]),
        ),
        (
            "two bytes of one letter",
            format!("{PREFIX}é{}", &digits[2..]),
        ),
        ("control bytes", format!("{PREFIX}\0\0{}", &digits[2..])),
        ("SQL", format!("{PREFIX}{:<72}", "' OR '1'='1' --")),
        ("a wildcard", good.replacen('0', "%", 1)),
        ("very much", "s".repeat(1 << 20)),
    ];
    for (what, text) in table {
        assert_eq!(parse_key(&text).err(), Some(Malformed), "{what}");
    }
}

proptest! {
    #[test]
    fn every_mistyped_digit_is_noticed(at in PREFIX.len()..KEY_CHARS, digit in "[0-9a-f]") {
        let good = zero_key();
        let mut typed = good.clone();
        typed.replace_range(at..=at, &digit);
        prop_assert_eq!(parse_key(&typed).is_ok(), typed == good);
    }

    #[test]
    fn any_text_is_parsed_without_panic(text in any::<String>(), tail in ".{0,80}") {
        prop_assert!(parse_key(&text).is_err());
        let prefixed = format!("{PREFIX}{tail}");
        prop_assert!(parse_key(&prefixed).is_err());
    }
}

#[test]
fn only_the_key_itself_verifies() {
    let peppers = Peppers::new(pepper(2), vec![pepper(1)]);
    let (key, other) = (minted(), minted());
    let stored = peppers.verifier(&key.presented());
    assert_eq!(stored.pepper_version, 2);
    assert!(peppers.verify(&key.presented(), Some(&stored)));
    assert!(!peppers.verify(&other.presented(), Some(&stored)));
    assert!(!peppers.verify(&key.presented(), None));
    assert!(!peppers.verify(
        &key.presented(),
        Some(&Verifier {
            mac: [0; 32],
            ..stored
        })
    ));
}

#[test]
fn a_verifier_needs_its_own_version_of_the_pepper() {
    let key = minted();
    let before = Peppers::new(pepper(1), Vec::new());
    let stored = before.verifier(&key.presented());
    assert!(!before.is_outdated(&stored));

    let after = Peppers::new(pepper(2), vec![pepper(1)]);
    assert!(after.verify(&key.presented(), Some(&stored)));
    assert!(after.is_outdated(&stored));
    assert!(!after.is_outdated(&after.verifier(&key.presented())));

    let retired = Peppers::new(pepper(2), Vec::new());
    assert!(!retired.verify(&key.presented(), Some(&stored)));
    let relabelled = Verifier {
        pepper_version: 2,
        ..stored
    };
    assert!(!after.verify(&key.presented(), Some(&relabelled)));
}

#[test]
fn debug_shows_nothing() {
    let key = minted();
    let shown = format!("{key:?} {:?} {:?}", key.presented(), pepper(1));
    assert_eq!(shown, "[API key] [API key] [pepper version 1]");
}

#[test]
fn t13_an_unknown_key_costs_the_macs_that_a_wrong_one_costs() {
    let (key, other) = (minted(), minted());
    let peppers = Peppers::new(pepper(2), vec![pepper(1)]);
    let current = peppers.verifier(&other.presented());
    let earlier = Peppers::new(pepper(1), Vec::new()).verifier(&other.presented());
    let retired = Verifier {
        pepper_version: 7,
        ..current
    };
    let right = peppers.verifier(&key.presented());
    for (stored, is_right) in [
        (None, false),
        (Some(current), false),
        (Some(earlier), false),
        (Some(retired), false),
        (Some(right), true),
    ] {
        let before = MACS_MADE.get();
        let verified = peppers.verify(&key.presented(), stored.as_ref());
        assert_eq!(verified, is_right);
        assert_eq!(MACS_MADE.get() - before, 1, "{stored:?}");
    }
}
