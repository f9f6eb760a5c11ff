//! The connector: resolves, checks every address against the egress rules, dials, and speaks TLS
//! where the scheme asks for it.

use std::{
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::{HttpConnector, dns::Name};
use tower::Service;

use crate::egress::EgressPolicy;

pub(crate) type Connector = HttpsConnector<LiteralGuard>;

/// Builds the connector. TLS cannot be told to skip verification.
pub(crate) fn connector(egress: EgressPolicy, connect_timeout: Duration) -> Connector {
    let egress = Arc::new(egress);
    let mut tcp = HttpConnector::new_with_resolver(GuardedResolver {
        egress: egress.clone(),
    });
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(connect_timeout));
    tcp.set_keepalive(Some(Duration::from_secs(30)));
    HttpsConnectorBuilder::new()
        .with_provider_and_webpki_roots(rustls::crypto::ring::default_provider())
        .expect("ring supports the default TLS versions")
        .https_or_http()
        .enable_http1()
        .enable_http2()
        .wrap_connector(LiteralGuard { tcp, egress })
}

/// Resolves names and drops addresses that may not be dialled.
#[derive(Clone)]
pub(crate) struct GuardedResolver {
    egress: Arc<EgressPolicy>,
}

impl Service<Name> for GuardedResolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let egress = self.egress.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> = found
                .filter(|address| egress.allows(address.ip()))
                .collect();
            if allowed.is_empty() {
                return Err(refused(name.as_str()));
            }
            Ok(allowed.into_iter())
        })
    }
}

/// Checks hosts that are literal addresses, which never reach a resolver.
#[derive(Clone)]
pub(crate) struct LiteralGuard {
    tcp: HttpConnector<GuardedResolver>,
    egress: Arc<EgressPolicy>,
}

impl Service<Uri> for LiteralGuard {
    type Response = <HttpConnector<GuardedResolver> as Service<Uri>>::Response;
    type Error = Box<dyn std::error::Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.tcp.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let host = uri.host().unwrap_or_default();
        let literal = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse::<IpAddr>();
        if let Ok(address) = literal
            && !self.egress.allows(address)
        {
            let error = refused(host);
            return Box::pin(async move { Err(error.into()) });
        }
        let connecting = self.tcp.call(uri);
        Box::pin(async move { connecting.await.map_err(Into::into) })
    }
}

fn refused(host: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::PermissionDenied,
        format!("egress rules do not allow the addresses of `{host}`"),
    )
}
