use std::{fs, path::Path};

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use switchyard_dialects::{anthropic_messages, openai_chat};
use switchyard_interchange::failure::FailureKind;

use super::*;

/// No shape gives it away: neither a prefix nor thirty-two letters in a row.
const SECRET: &str = "Zq7/pLm+9w.Xe-41~bT=ck_0";

fn redactor(secret: &str) -> Redactor {
    let credential = Secret::new(secret.as_bytes().to_vec());
    Redactor::new(&Sent::Credential, &credential)
}

fn cleaned(redactor: &Redactor, text: &str) -> String {
    let mut failure = Failure::new(FailureKind::BadRequest, text);
    failure.provider_code = Some(text.to_owned());
    let failure = redactor.clean(failure);
    assert_eq!(failure.provider_code.as_deref(), Some(&*failure.message));
    failure.message
}

/// Every form in which a provider may repeat a secret.
fn forms(secret: &str) -> Vec<String> {
    let percent = percent_encode(secret).into_owned();
    let lower = with_lower_case_escapes(&percent);
    let mut forms = vec![secret.to_owned(), percent, lower];
    for before in ["", "u", ":u", "Bearer "] {
        for behind in ["", "x", "xy"] {
            let whole = format!("{before}{secret}{behind}");
            forms.push(STANDARD_NO_PAD.encode(&whole));
            forms.push(URL_SAFE_NO_PAD.encode(&whole));
            forms.push(base64::engine::general_purpose::STANDARD.encode(&whole));
        }
    }
    forms
}

#[test]
fn v9_a_secret_is_taken_out_in_every_form() {
    let redactor = redactor(SECRET);
    for form in forms(SECRET) {
        let text = format!("the key {form} is wrong; {form}");
        let expected = "the key [redacted] is wrong; [redacted]";
        assert_eq!(cleaned(&redactor, &text), expected, "{form}");
        let text = format!("ключ ({form}) неверен");
        assert_eq!(
            cleaned(&redactor, &text),
            "ключ ([redacted]) неверен",
            "{form}"
        );
    }
}

#[test]
fn v9_a_secret_that_is_cut_off_is_taken_out() {
    let redactor = redactor(SECRET);
    for kept in HEAD_BYTES..SECRET.len() {
        let text = format!("the key is {}", &SECRET[..kept]);
        assert_eq!(cleaned(&redactor, &text), "the key is [redacted]");
        let text = format!("the key is {}…", &SECRET[..kept]);
        assert!(cleaned(&redactor, &text).starts_with("the key is [redacted]"));
    }
}

#[test]
fn v9_parts_are_taken_out_and_short_words_are_not() {
    let parts = Sent::Parts(vec![
        Secret::new(format!("  {SECRET}\n")),
        Secret::new("the".to_owned()),
    ]);
    let redactor = Redactor::new(&parts, &Secret::new(b"elsewhere".to_vec()));
    assert_eq!(
        cleaned(&redactor, &format!("the {SECRET} elsewhere")),
        "the [redacted] elsewhere"
    );
}

#[test]
fn v9_what_looks_like_a_key_is_taken_out() {
    let redactor = redactor(SECRET);
    for key in [
        "sk-proj-4f0bA9zz81QeXw",
        "sk-ant-api03-xYz12-34",
        "sk-or-v1-0123456789abcdef",
        "sk-ab***********xyz",
        "AIzaSyD4iE2xVSpkLLOXoyqT-RuPwpN3ScddAbc",
        "gsk_o1Z2abcdEF34",
        "xai-9f3kLmZ0aa11",
        "AKIAIOSFODNN7EXAMPLE",
        "ya29.a0AfH6SMBx-12_3",
        "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.c2lnbmF0dXJl",
        "0123456789abcdef0123456789abcdef",
        "9c8hZ3kT0mJw5LxN7vQ2bR4yD6fG1sA8uE3iO5pC7tV9xB2nM4zK6lJ8hG0f",
        "hf_AbCdEf123456",
    ] {
        for (text, expected) in [
            (format!("key: {key}."), "key: [redacted]."),
            (format!("\"{key}\" is bad"), "\"[redacted]\" is bad"),
        ] {
            assert_eq!(cleaned(&redactor, &text), expected);
        }
    }
    assert_eq!(
        cleaned(&redactor, "Authorization: Bearer abc-defgh, sent"),
        "Authorization: Bearer [redacted], sent"
    );
}

#[test]
fn v9_words_stay() {
    let redactor = redactor(SECRET);
    for text in [
        "",
        "`max_tokens` must be at most 4096, and 8192 was asked for",
        "the model meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8 is not deployed",
        "the sk-learn-compatible scheme takes no bearer token",
        "messages[0].content[12].image_url.url: fetching https://example.com/a.png failed",
        "request 0f8fad5b-d9cb-469f-a165-70867728950e was refused",
        "неверный запрос: слишком длинный контекст …",
    ] {
        assert_eq!(cleaned(&redactor, text), text);
    }
}

/// The bodies of every error that was recorded, with the key put wherever there was text.
#[test]
fn v9_recorded_errors_with_an_echoed_key_hold_none_of_it() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dialects/fixtures");
    let mut bodies = 0;
    for folder in ["openai_chat", "anthropic_messages"] {
        let folder = fixtures.join(folder);
        let files = fs::read_dir(folder).expect("the fixtures are there");
        for file in files.map(|file| file.expect("readable").path()) {
            let name = file.display().to_string();
            if !name.contains("-err-") || !name.ends_with(".json") {
                continue;
            }
            let recorded: Value =
                serde_json::from_slice(&fs::read(&file).expect("readable")).expect("JSON");
            bodies += 1;
            check_recorded(&name, &recorded);
        }
    }
    assert!(bodies >= 8, "{bodies} recorded errors");
}

fn check_recorded(name: &str, recorded: &Value) {
    let response = &recorded["response"];
    let status = response["status"].as_u64().expect("a status");
    let status = u16::try_from(status).expect("a status");
    let body = match &response["body"] {
        Value::String(text) => serde_json::from_str(text).unwrap_or(Value::Null),
        other => other.clone(),
    };
    let redactor = redactor(SECRET);
    // Every status, since what of a text is passed on depends on the class.
    for status in [status, 400, 401, 403, 413, 422, 429, 500] {
        for form in forms(SECRET) {
            let mut echoing = body.clone();
            echo(&mut echoing, &form);
            let bytes = serde_json::to_vec(&echoing).expect("JSON");
            for decode in [openai_chat::decode_error, anthropic_messages::decode_error] {
                let failure = redactor.clean(decode(status, None, &bytes));
                let shown = format!("{failure:?}");
                assert!(!shown.contains(&form), "{name} {status}: {shown}");
                let beginning = &form[..form.len().min(12)];
                assert!(!shown.contains(beginning), "{name} {status}: {shown}");
            }
        }
    }
}

/// Puts a text behind every text, and into the middle of a long one, so that limits cut through it.
fn echo(value: &mut Value, text: &str) {
    match value {
        Value::String(said) => {
            let filler = "word ".repeat(58);
            *said = format!("{said} {text} {filler}{text}");
        }
        Value::Array(values) => values.iter_mut().for_each(|value| echo(value, text)),
        Value::Object(fields) => fields.values_mut().for_each(|value| echo(value, text)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
