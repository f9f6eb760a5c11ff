//! Halves of characters: some hosts cut an emoji's two `\u` escapes into two chunks, each of which
//! is then no valid JSON text. The first half waits here for the second.

use bytes::Bytes;

/// Length of `\uXXXX`.
const ESCAPE_LEN: usize = 6;

/// Moves a cut character into the chunk that completes it.
#[derive(Debug, Default)]
pub(super) struct SurrogateRepair {
    /// The escape of a first half, as it came.
    held: Option<[u8; ESCAPE_LEN]>,
}

impl SurrogateRepair {
    /// Returns the chunk as it should be read. Costs one search where nothing is cut.
    pub(super) fn apply(&mut self, data: Bytes) -> Bytes {
        if self.held.is_none() && memchr::memmem::find(&data, b"\\u").is_none() {
            return data;
        }
        let mut repaired: Option<Vec<u8>> = None;
        let mut position = 0;
        let mut copied = 0;
        while let Some(found) = memchr::memchr(b'\\', &data[position..]) {
            let at = position + found;
            let Some(unit) = escape_at(&data, at) else {
                // Another escape: skip it with the byte it escapes.
                position = (at + 2).min(data.len());
                continue;
            };
            position = at + ESCAPE_LEN;
            match unit {
                0xD800..=0xDBFF if is_second_half(escape_at(&data, position)) => {
                    position += ESCAPE_LEN
                }
                0xD800..=0xDBFF => {
                    let out = repaired.get_or_insert_default();
                    out.extend_from_slice(&data[copied..at]);
                    copied = position;
                    self.held = data[at..position].try_into().ok();
                }
                0xDC00..=0xDFFF => {
                    let out = repaired.get_or_insert_default();
                    out.extend_from_slice(&data[copied..at]);
                    copied = position;
                    match self.held.take() {
                        Some(first) => {
                            out.extend_from_slice(&first);
                            out.extend_from_slice(&data[at..position]);
                        }
                        // Its first half never came.
                        None => out.extend_from_slice(b"\\ufffd"),
                    }
                }
                _ => {}
            }
        }
        match repaired {
            None => data,
            Some(mut out) => {
                out.extend_from_slice(&data[copied..]);
                out.into()
            }
        }
    }
}

/// The code unit of a `\uXXXX` escape at `position`.
fn escape_at(data: &[u8], position: usize) -> Option<u16> {
    let escape = data.get(position..position + ESCAPE_LEN)?;
    let digits = escape.strip_prefix(b"\\u")?;
    let digits = std::str::from_utf8(digits)
        .ok()
        .filter(|digits| !digits.starts_with('+'))?;
    u16::from_str_radix(digits, 16).ok()
}

fn is_second_half(unit: Option<u16>) -> bool {
    unit.is_some_and(|unit| (0xDC00..=0xDFFF).contains(&unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_meet_again() {
        let mut repair = SurrogateRepair::default();
        for (chunk, read) in [
            (r#"{"a":"x\ud83d"}"#, r#"{"a":"x"}"#),
            (r#"{"a":"\ude00y"}"#, r#"{"a":"\ud83d\ude00y"}"#),
            (r#"{"a":"\ud83d\ude00"}"#, r#"{"a":"\ud83d\ude00"}"#),
            (r#"{"a":"\\ud83d"}"#, r#"{"a":"\\ud83d"}"#),
            (r#"{"a":"\ude00"}"#, r#"{"a":"\ufffd"}"#),
            (r#"{"a":"\u00e9"}"#, r#"{"a":"\u00e9"}"#),
            ("{\"a\":\"\\", "{\"a\":\"\\"),
        ] {
            assert_eq!(repair.apply(Bytes::from(chunk)), read, "{chunk}");
        }
    }
}
