//! What a client says about itself and its wishes in headers.

use axum::http::{HeaderMap, HeaderName, header::USER_AGENT};
use switchyard_app::generation::{ClientFacts, RouterMetadata};
use switchyard_domain::country::CountryCode;
use switchyard_interchange::{reply::PublicFailure, request::ChatRequest};

use crate::{
    error,
    limits::{CLIENT_FACT_CHARS_MAX, SESSION_ID_CHARS_MAX},
    reply::X_REQUEST_ID,
};

// Written out once: a name that comes as text is read anew for each look-up.
static HTTP_REFERER: HeaderName = HeaderName::from_static("http-referer");
static X_SESSION_ID: HeaderName = HeaderName::from_static("x-session-id");
/// The newer one first.
static TITLES: [HeaderName; 2] = [
    HeaderName::from_static("x-openrouter-title"),
    HeaderName::from_static("x-title"),
];
static ROUTER_METADATA: [HeaderName; 2] = [
    HeaderName::from_static("x-openrouter-metadata"),
    HeaderName::from_static("x-openrouter-experimental-metadata"),
];

/// Who the client says it is, shortened to what is kept.
pub(crate) fn facts(headers: &HeaderMap) -> ClientFacts {
    ClientFacts {
        http_referer: fact(headers, &HTTP_REFERER),
        app_title: TITLES.iter().find_map(|name| fact(headers, name)),
        user_agent: fact(headers, &USER_AGENT),
        request_id: fact(headers, &X_REQUEST_ID),
    }
}

fn fact(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
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
    let mut names = ROUTER_METADATA.iter();
    let wanted = names
        .find_map(|name| headers.get(name))
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

/// Headers in which coding agents name their session, in order of precedence.
///
/// `x-client-request-id` is not among them: some clients keep it for a session, but most make one
/// for each request.
static AGENT_SESSION_HEADERS: [HeaderName; 8] = [
    // Claude Code, since 2.1.86.
    HeaderName::from_static("x-claude-code-session-id"),
    // Codex CLI.
    HeaderName::from_static("session-id"),
    // Codex CLI before it took hyphens, and Pi.
    HeaderName::from_static("session_id"),
    // The first versions of Codex CLI.
    HeaderName::from_static("conversation_id"),
    // OpenCode, toward providers of its own.
    HeaderName::from_static("x-opencode-session"),
    // OpenCode toward everybody else, and Pi.
    HeaderName::from_static("x-session-affinity"),
    // Amp.
    HeaderName::from_static("x-amp-thread-id"),
    // Clients written for LiteLLM's proxy.
    HeaderName::from_static("x-litellm-session-id"),
];

/// Takes the session from the headers where the body names none: from `x-session-id`, or else from
/// what a coding agent sends of its own accord.
pub(crate) fn join_session(
    headers: &HeaderMap,
    chat: &mut ChatRequest,
) -> Result<(), PublicFailure> {
    if chat.session_id.is_none() {
        chat.session_id = session_id(headers)?.or_else(|| agent_session(headers));
    }
    Ok(())
}

fn session_id(headers: &HeaderMap) -> Result<Option<String>, PublicFailure> {
    let Some(value) = headers.get(&X_SESSION_ID) else {
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

/// The caller did not choose these headers, so one that cannot be a session is no mistake of his.
fn agent_session(headers: &HeaderMap) -> Option<String> {
    AGENT_SESSION_HEADERS.iter().find_map(|name| {
        let text = std::str::from_utf8(headers.get(name)?.as_bytes())
            .ok()?
            .trim();
        let fits = !text.is_empty() && text.chars().count() <= SESSION_ID_CHARS_MAX;
        fits.then(|| text.to_owned())
    })
}

/// The country that a trusted front names in `header`.
pub(crate) fn country(headers: &HeaderMap, header: Option<&HeaderName>) -> Option<CountryCode> {
    CountryCode::from_text(headers.get(header?)?.to_str().ok()?)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

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

    #[test]
    fn agents_sessions_count_after_the_callers_own() {
        let long = "x".repeat(SESSION_ID_CHARS_MAX + 1);
        for (pairs, session) in [
            (
                &[("session_id", "codex"), ("x-session-affinity", "pi")][..],
                Some("codex"),
            ),
            (
                &[
                    ("x-session-affinity", "pi"),
                    ("x-claude-code-session-id", "cc"),
                ],
                Some("cc"),
            ),
            (
                &[
                    ("x-claude-code-session-id", ""),
                    ("x-opencode-session", " oc "),
                ],
                Some("oc"),
            ),
            (&[("x-claude-code-session-id", long.as_str())], None),
            (
                &[("session-id", long.as_str()), ("conversation_id", "older")],
                Some("older"),
            ),
            (&[("x-client-request-id", "one of many")], None),
            (
                &[("x-session-id", "mine"), ("x-claude-code-session-id", "cc")],
                Some("mine"),
            ),
        ] {
            let mut chat = chat(None);
            join_session(&headers(pairs), &mut chat).expect("nothing the caller chose is wrong");
            assert_eq!(chat.session_id.as_deref(), session, "{pairs:?}");
        }
        let mut chat = chat(Some("body"));
        let both = headers(&[("x-session-id", "mine"), ("session_id", "codex")]);
        join_session(&both, &mut chat).expect("a session");
        assert_eq!(chat.session_id.as_deref(), Some("body"));
    }

    fn chat(session: Option<&str>) -> ChatRequest {
        let body = serde_json::json!({ "model": "a/b", "session_id": session,
            "messages": [{ "role": "user", "content": "hi" }] });
        switchyard_dialects::openai_chat::decode_request(body.to_string().into())
            .expect("a request")
    }

    #[test]
    fn a_country_is_read_only_from_the_header_that_is_trusted() {
        let sent = headers(&[("cf-ipcountry", "de"), ("x-country", "XX")]);
        let read =
            |name: Option<&'static str>| country(&sent, name.map(HeaderName::from_static).as_ref());
        assert_eq!(read(Some("cf-ipcountry")), CountryCode::from_text("DE"));
        assert_eq!(read(Some("x-country")), None);
        assert_eq!(read(Some("x-other")), None);
        assert_eq!(read(None), None);
    }
}
