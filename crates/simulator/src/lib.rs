//! A provider to practise on: it speaks OpenAI Chat Completions and Anthropic Messages from the
//! server's side, answers plausibly, fails in every way that real providers fail, and remembers
//! what it was asked. The demo, the tests and the benchmark stand in front of it.
//!
//! It must not use the router's codecs: what it writes is an independent reading of the wire
//! formats, so that a mistake in a codec cannot hide itself. It reads no clock and draws no random
//! number; equal requests to a fresh simulator get equal answers.
//!
//! It also keeps a [`session`] to replay: what a coding agent asks over fifty turns.
//!
//! Start at [`behaviour`] for what it can be told to do, at [`directive`] for how to say so inside
//! a prompt, and at [`simulator::Simulator`] for the handle that tests hold.
//!
//! | Path | Answers |
//! |---|---|
//! | `/p/{provider}/v1/chat/completions` | OpenAI's dialect |
//! | `/p/{provider}/v1/messages` | Anthropic's dialect |
//! | `/p/{provider}/v1/models` | the models that the profile lists |
//! | the same without `/p/{provider}` | provider `default` |
//! | `POST`, `DELETE /_sim/script/{provider}` | queue behaviours, or drop them |
//! | `PUT /_sim/profile/{provider}` | replace a provider's profile |
//! | `GET`, `DELETE /_sim/requests/{provider}` | what was seen, or forget it |
//! | `GET /_sim/counters` | every provider's counters |
//! | `DELETE /_sim/cache/{provider}` | empty its prompt caches |
//! | `POST /_sim/clock` | let `advance_ms` go by for all prompt caches |
//!
//! `/v1` may be missing, as at providers whose base address has none; `/openai` or `/anthropic` may stand
//! before it, as at Azure, whose `api-key` header is taken, too.

pub mod behaviour;
pub mod directive;
pub mod observation;
pub mod profile;
pub mod replay;
pub mod server;
pub mod session;
pub mod simulator;

mod answer;
mod anthropic_messages;
mod asked;
mod canned;
mod control;
mod dialect;
mod fault;
mod handle;
mod openai_chat;
mod performance;
mod prompt_cache;
mod rate_limits;
mod schema_sample;
mod script;

pub use behaviour::{Answer, Behaviour, Flaw, Status};
pub use profile::{CacheMode, Caching, Canned, Config, Credentials, Profile};
pub use server::{Server, serve};
pub use session::Session;
pub use simulator::Simulator;
