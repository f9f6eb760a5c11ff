//! The web console: pages for those who own, use and pay for an account.
//!
//! A handler decodes, calls `switchyard-app` and renders. Nothing here sees a database, and who may see
//! or do what stands in the one table of `switchyard_domain::authority`.
