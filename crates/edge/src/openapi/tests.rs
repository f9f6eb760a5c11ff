use std::{collections::BTreeSet, fs, path::Path};

use serde_json::Value;

use super::*;

fn description() -> Value {
    serde_json::to_value(openapi()).expect("JSON")
}

/// `UPDATE_OPENAPI` set: writes the file instead of comparing it.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a switch of this test, which `make openapi` sets"
)]
fn the_file_is_what_the_handlers_say() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../openapi.yaml");
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        fs::write(&file, openapi_yaml()).expect("openapi.yaml can be written");
    }
    let written = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        written == openapi_yaml(),
        "openapi.yaml is not what the handlers say: run `make openapi`"
    );
}

#[test]
fn every_route_is_described_and_no_other() {
    let described: BTreeSet<String> = description()["paths"]
        .as_object()
        .expect("paths")
        .keys()
        .map(|path| path.strip_prefix("/api/v1").unwrap_or(path).to_owned())
        .collect();
    let mut routed: BTreeSet<String> = crate::routes::paths()
        .into_iter()
        .map(str::to_owned)
        .collect();
    // A second name of `/key`, described there.
    assert!(routed.remove("/auth/key"));
    assert_eq!(described, routed);
}

#[test]
fn every_reference_leads_somewhere() {
    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(object) => {
                found.extend(object.get("$ref").and_then(Value::as_str));
                object.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let description = description();
    let mut found = Vec::new();
    references(&description, &mut found);
    assert!(found.len() > 20, "{found:?}");
    for reference in found {
        let pointer = reference.strip_prefix('#').expect("a local reference");
        assert!(description.pointer(pointer).is_some(), "{reference}");
    }
}

#[test]
fn public_operations_ask_for_no_key_and_the_others_answer_401() {
    for (path, operations) in description()["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            let is_public = operation["security"] == serde_json::json!([{}]);
            let answers_401 = operation["responses"].get("401").is_some();
            assert_ne!(is_public, answers_401, "{method} {path}");
        }
    }
}
