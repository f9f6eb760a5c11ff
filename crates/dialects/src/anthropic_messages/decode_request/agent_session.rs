//! The session that Claude Code tells in `metadata.user_id`.
//!
//! Until 2.1.78 the id reads `user_<hash>_account_<id>_session_<uuid>`, since then it is a JSON
//! object in a string, with the session under `session_id`. An id of any other make is an end
//! user's, who may hold many conversations, and names none.

use crate::json::{Text, wire_object};

/// Characters of a session id.
const CHARS_MAX: usize = 256;
/// What stands before the session in the older form.
const MARKER: &str = "_session_";
/// A UUID in text.
const UUID_CHARS: usize = 36;

wire_object! {
    lenient struct AgentUser<'a> {
        "session_id" => session_id: Text<'a>,
    }
}

/// The session a user id names.
pub(super) fn of(user_id: &str) -> Option<String> {
    if user_id.starts_with('{') {
        let user: AgentUser<'_> = serde_json::from_str(user_id).ok()?;
        let session = user.session_id?;
        let fits = !session.is_empty() && session.chars().count() <= CHARS_MAX;
        return fits.then(|| session.0.into_owned());
    }
    let (_, session) = user_id.strip_prefix("user_")?.rsplit_once(MARKER)?;
    let is_uuid = session.len() == UUID_CHARS
        && session
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    is_uuid.then(|| session.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_the_agent_and_nobody_elses() {
        const UUID: &str = "57a121ec-f78c-48c3-a745-e3036a3ecc33";
        for (user_id, session) in [
            (format!("user_ab12_account__session_{UUID}"), Some(UUID)),
            (
                format!("user_ab12_account_{UUID}_session_{UUID}"),
                Some(UUID),
            ),
            (
                format!(r#"{{"device_id":"d","account_uuid":"","session_id":"{UUID}"}}"#),
                Some(UUID),
            ),
            (r#"{"device_id":"d"}"#.to_owned(), None),
            (r#"{"session_id":""}"#.to_owned(), None),
            (r#"{"session_id":7}"#.to_owned(), None),
            (format!(r#"{{"session_id":"{}"}}"#, "x".repeat(257)), None),
            ("user_ab12_account__session_yesterday".to_owned(), None),
            (format!("customer_session_{UUID}"), None),
            ("someone@example.com".to_owned(), None),
        ] {
            assert_eq!(of(&user_id).as_deref(), session, "{user_id}");
        }
    }
}
