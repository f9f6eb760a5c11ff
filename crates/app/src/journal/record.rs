//! One record: payload length and CRC-32, both little-endian, then the settlement as JSON.

use std::io;

use switchyard_billing::settlement::Settlement;

const HEADER_BYTES: usize = 8;
/// No settlement comes near this; a larger length is damage.
const PAYLOAD_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Appends a record to `buffer`.
pub(super) fn encode(settlement: &Settlement, buffer: &mut Vec<u8>) -> io::Result<()> {
    let start = buffer.len();
    buffer.extend_from_slice(&[0; HEADER_BYTES]);
    serde_json::to_writer(&mut *buffer, settlement)?;
    let payload = &buffer[start + HEADER_BYTES..];
    let length = u32::try_from(payload.len())
        .ok()
        .filter(|length| *length as usize <= PAYLOAD_BYTES_MAX)
        .ok_or_else(|| io::Error::other("a settlement is too large for the journal"))?;
    let checksum = crc32fast::hash(payload);
    buffer[start..start + 4].copy_from_slice(&length.to_le_bytes());
    buffer[start + 4..start + HEADER_BYTES].copy_from_slice(&checksum.to_le_bytes());
    Ok(())
}

/// What stands at the head of `bytes`.
pub(super) enum Decoded {
    /// A settlement, and how many bytes it took.
    Record(Box<Settlement>, usize),
    /// The bytes end before the record does.
    Torn,
    /// The record is whole and wrong.
    Damaged,
}

/// How long the record at the head of `bytes` claims to be, header included.
pub(super) fn claimed_length(bytes: &[u8]) -> Option<usize> {
    let (length, _) = bytes.split_first_chunk::<4>()?;
    Some(HEADER_BYTES + u32::from_le_bytes(*length) as usize)
}

/// Decodes the first record of `bytes`, which must not be empty.
pub(super) fn decode(bytes: &[u8]) -> Decoded {
    let Some((header, rest)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
        return Decoded::Torn;
    };
    let [l0, l1, l2, l3, c0, c1, c2, c3] = *header;
    let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
    let checksum = u32::from_le_bytes([c0, c1, c2, c3]);
    if length > PAYLOAD_BYTES_MAX {
        return Decoded::Damaged;
    }
    let Some(payload) = rest.get(..length) else {
        return Decoded::Torn;
    };
    if crc32fast::hash(payload) != checksum {
        return Decoded::Damaged;
    }
    match serde_json::from_slice(payload) {
        Ok(settlement) => Decoded::Record(Box::new(settlement), HEADER_BYTES + length),
        Err(_) => Decoded::Damaged,
    }
}
