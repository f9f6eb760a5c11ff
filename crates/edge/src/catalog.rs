//! The catalogue as clients read it. Public: no key is asked for.
//!
//! A model is listed when at least one endpoint of it has a known price, because a model without a
//! price cannot be called, and while its author has not withdrawn it. Uptime, latency and
//! throughput are `null`: what others measured is not ours to claim.

pub(crate) mod shelf;

pub(crate) mod endpoints;
pub(crate) mod models;
pub(crate) mod providers;

mod filter;
mod page;
mod query;
mod sort;

pub(crate) mod endpoint_view;
pub(crate) mod model_view;
pub(crate) mod pricing_view;

mod names;

#[cfg(test)]
mod tests;
