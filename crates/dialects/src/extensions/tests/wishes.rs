//! The fields of `provider` that OpenRouter does not have.

use DecodeErrorKind::{Invalid, TooLarge};
use switchyard_interchange::preferences::{Caching, Capability, Sticky};

use super::*;

fn wishes(fields: &str) -> ProviderPreferences {
    decode(&format!(r#"{{"provider": {{{fields}}}}}"#))
        .unwrap_or_else(|error| panic!("{fields}: {error}"))
        .provider
}

#[test]
fn every_wish_is_read() {
    assert_eq!(
        wishes(
            r#""has": ["implicit-caching", "reasoning", "structured_output", "tool_use", "vision",
                       "quantization:fp8", "!quantization:int4"],
               "sticky": "prefer", "caching": "auto", "hedge": true,
               "first_token_timeouts": {"groq": 1, "openai/flex": 789000, "azure": null},
               "first_token_deadline_ms": 600000,
               "sort": {"by": "expected_cost", "partition": "none"}"#
        ),
        ProviderPreferences {
            has: vec![
                Capability::ImplicitCaching,
                Capability::Reasoning,
                Capability::StructuredOutput,
                Capability::ToolUse,
                Capability::Vision,
                Capability::Quantization("fp8".to_owned()),
                Capability::NotQuantization("int4".to_owned()),
            ],
            sticky: Sticky::Prefer,
            caching: Caching::Auto,
            hedge: true,
            first_token_timeouts_ms: [("groq".to_owned(), 1), ("openai/flex".to_owned(), 789_000)]
                .into(),
            first_token_deadline_ms: Some(600_000),
            sort: Some(switchyard_interchange::preferences::Sort {
                by: SortKey::ExpectedCost,
                partition: Partition::None,
            }),
            ..ProviderPreferences::default()
        }
    );
}

#[test]
fn what_is_the_default_may_be_said() {
    for fields in [
        r#""sticky": "auto", "caching": "as_marked", "hedge": false, "has": []"#,
        r#""sticky": null, "caching": null, "hedge": null, "has": null"#,
        r#""first_token_timeouts": {}, "first_token_deadline_ms": null"#,
        r#""first_token_timeouts": null"#,
    ] {
        assert_eq!(wishes(fields), ProviderPreferences::default(), "{fields}");
    }
    assert_eq!(wishes(r#""sticky": "off""#).sticky, Sticky::Off);
    let short = wishes(r#""sort": "expected_cost""#).sort.unwrap();
    assert_eq!(short.by, SortKey::ExpectedCost);
}

fn refused(cases: &[(&str, DecodeErrorKind, &str)]) {
    for (fields, kind, said) in cases {
        let error = decode(&format!(r#"{{"provider": {{{fields}}}}}"#)).unwrap_err();
        let told = error.to_string();
        let told = told.strip_prefix("provider").unwrap_or(&told);
        assert_eq!((error.kind, told), (*kind, *said), "{fields}");
    }
}

#[test]
fn mistaken_words_name_the_place_and_the_remedy() {
    refused(&[
        (
            r#""sticky": "on""#,
            Invalid,
            ".sticky: expected auto, prefer or off",
        ),
        (r#""sticky": true"#, Invalid, ".sticky: expected a string"),
        (
            r#""caching": "always""#,
            Invalid,
            ".caching: expected auto or as_marked",
        ),
        (
            r#""hedge": "yes""#,
            Invalid,
            ".hedge: expected true or false",
        ),
        (
            r#""has": ["vision", "telepathy"]"#,
            Invalid,
            ".has[1]: expected implicit-caching, reasoning, structured-output, tool-use, vision, \
             quantization:<format> or !quantization:<format>",
        ),
        (
            r#""has": ["!quantization:fp9"]"#,
            Invalid,
            ".has[0]: expected a weight format: one of int4, int8, fp4, mxfp4, nvfp4, fp6, fp8, \
             mxfp8, fp16, bf16, fp32, unknown",
        ),
        (r#""has": "vision""#, Invalid, ".has: expected an array"),
        (
            r#""sort": "cheapest""#,
            Invalid,
            ".sort: expected price, throughput, latency, exacto or expected_cost",
        ),
        (r#""hedging": true"#, Invalid, ": unknown field `hedging`"),
    ]);
}

#[test]
fn mistaken_times_name_the_place_and_the_remedy() {
    const RANGE: &str = ".first_token_timeouts.groq: expected 1 to 789000 milliseconds";
    const DEADLINE: &str = ".first_token_deadline_ms: expected 1 to 600000 milliseconds";
    let providers: Vec<String> = (0..65).map(|number| format!(r#""p{number}": 5"#)).collect();
    let many = format!(r#""first_token_timeouts": {{{}}}"#, providers.join(","));
    refused(&[
        (r#""first_token_timeouts": {"groq": 0}"#, Invalid, RANGE),
        (
            r#""first_token_timeouts": {"groq": 789001}"#,
            Invalid,
            RANGE,
        ),
        (
            r#""first_token_timeouts": {"groq": 1.5}"#,
            Invalid,
            ".first_token_timeouts.groq: expected a non-negative whole number",
        ),
        (
            r#""first_token_timeouts": {" ": 5}"#,
            Invalid,
            ".first_token_timeouts: expected providers' slugs or tags as keys",
        ),
        (
            r#""first_token_timeouts": 500"#,
            Invalid,
            ".first_token_timeouts: expected an object",
        ),
        (
            &many,
            TooLarge,
            ".first_token_timeouts: at most 64 providers",
        ),
        (r#""first_token_deadline_ms": 0"#, Invalid, DEADLINE),
        (r#""first_token_deadline_ms": 600001"#, Invalid, DEADLINE),
        (
            r#""first_token_deadline_ms": "1s""#,
            Invalid,
            ".first_token_deadline_ms: expected a non-negative whole number",
        ),
    ]);
}
