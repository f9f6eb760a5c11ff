//! Why an answer ended, in this dialect's words.

use switchyard_interchange::event::{Finish, FinishReason};

/// The internal reason for a provider's word. Whether a tool was called decides between an
/// ordinary end and a tool turn, because some hosts name one and mean the other.
pub(super) fn decode(native: Option<&str>, stop_sequence: Option<&str>, has_calls: bool) -> Finish {
    let reason = match native {
        Some("max_tokens") => FinishReason::Length,
        Some("model_context_window_exceeded") => FinishReason::ContextFull,
        Some("refusal") => FinishReason::Refusal,
        Some("pause_turn") => FinishReason::Pause,
        Some("stop_sequence") => FinishReason::StopSequence,
        _ if has_calls => FinishReason::ToolCalls,
        _ => FinishReason::Stop,
    };
    // Without a call of the caller's tools it was our schema tool that was called.
    let native = native.map(|word| {
        if word == "tool_use" && !has_calls {
            "end_turn"
        } else {
            word
        }
    });
    Finish {
        reason,
        native: native.map(str::to_owned),
        stop_sequence: stop_sequence.map(str::to_owned),
    }
}

/// This dialect's word for an internal reason.
pub(super) const fn encode(reason: FinishReason) -> &'static str {
    match reason {
        FinishReason::Stop | FinishReason::Error => "end_turn",
        FinishReason::StopSequence => "stop_sequence",
        FinishReason::Length => "max_tokens",
        FinishReason::ContextFull => "model_context_window_exceeded",
        FinishReason::ToolCalls => "tool_use",
        FinishReason::ContentFilter | FinishReason::Refusal => "refusal",
        FinishReason::Pause => "pause_turn",
    }
}
