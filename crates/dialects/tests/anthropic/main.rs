//! Anthropic Messages: recorded traffic, streams both ways, and what no input may do.

mod arbitrary;
mod other_dialects;
mod recorded;
mod replies;
mod round_trips;
mod sse;
mod streams;
mod transcript;
