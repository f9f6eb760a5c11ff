//! All SQL, for PostgreSQL and SQLite: the money ledger behind
//! [`LedgerStore`](switchyard_billing::store::LedgerStore), signed receipts behind [`ReceiptStore`],
//! and everything else that must outlive a process behind [`Directory`].
//!
//! One method of a port is one transaction. Each statement is written once (`queries/`) and compiled
//! for both engines by `postgres.rs` and `sqlite.rs`, which hold the true differences. Nothing here
//! ever sees a plain secret: credentials arrive sealed, API keys as verifiers. No clock is read and
//! no id is made here; both are arguments. Start at [`directory`] for what can be asked, at
//! [`open`](mod@open) for how a database is reached, at `queries/post.rs` for how money is written.
#![warn(missing_docs)]

pub mod directory;
pub mod open;

pub mod account;
pub mod activity;
pub mod api_key;
pub mod audit;
pub mod credential;
pub mod generation;
pub mod idempotency;
pub mod oauth;
pub mod organization;
pub mod own_credential;
pub mod person;
pub mod policy;
pub mod proof;
pub mod receipts;
pub mod sealed;
pub mod tenancy;

mod postgres;
mod sqlite;

mod failure;
mod portable;

pub use activity::ActivityStore;
pub use directory::{Directory, DirectoryError};
pub use open::{OpenError, OpenOptions, Store, open};
pub use own_credential::OwnCredentialStore;
pub use receipts::ReceiptStore;
