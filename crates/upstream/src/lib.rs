//! Calls providers: connections, authentication, deadlines, error classification, streams.
//!
//! It accepts only endpoints that routing vetted, never follows a redirect, never reads a proxy
//! variable, and dials only addresses the [`egress`] rules allow. It knows nothing of money.
//! Start at [`call`] for the port the app uses, at [`http`] for what happens on the wire. A
//! provider family is a folder here and one line in [`registry`].

pub mod answer;
pub mod call;
pub mod egress;
pub mod http;
pub mod limits;
pub mod registry;
pub mod sse;

mod anthropic;
mod connect;
mod openai_compatible;
mod prompt_cache;
mod rate_limit;
mod retry_after;
