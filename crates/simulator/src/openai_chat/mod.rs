//! OpenAI Chat Completions, as its server reads and writes it.

pub(crate) mod read;
pub(crate) mod write;
