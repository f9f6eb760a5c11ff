//! Tools a model may call, and how freely.

use serde_json::value::RawValue;

use crate::message::CacheMark;

/// A function tool.
#[derive(Debug, Clone)]
pub struct Tool {
    pub name: String,
    pub description: Option<String>,
    /// JSON Schema of the arguments, as written; `None` is "no arguments".
    pub parameters: Option<Box<RawValue>>,
    /// Whether the provider must enforce the schema.
    pub strict: Option<bool>,
    pub cache: Option<CacheMark>,
}

/// How the model may use tools.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolChoice {
    None,
    Auto,
    /// At least one call.
    Required,
    /// This one.
    Function(String),
}

/// The shape the answer must have.
#[derive(Debug, Clone, Default)]
pub enum ResponseFormat {
    #[default]
    Text,
    /// Any JSON object.
    JsonObject,
    JsonSchema(JsonSchema),
}

/// A schema the answer must satisfy.
#[derive(Debug, Clone)]
pub struct JsonSchema {
    pub name: String,
    pub description: Option<String>,
    pub schema: Option<Box<RawValue>>,
    pub strict: Option<bool>,
}
