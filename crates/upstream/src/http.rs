//! The network implementation of the port: one HTTP exchange per attempt.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, Request, Response, StatusCode,
    header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, USER_AGENT},
};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{Client, Error as ClientError},
    rt::{TokioExecutor, TokioTimer},
};
use switchyard_dialects::{anthropic_messages, openai_chat};
use switchyard_domain::{clock::Clock, secret::Secret};
use switchyard_interchange::{
    event::Completion,
    failure::{Failure, FailureKind},
    request::Dialect,
};
use zeroize::Zeroizing;

use crate::{
    answer::{Answer, AnswerStream, boxed, read_all},
    call::{Answered, Call, Upstream},
    connect::{Connector, connector},
    egress::EgressPolicy,
    limits::{
        COMPLETE_BODY_BYTES_MAX, ERROR_BODY_BYTES_MAX, POOL_IDLE, POOL_IDLE_PER_HOST_MAX, Timeouts,
    },
    rate_limit::exhausted_for,
    registry::{FamilyCodec, codec},
    retry_after::retry_after,
};

/// Calls providers over HTTP. Redirects are never followed (a 3xx is an error) and proxy
/// variables are never read: the client underneath knows neither.
pub struct HttpUpstream {
    client: Client<Connector, Full<Bytes>>,
    timeouts: Timeouts,
    clock: Arc<dyn Clock>,
}

impl HttpUpstream {
    /// A client with its own connection pool.
    pub fn new(egress: EgressPolicy, timeouts: Timeouts, clock: Arc<dyn Clock>) -> Self {
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(POOL_IDLE)
            .pool_max_idle_per_host(POOL_IDLE_PER_HOST_MAX)
            .http2_keep_alive_interval(Duration::from_secs(20))
            .http2_keep_alive_timeout(Duration::from_secs(10))
            .timer(TokioTimer::new())
            .build(connector(egress, timeouts.connect));
        Self {
            client,
            timeouts,
            clock,
        }
    }

    async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
        first_byte: Duration,
    ) -> Result<Response<Incoming>, Failure> {
        match tokio::time::timeout(first_byte, self.client.request(request)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(transport_failure(&error)),
            Err(_) => Err(Failure::new(
                FailureKind::Timeout,
                "the provider did not begin to answer in time",
            )),
        }
    }

    async fn refusal(&self, dialect: Dialect, response: Response<Incoming>) -> Failure {
        let status = response.status();
        let wait = retry_after(response.headers(), self.clock.now());
        if status.is_redirection() {
            let mut failure = Failure::new(
                FailureKind::Protocol,
                "the provider answered with a redirect",
            );
            failure.status = Some(status.as_u16());
            return failure;
        }
        let reading = read_all(boxed(response.into_body()), ERROR_BODY_BYTES_MAX);
        let body = match tokio::time::timeout(self.timeouts.idle, reading).await {
            Ok(Ok(body)) => body,
            Ok(Err(_)) | Err(_) => Bytes::new(),
        };
        match dialect {
            Dialect::OpenAiChat => openai_chat::decode_error(status.as_u16(), wait, &body),
            Dialect::AnthropicMessages => {
                anthropic_messages::decode_error(status.as_u16(), wait, &body)
            }
        }
    }

    async fn complete(
        &self,
        dialect: Dialect,
        response: Response<Incoming>,
    ) -> Result<Completion, Failure> {
        let reading = read_all(boxed(response.into_body()), COMPLETE_BODY_BYTES_MAX);
        let body = tokio::time::timeout(self.timeouts.idle, reading)
            .await
            .map_err(|_| {
                Failure::new(
                    FailureKind::Timeout,
                    "the provider fell silent in the middle of its answer",
                )
            })??;
        match dialect {
            Dialect::OpenAiChat => openai_chat::decode_completion(body),
            Dialect::AnthropicMessages => anthropic_messages::decode_completion(body),
        }
    }
}

#[async_trait]
impl Upstream for HttpUpstream {
    async fn send(&self, call: Call<'_>) -> Result<Answered, Failure> {
        let family = call
            .endpoint
            .provider()
            .family
            .expect("a vetted endpoint is callable, and that needs a family");
        let codec = codec(family);
        let request = build_request(codec, call)?;
        let first_byte = if call.request.stream {
            self.timeouts.first_byte
        } else {
            self.timeouts.first_byte_of_complete()
        };
        let response = self.exchange(request, first_byte).await?;
        if response.status() != StatusCode::OK {
            return Err(self.refusal(codec.dialect, response).await);
        }
        let exhausted_for = exhausted_for(response.headers(), self.clock.now());
        let answer = if is_event_stream(response.headers(), call.request.stream) {
            let body = boxed(response.into_body());
            let stream = AnswerStream::new(codec.dialect, body, self.timeouts.idle);
            Answer::Stream(Box::new(stream))
        } else {
            Answer::Complete(Box::new(self.complete(codec.dialect, response).await?))
        };
        Ok(Answered {
            answer,
            exhausted_for,
        })
    }
}

fn build_request(codec: &FamilyCodec, call: Call<'_>) -> Result<Request<Full<Bytes>>, Failure> {
    let base = call
        .endpoint
        .endpoint()
        .base_url
        .as_deref()
        .expect("a vetted endpoint is callable, and that needs an address");
    let body = (codec.encode)(call)?;
    let accept = if call.request.stream {
        "text/event-stream"
    } else {
        "application/json"
    };
    let mut builder = Request::builder()
        .method(Method::POST)
        .uri(format!("{}{}", base.trim_end_matches('/'), codec.path))
        .header(CONTENT_TYPE, "application/json")
        .header(ACCEPT, accept)
        .header(ACCEPT_ENCODING, "identity")
        .header(
            USER_AGENT,
            concat!("switchyard/", env!("CARGO_PKG_VERSION")),
        );
    if let Some(hint) = call.affinity
        && let Some(header) = (codec.affinity_header)(call.endpoint)
    {
        builder = builder.header(header, hint);
    }
    (codec.authenticate)(builder, call.credential)?
        .body(Full::new(Bytes::from(body)))
        .map_err(|_| {
            Failure::new(
                FailureKind::Unsupported,
                "the endpoint's address in the catalogue is invalid",
            )
        })
}

/// A header value that holds a credential: marked sensitive, so that no layer prints it.
pub(crate) fn header_secret(
    prefix: &str,
    credential: &Secret<Vec<u8>>,
) -> Result<HeaderValue, Failure> {
    let mut text = Zeroizing::new(Vec::with_capacity(prefix.len() + credential.expose().len()));
    text.extend_from_slice(prefix.as_bytes());
    text.extend_from_slice(credential.expose());
    let mut value = HeaderValue::from_bytes(&text).map_err(|_| {
        Failure::new(
            FailureKind::Auth,
            "the stored credential is not usable as a header",
        )
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Some providers stream under a wrong content type, and some answer a stream request with one
/// document; what the header says wins unless it says nothing.
fn is_event_stream(headers: &HeaderMap, asked_for_stream: bool) -> bool {
    match headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
    {
        Some(kind) if kind.starts_with("text/event-stream") => true,
        Some(kind) if kind.starts_with("application/json") => false,
        Some(_) | None => asked_for_stream,
    }
}

fn transport_failure(error: &ClientError) -> Failure {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
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
