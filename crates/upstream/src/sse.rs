//! Server-sent events, parsed from whatever pieces the network delivers.
//!
//! Lines end in LF, CRLF or a lone CR, even when CR and LF arrive in different reads. An event
//! that lies within one read and has one data line is handed on without copying.

use bytes::{Bytes, BytesMut};
use memchr::memchr2;

use crate::limits::SSE_EVENT_BYTES_MAX;

/// One event: its data lines joined by LF, and its name where one was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SseEvent {
    pub name: Option<String>,
    pub data: Bytes,
}

/// A line or event outgrew [`SSE_EVENT_BYTES_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a server-sent event is longer than {SSE_EVENT_BYTES_MAX} bytes")]
pub struct EventTooLong;

/// The parser's state between reads.
#[derive(Debug, Default)]
pub struct SseParser {
    /// The beginning of a line whose end has not come.
    partial_line: BytesMut,
    /// The last read ended in CR: an LF that comes next belongs to it.
    after_cr: bool,
    /// A byte order mark may only stand before everything else.
    started: bool,
    name: Option<String>,
    data: Data,
}

/// Data lines gathered so far.
#[derive(Debug, Default)]
enum Data {
    #[default]
    None,
    One(Bytes),
    Many(BytesMut),
}

impl SseParser {
    /// Takes one read and appends the events it completes.
    pub fn push(&mut self, read: Bytes, events: &mut Vec<SseEvent>) -> Result<(), EventTooLong> {
        let mut from = 0;
        if self.after_cr && !read.is_empty() {
            self.after_cr = false;
            from = usize::from(read[0] == b'\n');
        }
        while let Some(length) = memchr2(b'\n', b'\r', &read[from..]) {
            let end = from + length;
            let line = self.complete_line(read.slice(from..end))?;
            self.line(line, events)?;
            from = end + 1;
            if read[end] == b'\r' {
                match read.get(from) {
                    Some(b'\n') => from += 1,
                    Some(_) => {}
                    None => self.after_cr = true,
                }
            }
        }
        self.partial_line.extend_from_slice(&read[from..]);
        within_limit(self.partial_line.len())
    }

    /// The stream is over: a last event without its blank line still counts.
    pub fn end(&mut self, events: &mut Vec<SseEvent>) -> Result<(), EventTooLong> {
        if !self.partial_line.is_empty() {
            let line = self.partial_line.split().freeze();
            self.line(line, events)?;
        }
        self.dispatch(events);
        Ok(())
    }

    fn complete_line(&mut self, tail: Bytes) -> Result<Bytes, EventTooLong> {
        if self.partial_line.is_empty() {
            within_limit(tail.len())?;
            return Ok(tail);
        }
        self.partial_line.extend_from_slice(&tail);
        within_limit(self.partial_line.len())?;
        Ok(self.partial_line.split().freeze())
    }

    fn line(&mut self, mut line: Bytes, events: &mut Vec<SseEvent>) -> Result<(), EventTooLong> {
        if !self.started {
            self.started = true;
            if line.starts_with(b"\xEF\xBB\xBF") {
                line = line.slice(3..);
            }
        }
        if line.is_empty() {
            self.dispatch(events);
            return Ok(());
        }
        let (field, value_from) = match memchr::memchr(b':', &line) {
            Some(0) => return Ok(()),
            Some(colon) if line.get(colon + 1) == Some(&b' ') => (&line[..colon], colon + 2),
            Some(colon) => (&line[..colon], colon + 1),
            None => (&line[..], line.len()),
        };
        match field {
            b"data" => self.data.push(line.slice(value_from..)),
            b"event" => {
                self.name = Some(String::from_utf8_lossy(&line[value_from..]).into_owned());
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn dispatch(&mut self, events: &mut Vec<SseEvent>) {
        let name = self.name.take();
        let data = match std::mem::take(&mut self.data) {
            Data::None => return,
            Data::One(data) => data,
            Data::Many(data) => data.freeze(),
        };
        events.push(SseEvent { name, data });
    }
}

impl Data {
    fn push(&mut self, line: Bytes) -> Result<(), EventTooLong> {
        *self = match std::mem::take(self) {
            Self::None => Self::One(line),
            Self::One(first) => {
                let mut all = BytesMut::with_capacity(first.len() + line.len() + 1);
                all.extend_from_slice(&first);
                Self::joined(all, &line)?
            }
            Self::Many(all) => Self::joined(all, &line)?,
        };
        Ok(())
    }

    fn joined(mut all: BytesMut, line: &[u8]) -> Result<Self, EventTooLong> {
        all.extend_from_slice(b"\n");
        all.extend_from_slice(line);
        within_limit(all.len())?;
        Ok(Self::Many(all))
    }
}

fn within_limit(length: usize) -> Result<(), EventTooLong> {
    if length > SSE_EVENT_BYTES_MAX {
        Err(EventTooLong)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(reads: &[&[u8]]) -> Vec<(Option<String>, String)> {
        let mut parser = SseParser::default();
        let mut events = Vec::new();
        for read in reads {
            parser
                .push(Bytes::copy_from_slice(read), &mut events)
                .expect("short events");
        }
        parser.end(&mut events).expect("short events");
        events
            .into_iter()
            .map(|event| {
                (
                    event.name,
                    String::from_utf8(event.data.to_vec()).expect("utf-8"),
                )
            })
            .collect()
    }

    fn data(text: &str) -> (Option<String>, String) {
        (None, text.to_owned())
    }

    #[test]
    fn framing_variants_mean_the_same() {
        for text in [
            "data: a\n\ndata: b\n\n",
            "data: a\r\n\r\ndata: b\r\n\r\n",
            "data: a\r\rdata: b\r\r",
            "\u{feff}data:a\n\n: comment\nid: 7\nretry: 1\ndata: b",
            "data: a\n\n\n\ndata: b\n\n",
        ] {
            assert_eq!(
                parse(&[text.as_bytes()]),
                [data("a"), data("b")],
                "{text:?}"
            );
        }
    }

    #[test]
    fn names_and_several_data_lines() {
        assert_eq!(
            parse(&[b"event: error\ndata: {\ndata: }\n\nevent: lonely\n\ndata: x\n\n"]),
            [(Some("error".to_owned()), "{\n}".to_owned()), data("x")]
        );
    }

    #[test]
    fn an_endless_line_is_refused() {
        let mut parser = SseParser::default();
        let read = Bytes::from(vec![b'x'; SSE_EVENT_BYTES_MAX / 2 + 1]);
        let mut events = Vec::new();
        assert_eq!(parser.push(read.clone(), &mut events), Ok(()));
        assert_eq!(parser.push(read, &mut events), Err(EventTooLong));
    }

    proptest! {
        #[test]
        fn cuts_do_not_matter(
            pieces in prop::collection::vec(
                prop::sample::select(vec![
                    "data: ä€😀", "data:", "event: e", ": c", "\n", "\r", "\r\n", "\n\n", "x",
                ]),
                0..40,
            ),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        ) {
            let text = pieces.concat();
            let bytes = text.as_bytes();
            let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            at.extend([0, bytes.len()]);
            at.sort_unstable();
            let reads: Vec<&[u8]> = at.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
            prop_assert_eq!(parse(&reads), parse(&[bytes]));
        }
    }
}
