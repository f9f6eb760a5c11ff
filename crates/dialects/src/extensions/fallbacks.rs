//! Lists of models to fall back to, as the different systems write them.
//!
//! | written as | whose form |
//! |---|---|
//! | `["id", …]` | everybody's |
//! | `[{"model": "id"}, …]` | Anthropic's Messages |
//! | `[{"<the model asked for>": ["id", …]}]` | LiteLLM's |

use serde_json::value::RawValue;

use super::{ExtensionFields, MODELS_MAX};
use crate::{
    error::DecodeError,
    json::{self, RawObject, in_brief},
};

/// The models behind the one asked for: `models`, or else LiteLLM's and Anthropic's `fallbacks`.
pub(super) fn models(fields: &ExtensionFields<'_>) -> Result<Option<Vec<String>>, DecodeError> {
    match (fields.models, fields.fallbacks) {
        (Some(_), Some(_)) => Err(DecodeError::invalid(
            "fallbacks",
            "goes without `models`: send either",
        )),
        (Some(models), None) => ids("models", models).map(Some),
        (None, Some(_)) => list("fallbacks", fields.fallbacks, fields.model.as_deref()).map(Some),
        (None, None) => Ok(None),
    }
}

/// A plain list of ids.
pub(super) fn ids(path: &str, value: &RawValue) -> Result<Vec<String>, DecodeError> {
    let ids: Vec<String> = json::parse_at(path, value)?;
    check(path, ids)
}

/// A list in any of the forms; `asked` is the model it is about.
pub(super) fn list(
    path: &str,
    value: Option<&RawValue>,
    asked: Option<&str>,
) -> Result<Vec<String>, DecodeError> {
    let Some(value) = value else {
        return Ok(Vec::new());
    };
    let entries: Vec<&RawValue> = json::parse_at(path, value)?;
    check_count(path, entries.len())?;
    let mut ids = Vec::new();
    for (index, entry) in entries.into_iter().enumerate() {
        let at = format!("{path}[{index}]");
        if entry.get().starts_with('{') {
            ids.extend(entry_of_map(&at, entry, asked)?);
        } else {
            let id: String = json::parse_at(&at, entry)?;
            if id.is_empty() {
                return Err(DecodeError::invalid(at, "must not be empty"));
            }
            ids.push(id);
        }
    }
    check_count(path, ids.len())?;
    Ok(ids)
}

fn entry_of_map(
    at: &str,
    entry: &RawValue,
    asked: Option<&str>,
) -> Result<Vec<String>, DecodeError> {
    let object: RawObject<'_> = json::parse_at(at, entry)?;
    let (key, value) = match object.0.as_slice() {
        [pair] => pair,
        [] => return Err(DecodeError::invalid(format!("{at}.model"), "is required")),
        _ => {
            return Err(DecodeError::invalid(
                at,
                "has more than one key: send a list of model ids",
            ));
        }
    };
    if &**key == "model" && !value.get().starts_with('[') {
        let id: Option<String> = json::parse_at(&format!("{at}.model"), value)?;
        return match id.filter(|id| !id.is_empty()) {
            Some(id) => Ok(vec![id]),
            None => Err(DecodeError::invalid(format!("{at}.model"), "is required")),
        };
    }
    if asked != Some(&**key) {
        return Err(DecodeError::invalid(
            at,
            format!(
                "is about `{}`, not about the model asked for: send a list of model ids",
                in_brief(key)
            ),
        ));
    }
    let path = format!("{at}.{}", in_brief(key));
    let ids: Vec<String> = json::parse_at(&path, value)?;
    check(&path, ids)
}

fn check(path: &str, ids: Vec<String>) -> Result<Vec<String>, DecodeError> {
    check_count(path, ids.len())?;
    match ids.iter().position(String::is_empty) {
        Some(index) => Err(DecodeError::invalid(
            format!("{path}[{index}]"),
            "must not be empty",
        )),
        None => Ok(ids),
    }
}

fn check_count(path: &str, count: usize) -> Result<(), DecodeError> {
    if count > MODELS_MAX {
        return Err(DecodeError::invalid(
            path,
            format!("at most {MODELS_MAX} models"),
        ));
    }
    Ok(())
}
