//! What holds for every change there is, taken from the API's own description.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use switchyard_interchange::reply::PublicFailure;

use super::{byok, fields::Fields, keys, members, workspaces};

type Read = fn(Fields<'_>) -> Result<(), PublicFailure>;

/// How each change reads its body, by its operation's id, and a body that is fine.
const READERS: [(&str, Read, &str); 12] = [
    (
        "createKeys",
        |fields| keys::input::new_key(fields).map(drop),
        r#"{"name":"x"}"#,
    ),
    (
        "updateKeys",
        |fields| keys::input::key_wishes(fields).map(drop),
        r#"{"name":"x"}"#,
    ),
    (
        "createAuthKeysCode",
        |fields| crate::oauth::wanted(fields).map(drop),
        r#"{"callback_url":"https://app.example/"}"#,
    ),
    (
        "rotateKeys",
        |fields| keys::input::old_key_life(fields).map(drop),
        r#"{"old_key_expires_in":"1h"}"#,
    ),
    (
        "createWorkspace",
        |fields| workspaces::body::draft(fields).map(drop),
        r#"{"name":"x","slug":"x"}"#,
    ),
    (
        "updateWorkspace",
        |fields| workspaces::body::edit(fields).map(drop),
        r#"{"name":"x"}"#,
    ),
    (
        "bulkAddWorkspaceMembers",
        |fields| members::people(fields).map(drop),
        r#"{"user_ids":["x"]}"#,
    ),
    (
        "bulkRemoveWorkspaceMembers",
        |fields| members::people(fields).map(drop),
        r#"{"user_ids":["x"]}"#,
    ),
    (
        "createBYOKKey",
        |fields| byok::body::draft(fields).map(drop),
        r#"{"provider":"x","key":"x"}"#,
    ),
    (
        "updateBYOKKey",
        |fields| byok::body::edit(fields).map(drop),
        r#"{"name":"x"}"#,
    ),
    (
        "orderBYOKKeys",
        |fields| byok::body::order(fields).map(drop),
        r#"{"provider":"x","ids":["cred_00000000000000000000000000000001"]}"#,
    ),
    (
        "checkBYOKKey",
        |fields| byok::body::check(fields).map(drop),
        r#"{"model":"x"}"#,
    ),
];

fn description() -> Value {
    serde_json::to_value(crate::openapi::openapi()).expect("JSON")
}

fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let alternatives = schema["oneOf"].as_array();
    let named = alternatives.and_then(|of| of.iter().find(|one| one.get("$ref").is_some()));
    match named.unwrap_or(schema).get("$ref").and_then(Value::as_str) {
        Some(reference) => {
            let pointer = reference.strip_prefix('#').expect("a local reference");
            document.pointer(pointer).expect("it leads somewhere")
        }
        None => schema,
    }
}

fn properties(document: &Value, schema: &Value) -> BTreeSet<String> {
    let schema = resolve(document, schema);
    let properties = schema["properties"].as_object();
    properties
        .into_iter()
        .flatten()
        .map(|(name, _)| name.clone())
        .collect()
}

/// Every management operation with a body: its id, its body's schema, its answer's schema.
fn changes(document: &Value) -> Vec<(String, Value, Value)> {
    let paths = document["paths"].as_object().expect("paths").values();
    let operations = paths.flat_map(|path| path.as_object().expect("operations").values());
    let changes = operations
        .filter(|operation| operation["tags"] == json!(["Management"]))
        .filter(|operation| operation.get("requestBody").is_some());
    let schema_of = |content: &Value| content["content"]["application/json"]["schema"].clone();
    changes
        .map(|operation| {
            let answers = operation["responses"].as_object().expect("responses");
            let done = answers.iter().find(|(status, _)| status.starts_with('2'));
            (
                operation["operationId"].as_str().expect("an id").to_owned(),
                schema_of(&operation["requestBody"]),
                schema_of(done.expect("it can succeed").1),
            )
        })
        .collect()
}

#[test]
fn t16_every_field_of_an_answer_that_is_not_the_callers_is_refused_in_every_change() {
    let document = description();
    let changes = changes(&document);
    let described: BTreeSet<_> = changes.iter().map(|(id, ..)| id.as_str()).collect();
    let read: BTreeSet<_> = READERS.iter().map(|(id, ..)| *id).collect();
    assert_eq!(described, read, "every change has its reader here");
    for (id, body, answer) in &changes {
        let (_, reader, fine) = READERS.iter().find(|(of, ..)| of == id).expect("a reader");
        let taken = properties(&document, body);
        assert!(!taken.is_empty(), "{id}");
        let answer = resolve(&document, answer);
        let mut owned = properties(&document, answer);
        owned.remove("data");
        let data = &answer["properties"]["data"];
        for told in [data, &data["items"]] {
            owned.extend(properties(&document, told));
        }
        // What is never told, too.
        owned.extend(["id", "account_id", "role", "kind", "deleted_at"].map(str::to_owned));
        let mut refused = 0;
        for field in owned.difference(&taken) {
            for value in [
                json!(null),
                json!(true),
                json!(0),
                json!("x"),
                json!([]),
                json!({}),
            ] {
                let mut change: Value = serde_json::from_str(fine).expect("JSON");
                change[field] = value;
                let text = change.to_string();
                let fields = Fields::of(text.as_bytes()).expect("an object");
                let failure = reader(fields).expect_err(&text);
                assert_eq!(failure.status, 400, "{id}: {text}");
                assert!(
                    failure.message.contains(&format!("`{field}`")),
                    "{}",
                    failure.message
                );
                refused += 1;
            }
        }
        assert!(refused >= 36, "{id}: {refused}");
        let fields = Fields::of(fine.as_bytes()).expect("an object");
        assert!(reader(fields).is_ok(), "{id}: without them it is fine");
    }
}
