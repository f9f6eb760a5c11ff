//! The `explain` object beside a chat request: read, checked, and taken out of the body, so that
//! what is explained is the request as it would come without it.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};
use switchyard_domain::clock::Timestamp;
use switchyard_interchange::reply::PublicFailure;

use crate::error;

/// What to explain beside the request itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) seed: Option<u64>,
    pub(super) at: Option<Timestamp>,
    /// Two letters, upper case.
    pub(super) country: Option<String>,
}

const NAME: &str = "explain";

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    explain: Option<&'a RawValue>,
}

impl Options {
    /// The body without its `explain` member, and what that said. A body that cannot be read is left
    /// to the decoder, which says where it is wrong.
    pub(super) fn take_from(body: Bytes) -> Result<(Bytes, Self), PublicFailure> {
        // A list would pass for an object whose first member it holds.
        if body.trim_ascii_start().first() != Some(&b'{') {
            return Ok((body, Self::default()));
        }
        let raw = match serde_json::from_slice(&body) {
            Ok(Envelope { explain: Some(raw) }) => raw,
            Err(error) if error.to_string().starts_with("duplicate field") => {
                return Err(error::bad_field(NAME, "is given twice"));
            }
            Ok(Envelope { explain: None }) | Err(_) => return Ok((body, Self::default())),
        };
        let options = Self::read(raw)?;
        let value = offset_in(&body, raw.get())..offset_in(&body, raw.get()) + raw.get().len();
        let rest = without_member(&body, value.start, value.end);
        Ok((rest.into(), options))
    }

    fn read(raw: &RawValue) -> Result<Self, PublicFailure> {
        let members: Map<String, Value> = serde_json::from_str(raw.get())
            .map_err(|_| error::bad_field(NAME, "must be an object"))?;
        let mut options = Self::default();
        for (name, value) in members {
            let bad = |problem| error::bad_field(&format!("{NAME}.{name}"), problem);
            match (name.as_str(), value) {
                (_, Value::Null) => {}
                ("seed", value) => {
                    options.seed = Some(seed(&value).ok_or_else(|| {
                        bad("must be a whole number from 0 to 18446744073709551615, or one as a string")
                    })?);
                }
                ("at", value) => {
                    let at = value.as_str().and_then(Timestamp::parse_rfc3339);
                    let problem = "must be a time such as 2026-12-31T00:00:00Z";
                    options.at = Some(at.ok_or_else(|| bad(problem))?);
                }
                ("country", value) => {
                    let country = value.as_str().and_then(country);
                    options.country =
                        Some(country.ok_or_else(|| bad("must be two letters, such as DE"))?);
                }
                _ => return Err(bad("is not known; there are `seed`, `at` and `country`")),
            }
        }
        Ok(options)
    }
}

/// Numbers above 2^53 lose digits in many clients, so a seed may come as text.
fn seed(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn country(text: &str) -> Option<String> {
    let is_code = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_code.then(|| text.to_ascii_uppercase())
}

/// Where a part that was borrowed from `body` begins.
fn offset_in(body: &[u8], part: &str) -> usize {
    part.as_ptr().addr() - body.as_ptr().addr()
}

/// Cuts out the member whose value lies from `start` to `end`, with its name and one comma.
fn without_member(body: &[u8], start: usize, end: usize) -> Vec<u8> {
    // Backwards over the colon and the name, whose opening quote is the last one before its closing
    // quote that no backslash precedes.
    let colon = last_before(body, start, |byte| byte == b':');
    let closing = last_before(body, colon, |byte| byte == b'"');
    let mut from = last_before(body, closing, |byte| byte == b'"');
    while from > 0 && body[from - 1] == b'\\' {
        from = last_before(body, from, |byte| byte == b'"');
    }
    let before = last_before(body, from, |byte| !byte.is_ascii_whitespace());
    let after = end + leading_whitespace(&body[end..]);
    let (from, to) = if body.get(before) == Some(&b',') {
        (before, end)
    } else if body.get(after) == Some(&b',') {
        (from, after + 1)
    } else {
        (from, end)
    };
    [&body[..from], &body[to..]].concat()
}

fn last_before(body: &[u8], end: usize, is: impl Fn(u8) -> bool) -> usize {
    body[..end].iter().rposition(|byte| is(*byte)).unwrap_or(0)
}

fn leading_whitespace(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .take_while(|byte| byte.is_ascii_whitespace())
        .count()
}
