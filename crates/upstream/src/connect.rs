//! The connector: checks the address, resolves its name, checks every address that the name stands
//! for, dials just those, and speaks TLS where the scheme asks for it.

use std::{
    future::{Future, ready},
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use async_trait::async_trait;
use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::{HttpConnector, dns::Name};
use rustls::{ClientConfig, RootCertStore};
use tower::Service;

use crate::egress::{Blocked, Rules};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What names stand for: the system's resolver, or a script in a test.
#[async_trait]
pub trait Resolve: Send + Sync + 'static {
    /// All addresses of a name. The port that is called is put in the place of port 0.
    async fn resolve(&self, name: &str) -> io::Result<Vec<SocketAddr>>;
}

/// The resolver of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host((name, 0)).await?.collect())
    }
}

pub(crate) type Connector = HttpsConnector<Guard<HttpConnector<GuardedResolver>>>;

/// Builds the connector of one class. TLS cannot be told to skip verification;
/// it believes the public authorities, or these instead.
pub(crate) fn connector(
    rules: &Rules,
    resolver: Arc<dyn Resolve>,
    authorities: Option<&RootCertStore>,
    connect_timeout: Duration,
) -> Connector {
    let mut tcp = HttpConnector::new_with_resolver(GuardedResolver {
        rules: rules.clone(),
        resolver,
    });
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(connect_timeout));
    tcp.set_keepalive(Some(Duration::from_secs(30)));
    let provider = rustls::crypto::ring::default_provider();
    let builder = HttpsConnectorBuilder::new();
    let builder = match authorities {
        None => builder
            .with_provider_and_webpki_roots(provider)
            .expect("ring supports the default TLS versions"),
        Some(authorities) => builder.with_tls_config(
            ClientConfig::builder_with_provider(Arc::new(provider))
                .with_safe_default_protocol_versions()
                .expect("ring supports the default TLS versions")
                .with_root_certificates(authorities.clone())
                .with_no_client_auth(),
        ),
    };
    builder
        .https_or_http()
        .enable_http1()
        .enable_http2()
        .wrap_connector(Guard {
            dial: tcp,
            rules: rules.clone(),
        })
}

/// Resolves names, and refuses those that stand for addresses that may not be dialled. What it
/// returns is what is dialled: no name is resolved twice for one connection.
#[derive(Clone)]
pub(crate) struct GuardedResolver {
    rules: Rules,
    resolver: Arc<dyn Resolve>,
}

impl Service<Name> for GuardedResolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let Self { rules, resolver } = self.clone();
        Box::pin(async move {
            let found = resolver.resolve(name.as_str()).await?;
            if found.is_empty() {
                return Err(io::Error::from(io::ErrorKind::NotFound).into());
            }
            let allowed = rules
                .check_addresses(name.as_str(), found)
                .map_err(report)?;
            Ok(allowed.into_iter())
        })
    }
}

/// Checks an address before anything is done about it.
#[derive(Clone)]
pub(crate) struct Guard<S> {
    pub(crate) dial: S,
    pub(crate) rules: Rules,
}

impl<S> Service<Uri> for Guard<S>
where
    S: Service<Uri>,
    S::Error: Into<BoxError>,
    S::Response: Send + 'static,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.dial.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        if let Err(blocked) = self.rules.check_uri(&uri) {
            return Box::pin(ready(Err(report(blocked))));
        }
        let dialling = self.dial.call(uri);
        Box::pin(async move { dialling.await.map_err(Into::into) })
    }
}

/// Makes a refusal heard: nobody but the operator can mend an address of theirs, and a tenant's may be
/// an attempt.
fn report(blocked: Blocked) -> BoxError {
    let class = blocked.class.as_str();
    tracing::warn!(egress.class = class, host = %blocked.host, problem = %blocked.problem, "an outbound address was refused");
    metrics::counter!("switchyard_egress_blocked_total", "class" => class).increment(1);
    blocked.into()
}

#[cfg(test)]
mod tests;
