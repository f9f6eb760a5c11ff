//! Values that each engine holds in its own form: how they are written and read is in `postgres.rs`
//! and `sqlite.rs`.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Value, value::RawValue};
use switchyard_domain::clock::Timestamp;

const DAY_MICROS: i64 = 86_400_000_000;

/// An instant: `timestamptz`, or microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct At(pub(crate) Timestamp);

/// A UTC day: `date`, or days since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Day {
    /// Days since 1970-01-01.
    pub(crate) number: i32,
}

impl Day {
    /// The day that an instant falls into.
    pub(crate) fn of(at: Timestamp) -> Self {
        let number = at.micros().div_euclid(DAY_MICROS);
        // Microseconds in an i64 reach no further than 107 million days from 1970.
        Self {
            number: i32::try_from(number).expect("fewer days than an i32 counts"),
        }
    }

    /// Midnight, when it begins.
    pub(crate) fn start(self) -> Timestamp {
        Timestamp::from_micros(i64::from(self.number).saturating_mul(DAY_MICROS))
    }
}

/// A JSON document as text: `jsonb`, or text. Never holds what `jsonb` refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JsonText(pub(crate) String);

impl JsonText {
    /// Writes a value of ours. NUL characters, which PostgreSQL cannot hold, are replaced.
    pub(crate) fn of(value: &impl Serialize) -> Result<Self, serde_json::Error> {
        let text = serde_json::to_string(value)?;
        if !text.contains("\\u0000") {
            return Ok(Self(text));
        }
        Self::scrubbed(&text)
    }

    /// Takes a document as it is, or `None` where it holds escapes that mean no text.
    pub(crate) fn of_raw(document: &RawValue) -> Option<Self> {
        let text = document.get();
        if !text.contains("\\u") {
            return Some(Self(text.to_owned()));
        }
        Self::scrubbed(text).ok()
    }

    fn scrubbed(text: &str) -> Result<Self, serde_json::Error> {
        let mut document = serde_json::from_str(text)?;
        scrub(&mut document);
        serde_json::to_string(&document).map(Self)
    }
}

fn scrub(value: &mut Value) {
    match value {
        Value::String(text) => *text = without_nul(text).into_owned(),
        Value::Array(items) => items.iter_mut().for_each(scrub),
        Value::Object(members) => {
            let scrubbed = std::mem::take(members)
                .into_iter()
                .map(|(name, mut member)| {
                    scrub(&mut member);
                    (without_nul(&name).into_owned(), member)
                });
            *members = scrubbed.collect();
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Text without NUL characters, which PostgreSQL cannot hold.
pub(crate) fn without_nul(text: &str) -> Cow<'_, str> {
    if text.contains('\0') {
        return Cow::Owned(text.replace('\0', "\u{fffd}"));
    }
    Cow::Borrowed(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_keep_their_text_but_lose_nul() {
        for (given, kept) in [
            (r#"{"a":"b"}"#, Some(r#"{"a":"b"}"#)),
            (
                r#"{"a\u0000":["x\u0000y"]}"#,
                Some("{\"a\u{fffd}\":[\"x\u{fffd}y\"]}"),
            ),
            (r#"{"a":"\\u0000"}"#, Some(r#"{"a":"\\u0000"}"#)),
            (r#"{"a":"\u00fc"}"#, Some(r#"{"a":"ü"}"#)),
            (r#"{"a":"\ud800"}"#, None),
        ] {
            let document = RawValue::from_string(given.to_owned()).expect("a JSON text");
            assert_eq!(
                JsonText::of_raw(&document).map(|text| text.0).as_deref(),
                kept,
                "{given}"
            );
        }
        let text = JsonText::of(&"a\0b").expect("serializable");
        assert_eq!(text.0, "\"a\u{fffd}b\"");
    }

    #[test]
    fn days_turn_at_midnight() {
        for (micros, number) in [(-1, -1), (0, 0), (DAY_MICROS - 1, 0), (DAY_MICROS, 1)] {
            let day = Day::of(Timestamp::from_micros(micros));
            assert_eq!(day.number, number);
            assert_eq!(day.start().micros(), i64::from(number) * DAY_MICROS);
        }
    }
}
