//! The rows of the four files, field by field. What a row can get wrong by itself is found here;
//! what rows get wrong about each other is found in [`crate::validate`].

mod alias;
mod endpoint;
mod model;
mod policy;
mod provider;

use serde_json::{Value, value::RawValue};

use crate::{
    document,
    findings::{CatalogFile, Findings, Place, json_error, shorten},
    reader::{Reader, RowPlace},
    snapshot::{Alias, Model, Provider},
};

pub(crate) use self::{endpoint::EndpointRow, policy::denies_zero_retention};

/// A row that could be read, and which one it was.
#[derive(Debug)]
pub(crate) struct Row<T> {
    pub(crate) index: usize,
    pub(crate) value: T,
}

/// Everything the four files say.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) providers: Vec<Row<Provider>>,
    pub(crate) models: Vec<Row<Model>>,
    pub(crate) endpoints: Vec<Row<EndpointRow>>,
    pub(crate) aliases: Vec<Row<Alias>>,
}

impl Rows {
    /// Reads one file's rows into their list.
    pub(crate) fn read(&mut self, file: CatalogFile, rows: &[&RawValue], findings: &Findings) {
        match file {
            CatalogFile::Providers => {
                self.providers = read_all(file, rows, findings, provider::read);
            }
            CatalogFile::Models => self.models = read_all(file, rows, findings, model::read),
            CatalogFile::Endpoints => {
                self.endpoints = read_all(file, rows, findings, endpoint::read);
            }
            CatalogFile::Aliases => self.aliases = read_all(file, rows, findings, alias::read),
        }
    }
}

fn read_all<T>(
    file: CatalogFile,
    rows: &[&RawValue],
    findings: &Findings,
    read: fn(&Reader<'_>) -> Option<T>,
) -> Vec<Row<T>> {
    let mut values = Vec::with_capacity(rows.len());
    for (index, row) in rows.iter().enumerate() {
        let object = match document::parse_row(row) {
            Ok(Value::Object(object)) => object,
            Ok(other) => {
                findings.fault(
                    Place::row(file, index, None),
                    format!("is {}", document::shown(&other)),
                    "write an object",
                );
                continue;
            }
            Err(error) => {
                findings.fault(
                    Place::row(file, index, None),
                    format!("cannot be read: {} of the row", json_error(&error)),
                    "correct the row",
                );
                continue;
            }
        };
        let id = object
            .get(file.id_field())
            .and_then(Value::as_str)
            .map(str::to_owned);
        let place = RowPlace { file, index, id };
        if let Some(value) = read(&Reader::new(&object, &place, findings)) {
            values.push(Row { index, value });
        }
    }
    values
}

/// Whether a text is made of ASCII letters, digits and the given marks, starting with a letter
/// or digit.
fn is_name(text: &str, marks: &[u8]) -> bool {
    text.bytes()
        .next()
        .is_some_and(|b| b.is_ascii_alphanumeric())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || marks.contains(&b))
}

/// Whether a text has the form `author/slug` or `author/slug:variant`.
fn is_model_id(text: &str) -> bool {
    let Some((author, rest)) = text.split_once('/') else {
        return false;
    };
    let (slug, variant) = match rest.split_once(':') {
        Some((slug, variant)) => (slug, Some(variant)),
        None => (rest, None),
    };
    is_name(author, b".-_")
        && is_name(slug, b".-_")
        && variant.is_none_or(|variant| is_name(variant, b"-"))
}

/// Takes the names that are known out of a list and remarks on the others: a newer word in the
/// data must not stop a router that has no use for it yet.
fn known_names<T>(
    reader: &Reader<'_>,
    field: &str,
    kind: &str,
    from_name: fn(&str) -> Option<T>,
) -> Option<Vec<T>> {
    let names = reader.texts(field)?;
    let mut known = Vec::with_capacity(names.len());
    for name in names {
        match from_name(&name) {
            Some(item) => known.push(item),
            None => reader.remark(
                field,
                format!("`{}` is no {kind} that is known here", shorten(&name)),
                "it is left out; correct it if it is misspelt",
            ),
        }
    }
    Some(known)
}

/// The countries a row may not be used from; none where it does not say.
fn blocked_countries(row: &Reader<'_>) -> Vec<String> {
    const FIELD: &str = "blocked_countries";
    let codes = row.texts(FIELD).unwrap_or_default();
    for code in &codes {
        check_country(row, FIELD, code);
    }
    codes
}

fn check_country(row: &Reader<'_>, field: &str, code: &str) {
    if code.len() != 2 || !code.bytes().all(|b| b.is_ascii_uppercase()) {
        row.fault(
            field,
            format!("`{}` is not a country", shorten(code)),
            "write the two capital letters of ISO 3166",
        );
    }
}
