//! Where requests go and why, without going there.

pub(crate) mod explain;
