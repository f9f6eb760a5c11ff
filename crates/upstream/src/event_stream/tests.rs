//! Frames written here by hand, cut and damaged.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::BufMut;
use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// A frame with these header bytes and this payload, its checksums right.
fn frame_of(headers: &[u8], payload: &[u8]) -> Vec<u8> {
    let total = PRELUDE_BYTES + headers.len() + payload.len() + CHECKSUM_BYTES;
    let mut frame = Vec::new();
    frame.put_u32(u32::try_from(total).expect("short"));
    frame.put_u32(u32::try_from(headers.len()).expect("short"));
    frame.put_u32(crc32fast::hash(&frame));
    frame.put_slice(headers);
    frame.put_slice(payload);
    frame.put_u32(crc32fast::hash(&frame));
    frame
}

fn header(name: &str, kind: u8, value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![u8::try_from(name.len()).expect("short")];
    bytes.put_slice(name.as_bytes());
    bytes.put_u8(kind);
    bytes.put_slice(value);
    bytes
}

fn text(name: &str, value: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.put_u16(u16::try_from(value.len()).expect("short"));
    bytes.put_slice(value.as_bytes());
    header(name, 7, &bytes)
}

fn decode(reads: &[&[u8]]) -> Result<Vec<Frame>, FrameError> {
    let mut decoder = FrameDecoder::default();
    let mut frames = Vec::new();
    for read in reads {
        decoder.push(Bytes::copy_from_slice(read), &mut frames)?;
    }
    decoder.end()?;
    Ok(frames)
}

#[test]
fn the_frames_of_the_protocols_description_are_read() {
    // An empty frame, and one with a payload, as the service's own test data has them.
    let empty = [
        0, 0, 0, 0x10, 0, 0, 0, 0, 0x05, 0xc2, 0x48, 0xeb, 0x7d, 0x98, 0xc8, 0xff,
    ];
    let frames = decode(&[&empty]).expect("a frame");
    assert_eq!(frames.len(), 1);
    assert!(frames[0].payload.is_empty() && frames[0].texts.is_empty());
    assert_eq!(frame_of(b"", b""), empty);
}

#[test]
fn headers_of_every_type_are_passed_over() {
    let mut headers = Vec::new();
    for (kind, value) in [
        (0, &[][..]),
        (1, &[]),
        (2, &[1]),
        (3, &[1; 2]),
        (4, &[1; 4]),
        (5, &[1; 8]),
        (6, &[0, 3, 1, 2, 3]),
        (8, &[1; 8]),
        (9, &[1; 16]),
    ] {
        headers.extend(header("x", kind, value));
    }
    headers.extend(text(":event-type", "chunk"));
    let frames = decode(&[&frame_of(&headers, b"{}")]).expect("a frame");
    assert_eq!(frames[0].text(":event-type"), Some("chunk"));
    assert_eq!(frames[0].text("x"), None);
    assert_eq!(&frames[0].payload[..], b"{}");
}

#[test]
fn what_cannot_be_is_refused() {
    let mut truncated_value = text("a", "value");
    truncated_value.pop();
    for (headers, expected) in [
        (vec![0], FrameError::Headers),
        (header("x", 10, &[]), FrameError::Headers),
        (header("x", 4, &[1]), FrameError::Headers),
        (truncated_value, FrameError::Headers),
        (vec![200, 1, 2], FrameError::Headers),
    ] {
        assert_eq!(decode(&[&frame_of(&headers, b"")]), Err(expected));
    }
    let prelude = |total: u32, headers: u32| {
        let mut bytes = Vec::new();
        bytes.put_u32(total);
        bytes.put_u32(headers);
        bytes.put_u32(crc32fast::hash(&bytes));
        bytes
    };
    let longest = u32::try_from(EVENT_STREAM_FRAME_BYTES_MAX).expect("a short limit");
    for (total, headers, expected) in [
        (longest + 1, 0, FrameError::TooLong),
        (u32::MAX, u32::MAX, FrameError::TooLong),
        (0, 0, FrameError::Lengths),
        (15, 0, FrameError::Lengths),
        (16, 1, FrameError::Lengths),
        (longest, longest - 16, FrameError::Lengths),
    ] {
        // Twelve bytes are enough to refuse: nothing is gathered for a length that cannot be.
        let refused = decode(&[&prelude(total, headers)]);
        assert_eq!(refused, Err(expected), "{total} {headers}");
    }
}

#[test]
fn every_flipped_bit_is_noticed() {
    let frame = frame_of(&text(":event-type", "chunk"), b"payload");
    for at in 0..frame.len() {
        for bit in 0..8 {
            let mut damaged = frame.clone();
            damaged[at] ^= 1 << bit;
            assert!(decode(&[&damaged]).is_err(), "byte {at} bit {bit}");
        }
    }
}

#[test]
fn a_stream_that_stops_inside_a_frame_was_cut() {
    let frame = frame_of(&text(":event-type", "chunk"), b"payload");
    for at in 1..frame.len() {
        assert_eq!(decode(&[&frame[..at]]), Err(FrameError::Cut), "{at}");
        let whole = decode(&[&frame[..at], &frame[at..]]).expect("a frame");
        assert_eq!(&whole[0].payload[..], b"payload");
    }
}

/// Recorded with the sizes of the network's reads, in which frames begin and end anywhere.
#[test]
fn a_recorded_stream_is_read_as_it_came() {
    let recording = include_str!("../../fixtures/bedrock/bedrock-stream-guardrail-chunked.json");
    let recording: Value = serde_json::from_str(recording).expect("JSON");
    let response = &recording["response"];
    let body = STANDARD.decode(response["body_base64"].as_str().expect("a body"));
    let mut rest = &body.expect("base64")[..];
    let mut reads = Vec::new();
    for length in response["chunk_lengths"].as_array().expect("lengths") {
        let length = length
            .as_u64()
            .and_then(|length| usize::try_from(length).ok());
        let (read, after) = rest.split_at(length.expect("a length"));
        reads.push(read);
        rest = after;
    }
    let frames = decode(&reads).expect("sound frames");
    let kinds: Vec<&str> = frames
        .iter()
        .filter_map(|frame| frame.text(":event-type"))
        .collect();
    assert_eq!(
        kinds,
        [
            "messageStart",
            "contentBlockDelta",
            "contentBlockStop",
            "messageStop",
            "metadata"
        ]
    );
}

proptest! {
    #[test]
    fn cuts_do_not_matter(
        payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..6),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let mut stream = Vec::new();
        for payload in &payloads {
            stream.extend(frame_of(&text(":message-type", "event"), payload));
        }
        let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        at.extend([0, stream.len()]);
        at.sort_unstable();
        let reads: Vec<&[u8]> = at.windows(2).map(|pair| &stream[pair[0]..pair[1]]).collect();
        let frames = decode(&reads).expect("sound frames");
        let found: Vec<&[u8]> = frames.iter().map(|frame| &frame.payload[..]).collect();
        prop_assert_eq!(found, payloads.iter().map(Vec::as_slice).collect::<Vec<_>>());
    }

    #[test]
    fn no_bytes_make_it_panic(reads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..64), 0..8)) {
        let reads: Vec<&[u8]> = reads.iter().map(Vec::as_slice).collect();
        let _ = decode(&reads);
    }
}
