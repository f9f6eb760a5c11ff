//! The shape of a body: nesting, and objects as their members.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor},
};
use serde_json::{error::Category, value::RawValue};

use super::Problem;
use crate::limits::MANAGEMENT_BODY_DEPTH_MAX;

/// More than any object here has.
const MEMBERS_MAX: usize = 128;

/// Refuses nesting that no request needs, before anything recurses into it.
pub(super) fn check(body: &[u8]) -> Result<(), Problem> {
    if body.trim_ascii().is_empty() {
        return Err("is empty; a JSON object is expected".into());
    }
    let (mut depth, mut is_text, mut is_escaped) = (0_usize, false, false);
    for byte in body {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_text => is_escaped = true,
            b'"' => is_text = !is_text,
            b'{' | b'[' if !is_text => depth += 1,
            b'}' | b']' if !is_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MANAGEMENT_BODY_DEPTH_MAX {
            return Err(format!("is nested deeper than {MANAGEMENT_BODY_DEPTH_MAX} levels").into());
        }
    }
    Ok(())
}

/// What the parser found wrong, without values.
pub(super) fn in_words(error: &serde_json::Error) -> Problem {
    match error.classify() {
        // Ours, below.
        Category::Data if error.to_string().starts_with("has ") => {
            let text = error.to_string();
            let end = text.rfind(" at line ").unwrap_or(text.len());
            text[..end].to_owned().into()
        }
        Category::Data => "must be a JSON object".into(),
        Category::Syntax | Category::Eof | Category::Io => format!(
            "is not valid JSON, at line {} column {}",
            error.line(),
            error.column()
        )
        .into(),
    }
}

/// A JSON object as its members, in order, values untouched. Refuses a name given twice.
pub(super) struct Object<'a>(pub(super) Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members: Vec<(Cow<'de, str>, &'de RawValue)> = Vec::new();
                while let Some(Name(name)) = map.next_key()? {
                    if members.len() >= MEMBERS_MAX {
                        return Err(de::Error::custom("has too many fields"));
                    }
                    if members.iter().any(|(known, _)| *known == name) {
                        let name: String = name.chars().take(64).collect();
                        return Err(de::Error::custom(format_args!(
                            "has the field `{}` twice",
                            name.escape_default()
                        )));
                    }
                    members.push((name, map.next_value()?));
                }
                Ok(Object(members))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

/// A member's name, borrowed where it has no escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);
