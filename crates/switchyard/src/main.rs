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

fn main() -> ExitCode {
    cli::run()
}
