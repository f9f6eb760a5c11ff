//! A value that satisfies a JSON schema, for tool arguments and structured answers.

use serde_json::{Map, Value, json};

/// Deeper schemas end in `null`, which keeps recursive ones finite.
const DEPTH_MAX: usize = 32;
/// More items or letters than this are not made up, whatever the schema demands.
const LENGTH_MAX: usize = 1_024;

/// A value for `schema`: the required properties (all, when none is named as required), each with
/// a sample of its type. Patterns are not honoured.
pub(crate) fn sample(schema: &Value) -> Value {
    Sampler { root: schema }.value(schema, "", 0)
}

struct Sampler<'a> {
    root: &'a Value,
}

impl Sampler<'_> {
    fn value(&self, schema: &Value, name: &str, depth: usize) -> Value {
        if depth > DEPTH_MAX {
            return Value::Null;
        }
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            let target = target
                .strip_prefix('#')
                .and_then(|path| self.root.pointer(path));
            return target.map_or(Value::Null, |schema| self.value(schema, name, depth + 1));
        }
        for key in ["const", "default"] {
            if let Some(value) = schema.get(key) {
                return value.clone();
            }
        }
        for key in ["enum", "examples"] {
            if let Some(first) = schema.get(key).and_then(|values| values.get(0)) {
                return first.clone();
            }
        }
        if let Some(first) = ["anyOf", "oneOf"]
            .iter()
            .find_map(|key| schema.get(key)?.get(0))
        {
            return self.value(first, name, depth + 1);
        }
        if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
            return self.value(&merge(schema, parts), name, depth + 1);
        }
        match type_of(schema) {
            "object" => self.object(schema, depth),
            "array" => self.array(schema, name, depth),
            "integer" => json!(number(schema).ceil() as i64),
            "number" => json!(number(schema)),
            "boolean" => Value::Bool(true),
            "null" => Value::Null,
            _ => Value::String(text(schema, name)),
        }
    }

    fn object(&self, schema: &Value, depth: usize) -> Value {
        let empty = Map::new();
        let properties = schema
            .get("properties")
            .and_then(Value::as_object)
            .unwrap_or(&empty);
        let required = schema.get("required").and_then(Value::as_array);
        let mut object = Map::new();
        for (name, property) in properties {
            let wanted = required
                .is_none_or(|names| names.iter().any(|required| required.as_str() == Some(name)));
            if wanted {
                object.insert(name.clone(), self.value(property, name, depth + 1));
            }
        }
        for name in required.into_iter().flatten().filter_map(Value::as_str) {
            object
                .entry(name)
                .or_insert_with(|| Value::String("sample".to_owned()));
        }
        Value::Object(object)
    }

    fn array(&self, schema: &Value, name: &str, depth: usize) -> Value {
        if let Some(items) = schema.get("prefixItems").and_then(Value::as_array) {
            return items
                .iter()
                .map(|item| self.value(item, name, depth + 1))
                .collect();
        }
        let least = bound(schema, "minItems").unwrap_or(1.0).max(0.0);
        let most = bound(schema, "maxItems").unwrap_or(f64::INFINITY);
        let length = (least.min(most) as usize).min(LENGTH_MAX);
        let any = json!({ "type": "string" });
        let items = schema.get("items").unwrap_or(&any);
        (0..length)
            .map(|_| self.value(items, name, depth + 1))
            .collect()
    }
}

/// The schema with every part's keys; lists and maps under the same key are joined.
fn merge(schema: &Value, parts: &[Value]) -> Value {
    let mut merged = schema.as_object().cloned().unwrap_or_default();
    merged.remove("allOf");
    for (key, value) in parts.iter().filter_map(Value::as_object).flatten() {
        match (merged.get_mut(key), value) {
            (Some(Value::Object(known)), Value::Object(more)) => {
                known.extend(more.iter().map(|(key, value)| (key.clone(), value.clone())));
            }
            (Some(Value::Array(known)), Value::Array(more)) => known.extend(more.iter().cloned()),
            (Some(_), _) => {}
            (None, _) => {
                merged.insert(key.clone(), value.clone());
            }
        }
    }
    Value::Object(merged)
}

fn type_of(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::String(name)) => name,
        Some(Value::Array(names)) => names.first().and_then(Value::as_str).unwrap_or("null"),
        _ if schema.get("properties").is_some() || schema.get("required").is_some() => "object",
        _ if schema.get("items").is_some() => "array",
        _ => "string",
    }
}

fn bound(schema: &Value, key: &str) -> Option<f64> {
    schema.get(key).and_then(Value::as_f64)
}

fn number(schema: &Value) -> f64 {
    let above =
        bound(schema, "minimum").or_else(|| bound(schema, "exclusiveMinimum").map(|n| n + 1.0));
    let below =
        bound(schema, "maximum").or_else(|| bound(schema, "exclusiveMaximum").map(|n| n - 1.0));
    let value = match (above, below) {
        (Some(low), Some(high)) => f64::midpoint(low, high).floor().max(low),
        (Some(low), None) => low.max(42.0),
        (None, Some(high)) => high.min(42.0),
        (None, None) => 42.0,
    };
    match bound(schema, "multipleOf").filter(|step| *step > 0.0) {
        Some(step) => above.map_or(0.0, |low| (low / step).ceil() * step),
        None => value,
    }
}

fn text(schema: &Value, name: &str) -> String {
    let sample = match schema.get("format").and_then(Value::as_str) {
        Some("date") => "2026-11-24",
        Some("date-time") => "2026-11-24T09:00:00Z",
        Some("time") => "09:00:00Z",
        Some("email") => "ada@example.com",
        Some("uri" | "url") => "https://example.com/",
        Some("uuid") => "0b8f3c52-6a0e-4a53-9d1e-5f0f6c1a2b3c",
        Some("ipv4") => "192.0.2.1",
        Some("hostname") => "example.com",
        _ => by_name(name),
    };
    let least = bound(schema, "minLength")
        .map_or(0, |length| length as usize)
        .min(LENGTH_MAX);
    let most = bound(schema, "maxLength").map_or(usize::MAX, |length| length as usize);
    let padding = "x".repeat(least.saturating_sub(sample.chars().count()));
    sample.chars().chain(padding.chars()).take(most).collect()
}

/// Something that reads well under the property's name.
fn by_name(name: &str) -> &'static str {
    let name = name.to_lowercase();
    let known = [
        ("city", "Paris"),
        ("location", "Paris, France"),
        ("country", "France"),
        ("name", "Ada"),
        ("query", "railway switchyards"),
        ("date", "2026-11-24"),
        ("url", "https://example.com/"),
        ("email", "ada@example.com"),
        ("path", "notes/today.md"),
        ("lang", "en"),
        ("code", "print('hello')"),
    ];
    known
        .iter()
        .find(|(part, _)| name.contains(part))
        .map_or("sample", |(_, sample)| sample)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(schema: Value, expected: Value) {
        assert_eq!(sample(&schema), expected, "{schema}");
    }

    #[test]
    fn samples_satisfy_their_schema() {
        check(
            json!({"type": "object", "required": ["city", "days"], "properties": {
                "city": {"type": "string"},
                "days": {"type": "integer", "minimum": 1, "maximum": 7},
                "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]}}}),
            json!({"city": "Paris", "days": 4}),
        );
        check(
            json!({"properties": {"unit": {"enum": ["c", "f"]}, "on": {"type": "boolean"}}}),
            json!({"unit": "c", "on": true}),
        );
        check(json!({"type": "object", "properties": {}}), json!({}));
        check(json!({"type": ["null", "string"]}), json!(null));
        check(
            json!({"type": "number", "multipleOf": 5, "minimum": 7}),
            json!(10.0),
        );
        check(
            json!({"type": "integer", "exclusiveMinimum": 100}),
            json!(101),
        );
        check(
            json!({"type": "string", "minLength": 8, "maxLength": 8}),
            json!("samplexx"),
        );
        check(
            json!({"type": "array", "minItems": 2, "items": {"type": "boolean"}}),
            json!([true, true]),
        );
        check(
            json!({"anyOf": [{"type": "boolean"}, {"type": "string"}]}),
            json!(true),
        );
        check(
            json!({"allOf": [{"properties": {"a": {"const": 1}}, "required": ["a"]},
                             {"properties": {"b": {"const": 2}}, "required": ["b"]}]}),
            json!({"a": 1, "b": 2}),
        );
    }

    #[test]
    fn references_are_followed_but_not_for_ever() {
        check(
            json!({"$defs": {"id": {"type": "string", "format": "uuid"}},
                   "type": "object", "required": ["id"], "properties": {"id": {"$ref": "#/$defs/id"}}}),
            json!({"id": "0b8f3c52-6a0e-4a53-9d1e-5f0f6c1a2b3c"}),
        );
        let endless = json!({"type": "object", "required": ["next"],
            "properties": {"next": {"$ref": "#"}}});
        assert!(sample(&endless).is_object());
    }
}
