//! How the model may use tools, how it should think, and the shape of its answer.

use switchyard_interchange::{
    request::{Effort, ReasoningControl},
    tool::{JsonSchema, ResponseFormat, Tool, ToolChoice},
};

use super::wire::{FormatWire, RequestWire, ThinkingWire, ToolChoiceWire};
use crate::error::DecodeError;

/// The least thinking budget the dialect allows.
const BUDGET_TOKENS_MIN: u32 = 1_024;

/// The name a schema gets, because this dialect does not name them.
const SCHEMA_NAME: &str = "response";

/// The choice, and whether parallel calls were switched off (or explicitly left on).
pub(super) fn decode_tool_choice(
    choice: Option<&ToolChoiceWire<'_>>,
    tools: &[Tool],
) -> Result<(Option<ToolChoice>, Option<bool>), DecodeError> {
    let Some(choice) = choice else {
        return Ok((None, None));
    };
    let decoded = match choice.kind.as_deref() {
        Some("auto") => ToolChoice::Auto,
        Some("any") => ToolChoice::Required,
        Some("none") => ToolChoice::None,
        Some("tool") => {
            let name = choice.name.as_deref().unwrap_or_default();
            if !tools.iter().any(|tool| tool.name == name) {
                return Err(DecodeError::invalid(
                    "tool_choice.name",
                    "expected the name of a tool in `tools`",
                ));
            }
            ToolChoice::Function(name.to_owned())
        }
        _ => {
            return Err(DecodeError::invalid(
                "tool_choice.type",
                "expected auto, any, none or tool",
            ));
        }
    };
    if decoded == ToolChoice::Required && tools.is_empty() {
        return Err(DecodeError::invalid("tool_choice", "needs `tools`"));
    }
    Ok((
        Some(decoded),
        choice.disable_parallel_tool_use.map(|disabled| !disabled),
    ))
}

/// Reasoning control and verbosity. An effort beside a thinking budget is about the answer's
/// length, not the thinking's, so it becomes the verbosity.
pub(super) fn decode_reasoning(
    wire: &RequestWire<'_>,
) -> Result<(ReasoningControl, Option<String>), DecodeError> {
    let effort = match wire
        .output_config
        .as_ref()
        .and_then(|config| config.effort.as_deref())
    {
        None => None,
        Some(name) => Some(
            Effort::from_name(name)
                .filter(|effort| *effort >= Effort::Low)
                .ok_or_else(|| {
                    DecodeError::invalid(
                        "output_config.effort",
                        "expected low, medium, high, xhigh or max",
                    )
                })?,
        ),
    };
    let mut control = match &wire.thinking {
        None => ReasoningControl::default(),
        Some(thinking) => decode_thinking(thinking).map_err(|error| error.within("thinking"))?,
    };
    if control.max_tokens.is_some() || control.enabled == Some(false) {
        return Ok((control, effort.map(|effort| effort.as_str().to_owned())));
    }
    control.effort = effort.or(control.effort);
    Ok((control, None))
}

fn decode_thinking(thinking: &ThinkingWire<'_>) -> Result<ReasoningControl, DecodeError> {
    let exclude = match thinking.display.as_deref() {
        None | Some("summarized" | "full") => false,
        Some("omitted") => true,
        Some(_) => {
            return Err(DecodeError::invalid(
                "display",
                "expected summarized or omitted",
            ));
        }
    };
    let control = ReasoningControl {
        exclude,
        ..ReasoningControl::default()
    };
    match thinking.kind.as_deref() {
        Some("disabled") => Ok(ReasoningControl {
            enabled: Some(false),
            ..control
        }),
        Some("adaptive" | "between_tools") => Ok(ReasoningControl {
            enabled: Some(true),
            ..control
        }),
        Some("enabled") => match thinking.budget_tokens {
            Some(budget) if budget >= BUDGET_TOKENS_MIN => Ok(ReasoningControl {
                enabled: Some(true),
                max_tokens: Some(budget),
                ..control
            }),
            _ => Err(DecodeError::invalid(
                "budget_tokens",
                format!("needs at least {BUDGET_TOKENS_MIN} tokens"),
            )),
        },
        _ => Err(DecodeError::invalid(
            "type",
            "expected enabled, disabled or adaptive",
        )),
    }
}

/// Whether an endpoint without reasoning would miss something in `control`.
pub(super) fn asks_to_reason(control: &ReasoningControl) -> bool {
    control.enabled == Some(true) || control.effort.is_some()
}

/// The answer's shape.
pub(super) fn decode_response_format(
    wire: &RequestWire<'_>,
) -> Result<ResponseFormat, DecodeError> {
    let stable = wire
        .output_config
        .as_ref()
        .and_then(|config| config.format.as_ref());
    let (format, path) = match (stable, &wire.output_format) {
        (Some(format), _) => (format, "output_config.format"),
        (None, Some(format)) => (format, "output_format"),
        (None, None) => return Ok(ResponseFormat::Text),
    };
    decode_format(format).map_err(|error| error.within(path))
}

fn decode_format(format: &FormatWire<'_>) -> Result<ResponseFormat, DecodeError> {
    if format.kind.as_deref() != Some("json_schema") {
        return Err(DecodeError::invalid("type", "expected json_schema"));
    }
    match format.schema {
        Some(schema) if schema.get().starts_with('{') => {
            Ok(ResponseFormat::JsonSchema(JsonSchema {
                name: SCHEMA_NAME.to_owned(),
                description: None,
                schema: Some(schema.to_owned()),
                strict: Some(true),
            }))
        }
        _ => Err(DecodeError::invalid("schema", "expected an object")),
    }
}
