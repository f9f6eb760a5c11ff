//! One answer, rendered once, for measuring what stands in front of the simulator. Per request
//! this costs a scan for `"stream":true` and a reference count.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;

use crate::{
    answer::{Finish, Reply, Usage},
    dialect::Dialect,
    profile::Canned,
    script::Script,
};

const PROMPT_TOKENS: u64 = 256;
const WORDS: [&str; 6] = ["steady", "signals", "guide", "every", "passing", "train"];

/// The answers of a canned profile, in both dialects.
#[derive(Debug)]
pub(crate) struct CannedBytes {
    openai: Rendered,
    anthropic: Rendered,
    pub(crate) between: Duration,
}

#[derive(Debug)]
struct Rendered {
    whole: Bytes,
    events: Arc<[Bytes]>,
}

impl CannedBytes {
    pub(crate) fn render(canned: &Canned) -> Self {
        let text: Vec<String> = WORDS
            .iter()
            .cycle()
            .take(canned.chunks)
            .map(|word| format!(" {word}"))
            .collect();
        let output = text.len() as u64;
        let reply = Reply {
            number: 1,
            created_seconds: 1_790_000_000,
            model: canned.model.clone(),
            reasoning: Vec::new(),
            text,
            calls: Vec::new(),
            finish: Finish::Stop,
            usage: Some(Usage {
                input: PROMPT_TOKENS,
                cache_read: 0,
                cache_write: 0,
                cache_write_for_an_hour: 0,
                output,
                reasoning: 0,
            }),
        };
        Self {
            openai: Rendered::new(Dialect::OpenAiChat, &reply),
            anthropic: Rendered::new(Dialect::AnthropicMessages, &reply),
            between: Duration::from_millis(canned.token_delay_ms),
        }
    }

    pub(crate) fn whole(&self, dialect: Dialect) -> Bytes {
        self.of(dialect).whole.clone()
    }

    /// Streams always report usage here.
    pub(crate) fn events(&self, dialect: Dialect) -> Arc<[Bytes]> {
        Arc::clone(&self.of(dialect).events)
    }

    fn of(&self, dialect: Dialect) -> &Rendered {
        match dialect {
            Dialect::OpenAiChat => &self.openai,
            Dialect::AnthropicMessages => &self.anthropic,
        }
    }
}

impl Rendered {
    fn new(dialect: Dialect, reply: &Reply) -> Self {
        let bytes = |script: Script| script.events.into_iter().map(|event| event.bytes);
        Self {
            whole: bytes(dialect.write_whole(reply))
                .collect::<Vec<_>>()
                .concat()
                .into(),
            events: bytes(dialect.write_stream(reply, true)).collect(),
        }
    }
}

/// Whether the body asks for a stream, without parsing it.
pub(crate) fn asks_for_stream(body: &[u8]) -> bool {
    let Some(key) = memchr::memmem::find(body, b"\"stream\"") else {
        return false;
    };
    let rest = body[key + b"\"stream\"".len()..].trim_ascii_start();
    rest.strip_prefix(b":")
        .is_some_and(|value| value.trim_ascii_start().starts_with(b"true"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_recognised_without_parsing() {
        for (body, expected) in [
            (r#"{"model":"m","stream":true}"#, true),
            (r#"{"stream" : true,"model":"m"}"#, true),
            (r#"{"stream":false}"#, false),
            (r#"{"stream_options":{"include_usage":true}}"#, false),
            ("", false),
        ] {
            assert_eq!(asks_for_stream(body.as_bytes()), expected, "{body}");
        }
    }
}
