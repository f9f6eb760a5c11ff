//! The `switchyard` binary: commands, configuration, and the composition root that puts the parts
//! together. No logic lives here; start at [`cli`] for what can be asked, at [`serve`] for what a
//! running service is made of.

mod cli;
mod commands;
mod config;
mod demo;
mod foundation;
mod serve;
mod system;

use std::process::ExitCode;

/// A request makes some hundred small pieces that live as long as it does. SQLite's pieces come from
/// here as well.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    cli::run()
}
