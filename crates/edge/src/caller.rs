//! Who calls and what for, as a parameter type: a handler that asks for an [`Authorized`] with a
//! capability cannot be reached by a caller without it. Parameters are taken before the body, so
//! nobody's body is read unasked.

pub(crate) mod cap;

use std::marker::PhantomData;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header::AUTHORIZATION, request::Parts},
};
use switchyard_domain::{
    authority::{Capability, Standing},
    tenancy::{Caller, KeyKind},
};
use switchyard_interchange::reply::PublicFailure;

use self::cap::Asks;
use crate::{Edge, error, reply::Refusal};

/// A caller that may do what the capability says.
#[derive(Debug)]
pub(crate) struct Authorized<C> {
    pub(crate) caller: Caller,
    capability: PhantomData<fn() -> C>,
}

impl<C: Asks> FromRequestParts<Edge> for Authorized<C> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, edge: &Edge) -> Result<Self, Refusal> {
        let presented = presented_key(&parts.headers).ok_or_else(error::missing_key)?;
        let caller = match edge.app.authenticate(presented).await {
            Ok(caller) => caller,
            Err(error) => return Err(error::unauthenticated(&error).into()),
        };
        if caller.standing().may(C::CAPABILITY) {
            return Ok(Self {
                caller,
                capability: PhantomData,
            });
        }
        Err(denied(C::CAPABILITY).into())
    }
}

/// Who would have to ask instead.
fn denied(capability: Capability) -> PublicFailure {
    if Standing::Key(KeyKind::Management).may(capability) {
        error::needs_management_key()
    } else if Standing::Key(KeyKind::Inference).may(capability) {
        error::needs_inference_key()
    } else {
        error::management::needs_session()
    }
}

/// The key in a request: `Authorization: Bearer …` with the scheme in any case, else `x-api-key`,
/// which older Anthropic clients send. A header given twice counts as absent, because proxies and
/// servers differ in which of the two they take.
fn presented_key(headers: &HeaderMap) -> Option<&str> {
    only(headers, AUTHORIZATION.as_str())
        .and_then(bearer)
        .or_else(|| only(headers, "x-api-key"))
}

fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    if values.next().is_some() {
        return None;
    }
    first
        .to_str()
        .ok()
        .map(str::trim)
        .filter(|text| !text.is_empty())
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, key) = value.split_once(' ')?;
    let key = key.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !key.is_empty()).then_some(key)
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn key_in(headers: &[(&'static str, &'static str)]) -> Option<String> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
        }
        presented_key(&map).map(str::to_owned)
    }

    #[test]
    fn keys_come_as_bearer_or_in_their_own_header() {
        for (headers, key) in [
            (&[("authorization", "Bearer sk-1")][..], Some("sk-1")),
            (&[("authorization", "bearer sk-1")], Some("sk-1")),
            (&[("authorization", "BEARER   sk-1 ")], Some("sk-1")),
            (&[("x-api-key", "sk-2")], Some("sk-2")),
            (
                &[("authorization", "Bearer sk-1"), ("x-api-key", "sk-2")],
                Some("sk-1"),
            ),
            (
                &[("authorization", "Basic dTpw"), ("x-api-key", "sk-2")],
                Some("sk-2"),
            ),
            (&[("authorization", "Bearer ")], None),
            (&[("authorization", "sk-1")], None),
            (
                &[
                    ("authorization", "Bearer sk-1"),
                    ("authorization", "Bearer sk-3"),
                ],
                None,
            ),
            (&[("x-api-key", "  ")], None),
            (&[], None),
        ] {
            assert_eq!(key_in(headers).as_deref(), key, "{headers:?}");
        }
    }
}
