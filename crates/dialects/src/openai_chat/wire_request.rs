//! A client's request as it stands on the wire.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::json::{Text, wire_object};

wire_object! {
    /// The body. What is rarely sent stays raw and is read where it is checked.
    strict struct WireRequest<'a> {
        "model" => model: String,
        "messages" => messages: Vec<WireMessage<'a>>,
        "prompt" => prompt: &'a RawValue,
        "stream" => stream: bool,
        "stream_options" => stream_options: &'a RawValue,
        "max_tokens" => max_tokens: u32,
        "max_completion_tokens" => max_completion_tokens: u32,
        "temperature" => temperature: f64,
        "top_p" => top_p: f64,
        "top_k" => top_k: u32,
        "min_p" => min_p: f64,
        "top_a" => top_a: f64,
        "frequency_penalty" => frequency_penalty: f64,
        "presence_penalty" => presence_penalty: f64,
        "repetition_penalty" => repetition_penalty: f64,
        "seed" => seed: i64,
        "stop" => stop: &'a RawValue,
        "logit_bias" => logit_bias: &'a RawValue,
        "logprobs" => logprobs: bool,
        "top_logprobs" => top_logprobs: u32,
        "prediction" => prediction: &'a RawValue,
        "response_format" => response_format: &'a RawValue,
        "structured_outputs" => structured_outputs: bool,
        "tools" => tools: Vec<WireTool<'a>>,
        "tool_choice" => tool_choice: &'a RawValue,
        "parallel_tool_calls" => parallel_tool_calls: bool,
        "verbosity" => verbosity: Text<'a>,
        "modalities" => modalities: Vec<Text<'a>>,
        "web_search_options" => web_search_options: &'a RawValue,
        "cache_control" => cache_control: WireCacheControl<'a>,
        "provider" => provider: &'a RawValue,
        /// Where Vercel's clients state their wishes.
        "providerOptions" => provider_options: &'a RawValue,
        "models" => models: &'a RawValue,
        /// LiteLLM's name for `models`.
        "fallbacks" => fallbacks: &'a RawValue,
        "context_window_fallbacks" => context_window_fallbacks: &'a RawValue,
        "content_policy_fallbacks" => content_policy_fallbacks: &'a RawValue,
        "route" => route: &'a RawValue,
        "session_id" => session_id: &'a RawValue,
        "service_tier" => service_tier: &'a RawValue,
        "user" => user: &'a RawValue,
        "metadata" => metadata: &'a RawValue,
        "trace" => trace: &'a RawValue,
        "preset" => preset: &'a RawValue,
        "prompt_cache_key" => prompt_cache_key: &'a RawValue,
        "plugins" => plugins: &'a RawValue,
        "transforms" => transforms: &'a RawValue,
        "reasoning" => reasoning: &'a RawValue,
        "include_reasoning" => include_reasoning: &'a RawValue,
        "reasoning_effort" => reasoning_effort: &'a RawValue,
    }
}

wire_object! {
    /// One of `messages`.
    strict struct WireMessage<'a> {
        "role" => role: Text<'a>,
        "content" => content: WireContent<'a>,
        "name" => name: String,
        "tool_call_id" => tool_call_id: String,
        "tool_calls" => tool_calls: Vec<WireToolCall<'a>>,
        "refusal" => refusal: String,
        "reasoning" => reasoning: String,
        "reasoning_content" => reasoning_content: String,
        "reasoning_details" => reasoning_details: Vec<WireReasoningDetail<'a>>,
    }
}

wire_object! {
    /// A content part of any type; which fields count depends on `type`.
    strict struct WirePart<'a> {
        "type" => kind: Text<'a>,
        "text" => text: String,
        "refusal" => refusal: String,
        "image_url" => image_url: WireUrl,
        "video_url" => video_url: WireUrl,
        "input_audio" => input_audio: WireAudio<'a>,
        "file" => file: WireFile<'a>,
        "cache_control" => cache_control: WireCacheControl<'a>,
        "prompt_cache_breakpoint" => prompt_cache_breakpoint: WireBreakpoint<'a>,
    }
}

wire_object! {
    /// `input_audio`.
    strict struct WireAudio<'a> {
        "data" => data: String,
        "format" => format: Text<'a>,
    }
}

wire_object! {
    /// `file`.
    strict struct WireFile<'a> {
        "filename" => filename: String,
        "file_data" => file_data: String,
        "file_id" => file_id: String,
    }
}

wire_object! {
    /// A cache mark.
    strict struct WireCacheControl<'a> {
        "type" => kind: Text<'a>,
        "ttl" => ttl: Text<'a>,
    }
}

wire_object! {
    /// A cache mark as OpenAI writes it; how long it lives is said for the whole request.
    strict struct WireBreakpoint<'a> {
        "mode" => mode: Text<'a>,
    }
}

wire_object! {
    /// A tool call in an assistant message.
    strict struct WireToolCall<'a> {
        "id" => id: String,
        "type" => kind: Text<'a>,
        "function" => function: WireCalledFunction<'a>,
    }
}

wire_object! {
    /// The function of a tool call.
    strict struct WireCalledFunction<'a> {
        "name" => name: String,
        "arguments" => arguments: String,
    }
}

wire_object! {
    /// One of `reasoning_details`, also as providers send it.
    lenient struct WireReasoningDetail<'a> {
        "type" => kind: Text<'a>,
        "text" => text: String,
        "summary" => summary: String,
        "data" => data: String,
        "signature" => signature: String,
        "id" => id: String,
        "format" => format: String,
        "index" => index: i64,
    }
}

wire_object! {
    /// One of `tools`.
    strict struct WireTool<'a> {
        "type" => kind: Text<'a>,
        "function" => function: WireFunction<'a>,
        "cache_control" => cache_control: WireCacheControl<'a>,
    }
}

wire_object! {
    /// A function tool's definition.
    strict struct WireFunction<'a> {
        "name" => name: String,
        "description" => description: String,
        "parameters" => parameters: &'a RawValue,
        "strict" => strict: bool,
    }
}

wire_object! {
    /// `response_format`.
    strict struct WireResponseFormat<'a> {
        "type" => kind: Text<'a>,
        "json_schema" => json_schema: WireJsonSchema<'a>,
    }
}

wire_object! {
    /// `response_format.json_schema`.
    strict struct WireJsonSchema<'a> {
        "name" => name: String,
        "description" => description: String,
        "schema" => schema: &'a RawValue,
        "strict" => strict: bool,
    }
}

wire_object! {
    /// `tool_choice` where it is an object.
    strict struct WireToolChoice<'a> {
        "type" => kind: Text<'a>,
        "function" => function: WireChosenFunction<'a>,
    }
}

wire_object! {
    /// The function that must be called.
    strict struct WireChosenFunction<'a> {
        "name" => name: String,
    }
}

/// A message's content: text, or parts.
pub(crate) enum WireContent<'a> {
    Text(String),
    Parts(Vec<WirePart<'a>>),
}

impl<'de> Deserialize<'de> for WireContent<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ContentVisitor;

        impl<'de> Visitor<'de> for ContentVisitor {
            type Value = WireContent<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or an array of parts")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(WireContent::Text(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Self::Value, A::Error> {
                let mut read = Vec::new();
                while let Some(part) = parts.next_element()? {
                    read.push(part);
                }
                Ok(WireContent::Parts(read))
            }
        }

        deserializer.deserialize_any(ContentVisitor)
    }
}

/// An address: an object with `url`, or the bare string that some clients send.
pub(crate) struct WireUrl {
    pub(crate) url: Option<String>,
    pub(crate) detail: Option<String>,
}

wire_object! {
    strict struct WireUrlObject<'a> {
        "url" => url: String,
        "detail" => detail: String,
    }
}

impl<'de> Deserialize<'de> for WireUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct UrlVisitor;

        impl<'de> Visitor<'de> for UrlVisitor {
            type Value = WireUrl;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with a url")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(WireUrl {
                    url: Some(text.to_owned()),
                    detail: None,
                })
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let object =
                    WireUrlObject::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(WireUrl {
                    url: object.url,
                    detail: object.detail,
                })
            }
        }

        deserializer.deserialize_any(UrlVisitor)
    }
}
