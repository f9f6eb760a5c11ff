//! What operators see: structured logs and Prometheus metrics.
//!
//! Logs are events with typed fields; nothing here, and no type that reaches here, can hold a
//! prompt, a completion or a credential. Crates record through the `tracing` and `metrics`
//! facades; this one decides where it goes. Start at [`logs`] or [`metrics_endpoint`].

pub mod logs;
pub mod metrics_endpoint;
