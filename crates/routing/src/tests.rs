//! The rules as tables: a catalogue in a few words, a request in a few words, the plan.

mod costs;
mod explain;
mod fixture;
mod golden;
mod metadata;
mod names;
mod pins;
mod properties;
mod ranking;
mod rules;
mod spread;
mod stickiness;
