//! A request that changes something: who asks, what for, and under which name. Carried out once
//! however often it is asked, and to its end whether or not somebody waits for it.

use std::{marker::PhantomData, net::IpAddr, sync::Arc};

use axum::{
    extract::{ConnectInfo, FromRequest, FromRequestParts, MatchedPath, Request},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header::CACHE_CONTROL, request::Parts},
    response::Response,
};
use bytes::Bytes;
use serde::Serialize;
use switchyard_app::{
    App,
    acting_caller::ActingCaller,
    idempotency::{Asking, Begun, Claim, IdempotencyKey},
};
use switchyard_domain::secret::Secret;
use switchyard_interchange::reply::PublicFailure;
use utoipa::ToSchema;

use super::fields::Fields;
use crate::{
    Edge, body,
    caller::{Authorized, cap::Asks},
    error,
    frame::RequestId,
    limits::MANAGEMENT_BODY_BYTES_MAX,
    reply::{Refusal, json_bytes},
};

static REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
static NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// A change that its caller may make.
pub(crate) struct Change<C> {
    pub(crate) actor: ActingCaller,
    /// It may hold a secret.
    body: Secret<Vec<u8>>,
    asked: Asked,
    capability: PhantomData<fn() -> C>,
}

/// How the change was asked for.
struct Asked {
    key: Option<IdempotencyKey>,
    /// Method and path as the route table has them, without the prefix.
    route: String,
    /// Path and query as asked for, without the prefix.
    target: String,
}

impl<C: Asks> FromRequest<Edge> for Change<C> {
    type Rejection = Refusal;

    async fn from_request(request: Request, edge: &Edge) -> Result<Self, Refusal> {
        let (mut parts, body) = request.into_parts();
        let Authorized { caller, .. } =
            Authorized::<C>::from_request_parts(&mut parts, edge).await?;
        let asked = Asked {
            key: idempotency_key(&parts.headers)?,
            route: route(&parts),
            target: target(&parts),
        };
        let body = body::read(&parts.headers, body, MANAGEMENT_BODY_BYTES_MAX).await?;
        let request_id = parts.extensions.get::<RequestId>();
        let peer = parts.extensions.get::<ConnectInfo<IpAddr>>();
        let ip = peer.map(|ConnectInfo(ip)| ip.to_string());
        let request_id = request_id.and_then(|RequestId(id)| Some(id.to_str().ok()?.to_owned()));
        let actor = ActingCaller::key(caller, ip, request_id);
        Ok(Self {
            actor,
            // No copy where nobody else holds the bytes, as with any body that came in pieces.
            body: Secret::new(body.into()),
            asked,
            capability: PhantomData,
        })
    }
}

impl<C> Change<C> {
    /// The fields of its body, which must be an object.
    pub(crate) fn fields(&self) -> Result<Fields<'_>, PublicFailure> {
        Fields::of(self.body.expose())
    }

    /// The same where a body may be left out.
    pub(crate) fn optional_fields(&self) -> Result<Fields<'_>, PublicFailure> {
        if self.body.expose().trim_ascii().is_empty() {
            return Fields::of(b"{}");
        }
        self.fields()
    }

    /// Carries the change out, unless it was carried out under the same name before: then its
    /// answer is given again. A failure counts as not carried out, so it must not come after
    /// something was changed.
    pub(crate) async fn once<W>(
        self,
        edge: &Edge,
        work: impl FnOnce(ActingCaller) -> W + Send + 'static,
    ) -> Result<Response, Refusal>
    where
        W: Future<Output = Result<Answer, Refusal>> + Send + 'static,
    {
        let app = Arc::clone(&edge.app);
        let seen_through = edge.app.see_through(async move {
            let Self {
                actor, body, asked, ..
            } = self;
            let Some(key) = &asked.key else {
                return work(actor).await.map(Answer::into_response);
            };
            let asking = Asking {
                account_id: actor.account_id(),
                key,
                route: &asked.route,
                target: &asked.target,
                body: body.expose(),
            };
            match app.idempotency().begin(asking).await {
                Ok(Begun::Claimed(claim)) => carry_out(&app, &claim, work(actor)).await,
                Ok(begun) => replay(begun),
                Err(error) => Err(error::unreadable(&error).into()),
            }
        });
        let outcome = Box::pin(seen_through).await;
        outcome.unwrap_or_else(|| Err(error::internal().into()))
    }
}

async fn carry_out(
    app: &App,
    claim: &Claim,
    work: impl Future<Output = Result<Answer, Refusal>>,
) -> Result<Response, Refusal> {
    match work.await {
        Ok(answer) => {
            let (status, body) = (answer.status.as_u16(), &answer.body);
            app.idempotency().keep(claim, status, body).await;
            Ok(answer.into_response())
        }
        Err(refusal) => {
            app.idempotency().give_up(claim).await;
            Err(refusal)
        }
    }
}

fn replay(begun: Begun) -> Result<Response, Refusal> {
    match begun {
        Begun::Done(kept) => {
            let answer = Answer {
                status: StatusCode::from_u16(kept.status).unwrap_or(StatusCode::OK),
                body: Bytes::copy_from_slice(kept.body.expose()),
            };
            let mut response = answer.into_response();
            let headers = response.headers_mut();
            headers.insert(REPLAYED.clone(), HeaderValue::from_static("true"));
            Ok(response)
        }
        Begun::InFlight => Err(error::management::idempotency_in_flight().into()),
        Begun::Mismatch => Err(error::management::idempotency_key_reused().into()),
        Begun::Unreadable => Err(error::management::idempotency_answer_lost().into()),
        Begun::Claimed(_) => Err(error::internal().into()),
    }
}

/// What a change is answered with. May hold a secret: nobody on the way keeps it.
#[derive(Debug)]
pub(crate) struct Answer {
    status: StatusCode,
    body: Bytes,
}

impl Answer {
    /// A JSON answer.
    pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => Self {
                status,
                body: body.into(),
            },
            // What was changed stays changed, so it is no failure.
            Err(error) => {
                tracing::error!(error = %error, "an answer could not be written as JSON");
                Self {
                    status,
                    body: Bytes::from_static(b"{}"),
                }
            }
        }
    }

    /// What was to be deleted is.
    pub(crate) fn deleted() -> Self {
        Self::json(StatusCode::OK, &Deleted { deleted: true })
    }

    fn into_response(self) -> Response {
        let mut response = json_bytes(self.status, self.body);
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, NO_STORE.clone());
        response
    }
}

/// What deletions are answered with.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Deleted {
    /// Always `true`.
    deleted: bool,
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, PublicFailure> {
    let mut values = headers.get_all("idempotency-key").iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(error::bad_header("Idempotency-Key", "is given twice"));
    }
    // What is no visible ASCII fails to parse.
    let text = value.to_str().unwrap_or_default();
    text.parse()
        .map(Some)
        .map_err(|problem| error::management::bad_idempotency_key(&problem))
}

fn route(parts: &Parts) -> String {
    let path = parts.extensions.get::<MatchedPath>();
    let path = path.map_or(parts.uri.path(), MatchedPath::as_str);
    format!("{} {}", parts.method, without_prefix(path))
}

fn target(parts: &Parts) -> String {
    let target = parts.uri.path_and_query();
    without_prefix(target.map_or("", |target| target.as_str())).to_owned()
}

/// The API lies under two prefixes; a request is the same under both.
fn without_prefix(path: &str) -> &str {
    path.strip_prefix("/api/v1")
        .or_else(|| path.strip_prefix("/v1"))
        .unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&'static str]) -> HeaderMap {
        let value = |text: &&'static str| {
            (
                HeaderName::from_static("idempotency-key"),
                HeaderValue::from_static(text),
            )
        };
        let mut map = HeaderMap::new();
        for (name, value) in values.iter().map(value) {
            map.append(name, value);
        }
        map
    }

    #[test]
    fn names_of_requests_are_checked() {
        let unnamed = idempotency_key(&headers(&[])).expect("none is fine");
        assert_eq!(unnamed, None);
        let named = idempotency_key(&headers(&["a-1"])).expect("a good name");
        assert_eq!(named, Some("a-1".parse().expect("a good name")));
        for bad in [&[""][..], &["a b"], &["a", "a"]] {
            let refused = idempotency_key(&headers(bad)).expect_err("refused");
            assert_eq!(refused.status, 400, "{bad:?}");
        }
    }

    #[test]
    fn both_prefixes_are_one_route() {
        for path in ["/api/v1/keys", "/v1/keys", "/keys"] {
            assert_eq!(without_prefix(path), "/keys");
        }
    }
}
