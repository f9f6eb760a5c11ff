//! Reads server-sent events as strictly as the pickiest client would, and independently of the code
//! that writes them.

use serde_json::Value;

/// One event or comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// A line that clients skip.
    Comment(String),
    /// The text of a `data:` line.
    Data(String),
}

/// Cuts bytes into frames as they come.
#[derive(Debug, Default)]
pub struct FrameReader {
    unread: Vec<u8>,
}

impl FrameReader {
    /// Takes bytes in.
    pub fn push(&mut self, bytes: &[u8]) {
        self.unread.extend_from_slice(bytes);
    }

    /// The next whole frame, if it is there.
    ///
    /// # Panics
    /// When it is not one line of `data: …` or `: …` and an empty one: all that is ever sent to clients.
    pub fn next_frame(&mut self) -> Option<Frame> {
        let end = self.unread.windows(2).position(|pair| pair == b"\n\n")?;
        let frame: Vec<u8> = self.unread.drain(..end + 2).collect();
        let line = std::str::from_utf8(&frame[..end]).expect("events are UTF-8");
        assert!(
            !line.contains(['\n', '\r']),
            "an event of more than one line: {line:?}"
        );
        if let Some(data) = line.strip_prefix("data: ") {
            return Some(Frame::Data(data.to_owned()));
        }
        let comment = line.strip_prefix(':');
        Some(Frame::Comment(
            comment
                .unwrap_or_else(|| panic!("no event: {line:?}"))
                .trim()
                .to_owned(),
        ))
    }

    /// Whether nothing is left over.
    pub fn is_empty(&self) -> bool {
        self.unread.is_empty()
    }
}

/// A streamed chat completion, read to its end.
#[derive(Debug, Default)]
pub struct Transcript {
    /// Every chunk in order, the mark at the end excepted.
    pub chunks: Vec<Value>,
    /// The same as text, for figures that must not go through a float.
    pub texts: Vec<String>,
    /// Comments between them.
    pub comments: usize,
    /// Whether `[DONE]` came, as the last thing.
    pub done: bool,
}

impl Transcript {
    /// Takes a frame in.
    ///
    /// # Panics
    /// When it comes after the end, or is no JSON.
    pub fn push(&mut self, frame: Frame) {
        match frame {
            Frame::Comment(_) => self.comments += 1,
            Frame::Data(_) if self.done => panic!("an event after [DONE]: {frame:?}"),
            Frame::Data(data) if data == "[DONE]" => self.done = true,
            Frame::Data(data) => {
                let chunk = serde_json::from_str(&data);
                self.chunks
                    .push(chunk.unwrap_or_else(|_| panic!("a chunk that is no JSON: {data}")));
                self.texts.push(data);
            }
        }
    }

    /// The strings at `pointer` in all chunks, put together.
    pub fn concat(&self, pointer: &str) -> String {
        self.chunks
            .iter()
            .filter_map(|chunk| chunk.pointer(pointer)?.as_str())
            .collect()
    }

    /// The visible text.
    pub fn text(&self) -> String {
        self.concat("/choices/0/delta/content")
    }

    /// Why it ended: the finish reason that came last.
    pub fn finish_reason(&self) -> Option<&str> {
        self.chunks
            .iter()
            .rev()
            .find_map(|chunk| chunk.pointer("/choices/0/finish_reason")?.as_str())
    }

    /// The usage, from the one chunk that carries it.
    ///
    /// # Panics
    /// When more than one does.
    pub fn usage(&self) -> Option<&Value> {
        let mut usages = self.chunks.iter().filter_map(|chunk| chunk.get("usage"));
        let usage = usages.next();
        assert!(usages.next().is_none(), "usage comes once");
        usage
    }

    /// The error that ended it.
    pub fn error(&self) -> Option<&Value> {
        self.chunks.last()?.get("error")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(pieces: &[&str]) -> Vec<Frame> {
        let mut reader = FrameReader::default();
        let mut frames = Vec::new();
        for piece in pieces {
            reader.push(piece.as_bytes());
            frames.extend(std::iter::from_fn(|| reader.next_frame()));
        }
        assert!(reader.is_empty());
        frames
    }

    #[test]
    fn frames_may_come_in_any_pieces() {
        let expected = [
            Frame::Comment("HELLO".to_owned()),
            Frame::Data("{\"a\":1}".to_owned()),
            Frame::Data("[DONE]".to_owned()),
        ];
        let whole = ": HELLO\n\ndata: {\"a\":1}\n\ndata: [DONE]\n\n";
        assert_eq!(frames(&[whole]), expected);
        for cut in 1..whole.len() {
            assert_eq!(
                frames(&[&whole[..cut], &whole[cut..]]),
                expected,
                "cut at {cut}"
            );
        }
    }

    #[test]
    #[should_panic(expected = "more than one line")]
    fn a_named_event_is_refused() {
        frames(&["event: x\ndata: {}\n\n"]);
    }

    #[test]
    fn a_transcript_tells_what_was_said() {
        let mut transcript = Transcript::default();
        for text in ["Hel", "lo"] {
            let chunk = format!(
                r#"{{"choices":[{{"delta":{{"content":"{text}"}},"finish_reason":null}}]}}"#
            );
            transcript.push(Frame::Data(chunk));
        }
        transcript.push(Frame::Data(
            r#"{"choices":[{"delta":{},"finish_reason":"stop"}],"usage":{"cost":1}}"#.to_owned(),
        ));
        transcript.push(Frame::Data("[DONE]".to_owned()));
        assert_eq!(transcript.text(), "Hello");
        assert_eq!(transcript.finish_reason(), Some("stop"));
        assert_eq!(transcript.usage().expect("usage")["cost"], 1);
        assert!(transcript.done && transcript.error().is_none());
    }
}
