//! A provider's chunk in this very format, passed on with our fields in place of its own.

use serde::de::{Error, MapAccess};
use switchyard_interchange::event::Finish;

use super::write_finish_fields;
use crate::openai_chat::{
    splice::{
        Fields, Walk, WalkFirst, is_filled_array, is_filled_string, present, skip, walk,
        write_calls,
    },
    write::Object,
};

/// Appends the chunk as a frame. False, with a torso in `out` to be cut off, where there is no
/// choice in it or the bytes are not what the decoder said they are.
pub(super) fn write(
    json: &[u8],
    prefix: &[u8],
    finish: Option<&Finish>,
    out: &mut Vec<u8>,
) -> bool {
    out.extend_from_slice(prefix);
    let mut chunk = Chunk {
        object: Object::resume(out, false),
        finish,
        has_choice: false,
    };
    let walked = walk(json, &mut chunk).is_ok();
    let complete = walked && chunk.has_choice;
    out.extend_from_slice(b"}\n\n");
    complete
}

struct Chunk<'o, 'f> {
    object: Object<'o>,
    finish: Option<&'f Finish>,
    has_choice: bool,
}

impl<'de> Fields<'de> for Chunk<'_, '_> {
    fn field<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        match name {
            // Ours, or nobody's.
            "id"
            | "object"
            | "created"
            | "model"
            | "provider"
            | "usage"
            | "error"
            | "x_groq"
            | "obfuscation"
            | "p"
            | "openrouter_metadata" => skip(map),
            "choices" => {
                let out = self.object.key("choices");
                out.extend_from_slice(br#"[{"index":0"#);
                let mut choice = Choice {
                    object: Object::resume(out, false),
                    has_delta: false,
                };
                self.has_choice = map.next_value_seed(WalkFirst(&mut choice))? && choice.has_delta;
                write_finish_fields(&mut choice.object, self.finish);
                out.extend_from_slice(b"}]");
                Ok(())
            }
            // A string or nothing: typed clients refuse null here.
            "system_fingerprint" | "service_tier" => {
                if let Some(value) = present(map)?.filter(|value| is_filled_string(value)) {
                    self.object.foreign(name, value);
                }
                Ok(())
            }
            _ => copy(&mut self.object, name, map),
        }
    }
}

struct Choice<'o> {
    object: Object<'o>,
    has_delta: bool,
}

impl<'de> Fields<'de> for Choice<'_> {
    fn field<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        match name {
            // Written by us, repeated from the delta, or the provider's own affair.
            "index"
            | "finish_reason"
            | "native_finish_reason"
            | "message"
            | "text"
            | "role"
            | "error"
            | "usage" => skip(map),
            "delta" => {
                self.has_delta = true;
                let mut delta = Said {
                    object: Object::start(self.object.key("delta")),
                    has_reasoning: false,
                };
                delta.object.string("role", "assistant");
                map.next_value_seed(Walk(&mut delta))?;
                delta.object.end();
                Ok(())
            }
            _ => copy(&mut self.object, name, map),
        }
    }
}

struct Said<'o> {
    object: Object<'o>,
    has_reasoning: bool,
}

impl<'de> Fields<'de> for Said<'_> {
    fn field<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        match name {
            "role" | "index" => skip(map),
            // Clients of this format read `reasoning`; clients of the hosts that invented the
            // other name read that. Hosts that send both send the same text twice.
            "reasoning" | "reasoning_content" => {
                let Some(text) = present(map)? else {
                    return Ok(());
                };
                if !std::mem::replace(&mut self.has_reasoning, true) {
                    self.object.foreign("reasoning", text);
                    if name == "reasoning_content" {
                        self.object.foreign(name, text);
                    }
                } else if name == "reasoning_content" {
                    self.object.foreign(name, text);
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
