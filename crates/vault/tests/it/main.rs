//! The vault from outside: what it promises, whatever lies in the database.

mod bench;
mod caching;
mod frozen;
mod keyring;
mod keyring_changes;
mod rotation;
mod sealing;
mod signing;
mod tampering;
