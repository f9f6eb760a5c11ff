//! The least that a proxy can do: take a request, send it to one place over a kept-alive
//! connection, stream both bodies through. No keys, no routing, no metering, no limits.

use std::{io, net::SocketAddr};

use http::{Request, Response, StatusCode, Uri, header::HOST, uri::PathAndQuery};
use http_body_util::{BodyExt, Empty, combinators::BoxBody};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use tokio::{net::TcpListener, task::JoinSet};

use crate::child;

type Body = BoxBody<bytes::Bytes, hyper::Error>;

#[derive(Clone)]
struct Proxy {
    client: Client<HttpConnector, Incoming>,
    upstream: SocketAddr,
}

/// Serves until the process ends.
pub(crate) async fn serve(listen: SocketAddr, upstream: SocketAddr) -> io::Result<()> {
    let listener = TcpListener::bind(listen).await?;
    child::announce(listener.local_addr()?)?;
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client = Client::builder(TokioExecutor::new()).build(connector);
    let proxy = Proxy { client, upstream };
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (stream, _) = accepted?;
                stream.set_nodelay(true)?;
                let proxy = proxy.clone();
                connections.spawn(async move {
                    let service = service_fn(|request| proxy.forward(request));
                    // A client that leaves is not this proxy's concern.
                    let _ = http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

impl Proxy {
    async fn forward(&self, mut request: Request<Incoming>) -> Result<Response<Body>, http::Error> {
        let path = request.uri().path_and_query().cloned();
        *request.uri_mut() = Uri::builder()
            .scheme("http")
            .authority(self.upstream.to_string())
            .path_and_query(path.unwrap_or_else(|| PathAndQuery::from_static("/")))
            .build()?;
        // The client writes the upstream's own.
        request.headers_mut().remove(HOST);
        match self.client.request(request).await {
            Ok(response) => Ok(response.map(BodyExt::boxed)),
            Err(_) => {
                let nothing = Empty::new().map_err(|never| match never {}).boxed();
                Response::builder()
                    .status(StatusCode::BAD_GATEWAY)
                    .body(nothing)
            }
        }
    }
}
