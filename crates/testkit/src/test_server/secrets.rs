//! What must not be in any log of a deployment: every secret that went in or came out.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

/// Shorter texts may be in a log by chance.
const SECRET_CHARS_MIN: usize = 16;

/// The secrets of one deployment.
#[derive(Debug, Clone, Default)]
pub(super) struct Secrets(Arc<Mutex<Vec<String>>>);

impl Secrets {
    /// Notes a secret; one in JSON by its long texts, since its other texts are no secrets.
    pub(super) fn note(&self, secret: &str) {
        let mut found = Vec::new();
        match serde_json::from_str::<Value>(secret) {
            Ok(document) => texts_of(&document, &mut found),
            Err(_) => found.push(secret.trim().to_owned()),
        }
        found.retain(|text| text.len() >= SECRET_CHARS_MIN);
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .append(&mut found);
    }

    /// Checks a finished log: one JSON object a line, and no secret in any.
    ///
    /// # Panics
    /// When it is not so.
    pub(super) fn check_log(&self, log: &str) {
        let secrets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for line in log.lines() {
            let is_object = serde_json::from_str::<Value>(line).is_ok_and(|line| line.is_object());
            assert!(
                is_object,
                "a line of the log that is no JSON object: {line}"
            );
            assert!(
                !secrets.iter().any(|secret| line.contains(secret.as_str())),
                "a secret is in the log: {line}"
            );
        }
    }
}

fn texts_of(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts_of(item, found)),
        Value::Object(members) => members.values().for_each(|member| texts_of(member, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_clean(log: &str) -> bool {
        let secrets = Secrets::default();
        secrets.note("sk-a-secret-that-is-long\n");
        secrets.note(r#"[{"api_key": "another-long-secret", "region": "eu"}]"#);
        std::panic::catch_unwind(|| secrets.check_log(log)).is_ok()
    }

    #[test]
    fn only_clean_logs_pass() {
        assert!(is_clean(""));
        assert!(is_clean("{\"message\":\"in eu\"}\n{}\n"));
        for bad in [
            "{\"message\":\"sk-a-secret-that-is-long\"}",
            "{}\n{\"a\":\"x another-long-secret x\"}",
            "plain text",
            "{}\n[]",
        ] {
            assert!(!is_clean(bad), "{bad}");
        }
    }
}
