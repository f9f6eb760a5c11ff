//! One HTTP exchange. No redirect is followed, no proxy variable read: the client underneath knows
//! neither.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use zeroize::Zeroizing;

use crate::{
    address::ServiceAddress,
    limits::{BODY_BYTES_MAX, FIRST_TRY_TIMEOUT, POOL_IDLE, POOL_IDLE_MAX},
    trouble::Trouble,
    trust::Trust,
};

pub(crate) type Question = Request<Full<Bytes>>;

/// What a service answered, whatever its status.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Zeroizing<Vec<u8>>,
}

/// Connections to one service.
pub(crate) struct Wire {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl Wire {
    pub(crate) fn new(address: &ServiceAddress, trust: &Trust) -> Self {
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(POOL_IDLE)
            .pool_max_idle_per_host(POOL_IDLE_MAX)
            .build(connector(address, trust));
        Self { client }
    }

    /// Sends and reads to the end. The caller has the deadline.
    pub(crate) async fn exchange(&self, question: Question) -> Result<Answer, Trouble> {
        let response = self
            .client
            .request(question)
            .await
            .map_err(|error| Trouble::Unreachable(Box::new(error)))?;
        let status = response.status();
        if status.is_redirection() {
            return Err(Trouble::Redirected {
                status: status.as_u16(),
            });
        }
        let body = read(response.into_body()).await?;
        Ok(Answer { status, body })
    }
}

async fn read(mut body: Incoming) -> Result<Zeroizing<Vec<u8>>, Trouble> {
    // Sized beforehand: it may hold a key, and a buffer that grew would leave copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(BODY_BYTES_MAX));
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Trouble::Unreachable(Box::new(error)))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if bytes.len() + data.len() > BODY_BYTES_MAX {
            return Err(Trouble::TooLong);
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}

fn connector(address: &ServiceAddress, trust: &Trust) -> HttpsConnector<HttpConnector> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(FIRST_TRY_TIMEOUT));
    tcp.set_keepalive(Some(Duration::from_secs(30)));
    let builder = HttpsConnectorBuilder::new();
    let builder = match trust.client_config() {
        Some(config) => builder.with_tls_config(config),
        None => builder
            .with_provider_and_webpki_roots(rustls::crypto::ring::default_provider())
            .expect("ring supports the default TLS versions"),
    };
    let builder = if address.is_https() {
        builder.https_only()
    } else {
        builder.https_or_http()
    };
    builder.enable_http1().wrap_connector(tcp)
}
