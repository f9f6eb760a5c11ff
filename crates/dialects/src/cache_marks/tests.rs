use bytes::Bytes;
use serde_json::{Value, json};

use super::*;
use crate::openai_chat::decode_request;

/// A conversation in short: `s`ystem, `u`ser, `a`ssistant, `t`ool; a capital is a long message,
/// `F` before it a long tool definition.
fn request(turns: &str, extra: &Value) -> ChatRequest {
    let long = "word ".repeat(1_000);
    let mut body = json!({ "model": "m", "provider": { "caching": "auto" }, "messages": [] });
    for turn in turns.chars() {
        let text = if turn.is_uppercase() { &long } else { "hi" };
        let message = match turn.to_ascii_lowercase() {
            's' => json!({ "role": "system", "content": text }),
            'u' => json!({ "role": "user", "content": text }),
            'a' => json!({ "role": "assistant", "content": text }),
            't' => json!({ "role": "tool", "tool_call_id": "c", "content": text }),
            'f' => {
                body["tools"] = json!([{ "type": "function",
                    "function": { "name": "f", "description": text, "parameters": {} } }]);
                continue;
            }
            other => panic!("{other} is nobody"),
        };
        body["messages"]
            .as_array_mut()
            .expect("a list")
            .push(message);
    }
    for (key, value) in extra.as_object().into_iter().flatten() {
        body[key] = value.clone();
    }
    decode_request(Bytes::from(body.to_string())).expect("a request")
}

fn places(turns: &str, extra: &Value) -> String {
    let places = Places::of(&request(turns, extra), Some(CACHED_TOKENS_MIN_UNKNOWN));
    let mut shown = Vec::new();
    shown.extend(places.after_tools.then(|| "tools".to_owned()));
    shown.extend(places.instructions.map(|at| format!("instructions {at}")));
    shown.extend(places.turn.map(|at| format!("turn {at}")));
    shown.join(", ")
}

#[test]
fn marks_go_where_the_prompt_stays() {
    for (turns, expected) in [
        // Instructions alone are worth it from the first turn on.
        ("Su", "instructions 0"),
        ("Ssu", "instructions 1"),
        ("su", ""),
        ("fSu", "instructions 0"),
        ("Fsu", "instructions 0"),
        ("Fu", "tools"),
        ("fu", ""),
        // The turn before the newest, once the model has spoken.
        ("uU", ""),
        ("Uau", "turn 0"),
        ("uAu", ""),
        ("SuauAu", "instructions 0, turn 3"),
        ("sUau", "turn 1"),
        ("sUauau", "turn 3"),
        // Results of parallel calls are one turn.
        ("suATtatt", "turn 4"),
        ("suATtatta", "turn 4"),
        // Whatever the caller says in one go is one turn.
        ("sUuauu", "turn 2"),
        ("sUasu", "turn 1"),
    ] {
        assert_eq!(places(turns, &json!({})), expected, "{turns}");
    }
}

#[test]
fn nothing_is_added_to_the_callers_own_marks_nor_unasked() {
    let marked = json!([{ "role": "system", "content": [{ "type": "text", "text": "x".repeat(9_000),
        "cache_control": { "type": "ephemeral" } }] }, { "role": "user", "content": "hi" }]);
    for extra in [
        json!({ "messages": marked }),
        json!({ "cache_control": { "type": "ephemeral" } }),
        json!({ "provider": { "caching": "as_marked" } }),
        json!({ "provider": {} }),
    ] {
        assert_eq!(places("Su", &extra), "", "{extra}");
    }
    let auto = request("SuauAu", &json!({}));
    assert_eq!(Places::of(&auto, None), Places::default());
    assert_eq!(
        Places::of(&auto, Some(1_000_000)),
        Places::default(),
        "too short for this one"
    );
}

#[test]
fn foreign_content_is_marked_at_its_end_or_not_at_all() {
    let mark = r#""cache_control":{"type":"ephemeral"}"#;
    for (content, marked) in [
        (
            r#""h\u0069""#,
            format!(r#"[{{"type":"text","text":"h\u0069",{mark}}}]"#),
        ),
        (
            r#"[ {"type":"text","text":"a", "x":1.0}, {"type":"image","n":12345678901234567890 } ]"#,
            format!(
                r#"[{{"type":"text","text":"a", "x":1.0}},{{"type":"image","n":12345678901234567890,{mark}}}]"#
            ),
        ),
        (r#"[{ }]"#, format!("[{{{mark}}}]")),
        (r#"" \n""#, r#"" \n""#.to_owned()),
        (
            r#"[{"type":"text","text":" "}]"#,
            r#"[{"type":"text","text":" "}]"#.to_owned(),
        ),
        (
            r#"[{"type":"thinking","thinking":"x"}]"#,
            r#"[{"type":"thinking","thinking":"x"}]"#.to_owned(),
        ),
        ("[]", "[]".to_owned()),
        ("null", "null".to_owned()),
    ] {
        let raw = RawValue::from_string(content.to_owned()).expect("JSON");
        let mut out = Vec::new();
        write_marked_content(&mut out, &raw);
        assert_eq!(String::from_utf8(out).expect("UTF-8"), marked, "{content}");
    }
}

#[test]
fn a_message_keeps_what_else_it_has() {
    let raw = r#"{"role":"user", "odd" : [1.0],"content":"x"}"#;
    let raw = RawValue::from_string(raw.to_owned()).expect("JSON");
    let mut out = Vec::new();
    write_marked_message(&mut out, &raw);
    assert_eq!(
        String::from_utf8(out).expect("UTF-8"),
        r#"{"role":"user","odd":[1.0],"content":[{"type":"text","text":"x","cache_control":{"type":"ephemeral"}}]}"#
    );
}
