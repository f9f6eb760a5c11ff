//! Tools, tool choice and the shape of the answer.

use serde_json::value::RawValue;
use switchyard_interchange::tool::{JsonSchema, ResponseFormat, Tool, ToolChoice};

use super::part::cache_mark;
use crate::{
    error::DecodeError,
    json::{self, Text},
    openai_chat::wire_request::{WireResponseFormat, WireTool, WireToolChoice},
};

/// Tools a request may offer.
const TOOLS_MAX: usize = 1_024;
/// Characters of a tool's or a schema's name.
const NAME_CHARS_MAX: usize = 64;

pub(super) fn decode_tools(tools: Vec<WireTool<'_>>) -> Result<Vec<Tool>, DecodeError> {
    if tools.len() > TOOLS_MAX {
        return Err(DecodeError::too_large(
            "tools",
            format!("at most {TOOLS_MAX} tools"),
        ));
    }
    tools
        .into_iter()
        .enumerate()
        .map(|(index, tool)| {
            decode_tool(tool).map_err(|error| error.within(format_args!("tools[{index}]")))
        })
        .collect()
}

fn decode_tool(tool: WireTool<'_>) -> Result<Tool, DecodeError> {
    match tool.kind.as_deref() {
        Some("function") => {}
        None if tool.function.is_some() => {}
        None => {
            return Err(DecodeError::invalid(
                "type",
                "is required: send \"function\"",
            ));
        }
        Some(other) => {
            let other: String = other.chars().take(64).collect();
            return Err(DecodeError::unsupported(
                "type",
                format!("server tools such as `{other}` are not offered; send function tools"),
            ));
        }
    }
    let Some(function) = tool.function else {
        return Err(DecodeError::invalid("function", "is required"));
    };
    let name = function.name.unwrap_or_default();
    check_name("function.name", &name)?;
    let parameters = function.parameters;
    if parameters.is_some_and(|schema| !schema.get().starts_with('{')) {
        return Err(DecodeError::invalid(
            "function.parameters",
            "expected a JSON Schema object",
        ));
    }
    Ok(Tool {
        name,
        description: function.description,
        parameters: parameters.map(ToOwned::to_owned),
        strict: function.strict,
        cache: tool
            .cache_control
            .map(|mark| cache_mark(&mark).map_err(|error| error.within("cache_control")))
            .transpose()?,
    })
}

fn check_name(path: &str, name: &str) -> Result<(), DecodeError> {
    if name.is_empty() {
        return Err(DecodeError::invalid(path, "is required"));
    }
    if name.chars().count() > NAME_CHARS_MAX {
        return Err(DecodeError::invalid(
            path,
            format!("at most {NAME_CHARS_MAX} characters"),
        ));
    }
    Ok(())
}

pub(super) fn decode_tool_choice(
    value: Option<&RawValue>,
    tools: &[Tool],
) -> Result<Option<ToolChoice>, DecodeError> {
    let Some(value) = value else { return Ok(None) };
    let choice = if value.get().starts_with('"') {
        let name: Text<'_> = json::parse_at("tool_choice", value)?;
        match &*name {
            "none" => ToolChoice::None,
            "auto" => ToolChoice::Auto,
            "required" | "any" => ToolChoice::Required,
            _ => {
                return Err(DecodeError::invalid(
                    "tool_choice",
                    "expected none, auto, required or a function",
                ));
            }
        }
    } else {
        let object: WireToolChoice<'_> = json::parse_at("tool_choice", value)?;
        decode_chosen_function(object)?
    };
    let forced = matches!(choice, ToolChoice::Required | ToolChoice::Function(_));
    if forced && tools.is_empty() {
        return Err(DecodeError::invalid(
            "tool_choice",
            "demands a tool, but `tools` is empty",
        ));
    }
    if let ToolChoice::Function(name) = &choice
        && !tools.iter().any(|tool| tool.name == *name)
    {
        return Err(DecodeError::invalid(
            "tool_choice.function.name",
            "is not one of `tools`",
        ));
    }
    // Without tools, `none` and `auto` say nothing.
    Ok(Some(choice).filter(|_| !tools.is_empty()))
}

fn decode_chosen_function(object: WireToolChoice<'_>) -> Result<ToolChoice, DecodeError> {
    match object.kind.as_deref() {
        Some("function") | None => {}
        Some(_) => {
            return Err(DecodeError::unsupported(
                "tool_choice.type",
                "only \"function\" can be chosen",
            ));
        }
    }
    object
        .function
        .and_then(|function| function.name)
        .map(ToolChoice::Function)
        .ok_or_else(|| DecodeError::invalid("tool_choice.function.name", "is required"))
}

pub(super) fn decode_response_format(
    value: Option<&RawValue>,
) -> Result<ResponseFormat, DecodeError> {
    let Some(value) = value else {
        return Ok(ResponseFormat::Text);
    };
    let wire: WireResponseFormat<'_> = json::parse_at("response_format", value)?;
    match wire.kind.as_deref() {
        Some("text") => Ok(ResponseFormat::Text),
        Some("json_object") => Ok(ResponseFormat::JsonObject),
        Some("json_schema") => {
            let path = "response_format.json_schema";
            let Some(schema) = wire.json_schema else {
                return Err(DecodeError::invalid(path, "is required"));
            };
            let name = schema.name.unwrap_or_default();
            check_name("response_format.json_schema.name", &name)?;
            if schema
                .schema
                .is_some_and(|schema| !schema.get().starts_with('{'))
            {
                return Err(DecodeError::invalid(
                    format!("{path}.schema"),
                    "expected an object",
                ));
            }
            Ok(ResponseFormat::JsonSchema(JsonSchema {
                name,
                description: schema.description,
                schema: schema.schema.map(ToOwned::to_owned),
                strict: schema.strict,
            }))
        }
        Some("grammar" | "python") => Err(DecodeError::unsupported(
            "response_format.type",
            "only text, json_object and json_schema are offered",
        )),
        _ => Err(DecodeError::invalid(
            "response_format.type",
            "expected text, json_object or json_schema",
        )),
    }
}
