//! What a client says about itself and its wishes in headers.

use axum::http::HeaderMap;
use switchyard_app::generation::{ClientFacts, RouterMetadata};
use switchyard_interchange::{reply::PublicFailure, request::ChatRequest};

use crate::{
    error,
    limits::{CLIENT_FACT_CHARS_MAX, SESSION_ID_CHARS_MAX},
};

/// Who the client says it is, shortened to what is kept.
pub(crate) fn facts(headers: &HeaderMap) -> ClientFacts {
    let title = ["x-openrouter-title", "x-title"];
    ClientFacts {
        http_referer: fact(headers, "http-referer"),
        app_title: title.iter().find_map(|name| fact(headers, name)),
        user_agent: fact(headers, "user-agent"),
        request_id: fact(headers, "x-request-id"),
    }
}

fn fact(headers: &HeaderMap, name: &str) -> Option<String> {
    let text = String::from_utf8_lossy(headers.get(name)?.as_bytes());
    let kept: String = text
        .trim()
        .chars()
        .filter(|c| !c.is_control())
        .take(CLIENT_FACT_CHARS_MAX)
        .collect();
    (!kept.is_empty()).then_some(kept)
}

/// Whether the router's own account of a request is wanted; anything but `enabled` is no.
pub(crate) fn router_metadata(headers: &HeaderMap) -> RouterMetadata {
    let wanted = [
        "x-openrouter-metadata",
        "x-openrouter-experimental-metadata",
    ]
    .iter()
    .find_map(|name| headers.get(*name))
    .is_some_and(|value| {
        value
            .as_bytes()
            .trim_ascii()
            .eq_ignore_ascii_case(b"enabled")
    });
    if wanted {
        RouterMetadata::Shown
    } else {
        RouterMetadata::Hidden
    }
}

/// Takes the session from the header where the body names none.
pub(crate) fn join_session(
    headers: &HeaderMap,
    chat: &mut ChatRequest,
) -> Result<(), PublicFailure> {
    if chat.session_id.is_none() {
        chat.session_id = session_id(headers)?;
    }
    Ok(())
}

fn session_id(headers: &HeaderMap) -> Result<Option<String>, PublicFailure> {
    let Some(value) = headers.get("x-session-id") else {
        return Ok(None);
    };
    let text = std::str::from_utf8(value.as_bytes())
        .map_err(|_| error::bad_header("x-session-id", "is not UTF-8"))?
        .trim();
    if text.chars().count() > SESSION_ID_CHARS_MAX {
        let problem = format!("is longer than {SESSION_ID_CHARS_MAX} characters");
        return Err(error::bad_header("x-session-id", &problem));
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                let value = HeaderValue::from_bytes(value.as_bytes()).expect("a header value");
                (HeaderName::from_static(name), value)
            })
            .collect()
    }

    #[test]
    fn facts_are_bounded_and_the_newer_title_wins() {
        let long = "ü".repeat(CLIENT_FACT_CHARS_MAX + 1);
        let facts = facts(&headers(&[
            ("http-referer", "https://app.example"),
            ("x-title", "old"),
            ("x-openrouter-title", "new"),
            ("user-agent", &long),
            ("x-request-id", "  "),
        ]));
        assert_eq!(facts.http_referer.as_deref(), Some("https://app.example"));
        assert_eq!(facts.app_title.as_deref(), Some("new"));
        assert_eq!(facts.user_agent, Some("ü".repeat(CLIENT_FACT_CHARS_MAX)));
        assert_eq!(facts.request_id, None);
    }

    #[test]
    fn metadata_is_shown_only_when_enabled() {
        for (value, shown) in [
            ("enabled", RouterMetadata::Shown),
            ("Enabled ", RouterMetadata::Shown),
            ("disabled", RouterMetadata::Hidden),
            ("true", RouterMetadata::Hidden),
        ] {
            for name in [
                "x-openrouter-metadata",
                "x-openrouter-experimental-metadata",
            ] {
                assert_eq!(
                    router_metadata(&headers(&[(name, value)])),
                    shown,
                    "{name}: {value}"
                );
            }
        }
        assert_eq!(router_metadata(&HeaderMap::new()), RouterMetadata::Hidden);
    }

    #[test]
    fn a_session_id_may_have_256_characters() {
        let longest = "ä".repeat(SESSION_ID_CHARS_MAX);
        let found = session_id(&headers(&[("x-session-id", &longest)])).expect("short enough");
        assert_eq!(found, Some(longest.clone()));
        let error = session_id(&headers(&[("x-session-id", &format!("{longest}x"))]))
            .expect_err("too long");
        assert_eq!((error.status, error.error_type), (400, "invalid_request"));
        assert!(
            session_id(&headers(&[("x-session-id", "")]))
                .expect("absent")
                .is_none()
        );
    }
}
