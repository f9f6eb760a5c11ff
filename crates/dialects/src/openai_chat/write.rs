//! Writing JSON straight into a buffer, without building a tree first.

use std::io::Write as _;

use serde_json::value::RawValue;
use switchyard_domain::money::UsdNanos;

/// Writes a JSON string.
pub(super) fn string(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("a string is JSON and a vector takes every write");
}

/// Writes a number in the shortest form that reads back the same.
pub(super) fn float(out: &mut Vec<u8>, number: f64) {
    serde_json::to_writer(out, &number).expect("a number is JSON and a vector takes every write");
}

/// Writes a whole number.
pub(super) fn integer(out: &mut Vec<u8>, number: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// An object being written. Dropping it does not close it: call [`Object::end`].
pub(super) struct Object<'o> {
    out: &'o mut Vec<u8>,
    empty: bool,
}

impl<'o> Object<'o> {
    pub(super) fn start(out: &'o mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, empty: true }
    }

    /// Goes on with an object whose brace, and perhaps whose first fields, are written.
    pub(super) fn resume(out: &'o mut Vec<u8>, empty: bool) -> Self {
        Self { out, empty }
    }

    /// Writes the key, a plain name of ours, and returns the buffer for its value.
    pub(super) fn key(&mut self, name: &str) -> &mut Vec<u8> {
        if !std::mem::replace(&mut self.empty, false) {
            self.out.push(b',');
        }
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    /// Writes a key that came from outside, and its value.
    pub(super) fn foreign(&mut self, name: &str, value: &RawValue) {
        if !std::mem::replace(&mut self.empty, false) {
            self.out.push(b',');
        }
        string(self.out, name);
        self.out.push(b':');
        self.out.extend_from_slice(value.get().as_bytes());
    }

    pub(super) fn string(&mut self, name: &str, text: &str) {
        string(self.key(name), text);
    }

    pub(super) fn optional_string(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.string(name, text);
        }
    }

    pub(super) fn string_or_null(&mut self, name: &str, text: Option<&str>) {
        match text {
            Some(text) => self.string(name, text),
            None => self.literal(name, "null"),
        }
    }

    pub(super) fn integer(&mut self, name: &str, number: impl itoa::Integer) {
        integer(self.key(name), number);
    }

    pub(super) fn float(&mut self, name: &str, number: f64) {
        float(self.key(name), number);
    }

    pub(super) fn boolean(&mut self, name: &str, value: bool) {
        self.literal(name, if value { "true" } else { "false" });
    }

    /// Dollars as a JSON number with every digit.
    pub(super) fn dollars(&mut self, name: &str, amount: UsdNanos) {
        let out = self.key(name);
        write!(out, "{amount}").expect("a vector takes every write");
    }

    /// Writes a value that is JSON already.
    pub(super) fn literal(&mut self, name: &str, json: &str) {
        self.key(name).extend_from_slice(json.as_bytes());
    }

    /// Appends fields that were written to a buffer of their own, without braces.
    pub(super) fn append_fields(&mut self, fields: &[u8]) {
        if fields.is_empty() {
            return;
        }
        if !std::mem::replace(&mut self.empty, false) {
            self.out.push(b',');
        }
        self.out.extend_from_slice(fields);
    }

    pub(super) fn end(self) {
        self.out.push(b'}');
    }
}

/// An array being written; close it with [`Array::end`].
pub(super) struct Array<'o> {
    out: &'o mut Vec<u8>,
    empty: bool,
}

impl<'o> Array<'o> {
    pub(super) fn start(out: &'o mut Vec<u8>) -> Self {
        out.push(b'[');
        Self { out, empty: true }
    }

    /// The buffer for the next element.
    pub(super) fn item(&mut self) -> &mut Vec<u8> {
        if !std::mem::replace(&mut self.empty, false) {
            self.out.push(b',');
        }
        self.out
    }

    pub(super) fn object(&mut self) -> Object<'_> {
        Object::start(self.item())
    }

    pub(super) fn end(self) {
        self.out.push(b']');
    }
}
