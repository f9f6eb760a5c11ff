//! Models, providers, endpoints, prices and data policies: loaded from four files, validated as a
//! whole, published as one immutable [`snapshot::Catalog`].
//!
//! Reads files, never the network, and never keeps half of a catalogue: either all four files
//! hold together, or every fault in them is reported and the last good catalogue stays.
//!
//! Start at [`snapshot`] for what the rest of the house sees, at [`cell`] for how it is replaced
//! while the service runs, at [`load`] for how files become a snapshot.

pub mod snapshot;
pub mod wire_format;

pub mod cell;
pub mod listing;

pub mod findings;
pub mod load;

mod limits;

mod document;
mod reader;
mod schema;

mod address;
mod price_list;

mod assemble;
mod validate;
