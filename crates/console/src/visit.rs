//! Who looks at a page, and whether they may: asked at the door, before a handler runs.

use std::{net::IpAddr, sync::Arc};

use axum::{
    extract::{ConnectInfo, FromRequestParts, Request, State},
    http::{HeaderMap, HeaderName, Method, header, request::Parts},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use switchyard_app::{
    acting_caller::ActingCaller,
    people::sessions::{Device, Visitor},
};
use url::{Position, Url};

use crate::{
    Console,
    error::PageError,
    frame::RequestId,
    pages::theme::Theme,
    routes::{Needs, Room},
};

/// The cookie with a session's token. `__Host-`: only from here, only by HTTPS or on this machine.
pub(crate) const SESSION_COOKIE: &str = "__Host-session";

/// One look at one page.
#[derive(Debug, Clone)]
pub(crate) struct Visit {
    /// Who looks; `None` for somebody who did not sign in.
    pub(crate) visitor: Option<Arc<Visitor>>,
    /// The address they come from.
    pub(crate) ip: Option<String>,
    /// The name of the request.
    pub(crate) request_id: String,
    /// Path and query.
    pub(crate) address: String,
    /// Light, dark, or as the system is.
    pub(crate) theme: Theme,
    /// Whether htmx asks for a part of the page.
    pub(crate) is_partial: bool,
}

/// Somebody who signed in.
#[derive(Debug, Clone)]
pub(crate) struct SignedIn {
    pub(crate) visit: Visit,
    pub(crate) visitor: Arc<Visitor>,
}

impl SignedIn {
    /// The same person in the act of changing something.
    pub(crate) fn acting(&self) -> ActingCaller {
        let (ip, id) = (self.visit.ip.clone(), self.visit.request_id.clone());
        self.visitor.acting(ip, Some(id))
    }
}

impl Visit {
    pub(crate) fn of(parts: &Parts, visitor: Option<Arc<Visitor>>) -> Self {
        let extensions = &parts.extensions;
        let peer = extensions.get::<ConnectInfo<IpAddr>>();
        let id = extensions.get::<RequestId>();
        let target = parts.uri.path_and_query();
        let asked_for = parts.headers.get("hx-request-type");
        Self {
            visitor,
            ip: peer.map(|ConnectInfo(ip)| ip.to_string()),
            request_id: id.map(|RequestId(id)| id.clone()).unwrap_or_default(),
            address: target.map_or("/", |target| target.as_str()).to_owned(),
            theme: Theme::of(&parts.headers),
            is_partial: asked_for.is_some_and(|kind| kind == "partial"),
        }
    }

    /// The device, for a session that starts.
    pub(crate) fn device(&self, headers: &HeaderMap) -> Device {
        let user_agent = headers.get(header::USER_AGENT);
        let user_agent = user_agent.and_then(|value| value.to_str().ok());
        Device {
            ip: self.ip.clone(),
            user_agent: user_agent.map(|text| text.chars().take(300).collect()),
        }
    }
}

/// Lets in who may: finds the session, compares it with what the room needs.
pub(crate) async fn enter(
    State((console, room)): State<(Console, Room)>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let visitor = match visitor(&console, &parts).await {
        Ok(visitor) => visitor.map(Arc::new),
        Err(error) => return error.show(&Visit::of(&parts, None)),
    };
    let mut visit = Visit::of(&parts, visitor);
    let is_reading = matches!(parts.method, Method::GET | Method::HEAD);
    let needs = if is_reading { room.read } else { room.write };
    if let Err(error) = admit(&visit, needs) {
        return error.show(&visit);
    }
    let now = console.app.clock().now();
    let is_fresh = visit.visitor.as_ref().is_some_and(|one| one.is_fresh(now));
    if room.is_dangerous && !is_reading && !is_fresh {
        // What was sent is not kept, so whoever proves who they are goes on where the form is.
        if let Some(page) = sent_from(&parts.headers) {
            visit.address = page;
        }
        return PageError::NeedsProof.show(&visit);
    }
    parts.extensions.insert(visit.clone());
    let mut response = next.run(Request::from_parts(parts, body)).await;
    // A handler's failure becomes a page here, where it is known who looks.
    if let Some(error) = response.extensions_mut().remove::<Arc<PageError>>() {
        return error.show(&visit);
    }
    response
}

async fn visitor(console: &Console, parts: &Parts) -> Result<Option<Visitor>, PageError> {
    let Some(token) = cookie(&parts.headers, SESSION_COOKIE) else {
        return Ok(None);
    };
    let peer = parts.extensions.get::<ConnectInfo<IpAddr>>();
    let ip = peer.map(|ConnectInfo(ip)| ip.to_string());
    Ok(console.app.people().visitor(token, ip.as_deref()).await?)
}

fn admit(visit: &Visit, needs: Needs) -> Result<(), PageError> {
    let capability = match needs {
        Needs::Nothing => return Ok(()),
        Needs::SignIn => None,
        Needs::May(capability) => Some(capability),
    };
    let visitor = visit.visitor.as_ref().ok_or(PageError::NeedsSignIn)?;
    match capability {
        Some(capability) if !visitor.may(capability) => Err(PageError::NotAllowed(capability)),
        _ => Ok(()),
    }
}

/// Path and query of the page of this site that a form was sent from.
fn sent_from(headers: &HeaderMap) -> Option<String> {
    let text = |name: HeaderName| headers.get(name)?.to_str().ok();
    let page = Url::parse(text(header::REFERER)?).ok()?;
    let authority = page.authority();
    if authority != text(header::HOST)? {
        return None;
    }
    Some(page[Position::BeforePath..Position::AfterQuery].to_owned())
}

/// The one value of a cookie; a cookie given twice counts as absent.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter();
    let pairs = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'));
    let mut values = pairs.filter_map(|pair| {
        let (key, value) = pair.trim().split_once('=')?;
        (key == name).then_some(value)
    });
    let first = values.next()?;
    values.next().is_none().then_some(first)
}

/// The `Set-Cookie` line of a session that starts, or gets a new token.
pub(crate) fn session_cookie(token: &str) -> String {
    format!("{SESSION_COOKIE}={token}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=2592000")
}

/// The `Set-Cookie` line that ends a session in its browser.
pub(crate) fn no_session_cookie() -> String {
    format!("{SESSION_COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0")
}

impl<S: Send + Sync> FromRequestParts<S> for Visit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let visit = parts.extensions.get::<Self>().cloned();
        Ok(visit.unwrap_or_else(|| Self::of(parts, None)))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for SignedIn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let visit = Visit::from_request_parts(parts, state).await?;
        match visit.visitor.clone() {
            Some(visitor) => Ok(Self { visit, visitor }),
            None => Err(PageError::NeedsSignIn.into_response()),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_form_is_gone_back_to_where_it_is_on_this_site() {
        for (referer, page) in [
            (
                Some("http://localhost:8080/keys?text=a#x"),
                Some("/keys?text=a"),
            ),
            (Some("http://localhost:8080"), Some("/")),
            (Some("http://localhost/keys"), None),
            (Some("https://evil.example/keys"), None),
            (Some("http://ada@localhost:8080/keys"), None),
            (Some("keys"), None),
            (None, None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static("localhost:8080"));
            if let Some(referer) = referer {
                headers.insert(header::REFERER, HeaderValue::from_static(referer));
            }
            assert_eq!(sent_from(&headers).as_deref(), page, "{referer:?}");
        }
    }
}
