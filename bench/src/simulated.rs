//! The providers behind everything measured: canned answers, rendered once.

use std::{collections::HashMap, io, net::SocketAddr};

use switchyard_simulator::{Canned, Config, Profile, Simulator, serve as serve_simulator};
use tokio::net::TcpListener;

use crate::child;

/// Providers that serve the model; the gateway chooses among them.
pub(crate) const PROVIDERS: [&str; 3] = ["bench-a", "bench-b", "bench-c"];
/// Content chunks in a stream.
pub(crate) const CHUNKS_PER_STREAM: u64 = 200;
/// The pace of ordinary streams: 200 tokens a second.
pub(crate) const CHUNK_DELAY_MS: u64 = 5;
/// The pace of streams that are held open.
pub(crate) const DRIP_DELAY_MS: u64 = 250;

/// Serves until the process ends.
pub(crate) async fn serve(listen: SocketAddr) -> io::Result<()> {
    let profiles: HashMap<_, _> = PROVIDERS
        .iter()
        .map(|name| ((*name).to_owned(), profile(CHUNK_DELAY_MS)))
        .collect();
    let listener = TcpListener::bind(listen).await?;
    let simulator = Simulator::new(Config {
        profiles,
        ..Config::default()
    });
    let server = serve_simulator(listener, simulator)?;
    child::announce(server.address())?;
    std::future::pending().await
}

/// A provider that sends a chunk every so often.
pub(crate) fn profile(token_delay_ms: u64) -> Profile {
    let canned = Canned {
        chunks: usize::try_from(CHUNKS_PER_STREAM).unwrap_or(usize::MAX),
        token_delay_ms,
        model: "bench/model".to_owned(),
    };
    Profile {
        canned: Some(canned),
        ..Profile::default()
    }
}

/// The path of a provider's chat completions.
pub(crate) fn chat_path(provider: &str) -> String {
    format!("/p/{provider}/v1/chat/completions")
}
