use switchyard_domain::money::UsdNanos;

use super::*;

fn good<T>(outcome: Result<T, PublicFailure>) -> T {
    outcome.unwrap_or_else(|failure| panic!("{}", failure.message))
}

fn message<T: std::fmt::Debug>(outcome: Result<T, PublicFailure>) -> String {
    let failure = outcome.expect_err("refused");
    assert_eq!(failure.status, 400);
    failure.message
}

#[test]
fn t16_what_is_not_asked_for_is_refused_by_name() {
    for (body, refused) in [
        (r#"{"name":"x"}"#, None),
        (r#"{}"#, None),
        (
            r#"{"name":"x","usage":0}"#,
            Some("`usage` is set by the service"),
        ),
        (
            r#"{"nme":"x"}"#,
            Some("`nme` is not known here. Known are `name`."),
        ),
        (
            r#"{"expires_at":null}"#,
            Some("`expires_at` is set when it is made and cannot be changed"),
        ),
        (r#"{"na\u006de":"x"}"#, None),
        (r#"{"usage\u0000":1}"#, Some("`usage` is not known here")),
    ] {
        let mut fields = Fields::of(body.as_bytes()).expect("an object");
        fields.optional("name", text(1..=9)).expect("a name");
        let finished = fields.finish_change(&["usage"], &["expires_at"]);
        match refused {
            None => good(finished),
            Some(part) => {
                let told = message(finished);
                assert!(told.contains(part), "{body}: {told}");
            }
        }
    }
}

#[test]
fn bodies_that_parsers_would_disagree_about_are_refused() {
    let deep = format!("{}1{}", r#"{"a":"#.repeat(17), "}".repeat(17));
    let quoted = format!(r#"{{"name":"{}"}}"#, "[{".repeat(40));
    assert!(Fields::of(quoted.as_bytes()).is_ok());
    for (body, part) in [
        ("", "is empty"),
        (" \n", "is empty"),
        ("[]", "must be a JSON object"),
        (r#"["name"]"#, "must be a JSON object"),
        ("7", "must be a JSON object"),
        ("null", "must be a JSON object"),
        (r#"{"name":"x""#, "is not valid JSON"),
        (r#"{"name":"x"} {}"#, "is not valid JSON"),
        (r#"{"name":"x","name":"y"}"#, "has the field `name` twice"),
        (
            r#"{"name":"x","n\u0061me":"y"}"#,
            "has the field `name` twice",
        ),
        (deep.as_str(), "is nested deeper than 16 levels"),
        ("{\"name\":\"\u{1}\"}", "is not valid JSON"),
    ] {
        let told = message(Fields::of(body.as_bytes()));
        assert!(told.contains(part), "{body}: {told}");
    }
}

#[test]
fn left_out_null_and_given_are_three_things() {
    let body = br#"{"a":null,"b":"x"}"#;
    let mut fields = Fields::of(body).expect("an object");
    assert_eq!(good(fields.patch("a", text(1..=9))), Patch::Clear);
    assert_eq!(
        good(fields.patch("b", text(1..=9))),
        Patch::Set("x".to_owned())
    );
    assert_eq!(good(fields.patch("c", text(1..=9))), Patch::Keep);
    good(fields.finish(&[]));

    let mut fields = Fields::of(body).expect("an object");
    assert!(message(fields.replacement("a", flag)).contains("`a` must not be null"));
    assert!(message(fields.required("c", flag)).contains("`c` is missing"));
    assert!(message(fields.required("b", flag)).contains("`b` must be true or false"));
}

#[test]
fn objects_within_are_read_as_strictly() {
    let body = br#"{"external":{"user":"u","role":"owner"}}"#;
    let mut fields = Fields::of(body).expect("an object");
    let Ok(Patch::Set(mut external)) = fields.object("external") else {
        panic!("an object within");
    };
    assert_eq!(good(external.required("user", text(1..=9))), "u");
    assert!(message(external.finish(&[])).contains("`external.role` is not known here"));
    let mut fields = Fields::of(br#"{"external":{"user":1,"user":2}}"#).expect("an object");
    assert!(message(fields.object("external")).contains("`external` has the field `user` twice"));
}

fn read<T>(json: &str, reader: impl FnOnce(&RawValue) -> Result<T, Problem>) -> Result<T, Problem> {
    let raw = RawValue::from_string(json.to_owned()).expect("JSON");
    reader(&raw)
}

#[test]
fn amounts_are_exact_however_they_are_written() {
    for (json, nanos) in [
        ("0", 0),
        ("-0", 0),
        ("0.000", 0),
        ("10", 10_000_000_000),
        ("0.1", 100_000_000),
        ("1e-9", 1),
        ("1E-7", 100),
        ("1.50e+2", 150_000_000_000),
        ("100e-11", 1),
        ("0.123456789", 123_456_789),
        ("0.1234567890000", 123_456_789),
        ("9223372036.854775807", i64::MAX),
        ("0e999999", 0),
    ] {
        assert_eq!(read(json, usd), Ok(UsdNanos::new(nanos)), "{json}");
    }
    for json in [
        "0.1234567891",
        "1e-10",
        "9223372036.854775808",
        "1e10",
        "1e99999999999999999999",
        "-0.000000001",
        "-5",
        r#""5""#,
        "true",
        "[5]",
    ] {
        assert!(read(json, usd).is_err(), "{json}");
    }
}

#[test]
fn times_are_in_utc() {
    for (text, is_good) in [
        ("2026-12-31T23:59:59Z", true),
        ("2026-12-31T23:59:59.123Z", true),
        ("2026-12-31T23:59:59+00:00", true),
        ("2026-12-31T23:59:59+01:00", false),
        ("2026-12-31T23:59:59", false),
        ("2026-12-31", false),
        ("2026-12-31T23:59Z", false),
    ] {
        let outcome = read(&format!("{text:?}"), instant_in_utc);
        assert_eq!(outcome.is_ok(), is_good, "{text}");
    }
    assert!(read("1795500000", instant_in_utc).is_err());
}

#[test]
fn texts_lists_and_words_have_bounds() {
    assert!(read(r#""""#, text(1..=3)).is_err());
    assert!(read(r#""üüü""#, text(1..=3)).is_ok());
    assert!(read(r#""abcd""#, text(1..=3)).is_err());
    assert!(read(r#""a\u0000""#, text(1..=3)).is_err());
    assert!(read("1", text(1..=3)).is_err());
    assert!(read("[]", list(1..=2)).is_err());
    assert_eq!(read(r#"["a"]"#, list(1..=2)), Ok(vec!["a".to_owned()]));
    assert!(read(r#"["a",1]"#, list(1..=2)).is_err());
    let words = &[("daily", 1), ("weekly", 2)];
    assert_eq!(read(r#""weekly""#, one_of(words)), Ok(2));
    let problem = read(r#""hourly""#, one_of(words)).expect_err("refused");
    assert_eq!(problem, "must be one of `daily`, `weekly`");
}
