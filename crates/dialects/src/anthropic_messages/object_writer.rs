//! Writing JSON objects member by member, so that raw members can be copied between.

use serde::Serialize;

/// An object under construction at the end of a buffer.
pub(super) struct ObjectWriter<'o> {
    out: &'o mut Vec<u8>,
    is_empty: bool,
}

impl<'o> ObjectWriter<'o> {
    /// Opens an object.
    pub(super) fn open(out: &'o mut Vec<u8>) -> Self {
        out.push(b'{');
        Self {
            out,
            is_empty: true,
        }
    }

    /// A member whose value is JSON already.
    pub(super) fn raw(&mut self, key: &str, json: impl AsRef<[u8]>) {
        self.key(key);
        self.out.extend_from_slice(json.as_ref());
    }

    /// A member with any serialisable value.
    pub(super) fn value(&mut self, key: &str, value: &(impl Serialize + ?Sized)) {
        self.key(key);
        write_value(self.out, value);
    }

    /// A member that is an object.
    pub(super) fn object(&mut self, key: &str, write: impl FnOnce(&mut ObjectWriter<'_>)) {
        self.key(key);
        write_object(self.out, write);
    }

    /// A member whose value `write` appends as JSON.
    pub(super) fn write(&mut self, key: &str, write: impl FnOnce(&mut Vec<u8>)) {
        self.key(key);
        write(self.out);
    }

    /// A member that is an array of what `write` appends; `write` sets the commas.
    pub(super) fn array(&mut self, key: &str, write: impl FnOnce(&mut Vec<u8>)) {
        self.key(key);
        self.out.push(b'[');
        write(self.out);
        self.out.push(b']');
    }

    /// Closes the object.
    pub(super) fn close(self) {
        self.out.push(b'}');
    }

    fn key(&mut self, key: &str) {
        if !self.is_empty {
            self.out.push(b',');
        }
        self.is_empty = false;
        write_value(self.out, key);
        self.out.push(b':');
    }
}

/// Appends an object.
pub(super) fn write_object(out: &mut Vec<u8>, write: impl FnOnce(&mut ObjectWriter<'_>)) {
    let mut object = ObjectWriter::open(out);
    write(&mut object);
    object.close();
}

/// Appends any serialisable value.
pub(super) fn write_value(out: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) {
    serde_json::to_writer(out, value)
        .expect("writing to memory succeeds, and our values have string keys");
}

/// Appends a comma, except at the start of the list that began at `start`.
pub(super) fn separate(out: &mut Vec<u8>, start: usize) {
    if out.len() > start {
        out.push(b',');
    }
}
