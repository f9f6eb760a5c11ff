use bytes::Bytes;
use switchyard_domain::{clock::Timestamp, endpoint::EndpointId, money::UsdNanos};
use switchyard_interchange::reply::PublicFailure;

use super::{CandidateView, options::Options};
use switchyard_app::explain::{ExplainedCandidate, RankingWords, Verdict};

fn take(body: &str) -> Result<(String, Options), PublicFailure> {
    let (rest, options) = Options::take_from(Bytes::from(body.to_owned()))?;
    Ok((
        String::from_utf8(rest.to_vec()).expect("still text"),
        options,
    ))
}

#[test]
fn the_rest_is_the_request_as_it_would_come_without() {
    for (body, rest) in [
        (r#"{"model":"m","explain":{"seed":7}}"#, r#"{"model":"m"}"#),
        (r#"{"explain":{"seed":7},"model":"m"}"#, r#"{"model":"m"}"#),
        (
            r#"{"a":1,"explain":{"seed":7},"model":"m"}"#,
            r#"{"a":1,"model":"m"}"#,
        ),
        (r#"{"explain":{"seed":7}}"#, "{}"),
        (
            "{ \"a\" : \"explain\" ,\n  \"explain\" : { \"seed\" : 7 } ,\n  \"b\" : [1] }",
            "{ \"a\" : \"explain\"  ,\n  \"b\" : [1] }",
        ),
        (
            "{ \"explain\" : { \"seed\" : 7 } , \"b\" : {\"explain\": 1} }",
            "{  \"b\" : {\"explain\": 1} }",
        ),
        (
            r#"{"a":"\",\"explain\":3","explain":{"seed":7}}"#,
            r#"{"a":"\",\"explain\":3"}"#,
        ),
        (r#"{"m":"ü\\","\u0065xplain":{"seed":7}}"#, r#"{"m":"ü\\"}"#),
    ] {
        let (left, options) = take(body).expect(body);
        assert_eq!(left, rest, "{body}");
        assert_eq!(options.seed, Some(7), "{body}");
        serde_json::from_str::<serde_json::Value>(&left).expect("still JSON");
    }
}

#[test]
fn bodies_without_it_are_left_alone() {
    for body in [
        r#"{"model":"m"}"#,
        r#"{"a":{"explain":{"seed":7}}}"#,
        r#"{"explain":null}"#,
        r#"["explain"]"#,
        r#"{"explain":"#,
        "",
    ] {
        let (left, options) = take(body).expect(body);
        assert_eq!((left.as_str(), options), (body, Options::default()));
    }
}

#[test]
fn all_options_are_read() {
    let (_, options) = take(
        r#"{"explain":{"seed":"18446744073709551615","at":"2026-11-24T01:00:00+01:00","country":"de"}}"#,
    )
    .expect("good options");
    assert_eq!(options.seed, Some(u64::MAX));
    assert_eq!(options.at, Timestamp::parse_rfc3339("2026-11-24T00:00:00Z"));
    assert_eq!(options.country.as_deref(), Some("DE"));
    let (_, none) = take(r#"{"explain":{"seed":null,"at":null,"country":null}}"#).expect("absent");
    assert_eq!(none, Options::default());
}

#[test]
fn bad_options_are_named() {
    for (options, named) in [
        ("7", "`explain` must be an object"),
        (
            r#"{"sed":7}"#,
            "`explain.sed` is not known; there are `seed`, `at` and `country`",
        ),
        (r#"{"seed":-1}"#, "`explain.seed` must be a whole number"),
        (r#"{"seed":1.5}"#, "`explain.seed` must be a whole number"),
        (
            r#"{"at":"yesterday"}"#,
            "`explain.at` must be a time such as",
        ),
        (
            r#"{"country":"Germany"}"#,
            "`explain.country` must be two letters",
        ),
        (
            r#"{"country":"ß"}"#,
            "`explain.country` must be two letters",
        ),
    ] {
        let error = take(&format!(r#"{{"explain":{options}}}"#)).expect_err(options);
        assert_eq!((error.status, error.error_type), (400, "invalid_request"));
        assert!(error.message.contains(named), "{}", error.message);
    }
    let twice = take(r#"{"explain":{},"explain":{}}"#).expect_err("given twice");
    assert_eq!(twice.message, "`explain` is given twice.");
}

#[test]
fn figures_are_shown_in_their_units() {
    let candidate = ExplainedCandidate {
        endpoint: EndpointId::new("lab/m|acme"),
        provider: "Acme".to_owned(),
        model: "lab/m".to_owned(),
        credential: "shared".to_owned(),
        verdict: Verdict::Selected,
        rank: Some(0),
        draw_ppm: Some(734_693),
        expected_cost: Some(UsdNanos::new(213_038)),
        health: "stable",
        ruled_out: None,
        ranking: Some(RankingWords {
            order: "by price".to_owned(),
            credential: "the operator's credential".to_owned(),
            cache: None,
            health: "no trouble lately".to_owned(),
            draw: None,
            cost: None,
        }),
    };
    let shown = serde_json::to_string(&CandidateView::of(&candidate)).expect("serializable");
    for part in [
        r#""draw_probability":0.734693"#,
        r#""expected_cost_usd":0.000213038"#,
        r#""verdict":"selected""#,
        r#""ruled_out":null"#,
        r#""ranking_key":{"order":"by price""#,
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    assert!(!shown.contains("cache"), "{shown}");
}
