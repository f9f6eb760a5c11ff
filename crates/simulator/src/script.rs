//! An answer laid out event by event, before anything goes wrong with it.

use std::time::Duration;

use bytes::Bytes;

/// A whole answer: head, events, pace, and how it ends.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) status: u16,
    pub(crate) content_type: Option<String>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) events: Vec<Event>,
    pub(crate) ending: Ending,
    pub(crate) pace: Pace,
}

#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) kind: EventKind,
    pub(crate) bytes: Bytes,
}

/// What an event is for, so that faults find the one they are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventKind {
    Start,
    Content,
    Finish,
    Usage,
    EndMark,
    /// Not part of the dialect: comments, faults.
    Foreign,
    /// A JSON body.
    Whole,
}

/// How the body ends once the events are out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    InOrder,
    Silence,
    Close,
    Reset,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Pace {
    pub(crate) before_head: Duration,
    pub(crate) before_first: Duration,
    pub(crate) between: Duration,
}

impl Script {
    /// A JSON body in one piece.
    pub(crate) fn json(status: u16, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            content_type: Some("application/json".to_owned()),
            headers: Vec::new(),
            events: vec![Event {
                kind: EventKind::Whole,
                bytes: body.into(),
            }],
            ending: Ending::InOrder,
            pace: Pace::default(),
        }
    }

    /// A status with nothing after it.
    pub(crate) fn empty(status: u16) -> Self {
        Self {
            content_type: None,
            events: Vec::new(),
            ..Self::json(status, Bytes::new())
        }
    }

    /// A server-sent event stream.
    pub(crate) fn stream(events: Vec<Event>) -> Self {
        Self {
            content_type: Some("text/event-stream; charset=utf-8".to_owned()),
            events,
            ..Self::json(200, Bytes::new())
        }
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}
