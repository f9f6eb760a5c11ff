//! A secret in a body: from the body's bytes into a [`Secret`] with no copy on the way that nobody
//! wipes. So there is no tree of JSON values here, no string that grows, and no message that repeats
//! any of it.

use serde_json::value::RawValue;
use switchyard_domain::secret::Secret;
use zeroize::Zeroize as _;

use super::super::fields::Problem;

const PROBLEM: &str = "must be a string, or the JSON object or list that the provider gave out";

/// The bytes of a secret: what a string says, or an object or list as it is written.
pub(super) fn secret(value: &RawValue) -> Result<Secret<Vec<u8>>, Problem> {
    let text = value.get();
    match text.as_bytes().first() {
        Some(b'{' | b'[') => Ok(Secret::new(text.as_bytes().to_vec())),
        Some(b'"') => {
            let inner = text.get(1..text.len().saturating_sub(1));
            inner.and_then(unescaped).ok_or_else(|| PROBLEM.into())
        }
        Some(_) | None => Err(PROBLEM.into()),
    }
}

/// What stands between a JSON string's quotes. Escapes are never shorter than what they stand for,
/// so the room taken at first is enough and nothing is left behind by growing.
fn unescaped(inner: &str) -> Option<Secret<Vec<u8>>> {
    let mut plain = Vec::with_capacity(inner.len());
    match write_plain(inner, &mut plain) {
        Some(()) => Some(Secret::new(plain)),
        None => {
            plain.zeroize();
            None
        }
    }
}

fn write_plain(inner: &str, plain: &mut Vec<u8>) -> Option<()> {
    let mut rest = inner;
    while let Some((before, behind)) = rest.split_once('\\') {
        plain.extend_from_slice(before.as_bytes());
        let (character, left) = escape(behind)?;
        let mut bytes = [0; 4];
        plain.extend_from_slice(character.encode_utf8(&mut bytes).as_bytes());
        bytes.zeroize();
        rest = left;
    }
    plain.extend_from_slice(rest.as_bytes());
    Some(())
}

/// The character that an escape stands for, and what follows it.
fn escape(behind: &str) -> Option<(char, &str)> {
    let mut characters = behind.chars();
    let character = match characters.next()? {
        plain @ ('"' | '\\' | '/') => plain,
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => return unicode(characters.as_str()),
        _ => return None,
    };
    Some((character, characters.as_str()))
}

fn unicode(digits: &str) -> Option<(char, &str)> {
    let (first, rest) = unit(digits)?;
    match first {
        0xd800..=0xdbff => {
            let (second, rest) = unit(rest.strip_prefix("\\u")?)?;
            let low = second.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
            let code = 0x1_0000 + ((first - 0xd800) << 10) + low;
            Some((char::from_u32(code)?, rest))
        }
        _ => Some((char::from_u32(first)?, rest)),
    }
}

fn unit(digits: &str) -> Option<(u32, &str)> {
    let (digits, rest) = digits.split_at_checked(4)?;
    Some((u32::from_str_radix(digits, 16).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(json: &str) -> Option<Vec<u8>> {
        let raw = RawValue::from_string(json.to_owned()).expect("JSON");
        secret(&raw).ok().map(|secret| secret.expose().clone())
    }

    /// Whatever a JSON reader makes of a string, this makes of it, too.
    #[test]
    fn strings_are_read_as_any_json_reader_does() {
        for json in [
            r#""sk-plain""#,
            r#""""#,
            r#""a\"b\\c\/d\b\f\n\r\te""#,
            r#""{\"private_key\":\"-----BEGIN\\nEND\\n\"}""#,
            r#""\u0041\u00fc\u20ac""#,
            r#""\ud83d\ude00 grin""#,
            r#""\ud83d\uDE00\u0000""#,
            r#""plain ü €""#,
        ] {
            let expected: String = serde_json::from_str(json).expect("a string");
            assert_eq!(plain(json), Some(expected.into_bytes()), "{json}");
        }
    }

    #[test]
    fn halves_of_characters_are_refused() {
        for json in [
            r#""\ud83d""#,
            r#""\ud83d x""#,
            r#""\ud83d\u0041""#,
            r#""\ude00""#,
        ] {
            assert_eq!(plain(json), None, "{json}");
        }
    }

    #[test]
    fn objects_and_lists_are_taken_as_they_are_written() {
        for json in [r#"{"a": "b"}"#, r#"[ {"a":1} ]"#] {
            assert_eq!(plain(json), Some(json.as_bytes().to_vec()));
        }
        for json in ["1", "true", "null"] {
            assert_eq!(plain(json), None, "{json}");
        }
    }

    #[test]
    fn v8_the_buffer_never_grows() {
        for json in ["sk-plain", r"\u0041\n", r"a\\b"] {
            let secret = unescaped(json).expect("a string");
            assert!(secret.expose().capacity() <= json.len(), "{json}");
        }
    }
}
