//! Reads the fields of one row, remembering where it stands, so that every wrong value is noted
//! with its place and reading goes on.
//!
//! An absent field and `null` are the same thing here: unknown.

use serde_json::{Map, Value};

use crate::{
    document::shown,
    findings::{CatalogFile, Findings, Place, shorten},
};

/// An object inside a row: the row itself, or one of the objects in it.
pub(crate) struct Reader<'a> {
    object: &'a Map<String, Value>,
    /// What leads from the row to this object, such as `pricing.`.
    path: String,
    row: &'a RowPlace,
    findings: &'a Findings,
}

/// A row's place.
pub(crate) struct RowPlace {
    pub(crate) file: CatalogFile,
    pub(crate) index: usize,
    pub(crate) id: Option<String>,
}

impl<'a> Reader<'a> {
    /// Reads a row.
    pub(crate) const fn new(
        object: &'a Map<String, Value>,
        row: &'a RowPlace,
        findings: &'a Findings,
    ) -> Self {
        Self {
            object,
            path: String::new(),
            row,
            findings,
        }
    }

    /// The names of the fields here.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'a str> {
        self.object.keys().map(String::as_str)
    }

    /// A field's value where it is known.
    pub(crate) fn known(&self, field: &str) -> Option<&'a Value> {
        self.object.get(field).filter(|value| !value.is_null())
    }

    pub(crate) fn fault(&self, field: &str, problem: impl Into<String>, remedy: impl Into<String>) {
        self.findings.fault(self.place(field), problem, remedy);
    }

    pub(crate) fn remark(
        &self,
        field: &str,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.findings.remark(self.place(field), problem, remedy);
    }

    /// A text, never empty.
    pub(crate) fn text(&self, field: &str) -> Option<String> {
        let value = self.known(field)?;
        match value.as_str() {
            Some(text) if !text.trim().is_empty() => Some(text.to_owned()),
            Some(_) => {
                self.fault(field, "is empty", "write null where it is not known");
                None
            }
            None => self.wrong(field, value, "a text"),
        }
    }

    /// A text that must be there.
    pub(crate) fn required_text(&self, field: &str) -> Option<String> {
        if self.known(field).is_none() {
            self.fault(field, "is missing", "every row needs it");
        }
        self.text(field)
    }

    pub(crate) fn flag(&self, field: &str) -> Option<bool> {
        let value = self.known(field)?;
        value
            .as_bool()
            .or_else(|| self.wrong(field, value, "true, false or null"))
    }

    /// A whole number, 0 or more.
    pub(crate) fn whole(&self, field: &str) -> Option<u64> {
        let value = self.known(field)?;
        value
            .as_u64()
            .or_else(|| self.wrong(field, value, "a whole number, not below 0, or null"))
    }

    /// A number of tokens that something is limited to, above 0.
    pub(crate) fn limit(&self, field: &str) -> Option<u64> {
        let limit = self.whole(field)?;
        if limit == 0 {
            self.fault(field, "is 0", "write null where it is not known");
            return None;
        }
        Some(limit)
    }

    pub(crate) fn integer(&self, field: &str) -> Option<i64> {
        let value = self.known(field)?;
        value
            .as_i64()
            .or_else(|| self.wrong(field, value, "a whole number or null"))
    }

    pub(crate) fn number(&self, field: &str) -> Option<f64> {
        let value = self.known(field)?;
        value
            .as_f64()
            .or_else(|| self.wrong(field, value, "a number or null"))
    }

    pub(crate) fn texts(&self, field: &str) -> Option<Vec<String>> {
        let value = self.known(field)?;
        let texts = value.as_array().and_then(|items| {
            items
                .iter()
                .map(|item| item.as_str().map(str::to_owned))
                .collect()
        });
        texts.or_else(|| self.wrong(field, value, "a list of texts or null"))
    }

    /// An object inside this one.
    pub(crate) fn object(&self, field: &str) -> Option<Self> {
        let value = self.known(field)?;
        match value.as_object() {
            Some(object) => Some(self.inside(object, format!("{}{field}.", self.path))),
            None => self.wrong(field, value, "an object or null"),
        }
    }

    /// A list of objects inside this one; empty where it is not known.
    pub(crate) fn objects(&self, field: &str) -> Vec<Self> {
        let Some(value) = self.known(field) else {
            return Vec::new();
        };
        let Some(items) = value.as_array() else {
            self.wrong::<()>(field, value, "a list of objects or null");
            return Vec::new();
        };
        let mut objects = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let name = format!("{field}[{index}]");
            match item.as_object() {
                Some(object) => objects.push(self.inside(object, format!("{}{name}.", self.path))),
                None => {
                    self.wrong::<()>(&name, item, "an object");
                }
            }
        }
        objects
    }

    /// Notes a text that is none of the names it could be.
    pub(crate) fn unknown_name(&self, field: &str, name: &str, names: &[&str]) {
        self.fault(
            field,
            format!("`{}` is not known", shorten(name)),
            format!("use one of {}", names.join(", ")),
        );
    }

    fn inside(&self, object: &'a Map<String, Value>, path: String) -> Self {
        Self {
            object,
            path,
            row: self.row,
            findings: self.findings,
        }
    }

    fn wrong<T>(&self, field: &str, value: &Value, wanted: &str) -> Option<T> {
        self.fault(
            field,
            format!("is {}", shown(value)),
            format!("write {wanted}"),
        );
        None
    }

    fn place(&self, field: &str) -> Place {
        let place = Place::row(self.row.file, self.row.index, self.row.id.clone());
        let field = format!("{}{field}", self.path);
        // An empty field name means the object itself.
        match field.trim_end_matches('.') {
            "" => place,
            path => place.field(path),
        }
    }
}
