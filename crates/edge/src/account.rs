//! What callers read about themselves. Money is written as exact decimal numbers, never through a
//! floating-point value.

pub(crate) mod credits;
pub(crate) mod decision;
pub(crate) mod generation;
pub(crate) mod key;
pub(crate) mod receipt;

pub(crate) mod amount;
