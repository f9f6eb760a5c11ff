//! The house rules that neither the compiler nor clippy can see, as checks that run with the tests.
//!
//! It must not depend on anything of ours: a rule that the code could bend is no rule. Every check
//! takes a [`tree::Tree`] and gives [`finding::Finding`]s, so the checks themselves are tested on
//! small trees made up for the purpose; `tests/house.rs` then runs them on the real one.
//!
//! Start at [`layering`] for who may depend on whom, at [`tidy`] for what files may contain, at
//! [`map`] for what the documents promise.
#![warn(missing_docs)]

pub mod finding;
pub mod tree;

pub mod layering;
pub mod map;
pub mod tidy;

mod rust_source;
