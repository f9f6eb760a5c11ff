//! What people send: forms of this site and this session only, and what is wrong with them, field by field.

use std::collections::BTreeMap;

use axum::{
    Form,
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use serde::de::DeserializeOwned;

use crate::{error::PageError, visit::Visit};

/// A form that was sent from one of our pages in the visitor's own session.
#[derive(Debug)]
pub(crate) struct Submitted<T>(pub(crate) T);

/// Every form has it; htmx sends the header instead.
const CSRF_FIELD: &str = "csrf";
const CSRF_HEADER: &str = "x-csrf-token";

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Submitted<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let visit = request.extensions().get::<Visit>().cloned();
        let headers = request.headers().clone();
        if !is_same_origin(&headers) {
            return Err(PageError::ForeignForm.into_response());
        }
        let fields = Form::<Vec<(String, String)>>::from_request(request, state).await;
        let Form(fields) =
            fields.map_err(|error| PageError::BadForm(error.body_text()).into_response())?;
        let visitor = visit.and_then(|visit| visit.visitor);
        if let Some(visitor) = visitor {
            let sent = headers
                .get(CSRF_HEADER)
                .and_then(|value| value.to_str().ok());
            let field = fields.iter().find(|(name, _)| name == CSRF_FIELD);
            let sent = sent.or(field.map(|(_, value)| value.as_str()));
            if sent != Some(visitor.csrf().expose().as_str()) {
                return Err(PageError::ForeignForm.into_response());
            }
        }
        let own = fields.into_iter().filter(|(name, _)| name != CSRF_FIELD);
        let text = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(own)
            .finish();
        let form = Form::<T>::from_request(form_request(text), state).await;
        let Form(form) =
            form.map_err(|error| PageError::BadForm(error.body_text()).into_response())?;
        Ok(Self(form))
    }
}

/// Something else than a form, such as the body of an API call, sent by a script of one of our pages in the
/// visitor's own session.
#[derive(Debug)]
pub(crate) struct FromHere;

impl<S: Send + Sync> FromRequestParts<S> for FromHere {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let visitor = parts.extensions.get::<Visit>();
        let visitor = visitor.and_then(|visit| visit.visitor.as_ref());
        let sent = parts.headers.get(CSRF_HEADER);
        let sent = sent.and_then(|value| value.to_str().ok());
        let is_own = visitor.is_some_and(|visitor| sent == Some(visitor.csrf().expose().as_str()));
        if is_own && is_same_origin(&parts.headers) {
            Ok(Self)
        } else {
            Err(PageError::ForeignForm.into_response())
        }
    }
}

fn form_request(text: String) -> Request {
    let mut request = Request::new(text.into());
    *request.method_mut() = axum::http::Method::POST;
    let kind = axum::http::HeaderValue::from_static("application/x-www-form-urlencoded");
    request.headers_mut().insert(header::CONTENT_TYPE, kind);
    request
}

/// Whether a page of this site sent it. Browsers say so in one of two headers; whoever sends neither is
/// no browser, and has no cookie that could be abused.
pub(crate) fn is_same_origin(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return site == "same-origin" || site == "none";
    }
    match (text("origin"), text("host")) {
        (Some(origin), Some(host)) => origin
            .split_once("://")
            .is_some_and(|(_, from)| from == host),
        (Some(_), None) => false,
        (None, _) => true,
    }
}

/// What is wrong with a form: at its fields, or with all of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults(BTreeMap<String, String>);

impl Faults {
    /// Says what is wrong at a field, and what to do; the first word on it stands.
    pub(crate) fn add(&mut self, field: impl Into<String>, what: impl Into<String>) {
        self.0.entry(field.into()).or_insert_with(|| what.into());
    }

    /// What is wrong at a field.
    pub(crate) fn at(&self, field: &str) -> Option<&str> {
        self.0.get(field).map(String::as_str)
    }

    /// Whether nothing is wrong.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Everything that is wrong, with the field it is at.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(field, what)| (field.as_str(), what.as_str()))
    }
}
