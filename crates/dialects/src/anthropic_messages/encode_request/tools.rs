//! Tools and tool choice.

use std::borrow::Cow;

use serde_json::value::RawValue;
use switchyard_interchange::{failure::Failure, request::ChatRequest, tool::ToolChoice};

use super::{
    UpstreamTraits,
    body::{CacheControl, Choice, ToolOut},
    unsupported,
};
use crate::{anthropic_messages::SCHEMA_TOOL, cache_marks::Places, json::RawObject};

const TOOL_NAME_BYTES_MAX: usize = 128;

/// The request's tools, with the cache mark that is due at `places`.
pub(super) fn encode_tools<'a>(
    request: &'a ChatRequest,
    traits: &UpstreamTraits,
    places: Places,
) -> Result<Vec<ToolOut<'a>>, Failure> {
    let last = request.tools.len().saturating_sub(1);
    request
        .tools
        .iter()
        .enumerate()
        .map(|(index, tool)| {
            let is_marked = places.after_tools && index == last;
            check_name(&tool.name)?;
            Ok(ToolOut {
                name: &tool.name,
                description: tool.description.as_deref(),
                input_schema: object_schema(tool.parameters.as_deref())?,
                strict: tool.strict == Some(true) && traits.supports_structured_output,
                cache_control: tool
                    .cache
                    .map(Into::into)
                    .or(is_marked.then_some(CacheControl::SHORT)),
            })
        })
        .collect()
}

/// The tool choice. A forced call gives way to thinking where the model cannot do both.
pub(super) fn encode_choice<'a>(
    request: &'a ChatRequest,
    traits: &UpstreamTraits,
    thinks: bool,
) -> Option<Choice<'a>> {
    if request.tools.is_empty() {
        return None;
    }
    let disable_parallel_tool_use = request.parallel_tool_calls == Some(false);
    let may_force = !thinks || traits.allows_forced_tool_with_thinking;
    match &request.tool_choice {
        Some(ToolChoice::None) => Some(Choice::None),
        Some(ToolChoice::Required) if may_force => Some(Choice::Any {
            disable_parallel_tool_use,
        }),
        Some(ToolChoice::Function(name)) if may_force => Some(Choice::Tool {
            name,
            disable_parallel_tool_use,
        }),
        Some(ToolChoice::Auto | ToolChoice::Required | ToolChoice::Function(_)) => {
            Some(Choice::Auto {
                disable_parallel_tool_use,
            })
        }
        None => disable_parallel_tool_use.then_some(Choice::Auto {
            disable_parallel_tool_use,
        }),
    }
}

/// The tool that stands for an answer schema.
pub(super) fn schema_tool<'a>(
    schema: &'a RawValue,
    description: Option<&'a str>,
) -> Result<ToolOut<'a>, Failure> {
    Ok(ToolOut {
        name: SCHEMA_TOOL,
        description: Some(description.unwrap_or("Gives the answer in the form it is wanted in.")),
        input_schema: object_schema(Some(schema))?,
        strict: false,
        cache_control: None,
    })
}

/// The choice that forces [`schema_tool`].
pub(super) const fn schema_choice() -> Choice<'static> {
    Choice::Tool {
        name: SCHEMA_TOOL,
        disable_parallel_tool_use: true,
    }
}

/// A schema with `type: object` at its top, which the provider insists on.
fn object_schema(schema: Option<&RawValue>) -> Result<Cow<'_, RawValue>, Failure> {
    let Some(schema) = schema else {
        return Ok(Cow::Owned(raw(r#"{"type":"object","properties":{}}"#)?));
    };
    let members: RawObject<'_> = serde_json::from_str(schema.get())
        .map_err(|_| unsupported("a tool's parameters are not a JSON Schema object"))?;
    if members.0.iter().any(|(key, _)| &**key == "type") {
        return Ok(Cow::Borrowed(schema));
    }
    let rest = schema
        .get()
        .trim_start()
        .trim_start_matches('{')
        .trim_start();
    let comma = if rest.starts_with('}') { "" } else { "," };
    Ok(Cow::Owned(raw(&format!(
        r#"{{"type":"object"{comma}{rest}"#
    ))?))
}

fn raw(json: &str) -> Result<Box<RawValue>, Failure> {
    RawValue::from_string(json.to_owned())
        .map_err(|_| unsupported("a tool's parameters are not a JSON Schema object"))
}

fn check_name(name: &str) -> Result<(), Failure> {
    let is_legal = (1..=TOOL_NAME_BYTES_MAX).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    if is_legal {
        return Ok(());
    }
    Err(unsupported(
        "the model takes tool names of letters, digits, _ and - only",
    ))
}
