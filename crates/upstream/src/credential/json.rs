//! Credentials that are JSON: one object, or a list of them, read field by field.
//!
//! No value is kept as JSON. Each stays where it was uploaded until it is asked for, and a secret is
//! then copied once, into memory that is wiped.

use std::{collections::BTreeSet, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;
use switchyard_domain::secret::Secret;
use zeroize::Zeroizing;

use super::InvalidCredential;

/// Objects in one credential.
const OBJECTS_MAX: usize = 100;
/// Bytes of a credential in all.
const BYTES_MAX: usize = 64 * 1024;

/// One object of a credential.
pub(crate) struct Object<'a> {
    /// What stands before its fields' names in complaints.
    place: String,
    fields: Vec<(String, &'a RawValue)>,
}

/// Reads one object, or a list of them, whose fields are among `known`. `example` shows what is
/// expected.
pub(crate) fn objects<'a>(
    text: &'a [u8],
    known: &[&str],
    example: &str,
) -> Result<Vec<Object<'a>>, InvalidCredential> {
    if text.len() > BYTES_MAX {
        return Err(InvalidCredential::whole(format!(
            "is longer than {BYTES_MAX} bytes: leave out what does not belong to it"
        )));
    }
    let (raws, is_list): (Vec<&RawValue>, bool) = match text.first() {
        Some(b'[') => (serde_json::from_slice(text).map_err(broken)?, true),
        Some(b'{') => (vec![serde_json::from_slice(text).map_err(broken)?], false),
        Some(_) | None => {
            return Err(InvalidCredential::whole(format!(
                "this provider takes JSON: write {example}"
            )));
        }
    };
    if raws.is_empty() || raws.len() > OBJECTS_MAX {
        return Err(InvalidCredential::whole(format!(
            "the list must have one to {OBJECTS_MAX} objects: write {example}"
        )));
    }
    let read = raws.into_iter().enumerate().map(|(index, raw)| {
        let place = if is_list {
            format!("[{index}]")
        } else {
            String::new()
        };
        Object::read(place, raw, known, example)
    });
    read.collect()
}

impl<'a> Object<'a> {
    fn read(
        place: String,
        raw: &'a RawValue,
        known: &[&str],
        example: &str,
    ) -> Result<Self, InvalidCredential> {
        let fields = serde_json::from_str::<Fields<'a>>(raw.get())
            .map_err(|_| Self::not_an_object(&place, example))?
            .0;
        let object = Self { place, fields };
        let mut seen = BTreeSet::new();
        for (name, _) in &object.fields {
            if !known.contains(&name.as_str()) {
                return Err(object.unknown(name, known));
            }
            if !seen.insert(name) {
                return Err(object.invalid(name, "stands there twice: leave one out"));
            }
        }
        Ok(object)
    }

    fn not_an_object(place: &str, example: &str) -> InvalidCredential {
        let message = format!("is not a JSON object: write {example}");
        InvalidCredential {
            field: Some(place.to_owned()).filter(|place| !place.is_empty()),
            message,
        }
    }

    /// Whether a field is there, and not null.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }

    /// A field that must be a text.
    pub(crate) fn text(&self, name: &str) -> Result<String, InvalidCredential> {
        let text = self.optional_text(name)?;
        text.ok_or_else(|| self.invalid(name, "is missing: add it"))
    }

    /// A field that may be left out.
    pub(crate) fn optional_text(&self, name: &str) -> Result<Option<String>, InvalidCredential> {
        let Some(raw) = self.raw(name) else {
            return Ok(None);
        };
        match unquoted(raw) {
            Some(mut text) => Ok(Some(std::mem::take(&mut *text))),
            None => Err(self.invalid(name, "is not a text: put it in quotes")),
        }
    }

    /// A field that must be a secret text.
    pub(crate) fn secret(&self, name: &str) -> Result<Secret<String>, InvalidCredential> {
        self.text(name).map(Secret::new)
    }

    /// A complaint about a field.
    pub(crate) fn invalid(&self, name: &str, message: impl Into<String>) -> InvalidCredential {
        let field = match self.place.as_str() {
            "" => name.to_owned(),
            place => format!("{place}.{name}"),
        };
        InvalidCredential::field(field, message)
    }

    /// A complaint about all of it.
    pub(crate) fn invalid_whole(&self, message: impl Into<String>) -> InvalidCredential {
        InvalidCredential {
            field: Some(self.place.clone()).filter(|place| !place.is_empty()),
            message: message.into(),
        }
    }

    fn raw(&self, name: &str) -> Option<&'a str> {
        let mut fields = self.fields.iter();
        let (_, raw) = fields.find(|(known, _)| known == name)?;
        Some(raw.get()).filter(|raw| *raw != "null")
    }

    /// A field's name is not repeated: it may be a key that stands in the wrong place. A known name in
    /// another spelling is recognised.
    fn unknown(&self, name: &str, known: &[&str]) -> InvalidCredential {
        let plain = |name: &str| {
            let letters = name.chars().filter(char::is_ascii_alphanumeric);
            letters
                .map(|letter| letter.to_ascii_lowercase())
                .collect::<String>()
        };
        let meant = known.iter().find(|known| plain(known) == plain(name));
        match meant {
            Some(meant) => self.invalid(meant, "is spelled otherwise: write the name just so"),
            None => self.invalid_whole(format!(
                "has a field that is not known here: leave it out; the fields are {}",
                known.join(", ")
            )),
        }
    }
}

/// What a parser says of a text, without the text.
fn broken(error: serde_json::Error) -> InvalidCredential {
    InvalidCredential::whole(format!(
        "is not well-formed JSON (line {}, column {}): check commas, quotes and brackets there",
        error.line(),
        error.column()
    ))
}

/// The fields of an object in their order, also those that stand there twice.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;

        impl<'de> Visitor<'de> for Each {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Each)
    }
}

/// The text that a JSON string stands for. It is never longer than the string, so the buffer is never
/// moved and no copy of it stays behind.
fn unquoted(raw: &str) -> Option<Zeroizing<String>> {
    let mut rest = raw.strip_prefix('"')?.strip_suffix('"')?;
    let mut text = Zeroizing::new(String::with_capacity(rest.len()));
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        let letter = *rest.as_bytes().get(at + 1)?;
        let mut end = at + 2;
        text.push(match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'b' => '\u{8}',
            b'f' => '\u{C}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = code_unit(rest, end)?;
                end += 4;
                let mut units = vec![first];
                if (0xD800..0xDC00).contains(&first) && rest[end..].starts_with("\\u") {
                    units.push(code_unit(rest, end + 2)?);
                    end += 6;
                }
                let mut decoded = char::decode_utf16(units);
                decoded.next()?.ok()?
            }
            _ => return None,
        });
        rest = &rest[end..];
    }
    text.push_str(rest);
    Some(text)
}

fn code_unit(text: &str, at: usize) -> Option<u16> {
    u16::from_str_radix(text.get(at..at + 4)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn texts_are_read_as_json_has_them(text in any::<String>()) {
            let quoted = serde_json::to_string(&text).expect("a text");
            let read = unquoted(&quoted).expect("a text");
            prop_assert_eq!(read.as_str(), text.as_str());
        }

        #[test]
        fn escaped_texts_too(text in any::<String>()) {
            let units = text.encode_utf16().map(|unit| format!("\\u{unit:04x}"));
            let quoted = format!("\"{}\"", units.collect::<String>());
            let read = unquoted(&quoted).expect("a text");
            prop_assert_eq!(read.as_str(), text.as_str());
        }

        #[test]
        fn nothing_makes_it_panic(bytes in any::<Vec<u8>>(), raw in "\"(\\\\|u|d|8|0|a|\"|n|ä){0,12}\"") {
            let _ = objects(&bytes, &["a"], "");
            let _ = unquoted(&raw);
        }
    }
}
