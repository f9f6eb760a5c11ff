//! What a page says that cannot be shown, and with which status.

use std::sync::Arc;

use askama::Template;
use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
};
use switchyard_app::{
    api_keys::ApiKeyError, offer::OfferError, people::sessions::SessionError, reads::DirectoryError,
};
use switchyard_domain::authority::Capability;

use crate::{
    shell::{Nav, Shell},
    visit::Visit,
};

static HX_REDIRECT: HeaderName = HeaderName::from_static("hx-redirect");

/// Why a page is not shown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PageError {
    #[error("sign in first")]
    NeedsSignIn,
    #[error("a fresh proof is needed")]
    NeedsProof,
    #[error("not allowed: {0:?}")]
    NotAllowed(Capability),
    /// Also for what is another account's.
    #[error("no such page")]
    NotFound,
    /// The form came from another page than ours, or from one of another session.
    #[error("the form is not from here")]
    ForeignForm,
    /// The form cannot be read.
    #[error("{0}")]
    BadForm(String),
    /// What was asked for cannot be done as things are; says why and what to do.
    #[error("{0}")]
    Conflict(String),
    /// Waiting helps.
    #[error("unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("broken")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<DirectoryError> for PageError {
    fn from(error: DirectoryError) -> Self {
        match error {
            DirectoryError::Missing(_) => Self::NotFound,
            DirectoryError::Conflict(what) => Self::Conflict(format!("{what} is already taken.")),
            DirectoryError::Refused(rule) => Self::Conflict(format!("Refused: {rule}.")),
            error @ DirectoryError::Unavailable(_) => Self::Unavailable(Box::new(error)),
            error @ DirectoryError::Inconsistent(_) => Self::Broken(Box::new(error)),
        }
    }
}

impl From<OfferError> for PageError {
    fn from(error: OfferError) -> Self {
        Self::Unavailable(Box::new(error))
    }
}

impl From<ApiKeyError> for PageError {
    fn from(error: ApiKeyError) -> Self {
        match error {
            ApiKeyError::NoSuchKey | ApiKeyError::NoSuchWorkspace => Self::NotFound,
            ApiKeyError::NoSuchMember => {
                Self::Conflict("You are no member of this account any more.".to_owned())
            }
            ApiKeyError::NoLimit => Self::BadForm(
                "There is no limit that could be reset or count anything. Give one.".to_owned(),
            ),
            ApiKeyError::Contended => Self::Conflict(
                "Somebody else is changing this key. Look at it again, then try again.".to_owned(),
            ),
            ApiKeyError::Rotated => Self::Conflict(
                "This key was rotated already. Rotate its successor, or delete that one first."
                    .to_owned(),
            ),
            ApiKeyError::Expired => {
                Self::Conflict("This key has expired. Create a new one instead.".to_owned())
            }
            ApiKeyError::Directory(error) => error.into(),
            error @ ApiKeyError::Random(_) => Self::Unavailable(Box::new(error)),
        }
    }
}

impl From<SessionError> for PageError {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::NoAccount => Self::Conflict("You belong to no account.".to_owned()),
            SessionError::Directory(error) => error.into(),
            error @ SessionError::Random(_) => Self::Unavailable(Box::new(error)),
        }
    }
}

impl From<askama::Error> for PageError {
    fn from(error: askama::Error) -> Self {
        Self::Broken(Box::new(error))
    }
}

/// Carried to the door, which knows who looks.
impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    shell: Shell,
    title: &'static str,
    text: String,
    request_id: String,
    may_retry: bool,
}

impl PageError {
    fn status(&self) -> StatusCode {
        match self {
            Self::NeedsSignIn => StatusCode::UNAUTHORIZED,
            Self::NeedsProof | Self::NotAllowed(_) | Self::ForeignForm => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::BadForm(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Broken(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn words(&self) -> (&'static str, String) {
        let (title, text) = match self {
            Self::NeedsSignIn => ("Sign in", "Sign in to see this page."),
            Self::NeedsProof => (
                "Confirm that it is you",
                "Confirm that it is you, then do it again.",
            ),
            Self::NotAllowed(_) => (
                "Not for your role",
                "Your role does not include this. An owner or admin of the account can change that.",
            ),
            Self::NotFound => (
                "Nothing here",
                "There is no such page, or it is not yours to see.",
            ),
            Self::ForeignForm => (
                "This form is out of date",
                "It was not sent from this site, or you have signed in anew since. Go back, reload the page, and send it again.",
            ),
            Self::Unavailable(_) => (
                "Not available right now",
                "The database does not answer. Nothing was changed. Try again in a moment.",
            ),
            Self::Broken(_) => (
                "Something broke",
                "This is our mistake. Tell support the request id below.",
            ),
            Self::BadForm(text) => return ("This form cannot be read", text.clone()),
            Self::Conflict(text) => return ("This cannot be done now", text.clone()),
        };
        (title, text.to_owned())
    }

    /// The answer to whoever looks.
    pub(crate) fn show(&self, visit: &Visit) -> Response {
        if let Self::Unavailable(error) | Self::Broken(error) = self {
            tracing::warn!(error = %error, request.id = visit.request_id, "a page failed");
        }
        let elsewhere = match self {
            Self::NeedsSignIn => Some("/login"),
            Self::NeedsProof => Some("/confirm"),
            _ => None,
        };
        if let Some(place) = elsewhere {
            let query = [("back", visit.address.as_str())];
            let query = url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs(query)
                .finish();
            return go_to(visit, &format!("{place}?{query}"));
        }
        let (title, text) = self.words();
        let page = ErrorPage {
            shell: Shell::new(visit, title, Nav::None),
            title,
            text,
            request_id: visit.request_id.clone(),
            may_retry: matches!(self, Self::Unavailable(_) | Self::Broken(_)),
        };
        match page.render() {
            Ok(html) => (self.status(), Html(html)).into_response(),
            Err(error) => {
                tracing::error!(error = %error, "the page for failures failed");
                broken()
            }
        }
    }
}

/// Sends whoever looks to another page, also where htmx asked.
pub(crate) fn go_to(visit: &Visit, address: &str) -> Response {
    if visit.is_partial
        && let Ok(value) = HeaderValue::try_from(address)
    {
        let mut response = StatusCode::NO_CONTENT.into_response();
        response.headers_mut().insert(HX_REDIRECT.clone(), value);
        return response;
    }
    Redirect::to(address).into_response()
}

/// Where not even a page can be made.
pub(crate) fn broken() -> Response {
    let mut response = Response::new(Body::from(
        "Something broke. This is our mistake; try again.\n",
    ));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, text);
    response
}
