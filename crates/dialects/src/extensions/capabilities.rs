//! `has`: what an endpoint must be able to do. Vercel writes the names with hyphens, everybody
//! else may write underscores.

use switchyard_interchange::preferences::Capability;

use super::preferences::{LIST_MAX, QUANTIZATIONS};
use crate::error::DecodeError;

/// Reads a list of capabilities that stands at `path`.
pub(super) fn decode(
    path: &str,
    list: Option<Vec<String>>,
) -> Result<Vec<Capability>, DecodeError> {
    let list = list.unwrap_or_default();
    if list.len() > LIST_MAX {
        return Err(DecodeError::too_large(
            path,
            format!("at most {LIST_MAX} entries"),
        ));
    }
    list.iter()
        .enumerate()
        .map(|(index, name)| {
            decode_one(name).map_err(|error| error.within(format_args!("{path}[{index}]")))
        })
        .collect()
}

fn decode_one(name: &str) -> Result<Capability, DecodeError> {
    if let Some(format) = name.strip_prefix("quantization:") {
        return known(format).map(Capability::Quantization);
    }
    if let Some(format) = name.strip_prefix("!quantization:") {
        return known(format).map(Capability::NotQuantization);
    }
    match name.replace('_', "-").as_str() {
        "implicit-caching" => Ok(Capability::ImplicitCaching),
        "reasoning" => Ok(Capability::Reasoning),
        "structured-output" => Ok(Capability::StructuredOutput),
        "tool-use" => Ok(Capability::ToolUse),
        "vision" => Ok(Capability::Vision),
        _ => Err(DecodeError::invalid(
            "",
            "expected implicit-caching, reasoning, structured-output, tool-use, vision, \
             quantization:<format> or !quantization:<format>",
        )),
    }
}

fn known(format: &str) -> Result<String, DecodeError> {
    if QUANTIZATIONS.contains(&format) {
        return Ok(format.to_owned());
    }
    Err(DecodeError::invalid(
        "",
        format!(
            "expected a weight format: one of {}",
            QUANTIZATIONS.join(", ")
        ),
    ))
}
