//! What a request asks for, whichever dialect it came in.

use serde_json::Value;

use crate::prompt_cache::Prompt;

/// A request, as far as the simulator cares.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    pub(crate) model: String,
    /// What was shown, for the prompt cache that belongs to it; empty when nothing was.
    pub(crate) credential: String,
    pub(crate) stream: bool,
    /// OpenAI reports usage on streams only when asked to.
    pub(crate) include_usage: bool,
    pub(crate) max_tokens: Option<u64>,
    pub(crate) stop: Vec<String>,
    pub(crate) tools: Vec<OfferedTool>,
    pub(crate) tool_choice: ToolChoice,
    pub(crate) format: Format,
    pub(crate) reasoning: bool,
    pub(crate) last_user_text: String,
    /// Results of tools, when the conversation ends with them.
    pub(crate) tool_results: Vec<ToolResult>,
    pub(crate) images: usize,
    pub(crate) files: usize,
    pub(crate) prompt: Prompt,
}

#[derive(Debug)]
pub(crate) struct OfferedTool {
    pub(crate) name: String,
    pub(crate) schema: Value,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) enum ToolChoice {
    #[default]
    Auto,
    None,
    Any,
    Named(String),
}

#[derive(Debug, Default)]
pub(crate) enum Format {
    #[default]
    Text,
    Json,
    Schema(Value),
}

#[derive(Debug)]
pub(crate) struct ToolResult {
    pub(crate) name: String,
    pub(crate) text: String,
}

/// Why a request is refused, before a dialect dresses it.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) message: String,
    pub(crate) kind: Option<String>,
    pub(crate) code: Option<String>,
    pub(crate) param: Option<String>,
}

impl Refusal {
    pub(crate) fn new(status: u16, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            kind: None,
            code: None,
            param: None,
        }
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, message)
    }

    pub(crate) fn with_code(mut self, code: &str) -> Self {
        self.code = Some(code.to_owned());
        self
    }

    pub(crate) fn with_param(mut self, param: &str) -> Self {
        self.param = Some(param.to_owned());
        self
    }
}
