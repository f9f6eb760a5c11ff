//! The parameters that are written from the internal form, whatever the request's origin.

use switchyard_domain::model::Parameter;
use switchyard_interchange::{
    request::{ChatRequest, Effort, ReasoningControl},
    tool::{ResponseFormat, Tool, ToolChoice},
};

use super::{ReasoningStyle, UpstreamTraits};
use crate::{
    cache_marks::Places,
    openai_chat::{
        encode_messages::{SHORT, write_cache_mark},
        write::{Array, Object},
    },
};

/// The output limit that effort ratios are taken of where the caller set none.
const ASSUMED_OUTPUT_LIMIT: u32 = 32_000;

/// `model`, `stream`, the output limit and the like: fields whose value is always ours.
pub(super) fn write_head(body: &mut Object<'_>, request: &ChatRequest, traits: &UpstreamTraits) {
    body.string("model", &traits.model);
    body.boolean("stream", request.stream);
    if request.stream {
        body.literal("stream_options", r#"{"include_usage":true}"#);
    }
    if let Some(limit) = request.max_output_tokens.or(traits.output_limit_default) {
        body.integer(traits.max_tokens_field.as_str(), limit);
    }
    body.optional_string("service_tier", traits.service_tier.as_deref());
    body.optional_string("prompt_cache_key", traits.prompt_cache_key.as_deref());
}

/// Reasoning control in the endpoint's own spelling.
pub(super) fn write_reasoning(
    body: &mut Object<'_>,
    request: &ChatRequest,
    traits: &UpstreamTraits,
) {
    let control = &request.reasoning;
    if !traits.supports_reasoning() || *control == ReasoningControl::default() {
        return;
    }
    match traits.reasoning_style {
        ReasoningStyle::None => {}
        ReasoningStyle::Effort => {
            body.optional_string("reasoning_effort", effort(request).map(Effort::as_str));
        }
        ReasoningStyle::ThinkingToggle => {
            if let Some(enabled) = control.enabled {
                let toggle = if enabled {
                    r#"{"type":"enabled"}"#
                } else {
                    r#"{"type":"disabled"}"#
                };
                body.literal("thinking", toggle);
            }
            if let Some(effort) = effort(request).filter(|effort| *effort != Effort::None)
                && traits.supports(Parameter::ReasoningEffort)
            {
                body.string("reasoning_effort", effort.as_str());
            }
        }
        ReasoningStyle::OpenRouter => write_reasoning_object(body.key("reasoning"), control),
    }
}

fn write_reasoning_object(out: &mut Vec<u8>, control: &ReasoningControl) {
    let mut object = Object::start(out);
    match (control.enabled, control.effort, control.max_tokens) {
        (Some(false), _, _) => object.boolean("enabled", false),
        (_, Some(effort), _) => object.string("effort", effort.as_str()),
        (_, None, Some(budget)) => object.integer("max_tokens", budget),
        (Some(true), None, None) => object.boolean("enabled", true),
        (None, None, None) => {}
    }
    if control.exclude {
        object.boolean("exclude", true);
    }
    object.end();
}

/// The effort asked for, or the nearest to the budget asked for.
fn effort(request: &ChatRequest) -> Option<Effort> {
    let control = &request.reasoning;
    match (control.enabled, control.effort, control.max_tokens) {
        (Some(false), _, _) => Some(Effort::None),
        (_, Some(effort), _) => Some(effort),
        (_, None, Some(budget)) => {
            let limit = request.max_output_tokens.unwrap_or(ASSUMED_OUTPUT_LIMIT);
            Some(Effort::from_budget(budget, limit))
        }
        (_, None, None) => None,
    }
}

/// `response_format`, weakened where the endpoint only knows the weaker form. Strict schemas were
/// refused before this.
pub(super) fn write_response_format(
    body: &mut Object<'_>,
    format: &ResponseFormat,
    traits: &UpstreamTraits,
) {
    match format {
        ResponseFormat::Text => {}
        ResponseFormat::JsonSchema(schema) if traits.supports(Parameter::StructuredOutputs) => {
            let mut object = Object::start(body.key("response_format"));
            object.string("type", "json_schema");
            let mut inner = Object::start(object.key("json_schema"));
            inner.string("name", &schema.name);
            inner.optional_string("description", schema.description.as_deref());
            if let Some(schema) = &schema.schema {
                inner.literal("schema", schema.get());
            }
            if let Some(strict) = schema.strict {
                inner.boolean("strict", strict);
            }
            inner.end();
            object.end();
        }
        ResponseFormat::JsonObject | ResponseFormat::JsonSchema(_) => {
            if traits.supports(Parameter::ResponseFormat) {
                body.literal("response_format", r#"{"type":"json_object"}"#);
            }
        }
    }
}

/// `tools`, `tool_choice` and `parallel_tool_calls`.
pub(super) fn write_tools(
    body: &mut Object<'_>,
    request: &ChatRequest,
    places: Places,
    traits: &UpstreamTraits,
) {
    if request.tools.is_empty() {
        return;
    }
    let can_choose = traits.supports(Parameter::ToolChoice);
    if request.tool_choice == Some(ToolChoice::None) && !can_choose {
        // Without the means to forbid calls, the tools themselves stay away.
        return;
    }
    write_tool_list(body.key("tools"), &request.tools, places, traits);
    if let Some(choice) = request.tool_choice.as_ref().filter(|_| can_choose) {
        write_tool_choice(body, choice);
    }
    if let Some(parallel) = request.parallel_tool_calls
        && traits.supports(Parameter::ParallelToolCalls)
    {
        body.boolean("parallel_tool_calls", parallel);
    }
}

fn write_tool_list(out: &mut Vec<u8>, tools: &[Tool], places: Places, traits: &UpstreamTraits) {
    let mut list = Array::start(out);
    for (index, tool) in tools.iter().enumerate() {
        let is_marked = places.after_tools && index + 1 == tools.len();
        let mut object = list.object();
        object.string("type", "function");
        let mut function = Object::start(object.key("function"));
        function.string("name", &tool.name);
        function.optional_string("description", tool.description.as_deref());
        let schema = tool
            .parameters
            .as_deref()
            .map(serde_json::value::RawValue::get);
        function.literal(
            "parameters",
            schema.unwrap_or(r#"{"type":"object","properties":{}}"#),
        );
        if let Some(strict) = tool.strict {
            function.boolean("strict", strict);
        }
        function.end();
        let mark = tool.cache.or(is_marked.then_some(SHORT));
        if let Some(mark) = mark.filter(|_| traits.cache_marks.on_blocks()) {
            write_cache_mark(&mut object, mark);
        }
        object.end();
    }
    list.end();
}

fn write_tool_choice(body: &mut Object<'_>, choice: &ToolChoice) {
    match choice {
        ToolChoice::None => body.string("tool_choice", "none"),
        ToolChoice::Auto => body.string("tool_choice", "auto"),
        ToolChoice::Required => body.string("tool_choice", "required"),
        ToolChoice::Function(name) => {
            let mut object = Object::start(body.key("tool_choice"));
            object.string("type", "function");
            let mut function = Object::start(object.key("function"));
            function.string("name", name);
            function.end();
            object.end();
        }
    }
}
