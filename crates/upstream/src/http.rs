//! The network implementation of the port: one HTTP exchange per attempt.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Response, StatusCode};
use hyper::body::Incoming;
use switchyard_dialects::{anthropic_messages, openai_chat};
use switchyard_domain::clock::Clock;
use switchyard_interchange::{
    event::Completion,
    failure::{Failure, FailureKind},
    request::Dialect,
};

use crate::{
    answer::{Answer, AnswerStream, boxed, read_all},
    call::{Answered, Call, Upstream},
    connect::{Resolve, SystemResolver},
    egress::EgressPolicy,
    limits::{COMPLETE_BODY_BYTES_MAX, ERROR_BODY_BYTES_MAX, Timeouts},
    prepared::Prepared,
    rate_limit::exhausted_for,
    redact::Redactor,
    registry::prepare,
    retry_after::retry_after,
    transport::Transport,
};

/// Calls providers over HTTP.
pub struct HttpUpstream {
    transport: Transport,
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
        Self {
            transport: Transport::new(egress, resolver, timeouts.connect),
            timeouts,
            clock,
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
        let Prepared {
            request,
            egress,
            reading,
            sent,
        } = prepare(call).await?;
        let redactor = || Redactor::new(&sent, call.credential);
        let first_byte = if call.request.stream {
            self.timeouts.first_byte
        } else {
            self.timeouts.first_byte_of_complete()
        };
        let response = self.transport.exchange(egress, request, first_byte).await?;
        if response.status() != StatusCode::OK {
            let refusal = self.refusal(reading.dialect, response).await;
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
