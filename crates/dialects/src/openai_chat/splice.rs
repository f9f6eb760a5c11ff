//! Rewriting a provider's JSON on its way to the client: one pass, field by field, copying what
//! is not ours.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::write::{Array, Object};
use crate::json::Text;

/// What to do with the fields of an object.
pub(super) trait Fields<'de> {
    /// Takes the value of `name` off `map` and writes what should stand in its place.
    fn field<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error>;
}

/// Walks an object. `null` in its place counts as an empty one.
pub(super) struct Walk<'f, F>(pub(super) &'f mut F);

impl<'de, F: Fields<'de>> DeserializeSeed<'de> for Walk<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, F: Fields<'de>> Visitor<'de> for Walk<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<Text<'de>>()? {
            self.0.field(&name, &mut map)?;
        }
        Ok(())
    }
}

/// Walks the first element of an array and skips the others. Says whether there was one.
pub(super) struct WalkFirst<'f, F>(pub(super) &'f mut F);

impl<'de, F: Fields<'de>> DeserializeSeed<'de> for WalkFirst<'_, F> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, F: Fields<'de>> Visitor<'de> for WalkFirst<'_, F> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of objects")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<bool, A::Error> {
        let found = items.next_element_seed(Walk(self.0))?.is_some();
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(found)
    }
}

/// Copies `tool_calls` without null fields, and with the `type` that hosts leave out where a call
/// begins.
pub(super) fn write_calls(calls: &RawValue, out: &mut Vec<u8>) -> serde_json::Result<()> {
    let mut deserializer = serde_json::Deserializer::from_str(calls.get());
    deserializer.deserialize_seq(CallList {
        list: Array::start(out),
    })
}

struct CallList<'o> {
    list: Array<'o>,
}

impl<'de> Visitor<'de> for CallList<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of tool calls")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        loop {
            // An element can only be announced once it is there.
            let mut written = Vec::new();
            let mut call = Call {
                object: Object::start(&mut written),
                has_id: false,
                has_type: false,
            };
            if items.next_element_seed(Walk(&mut call))?.is_none() {
                self.list.end();
                return Ok(());
            }
            if call.has_id && !call.has_type {
                call.object.string("type", "function");
            }
            call.object.end();
            self.list.item().extend_from_slice(&written);
        }
    }
}

struct Call<'o> {
    object: Object<'o>,
    has_id: bool,
    has_type: bool,
}

impl<'de> Fields<'de> for Call<'_> {
    fn field<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        if name == "function" {
            let mut function = Copied(Object::start(self.object.key(name)));
            map.next_value_seed(Walk(&mut function))?;
            function.0.end();
            return Ok(());
        }
        let Some(value) = present(map)? else {
            return Ok(());
        };
        self.has_id |= name == "id";
        self.has_type |= name == "type";
        self.object.foreign(name, value);
        Ok(())
    }
}

/// An object copied without its null fields.
struct Copied<'o>(Object<'o>);

impl<'de> Fields<'de> for Copied<'_> {
    fn field<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        if let Some(value) = present(map)? {
            self.0.foreign(name, value);
        }
        Ok(())
    }
}

/// Whether a value is an array with something in it.
pub(super) fn is_filled_array(value: &RawValue) -> bool {
    value
        .get()
        .strip_prefix('[')
        .is_some_and(|rest| rest.trim_start() != "]")
}

/// Walks a whole document.
pub(super) fn walk<'de, F: Fields<'de>>(json: &'de [u8], fields: &mut F) -> serde_json::Result<()> {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    Walk(fields).deserialize(&mut deserializer)
}

/// A value to copy; `None` where it is `null`, which clients of this format choke on.
pub(super) fn present<'de, A: MapAccess<'de>>(
    map: &mut A,
) -> Result<Option<&'de RawValue>, A::Error> {
    map.next_value()
}

/// Skips a value.
pub(super) fn skip<'de, A: MapAccess<'de>>(map: &mut A) -> Result<(), A::Error> {
    map.next_value::<IgnoredAny>()?;
    Ok(())
}

/// Whether a value is a string with something in it.
pub(super) fn is_filled_string(value: &RawValue) -> bool {
    value.get().starts_with('"') && value.get() != "\"\""
}
