//! A provider's completion in this very format, passed on with our fields in place of its own.

use serde::de::{Error, MapAccess};
use switchyard_interchange::event::Completion;

use super::built::{write_finish, write_reasoning};
use crate::openai_chat::{
    splice::{
        Fields, Walk, WalkFirst, is_filled_array, is_filled_string, present, skip, walk,
        write_calls,
    },
    write::Object,
};

/// The rewritten fields, to be appended to an object that has others before them.
pub(super) struct Spliced(Vec<u8>);

impl Spliced {
    pub(super) fn append_to(&self, object: &mut Object<'_>) {
        object.append_fields(&self.0);
    }
}

/// Rewrites everything but the fields that the caller writes. Fails where the bytes are not what
/// the decoder said they are.
pub(super) fn write(json: &[u8], completion: &Completion) -> Result<Spliced, NotSpliceable> {
    let mut out = Vec::with_capacity(json.len() + 256);
    let mut top = Top {
        object: Object::resume(&mut out, true),
        completion,
        has_choice: false,
        has_fingerprint: false,
    };
    walk(json, &mut top).map_err(|_| NotSpliceable)?;
    if !top.has_choice {
        return Err(NotSpliceable);
    }
    if !top.has_fingerprint {
        top.object.literal("system_fingerprint", "null");
    }
    Ok(Spliced(out))
}

/// The bytes cannot be passed on; the parts can be written instead.
pub(super) struct NotSpliceable;

struct Top<'o, 'c> {
    object: Object<'o>,
    completion: &'c Completion,
    has_choice: bool,
    has_fingerprint: bool,
}

impl<'de> Fields<'de> for Top<'_, '_> {
    fn field<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        match name {
            // Ours, or nobody's.
            "id"
            | "object"
            | "created"
            | "model"
            | "provider"
            | "usage"
            | "service_tier"
            | "error"
            | "x_groq"
            | "obfuscation"
            | "p"
            | "openrouter_metadata" => skip(map),
            "system_fingerprint" => {
                let value = present(map)?.filter(|value| is_filled_string(value));
                self.has_fingerprint |= value.is_some();
                if let Some(value) = value {
                    self.object.foreign(name, value);
                }
                Ok(())
            }
            "choices" => {
                let out = self.object.key("choices");
                out.extend_from_slice(br#"[{"index":0"#);
                let mut choice = Choice {
                    object: Object::resume(out, false),
                    completion: self.completion,
                };
                self.has_choice = map.next_value_seed(WalkFirst(&mut choice))?;
                write_finish(&mut choice.object, self.completion);
                out.extend_from_slice(b"}]");
                Ok(())
            }
            _ => copy(&mut self.object, name, map),
        }
    }
}

struct Choice<'o, 'c> {
    object: Object<'o>,
    completion: &'c Completion,
}

impl<'de> Fields<'de> for Choice<'_, '_> {
    fn field<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        match name {
            "index" | "finish_reason" | "native_finish_reason" | "delta" | "error" | "usage" => {
                skip(map)
            }
            "message" => {
                let mut message = Message {
                    object: Object::start(self.object.key("message")),
                    completion: self.completion,
                    has_content: false,
                    has_details: false,
                };
                map.next_value_seed(Walk(&mut message))?;
                message.complete();
                Ok(())
            }
            _ => copy(&mut self.object, name, map),
        }
    }
}

struct Message<'o, 'c> {
    object: Object<'o>,
    completion: &'c Completion,
    has_content: bool,
    has_details: bool,
}

impl<'de> Fields<'de> for Message<'_, '_> {
    fn field<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        match name {
            // The text goes under one name, written with the blocks below.
            "role" | "reasoning" | "reasoning_content" => skip(map),
            "content" => {
                if let Some(content) = present(map)? {
                    self.has_content = true;
                    self.object.foreign(name, content);
                }
                Ok(())
            }
            "reasoning_details" => {
                if let Some(details) = present(map)?.filter(|details| is_filled_array(details)) {
                    self.has_details = true;
                    self.object.foreign(name, details);
                }
                Ok(())
            }
            "tool_calls" => {
                if let Some(calls) = present(map)?.filter(|calls| is_filled_array(calls)) {
                    write_calls(calls, self.object.key(name)).map_err(Error::custom)?;
                }
                Ok(())
            }
            _ => copy(&mut self.object, name, map),
        }
    }
}

impl Message<'_, '_> {
    /// Adds what the format demands and the provider left out.
    fn complete(mut self) {
        if !self.has_content {
            self.object.literal("content", "null");
        }
        self.object.string("role", "assistant");
        write_reasoning(&mut self.object, &self.completion.parts, !self.has_details);
        self.object.end();
    }
}

fn copy<'de, A: MapAccess<'de>>(
    object: &mut Object<'_>,
    name: &str,
    map: &mut A,
) -> Result<(), A::Error> {
    if let Some(value) = present(map)? {
        object.foreign(name, value);
    }
    Ok(())
}
