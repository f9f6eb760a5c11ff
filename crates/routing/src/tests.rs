//! The rules as tables: a catalogue in a few words, a request in a few words, the plan.

mod explain;
mod fixture;
mod golden;
mod metadata;
mod names;
mod properties;
mod ranking;
mod replay;
mod rules;
mod spread;
mod stickiness;
