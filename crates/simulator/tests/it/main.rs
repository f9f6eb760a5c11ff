//! The simulator over real sockets.
#![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

mod anthropic;
mod caching;
mod client;
mod control;
mod faults;
mod observation;
mod openai;
mod replay;
