//! The provider simulator as a program of its own.

use std::{error::Error, io::Write, net::SocketAddr};

use clap::Parser;
use switchyard_simulator::{Config, Profile, Simulator, serve};
use tokio::net::TcpListener;

/// Plays language-model providers: OpenAI Chat Completions and Anthropic Messages.
#[derive(Parser)]
#[command(name = "switchyard-simulator")]
struct Arguments {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:4010")]
    listen: SocketAddr,
    /// Milliseconds between tokens.
    #[arg(long, default_value_t = 15)]
    token_delay_ms: u64,
    /// Unix seconds that answers carry as their time of creation.
    #[arg(long, default_value_t = Config::default().created_seconds)]
    created_seconds: i64,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let profile = Profile {
        token_delay_ms: arguments.token_delay_ms,
        ..Profile::default()
    };
    let config = Config {
        profile,
        created_seconds: arguments.created_seconds,
        ..Config::default()
    };
    let listener = TcpListener::bind(arguments.listen).await?;
    let server = serve(listener, Simulator::new(config))?;
    writeln!(
        std::io::stdout(),
        "listening on http://{}",
        server.address()
    )?;
    tokio::signal::ctrl_c().await?;
    server.stop().await;
    Ok(())
}
