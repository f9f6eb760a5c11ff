//! What tests stand on: servers of their own, a client, and the real binary as a world to tell stories
//! in. For dev-dependencies only, never for what is shipped.
//!
//! Nothing here skips: where a server cannot be started, the test that needs it fails. Start at
//! [`world`], which puts a simulated provider and a running node together, then at [`test_server`] for
//! the binary's side of it; [`postgres`] and [`redis`] are what the larger configuration stands on.
#![warn(missing_docs)]

pub mod world;

pub mod catalog;
pub mod test_server;

pub mod authenticator;
pub mod browser;
pub mod mail_server;

pub mod exact;
pub mod http_client;
pub mod sse;

pub mod postgres;
pub mod redis;

pub mod folder;
pub mod port;
pub mod wait;

pub use postgres::PostgresServer;
pub use redis::RedisServer;
