//! Reasoning of other model families on its way through clients of this dialect.
//!
//! The dialect knows only its own signed thinking. Reasoning of another family is shown as a
//! thinking block whose signature is an envelope of ours: a mark, then base64 of what the family
//! needs back. The client returns it unread, and decoding restores the original. An upstream of
//! this dialect never sees one.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use switchyard_interchange::message::{REASONING_UNKNOWN, Reasoning, ReasoningContent};

/// What a signature or data field of our making starts with.
const MARK: &str = "switchyard.v1.";

/// What a block of this dialect cannot carry of another family's reasoning.
#[derive(Serialize, Deserialize)]
struct Envelope {
    kind: Kind,
    format: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// The signature, or the encrypted data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    opaque: Option<String>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    Text,
    Summary,
    Encrypted,
}

/// The envelope for a block of another family.
pub(super) fn wrap(kind: Kind, format: &str, id: Option<&str>, opaque: Option<&str>) -> String {
    let envelope = Envelope {
        kind,
        format: format.to_owned(),
        id: id.map(str::to_owned),
        opaque: opaque.map(str::to_owned),
    };
    let json = serde_json::to_vec(&envelope).expect("an envelope is plain strings");
    format!("{MARK}{}", URL_SAFE_NO_PAD.encode(json))
}

/// Whether an opaque field is not what this dialect's own models made.
pub(super) fn is_foreign(opaque: &str) -> bool {
    opaque.is_empty() || opaque.starts_with(MARK)
}

/// The original of a thinking block with a foreign signature. Without a readable envelope it is
/// unsigned reasoning of unknown origin.
pub(super) fn restore_thinking(text: String, opaque: &str) -> Reasoning {
    match read(opaque) {
        Some(Envelope {
            kind: Kind::Summary,
            format,
            id,
            ..
        }) => Reasoning {
            content: ReasoningContent::Summary { text: text.into() },
            id,
            format,
        },
        Some(Envelope {
            kind: Kind::Text,
            format,
            id,
            opaque,
        }) => Reasoning {
            content: ReasoningContent::Text {
                text: text.into(),
                signature: opaque,
            },
            id,
            format,
        },
        Some(Envelope {
            kind: Kind::Encrypted,
            ..
        })
        | None => Reasoning {
            content: ReasoningContent::Text {
                text: text.into(),
                signature: None,
            },
            id: None,
            format: REASONING_UNKNOWN.to_owned(),
        },
    }
}

/// The original of a redacted block with foreign data; `None` where there is nothing to restore.
pub(super) fn restore_redacted(opaque: &str) -> Option<Reasoning> {
    let Envelope {
        kind: Kind::Encrypted,
        format,
        id,
        opaque: Some(data),
    } = read(opaque)?
    else {
        return None;
    };
    Some(Reasoning {
        content: ReasoningContent::Encrypted { data: data.into() },
        id,
        format,
    })
}

fn read(opaque: &str) -> Option<Envelope> {
    let json = URL_SAFE_NO_PAD.decode(opaque.strip_prefix(MARK)?).ok()?;
    serde_json::from_slice(&json).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_wrapped_comes_back() {
        let signature = wrap(Kind::Text, "google-gemini-v1", Some("r1"), Some("sig"));
        assert!(is_foreign(&signature));
        assert_eq!(
            restore_thinking("why".to_owned(), &signature),
            Reasoning {
                content: ReasoningContent::Text {
                    text: "why".into(),
                    signature: Some("sig".to_owned())
                },
                id: Some("r1".to_owned()),
                format: "google-gemini-v1".to_owned(),
            }
        );
        let data = wrap(Kind::Encrypted, "openai-responses-v1", None, Some("blob"));
        let restored = restore_redacted(&data).expect("an envelope of ours");
        assert_eq!(
            restored.content,
            ReasoningContent::Encrypted {
                data: "blob".into()
            }
        );
    }

    #[test]
    fn a_broken_envelope_is_unsigned_reasoning() {
        let restored = restore_thinking("why".to_owned(), "switchyard.v1.%%%");
        assert_eq!(restored.format, REASONING_UNKNOWN);
        assert_eq!(restore_redacted("switchyard.v1.%%%"), None);
        assert!(!is_foreign("EqYCCpMB"));
    }
}
