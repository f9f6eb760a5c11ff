//! OpenAI Chat Completions in the superset that OpenRouter defined: the format most clients send
//! and most providers speak.
//!
//! Front door: [`decode_request`], [`encode_response`], [`encode_stream`]. Upstream:
//! [`encode_request`], [`decode_response`], [`decode_stream`]. When both sides speak this format
//! a request or an answer is not written anew: the few fields that are ours are exchanged in the
//! other side's own bytes, so what we do not know passes through.

mod wire_request;

pub mod decode_request;

mod encode_messages;
pub mod encode_request;

mod usage;
mod wire_response;

pub mod decode_error;
pub mod decode_response;
pub mod decode_stream;

mod splice;
mod write;

pub mod encode_response;
pub mod encode_stream;

pub use decode_error::decode_error;
pub use decode_request::decode_request;
pub use decode_response::decode_completion;
pub use decode_stream::StreamDecoder;
pub use encode_request::{
    CacheMarks, MaxTokensField, ReasoningStyle, UpstreamTraits, encode_request,
};
pub use encode_response::{encode_completion, encode_error};
pub use encode_stream::{KEEP_ALIVE, StreamEncoder};
