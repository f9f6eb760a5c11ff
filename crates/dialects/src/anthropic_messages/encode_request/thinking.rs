//! What a request's reasoning control means to a model of this dialect.

use switchyard_interchange::{
    failure::Failure,
    message::{Message, Part, REASONING_ANTHROPIC, ReasoningContent, Role},
    request::{ChatRequest, Effort},
};

use super::{ThinkingStyle, UpstreamTraits, body::Thinking, unsupported};

/// The least budget the provider takes.
const BUDGET_TOKENS_MIN: u32 = 1_024;

/// The thinking and effort to ask for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ThinkingPlan {
    pub(super) thinking: Option<Thinking>,
    pub(super) effort: Option<Effort>,
}

impl ThinkingPlan {
    /// Plans within `max_tokens`, which is never raised: the caller's limit is also what was
    /// reserved for it. Where it leaves no room for the least budget, an effort goes unheeded
    /// and an explicit budget fails.
    pub(super) fn make(
        request: &ChatRequest,
        traits: &UpstreamTraits,
        max_tokens: u32,
    ) -> Result<Self, Failure> {
        match traits.thinking {
            ThinkingStyle::None => Ok(Self {
                thinking: None,
                effort: None,
            }),
            ThinkingStyle::Adaptive => Ok(Self::adaptive(request, traits, max_tokens)),
            ThinkingStyle::Budget => Self::with_budget(request, max_tokens),
        }
    }

    /// Whether the model will think.
    pub(super) const fn is_on(&self) -> bool {
        matches!(
            self.thinking,
            Some(Thinking::Enabled { .. } | Thinking::Adaptive { .. })
        )
    }

    fn adaptive(request: &ChatRequest, traits: &UpstreamTraits, max_tokens: u32) -> Self {
        let control = &request.reasoning;
        let verbosity = request.verbosity.as_deref().and_then(Effort::from_name);
        if is_off(request) {
            let effort = verbosity.and_then(|effort| nearest(effort, &traits.efforts));
            return Self {
                thinking: Some(Thinking::Disabled),
                effort,
            };
        }
        let wanted = control
            .effort
            .or(control
                .max_tokens
                .map(|budget| Effort::from_budget(budget, max_tokens)))
            .or(verbosity);
        let on = control.enabled == Some(true) && !is_prefilled(&request.messages);
        let display = if control.exclude {
            "omitted"
        } else {
            "summarized"
        };
        Self {
            thinking: on.then_some(Thinking::Adaptive { display }),
            effort: wanted.and_then(|effort| nearest(effort, &traits.efforts)),
        }
    }

    fn with_budget(request: &ChatRequest, max_tokens: u32) -> Result<Self, Failure> {
        let off = Self {
            thinking: None,
            effort: None,
        };
        let control = &request.reasoning;
        let impossible =
            is_prefilled(&request.messages) || is_unsigned_tool_loop(&request.messages);
        if control.enabled != Some(true) || is_off(request) || impossible {
            return Ok(off);
        }
        let room = max_tokens.saturating_sub(1);
        let budget = match control.max_tokens {
            Some(_) if room < BUDGET_TOKENS_MIN => {
                return Err(unsupported(format!(
                    "a reasoning budget needs `max_tokens` above {BUDGET_TOKENS_MIN}"
                )));
            }
            Some(budget) => budget.max(BUDGET_TOKENS_MIN),
            None if room < BUDGET_TOKENS_MIN => return Ok(off),
            None => control.effort.unwrap_or(Effort::Medium).budget(max_tokens),
        };
        let thinking = Thinking::Enabled {
            budget_tokens: budget.min(room),
            display: control.exclude.then_some("omitted"),
        };
        Ok(Self {
            thinking: Some(thinking),
            effort: None,
        })
    }
}

fn is_off(request: &ChatRequest) -> bool {
    request.reasoning.enabled == Some(false) || request.reasoning.effort == Some(Effort::None)
}

/// The nearest effort the model knows; of two equally near the lesser, which costs less.
fn nearest(effort: Effort, known: &[Effort]) -> Option<Effort> {
    let rank = |effort: Effort| effort as i32;
    known
        .iter()
        .copied()
        .filter(|known| *known != Effort::None)
        .min_by_key(|known| ((rank(*known) - rank(effort)).abs(), rank(*known)))
}

/// Whether the caller wrote the start of the answer; a model that thinks cannot continue it.
fn is_prefilled(messages: &[Message]) -> bool {
    messages
        .last()
        .is_some_and(|last| last.role == Role::Assistant)
}

/// Whether a tool loop is under way whose call was made without thinking of this dialect. The
/// provider refuses to start thinking in the middle of one.
fn is_unsigned_tool_loop(messages: &[Message]) -> bool {
    let Some(assistant) = messages
        .iter()
        .rposition(|message| message.role == Role::Assistant)
    else {
        return false;
    };
    let is_loop = messages[assistant..]
        .iter()
        .any(|message| message.role == Role::Tool);
    is_loop
        && !messages[assistant]
            .parts
            .first()
            .is_some_and(is_own_reasoning)
}

/// Whether a part is thinking that this dialect's models made and will accept back.
pub(super) fn is_own_reasoning(part: &Part) -> bool {
    let Part::Reasoning(reasoning) = part else {
        return false;
    };
    reasoning.format == REASONING_ANTHROPIC
        && match &reasoning.content {
            ReasoningContent::Text { signature, .. } => signature
                .as_deref()
                .is_some_and(|signature| !signature.is_empty()),
            ReasoningContent::Encrypted { .. } => true,
            ReasoningContent::Summary { .. } => false,
        }
}
