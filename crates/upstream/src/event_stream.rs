//! Amazon's binary event stream, read piece by piece: frames with two checksums each, in whatever
//! pieces the network hands them over. A frame that lies whole within one read is not copied.
//!
//! A frame is, in big-endian numbers: its length, the length of its headers, a CRC-32 of these
//! eight bytes, headers, payload, and a CRC-32 of everything before.

use bytes::{Buf, Bytes, BytesMut};

use crate::limits::{EVENT_STREAM_FRAME_BYTES_MAX, EVENT_STREAM_HEADER_BYTES_MAX};

/// Both lengths and their checksum.
const PRELUDE_BYTES: usize = 12;
/// The checksum at a frame's end.
const CHECKSUM_BYTES: usize = 4;

/// One frame: its headers that are texts, and what it carries. Headers of other types are checked
/// and left out; none of them says anything here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    texts: Vec<(Bytes, Bytes)>,
    pub payload: Bytes,
}

impl Frame {
    /// The text in the header of this name.
    pub fn text(&self, name: &str) -> Option<&str> {
        let (_, value) = self.texts.iter().find(|(key, _)| key == name.as_bytes())?;
        std::str::from_utf8(value).ok()
    }
}

/// Bytes that are no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    #[error("a frame of the event stream is longer than {EVENT_STREAM_FRAME_BYTES_MAX} bytes")]
    TooLong,
    #[error("a frame of the event stream says lengths that cannot be")]
    Lengths,
    #[error("a frame of the event stream does not match its checksum")]
    Checksum,
    #[error("a frame of the event stream has headers that cannot be read")]
    Headers,
    #[error("the event stream ends in the middle of a frame")]
    Cut,
}

/// The decoder's state between reads: the beginning of a frame whose end has not come.
#[derive(Debug, Default)]
pub struct FrameDecoder {
    partial: BytesMut,
}

impl FrameDecoder {
    /// Takes one read and appends the frames it completes. After an error the stream is lost:
    /// nothing tells where the next frame begins.
    pub fn push(&mut self, mut read: Bytes, frames: &mut Vec<Frame>) -> Result<(), FrameError> {
        while !read.is_empty() {
            if self.partial.is_empty()
                && let Some(length) = frame_length(&read)?
                && length <= read.len()
            {
                frames.push(parse(read.split_to(length))?);
                continue;
            }
            let wanted = frame_length(&self.partial)?.unwrap_or(PRELUDE_BYTES);
            let piece = (wanted - self.partial.len()).min(read.len());
            self.partial.extend_from_slice(&read.split_to(piece));
            if frame_length(&self.partial)? == Some(self.partial.len()) {
                frames.push(parse(self.partial.split().freeze())?);
            }
        }
        Ok(())
    }

    /// The stream is over.
    pub fn end(&self) -> Result<(), FrameError> {
        if self.partial.is_empty() {
            Ok(())
        } else {
            Err(FrameError::Cut)
        }
    }
}

/// How long the frame is that begins here; `None` before its prelude is there. A length is only
/// believed when its checksum holds.
fn frame_length(bytes: &[u8]) -> Result<Option<usize>, FrameError> {
    let Some(prelude) = bytes.first_chunk::<PRELUDE_BYTES>() else {
        return Ok(None);
    };
    let (total, headers) = lengths(prelude);
    if checksum_at(prelude, 8) != crc32fast::hash(&prelude[..8]) {
        return Err(FrameError::Checksum);
    }
    if total > EVENT_STREAM_FRAME_BYTES_MAX {
        return Err(FrameError::TooLong);
    }
    let least = PRELUDE_BYTES + CHECKSUM_BYTES;
    if headers > EVENT_STREAM_HEADER_BYTES_MAX || total < least || total - least < headers {
        return Err(FrameError::Lengths);
    }
    Ok(Some(total))
}

fn lengths(prelude: &[u8; PRELUDE_BYTES]) -> (usize, usize) {
    let number = |at: usize| checksum_at(prelude, at);
    // On every machine this runs on a length of 32 bits fits.
    let length = |at: usize| usize::try_from(number(at)).unwrap_or(usize::MAX);
    (length(0), length(4))
}

fn checksum_at(bytes: &[u8], at: usize) -> u32 {
    let mut four = &bytes[at..at + CHECKSUM_BYTES];
    four.get_u32()
}

/// Reads a whole frame whose prelude has been checked.
fn parse(frame: Bytes) -> Result<Frame, FrameError> {
    let end = frame.len() - CHECKSUM_BYTES;
    if checksum_at(&frame, end) != crc32fast::hash(&frame[..end]) {
        return Err(FrameError::Checksum);
    }
    let prelude = frame.first_chunk::<PRELUDE_BYTES>();
    let (_, header_bytes) = lengths(prelude.ok_or(FrameError::Lengths)?);
    let payload_at = PRELUDE_BYTES + header_bytes;
    let texts = read_headers(frame.slice(PRELUDE_BYTES..payload_at))?;
    Ok(Frame {
        texts,
        payload: frame.slice(payload_at..end),
    })
}

fn read_headers(mut bytes: Bytes) -> Result<Vec<(Bytes, Bytes)>, FrameError> {
    let mut texts = Vec::new();
    while !bytes.is_empty() {
        let name_bytes = usize::from(take(&mut bytes, 1)?.get_u8());
        if name_bytes == 0 {
            return Err(FrameError::Headers);
        }
        let name = take(&mut bytes, name_bytes)?;
        let kind = take(&mut bytes, 1)?.get_u8();
        let fixed_bytes = match kind {
            // True and false.
            0 | 1 => Some(0),
            // Integers of one, two, four and eight bytes.
            2 => Some(1),
            3 => Some(2),
            4 => Some(4),
            5 => Some(8),
            // Bytes, and text.
            6 | 7 => None,
            // An instant.
            8 => Some(8),
            // A UUID.
            9 => Some(16),
            _ => return Err(FrameError::Headers),
        };
        let value_bytes = match fixed_bytes {
            Some(fixed) => fixed,
            None => usize::from(take(&mut bytes, 2)?.get_u16()),
        };
        let value = take(&mut bytes, value_bytes)?;
        if kind == 7 {
            texts.push((name, value));
        }
    }
    Ok(texts)
}

fn take(bytes: &mut Bytes, length: usize) -> Result<Bytes, FrameError> {
    if bytes.len() < length {
        return Err(FrameError::Headers);
    }
    Ok(bytes.split_to(length))
}

#[cfg(test)]
mod tests;
