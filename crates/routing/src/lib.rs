//! Provider selection: rule out, rank, explain.
//!
//! A pure, synchronous function: catalogue, health, policy, clock and seed are arguments, so any
//! decision can be replayed. It performs no I/O and never sees a credential. Only the filter
//! stage can make a [`vetted::Vetted`] endpoint, and nothing else can be called.
//!
//! Start at [`select::select`], which is the story in one screen: names become models
//! (`resolve`), endpoints that may not serve are removed (`rule_out`), the rest is put in order
//! (`rank`), and where nothing is left the caller learns what to change ([`explain`]).
#![warn(missing_docs)]

pub mod select;

mod resolve;
mod rule_out;
mod slug;

mod cost;
mod patience;
mod rank;

pub mod explain;
pub mod metadata;
pub mod offer;
pub mod record;
pub mod replay;
pub mod stickiness;

pub mod credentials;
pub mod health;
pub mod policy;

pub use rule_out::{region_includes, vetted};

#[cfg(test)]
mod tests;
