//! What a generation costs, who pays, and what may be spent: price arithmetic, funds and leases,
//! settlement, the double-entry ledger.
//!
//! Integers only; no I/O; time is an argument. The one asynchronous file is [`store`], the port
//! through which money reaches SQL. Start at [`price`](mod@price) for the arithmetic, at [`fund`]
//! and [`lease`] for how a limit is kept without a query per request.
#![warn(missing_docs)]
#![deny(clippy::float_arithmetic)]

pub mod outcome;
pub mod price;
pub mod quote;

pub mod fund;
pub mod lease;

pub mod ledger;
pub mod settlement;
pub mod store;

#[cfg(feature = "test-suite")]
pub mod test_suite;
