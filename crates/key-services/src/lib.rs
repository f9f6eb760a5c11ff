//! Key services that are asked over a network to guard the vault's outermost keys: AWS KMS and
//! HashiCorp Vault's transit engine (or OpenBao's), each a [`KeyProvider`].
//!
//! A question ends within two seconds and is put at most twice; a service that keeps failing is
//! left alone for a while. What comes of it is an answer or an error: nothing here falls back to
//! another provider, to a key of its own, or to plaintext. It must not know who the tenants are or
//! what is sealed under their keys, and reads neither files nor the environment.
//!
//! Start at [`aws_kms`] or [`transit`], which say what is sent; both ask through `line`, which has
//! the deadlines, over `wire`, which has the connections.
//!
//! [`KeyProvider`]: switchyard_vault::KeyProvider
#![warn(missing_docs)]

pub mod aws_kms;
pub mod transit;

pub mod address;
mod breaker;
mod limits;
mod line;
mod probe;
mod secret_text;
mod trouble;
mod trust;
mod wire;

pub use address::ServiceAddress;
pub use aws_kms::{AwsCredentials, AwsKms, AwsKmsSettings, KeyArn};
pub use transit::{Transit, TransitName, TransitPath, TransitSettings};
pub use trouble::Trouble;
pub use trust::{InvalidCertificates, Trust};
