//! Mail to people: over SMTP, or into a box that the demo shows.
//!
//! The port is the app's. What a mail says is decided there; here it is only sent, and neither its text
//! nor its address is logged. Start at [`outbox`], which a mail waits in; [`smtp`] is where it goes,
//! [`kept`] where the demo's stay.
#![warn(missing_docs)]

pub mod outbox;
pub mod smtp;

pub mod kept;

#[cfg(test)]
mod fixture;
