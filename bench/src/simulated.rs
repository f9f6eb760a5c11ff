//! The providers behind everything measured: canned answers, rendered once. Those of the agent's
//! session read what they are asked and cache it.

use std::{collections::HashMap, io, net::SocketAddr};

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use switchyard_simulator::{Canned, Config, Profile, Simulator, serve as serve_simulator};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use crate::{agent::OFFERS, child};

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
        .chain(OFFERS.iter().map(|offer| {
            let profile = Profile {
                caching: offer.caching(),
                ..Profile::default()
            };
            (offer.provider.to_owned(), profile)
        }))
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

/// Everyone the gateway may ask.
pub(crate) fn all_providers() -> impl Iterator<Item = &'static str> {
    PROVIDERS
        .into_iter()
        .chain(OFFERS.iter().map(|offer| offer.provider))
}

/// Tells the simulator something by one of its own routes.
pub(crate) async fn tell(
    providers: SocketAddr,
    method: Method,
    path: &str,
    body: impl Into<Bytes>,
) -> io::Result<()> {
    let stream = TcpStream::connect(providers).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(io::Error::other)?;
    let mut driver = JoinSet::new();
    driver.spawn(async move {
        // A failure shows in the answer.
        let _ = connection.await;
    });
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "simulator")
        .body(Full::new(body.into()))
        .map_err(io::Error::other)?;
    let response = sender
        .send_request(request)
        .await
        .map_err(io::Error::other)?;
    if !response.status().is_success() {
        return Err(io::Error::other(format!("the simulator refused {path}")));
    }
    response
        .into_body()
        .collect()
        .await
        .map_err(io::Error::other)?;
    Ok(())
}
