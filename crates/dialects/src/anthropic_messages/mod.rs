//! Anthropic Messages, both directions.
//!
//! The front half is [`decode_request`] (a client's body), [`encode_completion`],
//! [`StreamEncoder`] and [`encode_error`] (what it gets back). The upstream half is
//! [`encode_request`], [`decode_completion`], [`StreamDecoder`] and [`decode_error`]. Between two
//! ends that both speak this dialect a body is spliced: the members we own are replaced, all
//! others travel byte for byte.
//!
//! Two inventions of ours cross the wire and are taken off again on the way back: reasoning of
//! other families travels to clients as thinking with a signature of our making
//! ([`foreign_reasoning`]), and a schema for a model without structured output travels upstream
//! as a forced tool ([`SCHEMA_TOOL`]).

mod decode_request;

mod encode_request;

mod answer_wire;
mod decode_error;
mod decode_response;
mod decode_stream;

mod encode_response;
mod encode_stream;

mod foreign_reasoning;
mod object_writer;
mod stop_reason;
mod usage;

pub use decode_error::decode_error;
pub use decode_request::decode_request;
pub use decode_response::decode_completion;
pub use decode_stream::StreamDecoder;
pub use encode_request::{Host, ThinkingStyle, UpstreamTraits, encode_request};
pub use encode_response::{encode_completion, encode_error};
pub use encode_stream::{KEEP_ALIVE, StreamEncoder};

/// The tool a schema is sent as where the model has no structured output. The decoders turn a
/// call of it back into text, so no request state has to reach them.
const SCHEMA_TOOL: &str = "switchyard_structured_output";
