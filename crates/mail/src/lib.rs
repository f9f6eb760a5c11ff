//! Mail to people: over SMTP, or into a box that the demo shows.
//!
//! The port is the app's. What a mail says is decided there; here it is only sent.
