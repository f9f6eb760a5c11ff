//! Wire formats, one folder each, both directions: what a client or a provider writes becomes the
//! internal form of `switchyard-interchange`, and back.
//!
//! Everything is pure and synchronous: bytes and values in, bytes and values out; no I/O, no
//! clock, no randomness. No dialect knows another; what they share is [`error`], the fields that
//! any front format may carry ([`extensions`]), where cache marks go ([`cache_marks`]) and the JSON
//! reading beneath them.
//!
//! Start at [`openai_chat`], the format that most clients and providers speak.

pub mod error;

mod json;

pub mod extensions;

pub mod cache_marks;

pub mod openai_chat;

pub mod anthropic_messages;
