//! Messages, their blocks and their cache marks.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use switchyard_domain::model::{Modalities, Modality};
use switchyard_interchange::message::{
    CacheLife, CacheMark, MediaSource, Message, Part, REASONING_ANTHROPIC, Reasoning,
    ReasoningContent, Role, ToolCall, ToolResult,
};

use super::wire::{BlockWire, CacheWire, Content, SourceWire, TurnWire};
use crate::{anthropic_messages::foreign_reasoning, error::DecodeError, json::Text};

/// The system prompt as a message; `None` when there is nothing in it.
pub(super) fn decode_system(system: &Content<'_>) -> Result<Option<Message>, DecodeError> {
    let parts = match system {
        Content::Text(text) => vec![Part::text(&**text)],
        Content::Blocks(blocks) => {
            let mut parts = Vec::with_capacity(blocks.len());
            for (index, block) in blocks.iter().enumerate() {
                let part = decode_text_block(block)
                    .map_err(|error| error.within(format_args!("[{index}]")))?;
                parts.push(part);
            }
            parts
        }
    };
    Ok((!parts.is_empty()).then_some(Message {
        role: Role::System,
        parts,
        name: None,
    }))
}

/// One turn; a user turn with tool results becomes several messages, because results have a role
/// of their own.
pub(super) fn decode_turn(turn: &TurnWire<'_>, out: &mut Vec<Message>) -> Result<(), DecodeError> {
    let Some(content) = &turn.content else {
        return Err(DecodeError::invalid("content", "is required"));
    };
    match turn.role.as_deref() {
        Some("user") => decode_user(content, out).map_err(|error| error.within("content")),
        Some("assistant") => {
            let parts = decode_assistant(content).map_err(|error| error.within("content"))?;
            out.push(Message {
                role: Role::Assistant,
                parts,
                name: None,
            });
            Ok(())
        }
        Some("system") => {
            out.extend(decode_system(content).map_err(|error| error.within("content"))?);
            Ok(())
        }
        Some(_) => Err(DecodeError::invalid(
            "role",
            "expected user, assistant or system",
        )),
        None => Err(DecodeError::invalid("role", "is required")),
    }
}

fn decode_user(content: &Content<'_>, out: &mut Vec<Message>) -> Result<(), DecodeError> {
    let first = out.len();
    let blocks = match content {
        Content::Text(text) => {
            out.push(Message {
                role: Role::User,
                parts: vec![Part::text(&**text)],
                name: None,
            });
            return Ok(());
        }
        Content::Blocks(blocks) => blocks,
    };
    for (index, block) in blocks.iter().enumerate() {
        let at = |error: DecodeError| error.within(format_args!("[{index}]"));
        let (role, parts) = if block.kind.as_deref() == Some("tool_result") {
            (
                Role::Tool,
                vec![Part::ToolResult(decode_tool_result(block).map_err(at)?)],
            )
        } else {
            (Role::User, decode_given_block(block).map_err(at)?)
        };
        match out.last_mut() {
            Some(last) if last.role == role && index > 0 => last.parts.extend(parts),
            _ => out.push(Message {
                role,
                parts,
                name: None,
            }),
        }
    }
    if out.len() == first {
        return Err(DecodeError::invalid("", "must not be empty"));
    }
    Ok(())
}

fn decode_assistant(content: &Content<'_>) -> Result<Vec<Part>, DecodeError> {
    let blocks = match content {
        Content::Text(text) => return Ok(vec![Part::text(&**text)]),
        Content::Blocks(blocks) => blocks,
    };
    let mut parts = Vec::with_capacity(blocks.len());
    for (index, block) in blocks.iter().enumerate() {
        let part = decode_answered_block(block)
            .map_err(|error| error.within(format_args!("[{index}]")))?;
        parts.extend(part);
    }
    Ok(parts)
}

/// A block that a person or a tool gives: text, image or document.
fn decode_given_block(block: &BlockWire<'_>) -> Result<Vec<Part>, DecodeError> {
    let part = match block.kind.as_deref() {
        Some("text") => decode_text_block(block)?,
        Some("image") => {
            let source = required(block.source.as_ref(), "source")?;
            Part::Image {
                source: decode_source(source).map_err(|error| error.within("source"))?,
                detail: None,
                cache: cache_of(block)?,
            }
        }
        Some("document") => return decode_document(block),
        Some("tool_use" | "thinking" | "redacted_thinking") => {
            return Err(DecodeError::invalid(
                "type",
                "only an assistant's message may hold this block",
            ));
        }
        kind => return Err(unknown_block(kind)),
    };
    Ok(vec![part])
}

/// A block that a model answered; `None` for a router-made block with nothing in it.
fn decode_answered_block(block: &BlockWire<'_>) -> Result<Option<Part>, DecodeError> {
    Ok(Some(match block.kind.as_deref() {
        Some("text") => decode_text_block(block)?,
        Some("tool_use") => Part::ToolCall(ToolCall {
            id: non_empty(block.id.as_ref(), "id")?,
            name: non_empty(block.name.as_ref(), "name")?,
            arguments: match block.input.map(|input| input.get()) {
                None => "{}".into(),
                Some(input) if input.starts_with('{') => input.into(),
                Some(_) => return Err(DecodeError::invalid("input", "expected an object")),
            },
            cache: cache_of(block)?,
        }),
        Some("thinking") => {
            let text = required(block.thinking.as_deref(), "thinking")?.to_owned();
            let signature = block.signature.as_deref().unwrap_or_default();
            Part::Reasoning(if foreign_reasoning::is_foreign(signature) {
                foreign_reasoning::restore_thinking(text, signature)
            } else {
                own_reasoning(ReasoningContent::Text {
                    text: text.into(),
                    signature: Some(signature.to_owned()),
                })
            })
        }
        Some("redacted_thinking") => {
            let data = required(block.data.as_deref(), "data")?;
            if foreign_reasoning::is_foreign(data) {
                return Ok(foreign_reasoning::restore_redacted(data).map(Part::Reasoning));
            }
            Part::Reasoning(own_reasoning(ReasoningContent::Encrypted {
                data: data.into(),
            }))
        }
        Some("image" | "document" | "tool_result") => {
            return Err(DecodeError::invalid(
                "type",
                "only a user's message may hold this block",
            ));
        }
        kind => return Err(unknown_block(kind)),
    }))
}

fn own_reasoning(content: ReasoningContent) -> Reasoning {
    Reasoning {
        content,
        id: None,
        format: REASONING_ANTHROPIC.to_owned(),
    }
}

fn decode_text_block(block: &BlockWire<'_>) -> Result<Part, DecodeError> {
    match block.kind.as_deref() {
        Some("text") => {
            let text = required(block.text.as_deref(), "text")?;
            Ok(Part::Text {
                text: text.into(),
                cache: cache_of(block)?,
            })
        }
        kind => Err(unknown_block(kind)),
    }
}

fn decode_tool_result(block: &BlockWire<'_>) -> Result<ToolResult, DecodeError> {
    let content = match &block.content {
        None => Vec::new(),
        Some(Content::Text(text)) => vec![Part::text(&**text)],
        Some(Content::Blocks(blocks)) => decode_nested(blocks)?,
    };
    Ok(ToolResult {
        call_id: non_empty(block.tool_use_id.as_ref(), "tool_use_id")?,
        content,
        is_error: block.is_error.unwrap_or(false),
        cache: cache_of(block)?,
    })
}

fn decode_nested(blocks: &[BlockWire<'_>]) -> Result<Vec<Part>, DecodeError> {
    let mut parts = Vec::with_capacity(blocks.len());
    for (index, block) in blocks.iter().enumerate() {
        let nested = decode_given_block(block)
            .map_err(|error| error.within(format_args!("content[{index}]")))?;
        parts.extend(nested);
    }
    Ok(parts)
}

/// A document. One whose source is a list of blocks is what those blocks are; a title or context
/// that has no place internally stays behind, in the origin.
fn decode_document(block: &BlockWire<'_>) -> Result<Vec<Part>, DecodeError> {
    let source = required(block.source.as_ref(), "source")?;
    if source.kind.as_deref() == Some("content") {
        return match required(source.content.as_ref(), "source.content")? {
            Content::Text(text) => Ok(vec![Part::Text {
                text: (&**text).into(),
                cache: cache_of(block)?,
            }]),
            Content::Blocks(blocks) => {
                decode_nested(blocks).map_err(|error| error.within("source"))
            }
        };
    }
    Ok(vec![Part::File {
        source: decode_source(source).map_err(|error| error.within("source"))?,
        filename: block.title.as_deref().map(str::to_owned),
        cache: cache_of(block)?,
    }])
}

fn decode_source(source: &SourceWire<'_>) -> Result<MediaSource, DecodeError> {
    match source.kind.as_deref() {
        Some("base64") => Ok(MediaSource::Inline {
            media_type: non_empty(source.media_type.as_ref(), "media_type")?,
            data: non_empty(source.data.as_ref(), "data")?.into(),
        }),
        Some("text") => Ok(MediaSource::Inline {
            media_type: source
                .media_type
                .as_deref()
                .unwrap_or("text/plain")
                .to_owned(),
            data: STANDARD
                .encode(required(source.data.as_deref(), "data")?)
                .into(),
        }),
        Some("url") => {
            let url = required(source.url.as_deref(), "url")?;
            if !url.starts_with("https://") && !url.starts_with("http://") {
                return Err(DecodeError::invalid(
                    "url",
                    "expected an http or https address",
                ));
            }
            Ok(MediaSource::Url(url.into()))
        }
        Some("file") => Ok(MediaSource::ProviderFile(non_empty(
            source.file_id.as_ref(),
            "file_id",
        )?)),
        _ => Err(DecodeError::invalid(
            "type",
            "expected base64, text, url or file",
        )),
    }
}

fn cache_of(block: &BlockWire<'_>) -> Result<Option<CacheMark>, DecodeError> {
    decode_cache(block.cache_control.as_ref()).map_err(|error| error.within("cache_control"))
}

/// A cache mark.
pub(super) fn decode_cache(mark: Option<&CacheWire<'_>>) -> Result<Option<CacheMark>, DecodeError> {
    let Some(mark) = mark else { return Ok(None) };
    if mark.kind.as_deref() != Some("ephemeral") {
        return Err(DecodeError::invalid("type", "expected ephemeral"));
    }
    let life = match mark.ttl.as_deref() {
        None | Some("5m") => CacheLife::Short,
        Some("1h") => CacheLife::OneHour,
        Some(_) => return Err(DecodeError::invalid("ttl", "expected 5m or 1h")),
    };
    Ok(Some(CacheMark { life }))
}

/// The kinds of input among `parts`.
pub(super) fn modalities(parts: &[Part]) -> Modalities {
    parts
        .iter()
        .fold(Modalities::EMPTY, |set, part| match part {
            Part::Image { .. } => set.with(Modality::Image),
            Part::File { .. } => set.with(Modality::File),
            Part::Audio { .. } => set.with(Modality::Audio),
            Part::Video { .. } => set.with(Modality::Video),
            Part::ToolResult(result) => set.union(modalities(&result.content)),
            Part::Text { .. } | Part::ToolCall(_) | Part::Reasoning(_) | Part::Refusal { .. } => {
                set
            }
        })
}

fn unknown_block(kind: Option<&str>) -> DecodeError {
    match kind {
        None => DecodeError::invalid("type", "is required"),
        Some(kind) => {
            let kind: String = kind.chars().take(64).collect();
            DecodeError::unsupported("type", format!("`{kind}` blocks are not offered here"))
        }
    }
}

fn required<T>(value: Option<T>, key: &str) -> Result<T, DecodeError> {
    value.ok_or_else(|| DecodeError::invalid(key, "is required"))
}

fn non_empty(text: Option<&Text<'_>>, key: &str) -> Result<String, DecodeError> {
    match text {
        Some(text) if !text.is_empty() => Ok(text.to_string()),
        _ => Err(DecodeError::invalid(key, "is required")),
    }
}
