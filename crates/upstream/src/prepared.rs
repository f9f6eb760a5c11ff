//! A request as a family hands it over: complete, and with what is needed to read the answer.

use bytes::Bytes;
use http::{
    HeaderValue, Method, Request,
    header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, USER_AGENT},
    request::Builder,
};
use http_body_util::Full;
use switchyard_domain::secret::Secret;
use switchyard_interchange::{
    failure::{Failure, FailureKind},
    request::Dialect,
};
use zeroize::Zeroizing;

use crate::{
    address::Address, call::Call, egress::EgressClass, framing::Framing, vertex::AccessToken,
};

/// What we call ourselves to providers.
pub(crate) const OUR_NAME: HeaderValue =
    HeaderValue::from_static(concat!("switchyard/", env!("CARGO_PKG_VERSION")));

/// A request that is ready to be sent.
pub(crate) struct Prepared {
    pub(crate) request: Request<Full<Bytes>>,
    /// Under which rules its address is dialled.
    pub(crate) egress: EgressClass,
    /// How its answer is read.
    pub(crate) reading: Reading,
    /// What it carries that an answer must not repeat.
    pub(crate) sent: Sent,
}

/// How an answer is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reading {
    /// The dialect it is written in.
    pub(crate) dialect: Dialect,
    /// How a stream of it is cut into events.
    pub(crate) framing: Framing,
    /// Where an error says which it is.
    pub(crate) errors: ErrorNames,
}

/// Where an answer that is an error says which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorNames {
    /// In its status.
    Status,
    /// In a header of Amazon's, more precisely.
    AmazonHeader,
}

impl Reading {
    /// A dialect the way its author serves it.
    pub(crate) const fn plain(dialect: Dialect) -> Self {
        Self {
            dialect,
            framing: Framing::Sse,
            errors: ErrorNames::Status,
        }
    }
}

/// What a request carries that is secret.
#[derive(Debug)]
pub(crate) enum Sent {
    /// The credential as it is stored.
    Credential,
    /// These parts of it, or what was got with it.
    Parts(Vec<Secret<String>>),
    /// A token that was got with it.
    AccessToken(AccessToken),
}

/// A request to `address` with the headers that every provider gets. Nothing else goes out but what a
/// family adds, and what HTTP itself needs.
pub(crate) fn post(address: Address, call: Call<'_>) -> Builder {
    let accept = if call.request.stream {
        "text/event-stream"
    } else {
        "application/json"
    };
    Request::builder()
        .method(Method::POST)
        .uri(address.into_uri())
        .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
        .header(ACCEPT, HeaderValue::from_static(accept))
        .header(ACCEPT_ENCODING, HeaderValue::from_static("identity"))
        .header(USER_AGENT, OUR_NAME)
}

/// Puts the body on.
pub(crate) fn with_body(
    request: Builder,
    body: impl Into<Bytes>,
) -> Result<Request<Full<Bytes>>, Failure> {
    request.body(Full::new(body.into())).map_err(|_| {
        Failure::new(
            FailureKind::Unsupported,
            "what the endpoint asks for in headers cannot be written",
        )
    })
}

/// A header value that holds a credential: marked sensitive, so that no layer prints it, and wiped
/// with the request.
pub(crate) fn header_secret(prefix: &str, credential: &[u8]) -> Result<HeaderValue, Failure> {
    // People paste line ends along.
    let credential = credential.trim_ascii();
    let mut text = Zeroizing::new(Vec::with_capacity(prefix.len() + credential.len()));
    text.extend_from_slice(prefix.as_bytes());
    text.extend_from_slice(credential);
    let wiped = Bytes::from_owner(text);
    let mut value = HeaderValue::from_maybe_shared(wiped).map_err(|_| {
        Failure::new(
            FailureKind::Auth,
            "the stored credential is not usable as a header",
        )
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Nobody was asked: what is stored does not fit. It was checked when it was stored, so it is of another
/// time or another family.
pub(crate) fn unusable(message: &str) -> Failure {
    Failure::new(FailureKind::Auth, message)
}
