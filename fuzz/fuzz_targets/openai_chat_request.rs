//! Whatever a client sends decodes or is refused, and what decodes encodes to JSON again.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use switchyard_dialects::openai_chat::{UpstreamTraits, decode_request, encode_request};

fuzz_target!(|data: &[u8]| {
    let Ok(request) = decode_request(Bytes::copy_from_slice(data)) else {
        return;
    };
    let Ok(sent) = encode_request(&request, &UpstreamTraits::openai("model")) else {
        return;
    };
    serde_json::from_slice::<serde_json::Value>(&sent).expect("what is sent upstream is JSON");
});
