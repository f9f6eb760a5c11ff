//! The conversation as the dialect wants it: instructions apart, turns alternating, every tool
//! call answered at the head of the next user turn, and no empty text anywhere.

use std::borrow::Cow;

use switchyard_interchange::{
    failure::Failure,
    message::{Message, Part, Role, ToolResult},
    request::{ChatRequest, Dialect},
};

use super::{
    UpstreamTraits,
    body::{Block, CacheControl, Turn, TurnRole},
    call_ids::CallIds,
    parts::{self, is_blank},
    unsupported,
};
use crate::cache_marks::Places;

/// What the model is told of a call that nobody answered; the provider insists on an answer.
const NO_RESULT: &str = "No result was given for this call.";
/// Said by the user where the conversation does not start with a user's turn.
const OPENING: &str = "(The conversation continues.)";

/// A conversation under way to the body.
pub(super) struct Conversation<'a> {
    pub(super) system: Vec<Block<'a>>,
    pub(super) turns: Vec<Turn<'a>>,
    ids: CallIds,
    /// How many blocks at the head of the open user turn are tool results.
    results_at_head: usize,
    keeps_reasoning: bool,
    same_dialect: bool,
}

impl<'a> Conversation<'a> {
    /// Encodes the messages of a request, with cache marks at `places`.
    pub(super) fn encode(
        request: &'a ChatRequest,
        traits: &UpstreamTraits,
        places: Places,
    ) -> Result<Self, Failure> {
        let mut conversation = Self {
            system: Vec::new(),
            turns: Vec::with_capacity(request.messages.len()),
            ids: CallIds::default(),
            results_at_head: 0,
            keeps_reasoning: traits.thinking != super::ThinkingStyle::None,
            same_dialect: request.origin.dialect == Dialect::AnthropicMessages,
        };
        for (index, message) in request.messages.iter().enumerate() {
            match message.role {
                Role::System | Role::Developer => conversation.add_instructions(message)?,
                Role::User => conversation.add_user(message)?,
                Role::Tool => conversation.add_results(message)?,
                Role::Assistant => conversation.add_assistant(message)?,
            }
            if places.ends_at(index) {
                conversation.mark_end(message.role);
            }
        }
        conversation.close()?;
        Ok(conversation)
    }

    /// Whether the model is to continue an answer that the caller started.
    pub(super) fn ends_with_assistant(&self) -> bool {
        self.turns
            .last()
            .is_some_and(|turn| turn.role == TurnRole::Assistant)
    }

    /// Marks what was last added for `role`.
    fn mark_end(&mut self, role: Role) {
        let blocks = match role {
            Role::System | Role::Developer => &mut self.system,
            Role::User | Role::Tool | Role::Assistant => match self.turns.last_mut() {
                Some(turn) => &mut turn.content,
                None => return,
            },
        };
        if let Some(slot) = blocks.last_mut().and_then(Block::cache_slot) {
            *slot = Some(CacheControl::SHORT);
        }
    }

    /// Instructions have one place only, at the top, wherever they stood.
    fn add_instructions(&mut self, message: &'a Message) -> Result<(), Failure> {
        for part in &message.parts {
            match part {
                Part::Text { text, .. } if is_blank(text.expose()) => {}
                Part::Text { text, cache } => self.system.push(Block::Text {
                    text: Cow::Borrowed(text.expose()),
                    cache_control: cache.map(Into::into),
                }),
                _ => return Err(unsupported("instructions can only be text")),
            }
        }
        Ok(())
    }

    fn add_user(&mut self, message: &'a Message) -> Result<(), Failure> {
        let mut blocks = Vec::with_capacity(message.parts.len());
        for part in &message.parts {
            blocks.extend(parts::encode_given(part, self.same_dialect)?);
        }
        name_speaker(&mut blocks, message.name.as_deref());
        if !blocks.is_empty() {
            self.user_turn().content.extend(blocks);
        }
        Ok(())
    }

    fn add_results(&mut self, message: &'a Message) -> Result<(), Failure> {
        for part in &message.parts {
            match part {
                Part::ToolResult(result) => self.add_result(result)?,
                _ => return Err(unsupported("a tool's message can only hold results")),
            }
        }
        Ok(())
    }

    /// A result goes before any text of its turn. One that answers no open call is what the user
    /// says instead.
    fn add_result(&mut self, result: &'a ToolResult) -> Result<(), Failure> {
        let mut content = Vec::with_capacity(result.content.len());
        for part in &result.content {
            content.extend(parts::encode_given(part, self.same_dialect)?);
        }
        let Some(tool_use_id) = self.ids.answer(&result.call_id) else {
            if !content.is_empty() {
                self.user_turn().content.extend(content);
            }
            return Ok(());
        };
        self.put_result(Block::ToolResult {
            tool_use_id,
            content,
            is_error: result.is_error,
            cache_control: result.cache.map(Into::into),
        });
        Ok(())
    }

    fn put_result(&mut self, result: Block<'a>) {
        self.user_turn();
        let head = self.results_at_head;
        self.user_turn().content.insert(head, result);
        self.results_at_head += 1;
    }

    fn add_assistant(&mut self, message: &'a Message) -> Result<(), Failure> {
        let mut blocks = Vec::with_capacity(message.parts.len());
        // Calls of the turn before must be answered before another turn of the model begins.
        if !self.ends_with_assistant() {
            self.answer_open_calls();
        }
        for part in &message.parts {
            match part {
                Part::ToolCall(call) => {
                    let id = self.ids.open(&call.id);
                    blocks.push(parts::encode_call(call, id)?);
                }
                part => blocks.extend(parts::encode_answered(part, self.keeps_reasoning)?),
            }
        }
        name_speaker(&mut blocks, message.name.as_deref());
        if blocks.is_empty() {
            return Ok(());
        }
        if self.turns.is_empty() {
            self.user_turn().content.push(Block::text(OPENING));
        }
        self.turn(TurnRole::Assistant).content.extend(blocks);
        Ok(())
    }

    /// Gives every open call an answer, in the user turn that follows it.
    fn answer_open_calls(&mut self) {
        let unanswered: Vec<String> = self.ids.take_unanswered().collect();
        for tool_use_id in unanswered {
            self.put_result(Block::ToolResult {
                tool_use_id,
                content: vec![Block::text(NO_RESULT)],
                is_error: true,
                cache_control: None,
            });
        }
    }

    fn close(&mut self) -> Result<(), Failure> {
        self.answer_open_calls();
        if self.turns.is_empty() {
            // Instructions alone are what the user has to say.
            let instructions = std::mem::take(&mut self.system);
            if instructions.is_empty() {
                return Err(unsupported("no message has any content"));
            }
            self.user_turn().content.extend(instructions);
        }
        if let Some(Turn {
            role: TurnRole::Assistant,
            content,
        }) = self.turns.last_mut()
        {
            trim_end(content);
        }
        if self
            .turns
            .last()
            .is_some_and(|turn| turn.content.is_empty())
        {
            self.turns.pop();
        }
        Ok(())
    }

    fn user_turn(&mut self) -> &mut Turn<'a> {
        self.turn(TurnRole::User)
    }

    /// The open turn of `role`, started if the other side spoke last.
    fn turn(&mut self, role: TurnRole) -> &mut Turn<'a> {
        if self.turns.last().is_none_or(|turn| turn.role != role) {
            self.turns.push(Turn {
                role,
                content: Vec::new(),
            });
            self.results_at_head = 0;
        }
        self.turns
            .last_mut()
            .expect("a turn was pushed if there was none")
    }
}

/// The dialect has no names, so a named speaker is introduced in his first words.
fn name_speaker(blocks: &mut [Block<'_>], name: Option<&str>) {
    let Some(name) = name.filter(|name| !name.is_empty()) else {
        return;
    };
    let text = blocks.iter_mut().find_map(|block| match block {
        Block::Text { text, .. } => Some(text),
        _ => None,
    });
    if let Some(text) = text {
        *text = Cow::Owned(format!("{name}: {text}"));
    }
}

/// The provider refuses a last assistant turn that ends in whitespace.
fn trim_end(content: &mut Vec<Block<'_>>) {
    if let Some(Block::Text { text, .. }) = content.last_mut() {
        let trimmed = text.trim_end();
        if trimmed.len() < text.len() {
            *text = Cow::Owned(trimmed.to_owned());
        }
        if text.is_empty() {
            content.pop();
        }
    }
}
