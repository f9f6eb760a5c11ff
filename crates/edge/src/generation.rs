//! Calling models: a handler per dialect, an answer in one piece or as a stream.

pub(crate) mod chat_completions;

mod sse;
mod whole;
