//! Server-sent events mean the same however the network cuts them. The first byte says where.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use switchyard_upstream::sse::{SseEvent, SseParser};

fn parse(reads: &[&[u8]]) -> Option<Vec<SseEvent>> {
    let mut parser = SseParser::default();
    let mut events = Vec::new();
    for read in reads {
        parser
            .push(Bytes::copy_from_slice(read), &mut events)
            .ok()?;
    }
    parser.end(&mut events).ok()?;
    Some(events)
}

fuzz_target!(|data: &[u8]| {
    let Some((cut, stream)) = data.split_first() else {
        return;
    };
    let (first, second) = stream.split_at(usize::from(*cut).min(stream.len()));
    assert_eq!(parse(&[first, second]), parse(&[stream]));
});
