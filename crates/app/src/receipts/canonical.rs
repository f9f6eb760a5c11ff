//! One text for one document: what is hashed and signed. JSON with the members of each object in
//! the order of their names, without space, with integers only. For such documents it is what
//! RFC 8785 makes of them, and what Python's
//! `json.dumps(…, sort_keys=True, separators=(",", ":"), ensure_ascii=False)` does.

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// Why a document has no canonical text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotCanonical {
    /// A fraction, an exponent, or an integer of more than 64 bits: programs differ in how they
    /// write those.
    #[error("`{0}` is not an integer of 64 bits")]
    Number(String),
    /// PostgreSQL cannot hold it in a document, so it would not come back.
    #[error("a text holds a NUL character")]
    Nul,
    /// It is no JSON at all.
    #[error("it is not JSON: {0}")]
    NotJson(String),
}

/// The canonical text of a value of ours.
pub fn text_of(value: &impl Serialize) -> Result<String, NotCanonical> {
    let value = serde_json::to_value(value).map_err(not_json)?;
    text(&value)
}

/// The canonical text of a document.
pub fn text(value: &Value) -> Result<String, NotCanonical> {
    let mut text = String::with_capacity(1_024);
    write(value, &mut text)?;
    Ok(text)
}

/// SHA-256 over a canonical text, in hexadecimal digits.
pub fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
        }
    }
    text
}

fn write(value: &Value, text: &mut String) -> Result<(), NotCanonical> {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(true) => text.push_str("true"),
        Value::Bool(false) => text.push_str("false"),
        Value::Number(number) if number.is_i64() || number.is_u64() => {
            text.push_str(&number.to_string());
        }
        Value::Number(number) => return Err(NotCanonical::Number(number.to_string())),
        Value::String(string) => write_string(string, text)?,
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write(item, text)?;
            }
            text.push(']');
        }
        Value::Object(members) => {
            // Sorted here: the order that a map happens to have is nothing to rely on.
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            text.push('{');
            for (index, (name, member)) in members.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write_string(name, text)?;
                text.push(':');
                write(member, text)?;
            }
            text.push('}');
        }
    }
    Ok(())
}

fn write_string(string: &str, text: &mut String) -> Result<(), NotCanonical> {
    if string.contains('\0') {
        return Err(NotCanonical::Nul);
    }
    text.push_str(&serde_json::to_string(string).map_err(not_json)?);
    Ok(())
}

fn not_json(error: serde_json::Error) -> NotCanonical {
    NotCanonical::NotJson(error.to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_has_one_text() {
        for (given, canonical) in [
            ("null", "null"),
            (
                " [ 1 , -2 ,18446744073709551615 ] ",
                "[1,-2,18446744073709551615]",
            ),
            (
                r#"{"b":{"z":true,"y":[]},"a":{},"B":false}"#,
                r#"{"B":false,"a":{},"b":{"y":[],"z":true}}"#,
            ),
            (
                r#""\u0041\/\u00e4\u001f\n\"\\\ud83e\udd80\u007f""#,
                "\"A/ä\\u001f\\n\\\"\\\\🦀\u{7f}\"",
            ),
            // By code point: an umlaut stands behind every letter of ASCII.
            (r#"{"ä":1,"z":2,"":3}"#, r#"{"":3,"z":2,"ä":1}"#),
        ] {
            let value: Value = serde_json::from_str(given).expect("JSON");
            assert_eq!(text(&value).as_deref(), Ok(canonical), "{given}");
        }
    }

    #[test]
    fn what_programs_write_differently_is_refused() {
        for given in [
            "1.5",
            "1.0",
            "1e3",
            "-0",
            "18446744073709551616",
            "[{\"a\":0.1}]",
        ] {
            let value: Value = serde_json::from_str(given).expect("JSON");
            assert!(
                matches!(text(&value), Err(NotCanonical::Number(_))),
                "{given}"
            );
        }
        assert_eq!(text(&json!(["a\0b"])), Err(NotCanonical::Nul));
        assert_eq!(text(&json!({ "\0": 1 })), Err(NotCanonical::Nul));
    }

    #[test]
    fn digests_are_those_of_the_standard() {
        assert_eq!(
            hex(&digest("")),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }

    fn any_document() -> impl Strategy<Value = Value> {
        let text = any::<String>().prop_map(|text| text.replace('\0', ""));
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            text.clone().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map(text.clone(), inner, 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    /// The same document with the members of its objects in the opposite order.
    fn turned(value: &Value) -> String {
        match value {
            Value::Array(items) => {
                let items: Vec<_> = items.iter().map(turned).collect();
                format!("[ {} ]", items.join("\n, "))
            }
            Value::Object(members) => {
                let members: Vec<_> = members
                    .iter()
                    .rev()
                    .map(|(name, member)| format!("{} : {}", json!(name), turned(member)))
                    .collect();
                format!("{{ {} }}", members.join(" ,\t"))
            }
            leaf @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => {
                leaf.to_string()
            }
        }
    }

    proptest! {
        #[test]
        fn the_text_depends_on_the_document_alone(document in any_document()) {
            let canonical = text(&document).expect("canonical");
            // Nothing is lost, so different documents have different texts.
            let back: Value = serde_json::from_str(&canonical).expect("JSON");
            prop_assert_eq!(&back, &document);
            prop_assert_eq!(&text(&back).expect("canonical"), &canonical);
            let turned: Value = serde_json::from_str(&turned(&document)).expect("JSON");
            prop_assert_eq!(text(&turned).expect("canonical"), canonical);
        }
    }
}
