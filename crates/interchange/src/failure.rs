//! Why an attempt failed, and what may be done about it.

use std::time::Duration;

/// Whose doing a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The request itself; any endpoint would refuse it.
    Caller,
    /// The provider or the way to it.
    Upstream,
    /// Our credential, configuration or code.
    Ours,
}

/// What may be tried next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Another endpoint may succeed.
    NextCandidate,
    /// Only an endpoint with a larger context may succeed.
    LargerContext,
    /// No endpoint of this model would, but another model might.
    NextModel,
    /// Nothing more will be tried.
    Never,
}

/// The classes every provider's errors are sorted into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    BadRequest,
    Auth,
    Permission,
    /// The credential's account ran out of money or quota.
    QuotaBilling,
    RateLimit,
    Overloaded,
    Server,
    Timeout,
    /// No connection.
    Connect,
    /// The address may not be dialled. Whoever wrote it is at fault, not the provider, and wherever
    /// else the same credential leads the same happens.
    EgressBlocked,
    ContextLength,
    ContentPolicy,
    /// The provider does not know the model.
    NotFound,
    TooLarge,
    /// The endpoint cannot do what the request needs; found while encoding.
    Unsupported,
    /// The answer broke its own format, or stopped short.
    Protocol,
    /// The caller left.
    Cancelled,
}

impl FailureKind {
    /// Every kind, for tables.
    pub const ALL: [Self; 17] = [
        Self::BadRequest,
        Self::Auth,
        Self::Permission,
        Self::QuotaBilling,
        Self::RateLimit,
        Self::Overloaded,
        Self::Server,
        Self::Timeout,
        Self::Connect,
        Self::EgressBlocked,
        Self::ContextLength,
        Self::ContentPolicy,
        Self::NotFound,
        Self::TooLarge,
        Self::Unsupported,
        Self::Protocol,
        Self::Cancelled,
    ];

    /// The name in logs, metrics and attempt rows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::Auth => "auth",
            Self::Permission => "permission",
            Self::QuotaBilling => "quota_billing",
            Self::RateLimit => "rate_limit",
            Self::Overloaded => "overloaded",
            Self::Server => "server_error",
            Self::Timeout => "timeout",
            Self::Connect => "connect",
            Self::EgressBlocked => "egress_blocked",
            Self::ContextLength => "context_length",
            Self::ContentPolicy => "content_policy",
            Self::NotFound => "not_found",
            Self::TooLarge => "too_large",
            Self::Unsupported => "unsupported",
            Self::Protocol => "upstream_protocol",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whose doing it is. A credential refused or run dry is ours: callers cannot mend it.
    pub const fn fault(self) -> Fault {
        match self {
            Self::BadRequest
            | Self::ContextLength
            | Self::ContentPolicy
            | Self::TooLarge
            | Self::Unsupported
            | Self::Cancelled => Fault::Caller,
            Self::RateLimit
            | Self::Overloaded
            | Self::Server
            | Self::Timeout
            | Self::Connect
            | Self::NotFound
            | Self::Protocol => Fault::Upstream,
            Self::Auth | Self::Permission | Self::QuotaBilling | Self::EgressBlocked => Fault::Ours,
        }
    }

    /// What may be tried next, before the first byte reached the caller.
    pub const fn retry(self) -> Retry {
        match self {
            Self::Auth
            | Self::Permission
            | Self::QuotaBilling
            | Self::RateLimit
            | Self::Overloaded
            | Self::Server
            | Self::Timeout
            | Self::Connect
            | Self::EgressBlocked
            | Self::NotFound
            | Self::Unsupported
            | Self::Protocol => Retry::NextCandidate,
            Self::ContextLength => Retry::LargerContext,
            Self::BadRequest | Self::ContentPolicy | Self::TooLarge => Retry::NextModel,
            Self::Cancelled => Retry::Never,
        }
    }
}

/// A failed attempt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", kind.as_str())]
pub struct Failure {
    pub kind: FailureKind,
    /// The provider's HTTP status, when there was a response.
    pub status: Option<u16>,
    /// What happened, safe to show a caller: no credential, no account id of ours.
    pub message: String,
    /// The provider's own error code or type, when it gave one.
    pub provider_code: Option<String>,
    /// When the provider asks to come back.
    pub retry_after: Option<Duration>,
}

impl Failure {
    /// A failure that is not a provider's answer.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            status: None,
            message: message.into(),
            provider_code: None,
            retry_after: None,
        }
    }
}
