//! Anthropic Messages, as its server reads and writes it.

pub(crate) mod read;
pub(crate) mod write;

use std::hash::{DefaultHasher, Hasher};

use base64::{Engine, engine::general_purpose::STANDARD};

/// The signature under a thought. It depends on the text, so a thought that was altered on the
/// way back is found out.
fn signature(thought: &str) -> String {
    let mut hasher = DefaultHasher::new();
    hasher.write(thought.as_bytes());
    STANDARD.encode(format!("simulated thought {:016x}", hasher.finish()))
}
