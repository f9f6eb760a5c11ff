//! Reading JSON into typed, borrowed values, with errors that say where.
//!
//! Wire objects are declared with [`wire_object!`]. Against a derived `Deserialize` it refuses
//! arrays in place of objects, treats `null` as absent everywhere, and lets a format choose how
//! it meets keys given twice and keys it does not know.

mod locate;

use std::{borrow::Cow, fmt, ops::Deref};

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor},
};
use serde_json::{error::Category, value::RawValue};

use crate::error::DecodeError;

/// How deep a client's body may be nested.
pub(crate) const DEPTH_MAX: usize = 64;

/// How many keys that we do not know an object may have.
pub(crate) const UNKNOWN_KEYS_MAX: usize = 128;

/// Refuses what a parser that skips values would let pass: nesting deeper than [`DEPTH_MAX`],
/// before anything recurses into it, and halves of surrogate pairs, which providers choke on.
pub(crate) fn check_shape(body: &[u8]) -> Result<(), DecodeError> {
    if max_depth(body) > DEPTH_MAX {
        return Err(DecodeError::malformed(
            "",
            format!("nested deeper than {DEPTH_MAX} levels"),
        ));
    }
    match lone_surrogate(body) {
        Some(offset) => Err(DecodeError::malformed(
            locate::path_at(body, offset),
            "a `\\u` escape is half of a surrogate pair".to_owned(),
        )),
        None => Ok(()),
    }
}

/// Where an escape stands that is half of a pair without its other half.
fn lone_surrogate(body: &[u8]) -> Option<usize> {
    let mut position = 0;
    while let Some(found) = memchr::memchr(b'\\', &body[position..]) {
        let escape = position + found;
        position = (escape + 2).min(body.len());
        match escaped_unit(&body[escape..]) {
            Some(0xD800..=0xDBFF) => {
                let second = escape + UNIT_ESCAPE_BYTES;
                let Some(0xDC00..=0xDFFF) = escaped_unit(&body[second..]) else {
                    return Some(escape);
                };
                position = second + UNIT_ESCAPE_BYTES;
            }
            Some(0xDC00..=0xDFFF) => return Some(escape),
            Some(_) | None => {}
        }
    }
    None
}

/// `\u` and four digits.
const UNIT_ESCAPE_BYTES: usize = 6;

/// The UTF-16 unit that `bytes` begin by escaping.
fn escaped_unit(bytes: &[u8]) -> Option<u16> {
    let digits = bytes.get(..UNIT_ESCAPE_BYTES)?.strip_prefix(b"\\u")?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// The deepest nesting of brackets outside strings.
fn max_depth(body: &[u8]) -> usize {
    let (mut depth, mut deepest, mut position) = (0_usize, 0_usize, 0_usize);
    while let Some(&byte) = body.get(position) {
        match byte {
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => position = skip_string(body, position + 1),
            _ => {}
        }
        position += 1;
    }
    deepest
}

/// The index of the quote that ends a string whose content starts at `position`.
fn skip_string(body: &[u8], mut position: usize) -> usize {
    while let Some(found) = body
        .get(position..)
        .and_then(|rest| memchr::memchr2(b'"', b'\\', rest))
    {
        position += found;
        if body[position] == b'"' {
            return position;
        }
        position += 2;
    }
    body.len()
}

/// Parses a client's JSON. Errors name the path, and never the value, that did not fit.
pub(crate) fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, DecodeError> {
    serde_json::from_slice(body).map_err(|error| located(body, &error))
}

/// Parses a value that stands at `path` in a client's JSON.
pub(crate) fn parse_at<'a, T: Deserialize<'a>>(
    path: &str,
    value: &'a RawValue,
) -> Result<T, DecodeError> {
    let body = value.get().as_bytes();
    serde_json::from_slice(body).map_err(|error| located(body, &error).within(path))
}

fn located(body: &[u8], error: &serde_json::Error) -> DecodeError {
    let path = locate::path_at(body, offset_of(body, error));
    let text = error.to_string();
    // serde_json appends the place; the path says it better.
    let text = text
        .rsplit_once(" at line ")
        .map_or(text.as_str(), |(text, _)| text);
    match error.classify() {
        Category::Data if text.starts_with("duplicate field") => DecodeError::malformed(path, text),
        Category::Data => DecodeError::invalid(path, without_value(text)),
        Category::Syntax | Category::Eof | Category::Io => DecodeError::malformed(
            path,
            format!(
                "not valid JSON: {text} at line {} column {}",
                error.line(),
                error.column()
            ),
        ),
    }
}

/// Where in `body` parsing stopped.
fn offset_of(body: &[u8], error: &serde_json::Error) -> usize {
    let line_start = match error.line() {
        0 | 1 => 0,
        line => memchr::memchr_iter(b'\n', body)
            .nth(line - 2)
            .map_or(body.len(), |at| at + 1),
    };
    line_start + error.column()
}

/// Takes the offending value out of serde's `invalid type: string "…", expected …`, because it is
/// content.
fn without_value(text: &str) -> String {
    let quotes_value = ["invalid type: ", "invalid value: ", "invalid length "];
    match text.rsplit_once(", expected ") {
        Some((_, wanted)) if quotes_value.iter().any(|prefix| text.starts_with(prefix)) => {
            format!("expected {}", in_words(wanted))
        }
        _ => text.to_owned(),
    }
}

/// The beginning of a name that came from outside.
pub(crate) fn in_brief(name: &str) -> &str {
    &name[..name.floor_char_boundary(64)]
}

/// What Rust types are called outside of Rust.
fn in_words(wanted: &str) -> &str {
    match wanted {
        "u32" | "u64" => "a non-negative whole number",
        "i64" => "a whole number",
        "f64" => "a number",
        "a boolean" => "true or false",
        "a sequence" => "an array",
        "a map" => "an object",
        _ => wanted,
    }
}

/// A string that borrows from the document where it has no escapes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(TextVisitor)
    }
}

/// A JSON object as its pairs, in order, values untouched. Refuses a key given twice.
#[derive(Debug, Default)]
pub(crate) struct RawObject<'a>(pub(crate) Vec<(Text<'a>, &'a RawValue)>);

impl<'de> Deserialize<'de> for RawObject<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor;

        impl<'de> Visitor<'de> for ObjectVisitor {
            type Value = RawObject<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs: Vec<(Text<'de>, &'de RawValue)> = Vec::with_capacity(8);
                while let Some(key) = map.next_key::<Text<'de>>()? {
                    if pairs.len() > UNKNOWN_KEYS_MAX {
                        return Err(de::Error::custom("too many fields"));
                    }
                    if pairs.iter().any(|(known, _)| *known == key) {
                        return Err(de::Error::custom(format_args!(
                            "duplicate field `{}`",
                            in_brief(&key)
                        )));
                    }
                    pairs.push((key, map.next_value()?));
                }
                Ok(RawObject(pairs))
            }
        }

        deserializer.deserialize_map(ObjectVisitor)
    }
}

/// The keys that an object's reader does not know.
#[derive(Default)]
pub(crate) struct UnknownKeys<'a>(Vec<Text<'a>>);

impl<'a> UnknownKeys<'a> {
    /// Notes a key; an error message when it was there before or there are too many.
    pub(crate) fn note(&mut self, key: Text<'a>) -> Result<(), String> {
        if self.0.len() >= UNKNOWN_KEYS_MAX {
            return Err("too many unknown fields".to_owned());
        }
        if self.0.contains(&key) {
            return Err(format!("duplicate field `{}`", in_brief(&key)));
        }
        self.0.push(key);
        Ok(())
    }
}

/// Declares a wire object: a struct of `Option` fields and how to read it.
///
/// - `strict`: a client's object; a key given twice is refused, unknown keys are skipped.
/// - `closed`: as `strict`, and unknown keys are refused.
/// - `lenient`: a provider's object; the last value of a key counts, unknown keys are skipped.
macro_rules! wire_object {
    ($(#[$doc:meta])* $mode:ident struct $name:ident<$lt:lifetime> {
        $($(#[$field_doc:meta])* $key:literal => $field:ident: $ty:ty,)*
    }) => {
        $(#[$doc])*
        #[derive(Default)]
        pub(crate) struct $name<$lt> {
            $($(#[$field_doc])* pub(crate) $field: Option<$ty>,)*
            pub(crate) document: ::std::marker::PhantomData<&$lt ()>,
        }

        impl<$lt> ::serde::Deserialize<$lt> for $name<$lt> {
            fn deserialize<D: ::serde::Deserializer<$lt>>(deserializer: D) -> Result<Self, D::Error> {
                struct ObjectVisitor;

                impl<$lt> ::serde::de::Visitor<$lt> for ObjectVisitor {
                    type Value = $name<$lt>;

                    fn expecting(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                        f.write_str("an object")
                    }

                    fn visit_map<A: ::serde::de::MapAccess<$lt>>(
                        self,
                        mut map: A,
                    ) -> Result<Self::Value, A::Error> {
                        $crate::json::wire_object!(@declare $mode, unknown);
                        $(let mut $field: Option<Option<$ty>> = None;)*
                        while let Some(key) = map.next_key::<$crate::json::Text<$lt>>()? {
                            match &*key {
                                $($key => {
                                    $crate::json::wire_object!(@seen $mode, $field, $key);
                                    $field = Some(map.next_value()?);
                                })*
                                _ => {
                                    $crate::json::wire_object!(@unknown $mode, unknown, key, map);
                                }
                            }
                        }
                        Ok($name {
                            $($field: $field.flatten(),)*
                            document: ::std::marker::PhantomData,
                        })
                    }
                }

                deserializer.deserialize_map(ObjectVisitor)
            }
        }
    };
    (@seen lenient, $field:ident, $key:literal) => {};
    (@seen $mode:ident, $field:ident, $key:literal) => {
        if $field.is_some() {
            return Err(::serde::de::Error::duplicate_field($key));
        }
    };
    (@declare strict, $unknown:ident) => {
        let mut $unknown = $crate::json::UnknownKeys::default();
    };
    (@declare $mode:ident, $unknown:ident) => {};
    (@unknown strict, $unknown:ident, $name:ident, $map:ident) => {
        $unknown.note($name).map_err(::serde::de::Error::custom)?;
        $map.next_value::<::serde::de::IgnoredAny>()?;
    };
    (@unknown lenient, $unknown:ident, $name:ident, $map:ident) => {
        $map.next_value::<::serde::de::IgnoredAny>()?;
    };
    (@unknown closed, $unknown:ident, $name:ident, $map:ident) => {
        return Err(::serde::de::Error::custom(format_args!(
            "unknown field `{}`",
            $crate::json::in_brief(&$name),
        )));
    };
}
pub(crate) use wire_object;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_of_surrogate_pairs_are_found_and_pairs_are_not() {
        for (text, found) in [
            (r#""\ud83d\ude00""#, None),
            (r#""\ud83d\ude00 \u00e9 \n""#, None),
            (r#""\\ud83d""#, None),
            (r#""\\\ud83d""#, Some(3)),
            (r#""\ud83d""#, Some(1)),
            (r#""\ude00""#, Some(1)),
            (r#""\ud83d\n""#, Some(1)),
            (r#""\ud83d\ud83d\ude00""#, Some(1)),
            (r#""\ud83"#, None),
            (r#""\"#, None),
        ] {
            assert_eq!(lone_surrogate(text.as_bytes()), found, "{text}");
        }
    }
}
