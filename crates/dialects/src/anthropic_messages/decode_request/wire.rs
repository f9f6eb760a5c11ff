//! The body as clients write it.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, IgnoredAny, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::json::{Text, wire_object};

wire_object! {
    /// The whole body.
    strict struct RequestWire<'a> {
        "model" => model: Text<'a>,
        "messages" => messages: Vec<TurnWire<'a>>,
        "system" => system: Content<'a>,
        "max_tokens" => max_tokens: u32,
        "stream" => stream: bool,
        "stop_sequences" => stop_sequences: Vec<Text<'a>>,
        "temperature" => temperature: f64,
        "top_p" => top_p: f64,
        "top_k" => top_k: u32,
        "tools" => tools: Vec<ToolWire<'a>>,
        "tool_choice" => tool_choice: ToolChoiceWire<'a>,
        "thinking" => thinking: ThinkingWire<'a>,
        "output_config" => output_config: OutputConfigWire<'a>,
        /// The beta spelling of `output_config.format`.
        "output_format" => output_format: FormatWire<'a>,
        "cache_control" => cache_control: CacheWire<'a>,
        "metadata" => metadata: MetadataWire<'a>,
        "speed" => speed: Text<'a>,
        "mcp_servers" => mcp_servers: Vec<IgnoredAny>,
        "models" => models: &'a RawValue,
        "fallbacks" => fallbacks: &'a RawValue,
        "context_window_fallbacks" => context_window_fallbacks: &'a RawValue,
        "content_policy_fallbacks" => content_policy_fallbacks: &'a RawValue,
        /// Where Vercel's clients state their wishes.
        "providerOptions" => provider_options: &'a RawValue,
        "provider" => provider: &'a RawValue,
        "route" => route: &'a RawValue,
        "session_id" => session_id: &'a RawValue,
        "service_tier" => service_tier: &'a RawValue,
        "user" => user: &'a RawValue,
        "trace" => trace: &'a RawValue,
        "preset" => preset: &'a RawValue,
        "prompt_cache_key" => prompt_cache_key: &'a RawValue,
        "plugins" => plugins: &'a RawValue,
        "transforms" => transforms: &'a RawValue,
    }
}

wire_object! {
    /// A message.
    strict struct TurnWire<'a> {
        "role" => role: Text<'a>,
        "content" => content: Content<'a>,
    }
}

wire_object! {
    /// A content block of any kind.
    strict struct BlockWire<'a> {
        "type" => kind: Text<'a>,
        "text" => text: Text<'a>,
        "source" => source: SourceWire<'a>,
        "title" => title: Text<'a>,
        "id" => id: Text<'a>,
        "name" => name: Text<'a>,
        "input" => input: &'a RawValue,
        "tool_use_id" => tool_use_id: Text<'a>,
        "content" => content: Content<'a>,
        "is_error" => is_error: bool,
        "thinking" => thinking: Text<'a>,
        "signature" => signature: Text<'a>,
        "data" => data: Text<'a>,
        "cache_control" => cache_control: CacheWire<'a>,
    }
}

wire_object! {
    /// Where an image or document is.
    strict struct SourceWire<'a> {
        "type" => kind: Text<'a>,
        "media_type" => media_type: Text<'a>,
        "data" => data: Text<'a>,
        "url" => url: Text<'a>,
        "file_id" => file_id: Text<'a>,
        "content" => content: Content<'a>,
    }
}

wire_object! {
    strict struct CacheWire<'a> {
        "type" => kind: Text<'a>,
        "ttl" => ttl: Text<'a>,
    }
}

wire_object! {
    strict struct ToolWire<'a> {
        "type" => kind: Text<'a>,
        "name" => name: Text<'a>,
        "description" => description: Text<'a>,
        "input_schema" => input_schema: &'a RawValue,
        "strict" => strict: bool,
        "cache_control" => cache_control: CacheWire<'a>,
    }
}

wire_object! {
    strict struct ToolChoiceWire<'a> {
        "type" => kind: Text<'a>,
        "name" => name: Text<'a>,
        "disable_parallel_tool_use" => disable_parallel_tool_use: bool,
    }
}

wire_object! {
    strict struct ThinkingWire<'a> {
        "type" => kind: Text<'a>,
        "budget_tokens" => budget_tokens: u32,
        "display" => display: Text<'a>,
    }
}

wire_object! {
    strict struct OutputConfigWire<'a> {
        "effort" => effort: Text<'a>,
        "format" => format: FormatWire<'a>,
    }
}

wire_object! {
    strict struct FormatWire<'a> {
        "type" => kind: Text<'a>,
        "schema" => schema: &'a RawValue,
    }
}

wire_object! {
    strict struct MetadataWire<'a> {
        "user_id" => user_id: Text<'a>,
    }
}

/// A text, or a list of blocks.
pub(super) enum Content<'a> {
    Text(Text<'a>),
    Blocks(Vec<BlockWire<'a>>),
}

impl<'de> Deserialize<'de> for Content<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ContentVisitor;

        impl<'de> Visitor<'de> for ContentVisitor {
            type Value = Content<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a list of content blocks")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Content::Text(Text(text.into())))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Content::Text(Text(text.to_owned().into())))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut blocks = Vec::new();
                while let Some(block) = list.next_element()? {
                    blocks.push(block);
                }
                Ok(Content::Blocks(blocks))
            }
        }

        deserializer.deserialize_any(ContentVisitor)
    }
}
