//! Whether what a provider says repeats what it was asked. A complaint about a credential is kept
//! for the credential's owner to read; a prompt is kept nowhere.

use memchr::memmem;
use switchyard_domain::secret::Private;
use switchyard_interchange::message::{Message, Part, ReasoningContent};

/// A shorter run of the same bytes may be chance.
const RUN_BYTES: usize = 16;

/// Whether `said` has a run of bytes in common with the conversation. `true` where the conversation
/// is no longer at hand.
pub(super) fn repeats(said: &str, conversation: &[Message]) -> bool {
    let runs: Vec<_> = said
        .as_bytes()
        .windows(RUN_BYTES)
        .map(memmem::Finder::new)
        .collect();
    let is_repeated = |text: &Private<String>| {
        let text = text.expose();
        let short = text.trim();
        let is_whole = !short.is_empty() && short.len() < RUN_BYTES && said.contains(short);
        is_whole || runs.iter().any(|run| run.find(text.as_bytes()).is_some())
    };
    conversation.is_empty()
        || conversation
            .iter()
            .any(|Message { parts, .. }| any_text(parts, &is_repeated))
}

fn any_text(parts: &[Part], matches: &dyn Fn(&Private<String>) -> bool) -> bool {
    parts.iter().any(|part| match part {
        Part::Text { text, .. } | Part::Refusal { text } => matches(text),
        Part::ToolCall(call) => matches(&call.arguments),
        Part::ToolResult(result) => any_text(&result.content, matches),
        Part::Reasoning(reasoning) => match &reasoning.content {
            ReasoningContent::Text { text, .. } | ReasoningContent::Summary { text } => {
                matches(text)
            }
            ReasoningContent::Encrypted { data } => matches(data),
        },
        // No provider repeats bytes of media.
        Part::Image { .. } | Part::File { .. } | Part::Audio { .. } | Part::Video { .. } => false,
    })
}

#[cfg(test)]
mod tests {
    use switchyard_interchange::message::{Role, ToolCall, ToolResult};

    use super::*;

    fn said_by(role: Role, part: Part) -> Message {
        Message {
            role,
            parts: vec![part],
            name: None,
        }
    }

    fn text(text: &str) -> Part {
        Part::Text {
            text: text.into(),
            cache: None,
        }
    }

    fn conversation() -> Vec<Message> {
        let call = ToolCall {
            id: "c1".to_owned(),
            name: "look".to_owned(),
            arguments: r#"{"at":"the old harbour"}"#.into(),
            cache: None,
        };
        let result = ToolResult {
            call_id: "c1".to_owned(),
            content: vec![text("seventeen vessels at anchor")],
            is_error: false,
            cache: None,
        };
        vec![
            said_by(Role::System, text("Speak of ships in every single answer.")),
            said_by(Role::User, text("My PIN: 4711")),
            said_by(Role::Assistant, Part::ToolCall(call)),
            said_by(Role::Tool, Part::ToolResult(result)),
        ]
    }

    #[test]
    fn t59_what_was_asked_is_recognised_in_what_is_said() {
        let conversation = conversation();
        for said in [
            "blocked: \"ships in every single\"",
            "not allowed: My PIN: 4711.",
            "bad call {\"at\":\"the old harbour\"}",
            "bad result: vessels at anchor, seventeen vessels at",
        ] {
            assert!(repeats(said, &conversation), "{said}");
        }
        for said in [
            "",
            "Incorrect API key provided.",
            "You have no access to author/of-some-length-42.",
            "No ships in here.",
        ] {
            assert!(!repeats(said, &conversation), "{said}");
        }
    }

    #[test]
    fn what_cannot_be_compared_any_more_counts_as_repeated() {
        assert!(repeats("Incorrect API key provided.", &[]));
    }
}
