//! Whatever a provider sends, whole, streamed or as an error, is read or refused. Lines are the
//! payloads of a stream.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use switchyard_dialects::openai_chat::{StreamDecoder, decode_completion, decode_error};

fuzz_target!(|data: &[u8]| {
    let _ = decode_completion(Bytes::copy_from_slice(data));
    let _ = decode_error(400, None, data);
    let mut decoder = StreamDecoder::new();
    for line in data.split(|byte| *byte == b'\n') {
        if decoder.event(Bytes::copy_from_slice(line), None).is_err() {
            return;
        }
    }
    let _ = decoder.end();
});
