//! Reasoning control in its three spellings: the `reasoning` object, and the shorthands
//! `reasoning_effort` and `include_reasoning`.

use switchyard_interchange::request::{Effort, ReasoningControl};

use super::ExtensionFields;
use crate::{
    error::DecodeError,
    json::{self, Text, wire_object},
};

wire_object! {
    /// The `reasoning` object.
    strict struct WireReasoning<'a> {
        "effort" => effort: Text<'a>,
        "max_tokens" => max_tokens: u32,
        "exclude" => exclude: bool,
        "enabled" => enabled: bool,
    }
}

/// Combines the spellings. Those that contradict each other are refused.
pub(super) fn decode(fields: &ExtensionFields<'_>) -> Result<ReasoningControl, DecodeError> {
    let object: WireReasoning<'_> = match fields.reasoning {
        Some(value) => json::parse_at("reasoning", value)?,
        None => WireReasoning::default(),
    };
    let long = effort("reasoning.effort", object.effort.as_deref())?;
    let short: Option<Text<'_>> = match fields.reasoning_effort {
        Some(value) => Some(json::parse_at("reasoning_effort", value)?),
        None => None,
    };
    let short = effort("reasoning_effort", short.as_deref())?;
    if let (Some(long), Some(short)) = (long, short)
        && long != short
    {
        return Err(DecodeError::invalid(
            "reasoning_effort",
            "contradicts `reasoning.effort`",
        ));
    }
    let effort = long.or(short);
    if effort.is_some() && object.max_tokens.is_some() {
        return Err(DecodeError::invalid(
            "reasoning.max_tokens",
            "goes without an effort: send either",
        ));
    }
    let include: Option<bool> = match fields.include_reasoning {
        Some(value) => Some(json::parse_at("include_reasoning", value)?),
        None => None,
    };
    let switched_off = effort == Some(Effort::None) || object.max_tokens == Some(0);
    if switched_off && object.enabled == Some(true) {
        return Err(DecodeError::invalid(
            "reasoning.enabled",
            "contradicts the effort or budget",
        ));
    }
    let asks_for_some = effort.is_some() || object.max_tokens.is_some();
    let enabled = if switched_off {
        Some(false)
    } else {
        object.enabled.or(asks_for_some.then_some(true))
    };
    Ok(ReasoningControl {
        enabled,
        // Switched off wins over an effort beside it; `enabled` alone means medium.
        effort: match (enabled, effort, object.max_tokens) {
            (Some(false), _, _) => effort.filter(|effort| *effort == Effort::None),
            (Some(true), None, None) => Some(Effort::Medium),
            _ => effort,
        },
        max_tokens: object.max_tokens.filter(|_| enabled == Some(true)),
        exclude: object.exclude.unwrap_or(include == Some(false)),
    })
}

fn effort(path: &str, name: Option<&str>) -> Result<Option<Effort>, DecodeError> {
    let Some(name) = name else { return Ok(None) };
    Effort::from_name(name).map(Some).ok_or_else(|| {
        DecodeError::invalid(
            path,
            "expected none, minimal, low, medium, high, xhigh or max",
        )
    })
}
