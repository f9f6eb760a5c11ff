//! Answers: JSON with its headers, refusals with theirs.

use axum::{
    body::Body,
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde::Serialize;
use switchyard_dialects::openai_chat::encode_error;
use switchyard_domain::id::GenerationId;
use switchyard_interchange::reply::PublicFailure;

use crate::error;

pub(crate) static GENERATION_ID: HeaderName = HeaderName::from_static("x-generation-id");
pub(crate) static PROVIDER_NAME: HeaderName = HeaderName::from_static("x-provider-name");
/// Read by OpenAI's clients.
pub(crate) static X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Read by Anthropic's clients.
pub(crate) static REQUEST_ID: HeaderName = HeaderName::from_static("request-id");

static JSON: HeaderValue = HeaderValue::from_static("application/json");
static BEARER: HeaderValue = HeaderValue::from_static("Bearer");

/// A JSON answer.
pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => json_bytes(status, body.into()),
        Err(error) => {
            tracing::error!(error = %error, "an answer could not be written as JSON");
            Refusal::from(error::internal()).into_response()
        }
    }
}

/// A JSON answer that is written already.
pub(crate) fn json_bytes(status: StatusCode, body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, JSON.clone());
    response
}

/// The ids of a generation, under every name that clients look for.
pub(crate) fn put_generation_id(headers: &mut HeaderMap, id: &GenerationId) {
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        headers.insert(GENERATION_ID.clone(), value.clone());
        put_request_id(headers, value);
    }
}

pub(crate) fn put_request_id(headers: &mut HeaderMap, id: HeaderValue) {
    headers.insert(X_REQUEST_ID.clone(), id.clone());
    headers.insert(REQUEST_ID.clone(), id);
}

/// Who serves. A name that is no header text is left out.
pub(crate) fn put_provider(headers: &mut HeaderMap, name: &str) {
    if let Ok(value) = HeaderValue::from_str(name) {
        headers.insert(PROVIDER_NAME.clone(), value);
    }
}

/// An error answer.
#[derive(Debug)]
pub(crate) struct Refusal(Box<Refused>);

#[derive(Debug)]
struct Refused {
    failure: PublicFailure,
    generation_id: Option<GenerationId>,
}

impl Refusal {
    /// A generation that came to nothing.
    pub(crate) fn of_generation(failure: PublicFailure, id: GenerationId) -> Self {
        Self(Box::new(Refused {
            failure,
            generation_id: Some(id),
        }))
    }
}

impl From<PublicFailure> for Refusal {
    fn from(failure: PublicFailure) -> Self {
        Self(Box::new(Refused {
            failure,
            generation_id: None,
        }))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Refused {
            failure,
            generation_id,
        } = *self.0;
        let status =
            StatusCode::from_u16(failure.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = json_bytes(status, encode_error(&failure, None).into());
        let headers = response.headers_mut();
        if let Some(wait) = failure.retry_after {
            // Whole seconds: clients ignore anything else.
            headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, BEARER.clone());
        }
        if let Some(id) = &generation_id {
            put_generation_id(headers, id);
        }
        response
    }
}
