//! The crate from outside: the shipped catalogue, broken ones, and reloads.

mod fixture;

mod shipped;

mod demo;

mod settled;

mod overrides;

mod faults;

mod reload;

mod never_panics;
