//! Whatever the files hold, a load answers.

use proptest::prelude::*;

use crate::fixture::{load_texts, sound};

proptest! {
    /// One file of a sound catalogue with a stretch of it replaced.
    #[test]
    fn damaged_files_are_refused_or_read(
        file in 0..4_usize,
        at in any::<prop::sample::Index>(),
        length in 0..12_usize,
        patch in r#"[\[\]{}",:0-9a-z\\. -]{0,12}"#,
    ) {
        let mut texts = sound().contents();
        let text = &mut texts[file];
        let start = at.index(text.len());
        let end = (start + length).min(text.len());
        text.replace_range(start..end, &patch);
        if let Err(faults) = load_texts(&texts) {
            prop_assert!(!faults.faults.is_empty());
            for fault in &faults.faults {
                prop_assert!(!fault.problem.is_empty() && !fault.remedy.is_empty());
            }
        }
    }

    #[test]
    fn any_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let faults = switchyard_catalog::load::load_from_bytes(
            &bytes, &bytes, &bytes, &bytes, crate::fixture::noon(),
        );
        prop_assert!(faults.is_err());
    }

    /// A price put into a row is the price that is loaded, to the last digit.
    #[test]
    fn prices_are_exact(picos in 0..=10_000_000_000_i64) {
        let text = switchyard_domain::money::Price::from_picos(picos)
            .expect("not negative")
            .to_string();
        let mut files = sound();
        files.endpoints[0]["pricing"]["completion"] = serde_json::json!(text);
        let catalog = files.loaded();
        let list = catalog.endpoints[0].prices.as_ref().expect("priced");
        prop_assert_eq!(list.base.completion.expect("stated").picos(), picos);
    }
}

#[test]
fn deep_nesting_is_refused() {
    let mut texts = sound().contents();
    texts[0] = format!(
        r#"{{"providers":[{{"slug":"acme","notes":{}"#,
        "[".repeat(100_000)
    );
    assert!(load_texts(&texts).is_err());
    texts[0] = format!(
        r#"{{"providers":[{{"slug":"acme","notes":{}{}}}]}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    assert!(load_texts(&texts).is_err());
}
