//! Calls providers: connections, authentication, deadlines, error classification, streams.
//!
//! It accepts only endpoints that routing vetted, never follows a redirect, never reads a proxy
//! variable, and dials only addresses the [`egress`] rules allow. It knows nothing of money.
//! Start at [`call`] for the port the app uses, at [`http`] for what happens on the wire. A
//! provider family is a folder here and one line in `registry.rs`.

pub mod call;
pub mod http;

mod prepared;
mod registry;

mod anthropic;
mod azure;
mod bedrock;
mod openai_compatible;
mod prompt_cache;
mod vertex;

pub mod credential;

pub mod egress;

mod address;
mod connect;
mod host;
mod transport;

pub mod answer;
pub mod event_stream;
mod framing;
pub mod limits;
pub mod sse;

mod rate_limit;
mod redact;
mod retry_after;

pub use connect::{Resolve, SystemResolver};
