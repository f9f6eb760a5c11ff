//! Anthropic Messages: no bytes make a decoder panic, and what comes out of one can be encoded.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use switchyard_dialects::anthropic_messages::{
    StreamDecoder, UpstreamTraits, decode_completion, decode_error, decode_request, encode_request,
};

fuzz_target!(|data: &[u8]| {
    let body = Bytes::copy_from_slice(data);
    if let Ok(request) = decode_request(body.clone()) {
        let _ = encode_request(&request, &UpstreamTraits::anthropic("m", 8_192));
    }
    let _ = decode_completion(body.clone());
    decode_error(400, None, data);
    let mut decoder = StreamDecoder::new();
    for payload in body.split(|byte| *byte == b'\n') {
        if decoder.event(body.slice_ref(payload), None).is_err() {
            return;
        }
    }
    let _ = decoder.end();
});
