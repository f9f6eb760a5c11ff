//! The words every other crate shares, as types: ids, money, tokens, time, secrets, tenancy.
//!
//! Nothing here performs I/O, reads a clock or draws a random number; time and randomness are
//! arguments everywhere. Start at [`money`] for what a charge is made of, at [`tenancy`] for who
//! a request belongs to.
#![warn(missing_docs)]

pub mod clock;
pub mod country;
pub mod endpoint;
pub mod id;
pub mod model;
pub mod money;
pub mod patch;
pub mod price_list;
pub mod provider;
pub mod secret;
pub mod tenancy;
pub mod tokens;
