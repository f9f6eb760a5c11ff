//! What carries requests: a client for each class of addresses, each with connections of its own.
//! Redirects are never followed (a 3xx is an answer like any other), proxy variables are never read and
//! cookies never kept: the client underneath knows none of them.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{Client, Error as ClientError},
    rt::{TokioExecutor, TokioTimer},
};
use rustls::RootCertStore;
use switchyard_interchange::failure::{Failure, FailureKind};

use crate::{
    connect::{Connector, Resolve, connector},
    egress::{Blocked, EgressClass, EgressPolicy, Rules},
    limits::{POOL_IDLE, POOL_IDLE_PER_HOST_MAX},
};

/// The way out.
pub(crate) struct Transport {
    operator: Client<Connector, Full<Bytes>>,
    tenant: Client<Connector, Full<Bytes>>,
}

impl Transport {
    pub(crate) fn new(
        policy: EgressPolicy,
        resolver: &Arc<dyn Resolve>,
        authorities: Option<&RootCertStore>,
        connect_timeout: Duration,
    ) -> Self {
        let policy = Arc::new(policy);
        let client = |class| {
            let policy = Arc::clone(&policy);
            let rules = Rules { class, policy };
            Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .pool_idle_timeout(POOL_IDLE)
                .pool_max_idle_per_host(POOL_IDLE_PER_HOST_MAX)
                .http2_keep_alive_interval(Duration::from_secs(20))
                .http2_keep_alive_timeout(Duration::from_secs(10))
                .timer(TokioTimer::new())
                .build(connector(
                    &rules,
                    Arc::clone(resolver),
                    authorities,
                    connect_timeout,
                ))
        };
        Self {
            operator: client(EgressClass::Operator),
            tenant: client(EgressClass::Tenant),
        }
    }

    /// Sends a request and waits for the head of the answer, at most `first_byte`.
    pub(crate) async fn exchange(
        &self,
        class: EgressClass,
        request: Request<Full<Bytes>>,
        first_byte: Duration,
    ) -> Result<Response<Incoming>, Failure> {
        let client = match class {
            EgressClass::Operator => &self.operator,
            EgressClass::Tenant => &self.tenant,
        };
        match tokio::time::timeout(first_byte, client.request(request)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(failure_of(&error)),
            Err(_) => Err(Failure::new(
                FailureKind::Timeout,
                "the provider did not begin to answer in time",
            )),
        }
    }
}

fn failure_of(error: &ClientError) -> Failure {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        // The guard has said so already, where it knew the class.
        if inner.is::<Blocked>() {
            return Failure::new(
                FailureKind::EgressBlocked,
                "the endpoint's address is not one that may be called",
            );
        }
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    tracing::debug!(error = %text, "provider could not be reached");
    if error.is_connect() {
        Failure::new(FailureKind::Connect, "the provider could not be reached")
    } else {
        Failure::new(
            FailureKind::Protocol,
            "the provider closed the connection without an answer",
        )
    }
}
