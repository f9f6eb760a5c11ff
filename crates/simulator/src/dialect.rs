//! The two dialects, side by side.

use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;

use crate::{
    answer::Reply,
    anthropic_messages,
    asked::{Asked, Refusal},
    behaviour::Status,
    openai_chat,
    profile::{CacheMode, Caching},
    prompt_cache::{CacheUse, PromptCache, Shelf},
    script::Script,
};

/// A wire format, as spoken by a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    OpenAiChat,
    AnthropicMessages,
}

impl Dialect {
    /// The credential that a request shows.
    pub(crate) fn credential(self, headers: &HeaderMap) -> Option<&str> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let bearer = || text("authorization").and_then(|value| value.strip_prefix("Bearer "));
        match self {
            // Azure has a header of its own.
            Self::OpenAiChat => bearer().or_else(|| text("api-key")),
            Self::AnthropicMessages => text("x-api-key").or_else(bearer),
        }
        .filter(|credential| !credential.is_empty())
    }

    /// What headers must hold beside a credential.
    pub(crate) fn check_headers(self, headers: &HeaderMap) -> Result<(), Refusal> {
        let missing = self == Self::AnthropicMessages && !headers.contains_key("anthropic-version");
        if missing {
            return Err(Refusal::bad_request(
                "anthropic-version: header is required",
            ));
        }
        Ok(())
    }

    pub(crate) fn unauthorized(self, shown: Option<&str>) -> Refusal {
        match (self, shown) {
            (Self::AnthropicMessages, _) => Refusal::new(401, "invalid x-api-key"),
            (Self::OpenAiChat, Some(_)) => {
                Refusal::new(401, "Incorrect API key provided.").with_code("invalid_api_key")
            }
            (Self::OpenAiChat, None) => Refusal::new(401, "You didn't provide an API key."),
        }
    }

    pub(crate) fn unknown_model(self, model: &str) -> Refusal {
        match self {
            Self::OpenAiChat => Refusal::new(404, format!("The model `{model}` does not exist."))
                .with_code("model_not_found"),
            Self::AnthropicMessages => Refusal::new(404, format!("model: {model}")),
        }
    }

    pub(crate) fn read(self, body: &Value) -> Result<Asked, Refusal> {
        match self {
            Self::OpenAiChat => openai_chat::read::read(body),
            Self::AnthropicMessages => anthropic_messages::read::read(body),
        }
    }

    pub(crate) fn use_cache(
        self,
        cache: &mut PromptCache,
        asked: &Asked,
        caching: &Caching,
    ) -> CacheUse {
        let shelf = Shelf {
            credential: &asked.credential,
            model: &asked.model,
        };
        match (caching.mode, self) {
            (CacheMode::Automatic, _) | (CacheMode::Usual, Self::OpenAiChat) => {
                cache.automatic(shelf, &asked.prompt, caching)
            }
            (CacheMode::Marked, _) | (CacheMode::Usual, Self::AnthropicMessages) => {
                cache.marked(shelf, &asked.prompt, caching)
            }
            (CacheMode::None, _) => CacheUse::default(),
        }
    }

    pub(crate) fn write_whole(self, reply: &Reply) -> Script {
        match self {
            Self::OpenAiChat => openai_chat::write::whole(reply),
            Self::AnthropicMessages => anthropic_messages::write::whole(reply),
        }
    }

    pub(crate) fn write_stream(self, reply: &Reply, include_usage: bool) -> Script {
        match self {
            Self::OpenAiChat => openai_chat::write::stream(reply, include_usage),
            Self::AnthropicMessages => anthropic_messages::write::stream(reply),
        }
    }

    pub(crate) fn write_models(self, models: &[String], created_seconds: i64) -> Script {
        match self {
            Self::OpenAiChat => openai_chat::write::models(models, created_seconds),
            Self::AnthropicMessages => anthropic_messages::write::models(models),
        }
    }

    /// A refusal in the dialect's shape.
    pub(crate) fn refuse(self, refusal: &Refusal) -> Script {
        Script::json(refusal.status, self.error_body(refusal).to_string())
    }

    /// A scripted refusal; what it leaves open is what the dialect usually says.
    pub(crate) fn refuse_as_told(self, told: &Status) -> Script {
        let mut refusal = self.usual_refusal(told.status);
        if let Some(message) = &told.message {
            refusal.message.clone_from(message);
        }
        refusal.kind = told.kind.clone().or(refusal.kind);
        refusal.code = told.code.clone().or(refusal.code);
        let mut script = self.refuse(&refusal);
        script.headers.clone_from(&told.headers);
        script.headers.extend(told.limits.headers(self));
        if let Some(retry_after) = &told.retry_after {
            script = script.header("retry-after", retry_after.clone());
        }
        script.pace.before_head = std::time::Duration::from_millis(told.delay_ms);
        script
    }

    /// A JSON error under status 200.
    pub(crate) fn error_inside_ok(self) -> Script {
        Script {
            status: 200,
            ..self.refuse(&self.usual_refusal(503))
        }
    }

    /// An error event inside a stream.
    pub(crate) fn error_event(self, status: u16) -> Bytes {
        let body = self.error_body(&self.usual_refusal(status));
        match self {
            Self::OpenAiChat => format!("data: {body}\n\n"),
            Self::AnthropicMessages => format!("event: error\ndata: {body}\n\n"),
        }
        .into()
    }

    pub(crate) fn invalid_utf8_event(self) -> Bytes {
        let (before, after) = self.text_event_halves();
        [
            before.as_ref(),
            b"\xff\xfe\xc3\x28".as_slice(),
            after.as_ref(),
        ]
        .concat()
        .into()
    }

    /// A text event, without its text.
    pub(crate) fn text_event_halves(self) -> (Bytes, Bytes) {
        let (before, after) = match self {
            Self::OpenAiChat => (
                "data: {\"id\":\"chatcmpl-foreign\",\"object\":\"chat.completion.chunk\",\"created\":0,\
                 \"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"",
                "\"},\"finish_reason\":null}]}\n\n",
            ),
            Self::AnthropicMessages => (
                "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\
                 \"delta\":{\"type\":\"text_delta\",\"text\":\"",
                "\"}}\n\n",
            ),
        };
        (
            Bytes::from_static(before.as_bytes()),
            Bytes::from_static(after.as_bytes()),
        )
    }

    fn error_body(self, refusal: &Refusal) -> Value {
        match self {
            Self::OpenAiChat => openai_chat::write::error(refusal),
            Self::AnthropicMessages => anthropic_messages::write::error(refusal),
        }
    }

    fn usual_refusal(self, status: u16) -> Refusal {
        let message = match status {
            400 => "The request is not valid.",
            401 => return self.unauthorized(Some("")),
            402 => "The account has run out of credit.",
            403 => "This key may not do that.",
            404 => "There is no such thing here.",
            408 | 504 | 524 => "The request took too long.",
            413 => "The request is larger than allowed.",
            429 => "Rate limit reached. Please try again later.",
            503 | 529 => "Overloaded. Please try again later.",
            _ => "Something went wrong on our side.",
        };
        let refusal = Refusal::new(status, message);
        match (self, status) {
            (Self::OpenAiChat, 429) => refusal.with_code("rate_limit_exceeded"),
            _ => refusal,
        }
    }
}
