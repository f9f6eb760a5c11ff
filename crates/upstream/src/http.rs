//! The network implementation of the port: one HTTP exchange per attempt.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Response, StatusCode};
use hyper::body::Incoming;
use rustls::RootCertStore;
use switchyard_dialects::{anthropic_messages, openai_chat};
use switchyard_domain::clock::Clock;
use switchyard_interchange::{
    event::Completion,
    failure::{Failure, FailureKind},
    request::Dialect,
};

use crate::{
    answer::{Answer, AnswerStream, boxed, read_all},
    bedrock,
    call::{Answered, Call, Upstream},
    connect::{Resolve, SystemResolver},
    egress::EgressPolicy,
    limits::{COMPLETE_BODY_BYTES_MAX, ERROR_BODY_BYTES_MAX, Timeouts},
    prepared::{ErrorNames, Prepared, Reading, Sent},
    rate_limit::exhausted_for,
    redact::Redactor,
    registry::{Means, prepare},
    retry_after::retry_after,
    transport::Transport,
    vertex::AccessTokens,
};

/// Calls providers over HTTP.
pub struct HttpUpstream {
    transport: Transport,
    access_tokens: AccessTokens,
    timeouts: Timeouts,
    clock: Arc<dyn Clock>,
}

impl HttpUpstream {
    /// Calls providers at the addresses that the system's resolver finds.
    pub fn new(egress: EgressPolicy, timeouts: Timeouts, clock: Arc<dyn Clock>) -> Self {
        Self::resolving(egress, timeouts, clock, &(Arc::new(SystemResolver) as _))
    }

    /// Calls providers at the addresses that `resolver` finds, as far as `egress` allows them.
    pub fn resolving(
        egress: EgressPolicy,
        timeouts: Timeouts,
        clock: Arc<dyn Clock>,
        resolver: &Arc<dyn Resolve>,
    ) -> Self {
        let transport = Transport::new(egress, resolver, None, timeouts.connect);
        Self::over(transport, timeouts, clock)
    }

    /// As [`Self::resolving`], but in a network with authorities of its own: a provider is who it says
    /// it is where these say so, and no others.
    pub fn believing(
        authorities: &RootCertStore,
        egress: EgressPolicy,
        timeouts: Timeouts,
        clock: Arc<dyn Clock>,
        resolver: &Arc<dyn Resolve>,
    ) -> Self {
        let transport = Transport::new(egress, resolver, Some(authorities), timeouts.connect);
        Self::over(transport, timeouts, clock)
    }

    fn over(transport: Transport, timeouts: Timeouts, clock: Arc<dyn Clock>) -> Self {
        Self {
            transport,
            access_tokens: AccessTokens::new(Arc::clone(&clock)),
            timeouts,
            clock,
        }
    }

    fn means(&self) -> Means<'_> {
        Means {
            clock: &*self.clock,
            transport: &self.transport,
            access_tokens: &self.access_tokens,
        }
    }

    async fn refusal(&self, reading: Reading, response: Response<Incoming>) -> Failure {
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
        let named = match reading.errors {
            ErrorNames::Status => None,
            ErrorNames::AmazonHeader => bedrock::refusal::telling_status(response.headers()),
        };
        let telling = named.unwrap_or(status.as_u16());
        let whole = read_all(boxed(response.into_body()), ERROR_BODY_BYTES_MAX);
        let body = match tokio::time::timeout(self.timeouts.idle, whole).await {
            Ok(Ok(body)) => body,
            Ok(Err(_)) | Err(_) => Bytes::new(),
        };
        let failure = match reading.dialect {
            Dialect::OpenAiChat => openai_chat::decode_error(telling, wait, &body),
            Dialect::AnthropicMessages => anthropic_messages::decode_error(telling, wait, &body),
        };
        Failure {
            status: named.map_or(failure.status, |_| Some(status.as_u16())),
            ..failure
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
        let Prepared {
            request,
            egress,
            reading,
            sent,
        } = prepare(call, self.means()).await?;
        let redactor = || Redactor::new(&sent, call.credential);
        let first_byte = if call.request.stream {
            self.timeouts.first_byte
        } else {
            self.timeouts.first_byte_of_complete()
        };
        let response = self.transport.exchange(egress, request, first_byte).await?;
        if response.status() != StatusCode::OK {
            if let Sent::AccessToken(token) = &sent
                && response.status() == StatusCode::UNAUTHORIZED
            {
                self.access_tokens.drop_refused(call.credential, token);
            }
            let refusal = self.refusal(reading, response).await;
            return Err(redactor().clean(refusal));
        }
        let exhausted_for = exhausted_for(response.headers(), self.clock.now());
        let streams = reading
            .framing
            .is_stream(response.headers(), call.request.stream);
        let answer = if streams {
            let body = boxed(response.into_body());
            let stream = AnswerStream::new(reading, body, self.timeouts.idle, redactor());
            Answer::Stream(Box::new(stream))
        } else {
            let complete = self.complete(reading.dialect, response).await;
            Answer::Complete(Box::new(
                complete.map_err(|failure| redactor().clean(failure))?,
            ))
        };
        Ok(Answered {
            answer,
            exhausted_for,
        })
    }
}
