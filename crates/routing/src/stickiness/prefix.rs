//! What conversations of one account have in common.

use switchyard_interchange::request::ChatRequest;

use super::{Digest, instructs};

/// Tells these digests from any other made with the same secret.
const PURPOSE: &[u8] = b"switchyard shared prefix 1";

/// A digest of the prompt's beginning as far as other conversations of the account share it: its
/// tools and its instructions, or its first message where it has none. When an endpoint goes down,
/// conversations of equal digests go to the same successor, so that one of them warms its cache for
/// all. Reads all instructions, so it is worth computing only where there is a pin.
pub fn prefix_digest(request: &ChatRequest, account_secret: &[u8]) -> u64 {
    let mut digest = Digest::new(account_secret);
    digest.field(PURPOSE);
    digest.field(&(request.tools.len() as u64).to_be_bytes());
    for tool in &request.tools {
        digest.field(tool.name.as_bytes());
    }
    let instructions = request.messages.iter().find(instructs);
    if let Some(message) = instructions.or(request.messages.first()) {
        digest.message(message);
    }
    let [a, b, c, d, e, f, g, h, ..] = digest.finish();
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}
