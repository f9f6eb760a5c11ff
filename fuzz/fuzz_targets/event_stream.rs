//! Frames of Amazon's event stream mean the same however the network cuts them, and no bytes make the
//! decoder panic. The first byte says where the cut is, the second whether the checksums of the first
//! frame are put right, without which hardly any input would get past them.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use switchyard_upstream::event_stream::{Frame, FrameDecoder};

fn decode(reads: &[&[u8]]) -> (Vec<Frame>, bool) {
    let mut decoder = FrameDecoder::default();
    let mut frames = Vec::new();
    for read in reads {
        if decoder
            .push(Bytes::copy_from_slice(read), &mut frames)
            .is_err()
        {
            return (frames, false);
        }
    }
    (frames, decoder.end().is_ok())
}

fn put_right(stream: &mut [u8]) {
    let Some(length) = stream.first_chunk::<4>() else {
        return;
    };
    let length = u32::from_be_bytes(*length) as usize;
    if length < 16 || length > stream.len() {
        return;
    }
    let prelude = crc32fast::hash(&stream[..8]);
    stream[8..12].copy_from_slice(&prelude.to_be_bytes());
    let whole = crc32fast::hash(&stream[..length - 4]);
    stream[length - 4..length].copy_from_slice(&whole.to_be_bytes());
}

fuzz_target!(|data: &[u8]| {
    let [cut, mend, stream @ ..] = data else {
        return;
    };
    let mut stream = stream.to_vec();
    if mend & 1 == 1 {
        put_right(&mut stream);
    }
    let (first, second) = stream.split_at(usize::from(*cut).min(stream.len()));
    let whole = decode(&[&stream]);
    assert_eq!(decode(&[first, second]), whole);
    for frame in &whole.0 {
        let _ = (frame.text(":message-type"), frame.text(":event-type"));
    }
});
