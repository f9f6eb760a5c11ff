//! One catalogue file as JSON: an envelope around rows. Stricter than JSON itself, which lets a
//! key stand twice and leaves it open which of the two counts.

use std::{collections::HashSet, fmt};

use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::{Map, Value, value::RawValue};

use crate::{
    findings::{CatalogFile, Findings, Place, json_error, shorten},
    limits,
};

/// A file's envelope; its rows are still text, so that one broken row leaves the others readable.
#[derive(Debug)]
pub(crate) struct Document<'a> {
    /// The day the file was made.
    pub(crate) generated: Option<String>,
    pub(crate) rows: Vec<&'a RawValue>,
}

/// Reads the envelope of `file`; `None` where its rows cannot be told apart. Faults are noted.
pub(crate) fn read<'a>(
    file: CatalogFile,
    bytes: &'a [u8],
    findings: &Findings,
) -> Option<Document<'a>> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let read = EnvelopeSeed(file)
        .deserialize(&mut json)
        .and_then(|envelope| json.end().map(|()| envelope));
    let envelope = match read {
        Ok(envelope) => envelope,
        Err(error) => {
            findings.fault(
                Place::file(file),
                format!("cannot be read: {}", json_error(&error)),
                format!(
                    r#"write {{"generated": DATE, "count": N, "{}": [rows]}}"#,
                    file.rows_key()
                ),
            );
            return None;
        }
    };
    check(file, &envelope, findings);
    let generated = envelope.generated.as_ref().and_then(Value::as_str);
    Some(Document {
        generated: generated.map(str::to_owned),
        rows: envelope.rows?,
    })
}

fn check(file: CatalogFile, envelope: &Envelope<'_>, findings: &Findings) {
    let place = Place::file(file);
    let Some(rows) = &envelope.rows else {
        findings.fault(
            place.field(file.rows_key()),
            "is missing",
            "list the rows under this key",
        );
        return;
    };
    let stated = envelope.count.as_ref().filter(|count| !count.is_null());
    if let Some(stated) = stated.filter(|count| count.as_u64() != u64::try_from(rows.len()).ok()) {
        findings.fault(
            place.clone().field("count"),
            format!(
                "says {}, but the file has {} rows",
                shown(stated),
                rows.len()
            ),
            "complete the file if it was cut short, or correct the count",
        );
    }
    let generated = envelope.generated.as_ref().filter(|value| !value.is_null());
    if let Some(value) = generated.filter(|value| !value.as_str().is_some_and(is_day)) {
        findings.fault(
            place.clone().field("generated"),
            format!("is {}, which is not a day", shown(value)),
            "write it as YYYY-MM-DD",
        );
    }
    let currency = envelope.currency.as_ref().filter(|value| !value.is_null());
    if let Some(value) = currency.filter(|value| value.as_str() != Some("USD")) {
        findings.fault(
            place.field("currency"),
            format!("is {}", shown(value)),
            "convert the prices to US dollars and write \"USD\"",
        );
    }
}

/// Whether a text is a day of the calendar, written `YYYY-MM-DD`.
pub(crate) fn is_day(text: &str) -> bool {
    parse_day(text).is_some()
}

/// The day a text of the form `YYYY-MM-DD` names.
pub(crate) fn parse_day(text: &str) -> Option<time::Date> {
    let digits = |part: &str, len: usize| {
        (part.len() == len && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.to_owned())
    };
    let mut parts = text.split('-');
    let year: i32 = digits(parts.next()?, 4)?.parse().ok()?;
    let month: u8 = digits(parts.next()?, 2)?.parse().ok()?;
    let day: u8 = digits(parts.next()?, 2)?.parse().ok()?;
    if parts.next().is_some() {
        return None;
    }
    time::Date::from_calendar_date(year, month.try_into().ok()?, day).ok()
}

/// A value from a file, fit for one line of a message.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            shorten(&value.to_string())
        }
    }
}

struct Envelope<'a> {
    generated: Option<Value>,
    count: Option<Value>,
    currency: Option<Value>,
    rows: Option<Vec<&'a RawValue>>,
}

struct EnvelopeSeed(CatalogFile);

impl<'de> DeserializeSeed<'de> for EnvelopeSeed {
    type Value = Envelope<'de>;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Envelope<'de>, D::Error> {
        input.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for EnvelopeSeed {
    type Value = Envelope<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Envelope<'de>, A::Error> {
        let mut envelope = Envelope {
            generated: None,
            count: None,
            currency: None,
            rows: None,
        };
        let mut seen = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "generated" => envelope.generated = Some(map.next_value_seed(Strict)?),
                "count" => envelope.count = Some(map.next_value_seed(Strict)?),
                "currency" => envelope.currency = Some(map.next_value_seed(Strict)?),
                other if other == self.0.rows_key() => {
                    envelope.rows = Some(map.next_value_seed(RowsSeed)?);
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            if let Some(twice) = seen.replace(key) {
                return Err(duplicate_key(&twice));
            }
        }
        Ok(envelope)
    }
}

/// The rows as text, at most [`limits::ROWS`] of them.
struct RowsSeed;

impl<'de> DeserializeSeed<'de> for RowsSeed {
    type Value = Vec<&'de RawValue>;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Self::Value, D::Error> {
        input.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for RowsSeed {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut rows = Vec::new();
        while let Some(row) = seq.next_element::<&RawValue>()? {
            if rows.len() == limits::ROWS {
                return Err(A::Error::custom(format_args!(
                    "more than {} rows",
                    limits::ROWS
                )));
            }
            rows.push(row);
        }
        Ok(rows)
    }
}

/// Parses one row, refusing a key that stands twice in any object of it.
pub(crate) fn parse_row(row: &RawValue) -> Result<Value, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(row.get());
    let value = Strict.deserialize(&mut json)?;
    json.end()?;
    Ok(value)
}

struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Value, D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(Self)? {
            items.push(item);
        }
        Ok(items.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            let value = map.next_value_seed(Self)?;
            if object.contains_key(&key) {
                return Err(duplicate_key(&key));
            }
            object.insert(key, value);
        }
        Ok(object.into())
    }
}

fn duplicate_key<E: serde::de::Error>(key: &str) -> E {
    E::custom(format_args!("the key `{}` stands twice", shorten(key)))
}
