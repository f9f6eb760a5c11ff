//! The rules as tables: a catalogue in a few words, a request in a few words, the plan.

mod affinity;
mod costs;
mod explain;
mod fixture;
mod golden;
mod metadata;
mod names;
mod own_credentials;
mod pins;
mod properties;
mod ranking;
mod replay;
mod routers;
mod rules;
mod scopes;
mod spread;
mod stickiness;
