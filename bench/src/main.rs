//! Measures what the gateway costs: beside a proxy that does nothing, and beside no proxy at all,
//! on one machine in one run.
//!
//! The thing measured has core 0 to itself; providers (simulated) and load share core 1. Rounds
//! are interleaved, so that a slow minute of the machine hits everyone. Processor time per request
//! and per streamed chunk are the figures that noise spares; latencies are given as differences.
//!
//! At the end a coding agent's session is replayed by way of the gateway, and its bill compared with
//! the best possible: [`agent`].
//!
//! Start at [`run`] for the order of events, at [`scenario`] for what is measured.

mod agent;
mod catalog;
mod child;
mod gateway;
mod histogram;
mod load;
mod passthrough;
mod proc;
mod report;
mod run;
mod scenario;
mod simulated;
mod target;

use std::{
    io::{self, Write},
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
};

use clap::{Args, Parser, Subcommand};

use crate::run::BenchError;

#[derive(Parser)]
#[command(name = "switchyard-bench", about = "Measures what the gateway costs")]
struct Arguments {
    #[command(subcommand)]
    role: Role,
}

#[derive(Subcommand)]
enum Role {
    /// Run the benchmark and print a table.
    Run(RunArguments),
    /// Play the providers; started by `run`.
    #[command(hide = true)]
    Simulator {
        #[arg(long)]
        listen: SocketAddr,
    },
    /// Be the proxy that does nothing; started by `run`.
    #[command(hide = true)]
    Passthrough {
        #[arg(long)]
        listen: SocketAddr,
        #[arg(long)]
        upstream: SocketAddr,
    },
}

/// What to measure, and how long.
#[derive(Args)]
pub(crate) struct RunArguments {
    /// The `switchyard` binary; build it with the `dist` profile.
    #[arg(long)]
    pub(crate) gateway_bin: PathBuf,
    /// A look instead of a measurement: below half a minute.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Write every figure as JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// A setting for the gateway's environment, as KEY=VALUE; may be repeated.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) gateway_env: Vec<String>,
}

fn main() -> ExitCode {
    match play(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // With standard error gone there is nobody left to tell.
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

fn play(arguments: Arguments) -> Result<(), BenchError> {
    if let Role::Run(_) = &arguments.role {
        // Before the runtime starts threads, so that all of them inherit it.
        child::pin_this_process_to_core(run::LOAD_CORE)?;
    }
    // One thread per role: each has one core, and a second thread would only be switched to.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        match arguments.role {
            Role::Run(arguments) => run::run(&arguments).await,
            Role::Simulator { listen } => Ok(simulated::serve(listen).await?),
            Role::Passthrough { listen, upstream } => {
                Ok(passthrough::serve(listen, upstream).await?)
            }
        }
    })
}
