//! Messages and their parts, as sent and as answered.

use switchyard_domain::secret::Private;

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    System,
    Developer,
    User,
    Assistant,
    /// Carries [`Part::ToolResult`]s only.
    Tool,
}

/// One turn.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    pub role: Role,
    pub parts: Vec<Part>,
    /// The participant's name, where a dialect has one.
    pub name: Option<String>,
}

/// A request to cache the prompt up to and including the marked part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheMark {
    pub life: CacheLife,
}

/// How long a cache entry should live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CacheLife {
    /// The provider's default, five minutes where it has a choice.
    #[default]
    Short,
    OneHour,
}

/// A piece of a message.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    Text {
        text: Private<String>,
        cache: Option<CacheMark>,
    },
    Image {
        source: MediaSource,
        /// `auto`, `low`, `high` or `original`, where stated.
        detail: Option<String>,
        cache: Option<CacheMark>,
    },
    /// A document, such as a PDF.
    File {
        source: MediaSource,
        filename: Option<String>,
        cache: Option<CacheMark>,
    },
    Audio {
        /// Base64.
        data: Private<String>,
        /// `wav`, `mp3`, …
        format: String,
    },
    Video {
        source: MediaSource,
    },
    ToolCall(ToolCall),
    ToolResult(ToolResult),
    Reasoning(Reasoning),
    /// The model declined, in words.
    Refusal {
        text: Private<String>,
    },
}

/// Where media bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MediaSource {
    /// An `https` address that the provider (or we) would fetch.
    Url(Private<String>),
    /// Inline bytes.
    Inline {
        /// Such as `image/png`.
        media_type: String,
        /// Base64 without a `data:` prefix.
        data: Private<String>,
    },
    /// A handle of the provider's own file store.
    ProviderFile(String),
}

/// The model asks for a tool.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolCall {
    /// Links the result; unique within a conversation.
    pub id: String,
    pub name: String,
    /// JSON text, byte for byte as the model wrote it (numbers must survive). Empty means `{}`.
    pub arguments: Private<String>,
    pub cache: Option<CacheMark>,
}

/// What a tool answered.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolResult {
    pub call_id: String,
    /// Text, image and file parts.
    pub content: Vec<Part>,
    pub is_error: bool,
    pub cache: Option<CacheMark>,
}

/// A reasoning block. Signatures and encrypted data are bound to the model family that made them
/// (`format`) and must return unchanged, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Reasoning {
    pub content: ReasoningContent,
    /// The block's own id, where its dialect has one.
    pub id: Option<String>,
    /// Who can read it back: `anthropic-claude-v1`, `openai-responses-v1`, `unknown`, ….
    pub format: String,
}

/// What a reasoning block holds.
#[derive(Debug, Clone, PartialEq)]
pub enum ReasoningContent {
    Text {
        text: Private<String>,
        signature: Option<String>,
    },
    Summary {
        text: Private<String>,
    },
    Encrypted {
        data: Private<String>,
    },
}

/// The format name of reasoning whose origin nobody stated.
pub const REASONING_UNKNOWN: &str = "unknown";
/// The format name of Anthropic's signed thinking blocks.
pub const REASONING_ANTHROPIC: &str = "anthropic-claude-v1";

/// A source that the model cites.
#[derive(Debug, Clone, PartialEq)]
pub struct Citation {
    pub url: String,
    pub title: Option<String>,
    pub content: Option<Private<String>>,
    /// Code point offsets into the answer's text.
    pub start_index: Option<u64>,
    pub end_index: Option<u64>,
}

impl Part {
    /// Plain text without a cache mark.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text {
            text: Private::new(text.into()),
            cache: None,
        }
    }

    /// Whether it asks for the prompt up to here to be written to a cache.
    pub fn marks_cache(&self) -> bool {
        match self {
            Self::Text { cache, .. } | Self::Image { cache, .. } | Self::File { cache, .. } => {
                cache.is_some()
            }
            Self::ToolCall(call) => call.cache.is_some(),
            Self::ToolResult(result) => {
                result.cache.is_some() || result.content.iter().any(Self::marks_cache)
            }
            Self::Audio { .. } | Self::Video { .. } | Self::Reasoning(_) | Self::Refusal { .. } => {
                false
            }
        }
    }
}
