//! The one internal form of a conversation: a request, a stream of events, a failure.
//!
//! Every wire format is translated to and from these types and never to another wire format, so
//! N formats cost N codecs. Nothing here performs I/O or knows anybody's JSON. Start at
//! [`request::ChatRequest`] for what is asked, at [`event::ChatEvent`] for what comes back.

pub mod convert;
pub mod event;
pub mod failure;
pub mod message;
pub mod needs;
pub mod preferences;
pub mod reply;
pub mod request;
pub mod tool;
