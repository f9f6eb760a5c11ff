//! What is wrong with a catalogue is said with its place and its remedy.

use std::fs::File;

use expect_test::{Expect, expect};
use serde_json::{Value, json};
use switchyard_catalog::load::load;

use crate::fixture::{Files, load_texts, noon, scratch, sound};

/// Loads a sound catalogue after a change; expects these faults, in this order.
fn check(change: impl FnOnce(&mut Files), expected: &Expect) {
    let mut files = sound();
    change(&mut files);
    let faults = files.load().expect_err("the change is a fault");
    expected.assert_eq(&faults.to_string());
}

fn check_price(pricing: Value, expected: &Expect) {
    check(|files| files.endpoints[0]["pricing"] = pricing, expected);
}

fn check_override(over: Value, expected: &Expect) {
    let pricing = json!({"prompt": "0.000001", "completion": "0.000002", "overrides": [over]});
    check_price(pricing, expected);
}

fn check_text(file: usize, text: &str, expected: &Expect) {
    let mut texts = sound().contents();
    text.clone_into(&mut texts[file]);
    let faults = load_texts(&texts).expect_err("the text is a fault");
    expected.assert_eq(&faults.to_string());
}

#[test]
fn all_faults_are_reported_together() {
    check(
        |files| {
            files.providers[0]["base_url"] = json!("api.acme.example");
            files.models[0]["context_length"] = json!(0);
            files.endpoints[0]["pricing"]["prompt"] = json!(0.000001);
            files.endpoints[0]["service_tier"] = json!("fastest");
            files.aliases[0]["model_id"] = json!("zoo/eagle");
        },
        &expect![[r#"
            the catalogue has 5 faults
            - providers.json providers[0] (acme) base_url: `api.acme.example` does not begin with http:// or https://; write http:// or https://, a host, and the path that the provider's calls share
            - models.json models[0] (zoo/owl) context_length: is 0; write null where it is not known
            - endpoints.json endpoints[0] (zoo/owl|acme) pricing.prompt: is 1e-6; write a decimal number in quotes, so that it stays exact, or null
            - endpoints.json endpoints[0] (zoo/owl|acme) service_tier: `fastest` is not known; use one of default, flex, priority
            - aliases.json aliases[0] (~zoo/owl-latest) model_id: there is no model `zoo/eagle`; point it at a model of models.json"#]],
    );
}

#[test]
fn names_that_stand_twice() {
    check(
        |files| {
            for rows in [
                &mut files.providers,
                &mut files.models,
                &mut files.endpoints,
            ] {
                let rows = rows.as_array_mut().expect("a list");
                rows.push(rows[0].clone());
            }
            let aliases = files.aliases.as_array_mut().expect("a list");
            aliases.push(json!({"alias": "~zoo/owl-latest", "model_id": "zoo/owl"}));
            aliases.push(json!({"alias": "zoo/owl", "model_id": "zoo/owl"}));
        },
        &expect![[r#"
            the catalogue has 5 faults
            - providers.json providers[1] (acme): is named like providers[0]; remove one of the two rows
            - models.json models[1] (zoo/owl): is named like models[0]; remove one of the two rows
            - endpoints.json endpoints[1] (zoo/owl|acme): is named like endpoints[0]; remove one of the two rows
            - aliases.json aliases[1] (~zoo/owl-latest): is named like aliases[0]; remove one of the two rows
            - aliases.json aliases[2] (zoo/owl): is the id of a model; choose a name that no model has"#]],
    );
}

#[test]
fn names_of_nothing() {
    check(
        |files| {
            files.endpoints[0] = json!({
                "model_id": "zoo/eagle", "provider": "bolt", "tag": "bolt/fp8",
            });
        },
        &expect![[r#"
            the catalogue has 2 faults
            - endpoints.json endpoints[0] (zoo/eagle|bolt/fp8) provider: there is no provider `bolt`; add it to providers.json, or correct the slug
            - endpoints.json endpoints[0] (zoo/eagle|bolt/fp8) model_id: there is no model `zoo/eagle`; add it to models.json, or correct the id"#]],
    );
}

#[test]
fn names_of_no_form() {
    check(
        |files| {
            files.providers[0]["slug"] = json!("Acme & Co");
            files.models[0]["id"] = json!("owl");
            files.endpoints[0]["tag"] = json!("bolt");
            files.aliases[0]["alias"] = json!("owl latest");
        },
        &expect![[r#"
            the catalogue has 8 faults
            - providers.json providers[0] (Acme & Co) slug: is not a slug; use letters, digits, `.`, `-` and `_`
            - models.json models[0] (owl) id: is not of the form `author/slug` or `author/slug:variant`; use letters, digits, `.`, `-` and `_`
            - endpoints.json endpoints[0] (zoo/owl|acme) tag: is `bolt`; begin it with the provider's slug, and a slash before anything that follows
            - endpoints.json endpoints[0] (zoo/owl|acme) id: is `zoo/owl|acme`; write `zoo/owl|bolt`: the model_id, a bar and the tag
            - aliases.json aliases[0] (owl latest) alias: is not of the form `~author/name`; use letters, digits, `.`, `-` and `_`
            - endpoints.json endpoints[0] (zoo/owl|bolt) provider: there is no provider `acme`; add it to providers.json, or correct the slug
            - endpoints.json endpoints[0] (zoo/owl|bolt) model_id: there is no model `zoo/owl`; add it to models.json, or correct the id
            - aliases.json aliases[0] (owl latest) model_id: there is no model `zoo/owl`; point it at a model of models.json"#]],
    );
}

#[test]
fn free_models_and_endpoints_that_disagree() {
    check(
        |files| files.endpoints[0]["variant"] = json!("free"),
        &expect![[r#"
            the catalogue has 2 faults
            - endpoints.json endpoints[0] (zoo/owl|acme) pricing: has a price, but the variant is free; set every price to "0" or null, or the variant to "standard"
            - endpoints.json endpoints[0] (zoo/owl|acme) variant: and the model disagree on whether they are free; put free endpoints on a model whose id ends in `:free`, and no others"#]],
    );
    check(
        |files| files.models[0]["variant"] = json!("free"),
        &expect![[r#"
            the catalogue has 1 fault
            - models.json models[0] (zoo/owl) variant: and the id disagree on whether the model is free; a free model has an id that ends in `:free` and the variant `free`"#]],
    );
}

#[test]
fn provider_fields() {
    check(
        |files| {
            let row = &mut files.providers[0];
            row["api_family"] = json!("openai_compatible");
            row["base_url"] = json!("https://user:word@api.acme.example/v1");
            row["headquarters"] = json!("Germany");
            row["datacenters"] = json!(["DE", "fr"]);
            row["blocked_countries"] = json!(["RU", "be"]);
            row["status_page_url"] = json!("status.acme.example");
            row["data_policy"] = json!({
                "trains_on_data": "no", "retains_prompts": false, "retention_days": 30,
            });
        },
        &expect![[r#"
            the catalogue has 8 faults
            - providers.json providers[0] (acme) api_family: `openai_compatible` is not known; use one of openai, openai-compatible, anthropic, azure, bedrock, vertex, cohere, gemini, oci, voyage, watsonx
            - providers.json providers[0] (acme) base_url: `…@api.acme.example/v1` has a name or password in it, and the catalogue is public; write http:// or https://, a host, and the path that the provider's calls share
            - providers.json providers[0] (acme) data_policy.trains_on_data: is "no"; write true, false or null
            - providers.json providers[0] (acme) data_policy.retention_days: is above 0, but retains_prompts is false; set retains_prompts to true, or the days to 0
            - providers.json providers[0] (acme) headquarters: `Germany` is not a country; write the two capital letters of ISO 3166
            - providers.json providers[0] (acme) datacenters: `fr` is not a country; write the two capital letters of ISO 3166
            - providers.json providers[0] (acme) blocked_countries: `be` is not a country; write the two capital letters of ISO 3166
            - providers.json providers[0] (acme) status_page_url: `status.acme.example` does not begin with http:// or https://; write a whole http:// or https:// address"#]],
    );
}

#[test]
fn model_fields() {
    check(
        |files| {
            let row = &mut files.models[0];
            row["author"] = json!("farm");
            row["created"] = json!(1_754_669_020_000_i64);
            row["expiration_date"] = json!("2026-02-30");
            row["knowledge_cutoff"] = json!("June 2025");
            row["supported_parameters"] = json!("tools");
            row["default_parameters"] = json!([1]);
            row["name"] = json!(" ");
        },
        &expect![[r#"
            the catalogue has 7 faults
            - models.json models[0] (zoo/owl) name: is empty; write null where it is not known
            - models.json models[0] (zoo/owl) author: is `farm`; write the part of the id before the slash
            - models.json models[0] (zoo/owl) created: is 1754669020000; write seconds since 1970, not milliseconds
            - models.json models[0] (zoo/owl) supported_parameters: is "tools"; write a list of texts or null
            - models.json models[0] (zoo/owl) default_parameters: is a list; write an object or null
            - models.json models[0] (zoo/owl) knowledge_cutoff: is `June 2025`; write YYYY, YYYY-MM or YYYY-MM-DD
            - models.json models[0] (zoo/owl) expiration_date: is `2026-02-30`, which is not a day; write it as YYYY-MM-DD"#]],
    );
}

#[test]
fn endpoint_fields() {
    check(
        |files| {
            let row = &mut files.endpoints[0];
            row["id"] = json!("zoo/owl|bolt");
            row["quantization"] = json!("fp-8");
            row["max_prompt_tokens"] = json!(-1);
            row["max_completion_tokens"] = json!(12.5);
            row["status"] = json!(99_999_999_999_i64);
            row["zdr"] = json!("yes");
            row["regions"] = json!([1]);
            row["observed"] = json!({"uptime_24h": "99"});
            row["data_policy"] = json!([]);
        },
        &expect![[r#"
            the catalogue has 9 faults
            - endpoints.json endpoints[0] (zoo/owl|bolt) data_policy: is a list; write an object or null
            - endpoints.json endpoints[0] (zoo/owl|bolt) zdr: is "yes"; write true, false or null
            - endpoints.json endpoints[0] (zoo/owl|bolt) id: is `zoo/owl|bolt`; write `zoo/owl|acme`: the model_id, a bar and the tag
            - endpoints.json endpoints[0] (zoo/owl|bolt) quantization: `fp-8` is not known; use one of int4, int8, fp4, mxfp4, nvfp4, fp6, fp8, mxfp8, fp16, bf16, fp32, unknown
            - endpoints.json endpoints[0] (zoo/owl|bolt) max_completion_tokens: is 12.5; write a whole number, not below 0, or null
            - endpoints.json endpoints[0] (zoo/owl|bolt) max_prompt_tokens: is -1; write a whole number, not below 0, or null
            - endpoints.json endpoints[0] (zoo/owl|bolt) regions: is a list; write a list of texts or null
            - endpoints.json endpoints[0] (zoo/owl|bolt) status: is 99999999999; write 0 for healthy, or a small number below it
            - endpoints.json endpoints[0] (zoo/owl|bolt) observed.uptime_24h: is "99"; write a number or null"#]],
    );
}

#[test]
fn prices() {
    check_price(
        json!({"prompt": "-0.000001", "completion": "1e-6", "request": 0, "web_search": "free"}),
        &expect![[r#"
            the catalogue has 4 faults
            - endpoints.json endpoints[0] (zoo/owl|acme) pricing.completion: `1e-6` is not a plain decimal number; write plain decimal US dollars such as "0.0000025"
            - endpoints.json endpoints[0] (zoo/owl|acme) pricing.prompt: `-0.000001` is negative; write plain decimal US dollars such as "0.0000025"
            - endpoints.json endpoints[0] (zoo/owl|acme) pricing.request: is 0; write a decimal number in quotes, so that it stays exact, or null
            - endpoints.json endpoints[0] (zoo/owl|acme) pricing.web_search: `free` is not a plain decimal number; write plain decimal US dollars such as "0.0000025""#]],
    );
    check_price(
        json!({"prompt": "3", "completion": "15", "web_search": "10"}),
        &expect![[r#"
            the catalogue has 3 faults
            - endpoints.json endpoints[0] (zoo/owl|acme) pricing.completion: is 15 USD for one token; write 3 USD per million tokens as "0.000003"
            - endpoints.json endpoints[0] (zoo/owl|acme) pricing.prompt: is 3 USD for one token; write 3 USD per million tokens as "0.000003"
            - endpoints.json endpoints[0] (zoo/owl|acme) pricing.web_search: is 10 USD for one search; write the price of one, not of a thousand"#]],
    );
    check_price(
        json!({"prompt": "0.0000000000001", "completion": "0.0000000000000000000000000000001"}),
        &expect![[r#"
            the catalogue has 2 faults
            - endpoints.json endpoints[0] (zoo/owl|acme) pricing.completion: `0.0000000000000000000000000000001` has more than 30 fractional digits; write plain decimal US dollars such as "0.0000025"
            - endpoints.json endpoints[0] (zoo/owl|acme) pricing.prompt: `0.0000000000001` has more than 12 fractional digits and is too small to round; write plain decimal US dollars such as "0.0000025""#]],
    );
    check_price(
        json!({"prompt": "0.000001", "completion": "0.000002", "input_cache_reed": "0"}),
        &expect![[r#"
            the catalogue has 1 fault
            - endpoints.json endpoints[0] (zoo/owl|acme) pricing.input_cache_reed: is not a price that is known here; correct its name, or remove it: nothing would charge it"#]],
    );
    check_price(
        json!({"prompt": "0.000001", "completion": "0.000002", "image": "0.000003"}),
        &expect![[r#"
            the catalogue has 1 fault
            - endpoints.json endpoints[0] (zoo/owl|acme) pricing.image: is 0.000003 USD, too little for a whole image; write a price per token as image_token, a price per image as image"#]],
    );
    check_price(
        json!({"prompt": "0.000001", "completion": "0.000002", "discount": 1.5, "overrides": {}}),
        &expect![[r#"
            the catalogue has 2 faults
            - endpoints.json endpoints[0] (zoo/owl|acme) pricing.overrides: is an object; write a list of objects or null
            - endpoints.json endpoints[0] (zoo/owl|acme) pricing.discount: is 1.5; write a share between 0 and 1; it is shown, never taken off"#]],
    );
}

#[test]
fn overrides() {
    check_override(
        json!({"prompt": "0.000002"}),
        &expect![[r#"
        the catalogue has 1 fault
        - endpoints.json endpoints[0] (zoo/owl|acme) pricing.overrides[0]: has no condition; add min_prompt_tokens, utc_start and utc_end, or utc_days"#]],
    );
    check_override(
        json!({"min_prompt_tokens": 1000}),
        &expect![[r#"
        the catalogue has 1 fault
        - endpoints.json endpoints[0] (zoo/owl|acme) pricing.overrides[0]: replaces no price; add the prices it puts in place"#]],
    );
    check_override(
        json!({"utc_start": 100, "prompt": "0"}),
        &expect![[r#"
        the catalogue has 1 fault
        - endpoints.json endpoints[0] (zoo/owl|acme) pricing.overrides[0].utc_end: is missing; a window has a start and an end"#]],
    );
    check_override(
        json!({"utc_start": 1275, "utc_end": 2400, "prompt": "0"}),
        &expect![[r#"
            the catalogue has 2 faults
            - endpoints.json endpoints[0] (zoo/owl|acme) pricing.overrides[0].utc_start: is 1275; write a clock time as the number HHMM, from 0 to 2359
            - endpoints.json endpoints[0] (zoo/owl|acme) pricing.overrides[0].utc_end: is 2400; write a clock time as the number HHMM, from 0 to 2359"#]],
    );
    check_override(
        json!({"utc_start": 100, "utc_end": 100, "prompt": "0"}),
        &expect![[r#"
            the catalogue has 1 fault
            - endpoints.json endpoints[0] (zoo/owl|acme) pricing.overrides[0].utc_end: equals utc_start, which leaves no time between them; leave both out for the whole day"#]],
    );
    check_override(
        json!({"utc_days": [], "prompt": "0"}),
        &expect![[r#"
        the catalogue has 1 fault
        - endpoints.json endpoints[0] (zoo/owl|acme) pricing.overrides[0].utc_days: is empty; leave it out where every day is meant"#]],
    );
    check_override(
        json!({"utc_days": ["monday", "Tuesday", "monday"], "prompt": "0"}),
        &expect![[r#"
            the catalogue has 2 faults
            - endpoints.json endpoints[0] (zoo/owl|acme) pricing.overrides[0].utc_days: `Tuesday` is not known; use one of monday, tuesday, wednesday, thursday, friday, saturday, sunday
            - endpoints.json endpoints[0] (zoo/owl|acme) pricing.overrides[0].utc_days: names `monday` twice; name each day once"#]],
    );
    check_override(
        json!({"min_prompt_tokens": 1000, "prompt": "-1"}),
        &expect![[r#"
            the catalogue has 1 fault
            - endpoints.json endpoints[0] (zoo/owl|acme) pricing.overrides[0].prompt: `-1` is negative; write plain decimal US dollars such as "0.0000025""#]],
    );
    check_override(
        json!("cheap at night"),
        &expect![[r#"
        the catalogue has 1 fault
        - endpoints.json endpoints[0] (zoo/owl|acme) pricing.overrides[0]: is "cheap at night"; write an object"#]],
    );
    check_price(
        json!({"prompt": "0.000001", "completion": "0.000002", "overrides": [
            {"min_prompt_tokens": 2000, "prompt": "0.000003"},
            {"min_prompt_tokens": 1000, "prompt": "0.000002"},
        ]}),
        &expect![[r#"
            the catalogue has 1 fault
            - endpoints.json endpoints[0] (zoo/owl|acme) pricing.overrides[1].min_prompt_tokens: is 1000, not above the 2000 of the row before; put the rows in rising order: later rows win"#]],
    );
}

#[test]
fn files_that_are_no_catalogue() {
    check_text(
        0,
        "",
        &expect![[r#"
            the catalogue has 1 fault
            - providers.json: cannot be read: EOF while parsing a value at line 1 column 0; write {"generated": DATE, "count": N, "providers": [rows]}"#]],
    );
    check_text(
        1,
        "[]",
        &expect![[r#"
            the catalogue has 1 fault
            - models.json: cannot be read: invalid type: sequence, expected an object at line 1 column 0; write {"generated": DATE, "count": N, "models": [rows]}"#]],
    );
    check_text(
        2,
        r#"{"count": 1}"#,
        &expect![[r#"
            the catalogue has 1 fault
            - endpoints.json endpoints: is missing; list the rows under this key"#]],
    );
    check_text(
        3,
        r#"{"aliases": {}}"#,
        &expect![[r#"
        the catalogue has 1 fault
        - aliases.json: cannot be read: invalid type: map, expected a list of rows at line 1 column 12; write {"generated": DATE, "count": N, "aliases": [rows]}"#]],
    );
    check_text(
        3,
        r#"{"aliases": []} trailing"#,
        &expect![[r#"
        the catalogue has 1 fault
        - aliases.json: cannot be read: trailing characters at line 1 column 17; write {"generated": DATE, "count": N, "aliases": [rows]}"#]],
    );
    check_text(
        3,
        r#"{"aliases": [], "aliases": []}"#,
        &expect![[r#"
        the catalogue has 1 fault
        - aliases.json: cannot be read: the key `aliases` stands twice at line 1 column 30; write {"generated": DATE, "count": N, "aliases": [rows]}"#]],
    );
    check_text(
        3,
        r#"{"aliases": [], "count": 11}"#,
        &expect![[r#"
        the catalogue has 1 fault
        - aliases.json count: says 11, but the file has 0 rows; complete the file if it was cut short, or correct the count"#]],
    );
    check_text(
        3,
        r#"{"aliases": [], "generated": "yesterday"}"#,
        &expect![[r#"
            the catalogue has 1 fault
            - aliases.json generated: is "yesterday", which is not a day; write it as YYYY-MM-DD"#]],
    );
    check_text(
        3,
        r#"{"aliases": [7]}"#,
        &expect![[r#"
        the catalogue has 1 fault
        - aliases.json aliases[0]: is 7; write an object"#]],
    );
}

#[test]
fn keys_that_stand_twice_in_a_row() {
    let row = r#"{"alias": "~zoo/a", "model_id": "zoo/owl", "model_id": "zoo/owl"}"#;
    check_text(
        3,
        &format!(r#"{{"aliases": [{row}]}}"#),
        &expect![[r#"
        the catalogue has 1 fault
        - aliases.json aliases[0]: cannot be read: the key `model_id` stands twice at line 1 column 65 of the row; correct the row"#]],
    );
    let row = r#"{"alias": "~zoo/a", "model_id": "zoo/owl", "notes": {"x": [{"y": 1, "y": 2}]}}"#;
    check_text(
        3,
        &format!(r#"{{"aliases": [{row}]}}"#),
        &expect![[r#"
        the catalogue has 1 fault
        - aliases.json aliases[0]: cannot be read: the key `y` stands twice at line 1 column 75 of the row; correct the row"#]],
    );
}

#[test]
fn prices_in_another_currency() {
    let mut texts = sound().contents();
    texts[2] = texts[2].replacen('{', r#"{"currency": "EUR","#, 1);
    let faults = load_texts(&texts).expect_err("prices are in US dollars");
    expect![[r#"
        the catalogue has 1 fault
        - endpoints.json currency: is "EUR"; convert the prices to US dollars and write "USD""#]]
    .assert_eq(&faults.to_string());
}

#[test]
fn a_long_list_of_faults_is_cut_and_counted() {
    let mut files = sound();
    files.aliases = (0..1000)
        .map(|n| json!({"alias": format!("~zoo/{n}"), "model_id": "a/b"}))
        .collect();
    let faults = files.load().expect_err("no such model");
    assert_eq!((faults.faults.len(), faults.omitted), (200, 800));
    assert!(faults.to_string().ends_with("- and 800 more"));
}

#[test]
fn long_values_are_cut_and_control_characters_escaped() {
    check(
        |files| {
            files.endpoints[0]["quantization"] = json!(format!("\u{1b}[2J{}", "x".repeat(5000)))
        },
        &expect![[r#"
            the catalogue has 1 fault
            - endpoints.json endpoints[0] (zoo/owl|acme) quantization: `\u{1b}[2Jxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…` is not known; use one of int4, int8, fp4, mxfp4, nvfp4, fp6, fp8, mxfp8, fp16, bf16, fp32, unknown"#]],
    );
}

#[test]
fn files_beyond_the_limits() {
    let rows = vec!["0"; 100_001].join(",");
    let mut texts = sound().contents();
    texts[3] = format!(r#"{{"aliases": [{rows}]}}"#);
    let faults = load_texts(&texts).expect_err("more rows than a file may have");
    assert_eq!(faults.faults.len(), 1, "{faults}");
    assert!(
        faults.to_string().contains("more than 100000 rows"),
        "{faults}"
    );

    let dir = scratch("large");
    sound().write(&dir);
    let file = File::create(dir.join("models.json")).expect("a writable folder");
    file.set_len(32 * 1024 * 1024 + 1).expect("a sparse file");
    let faults = load(&dir, noon()).expect_err("a larger file than is read");
    assert_eq!(faults.faults.len(), 1, "{faults}");
    assert!(
        faults
            .to_string()
            .contains("models.json: cannot be read: larger than"),
        "{faults}"
    );
}

#[test]
fn a_missing_file_does_not_hide_faults_in_the_others() {
    let dir = scratch("missing");
    let mut files = sound();
    files.endpoints[0]["pricing"]["prompt"] = json!("-1");
    files.write(&dir);
    std::fs::remove_file(dir.join("models.json")).expect("it was written");
    let faults = load(&dir, noon()).expect_err("two faults");
    let places: Vec<_> = faults
        .faults
        .iter()
        .map(|fault| fault.place.to_string())
        .collect();
    assert_eq!(
        places,
        [
            "models.json",
            "endpoints.json endpoints[0] (zoo/owl|acme) pricing.prompt"
        ]
    );
}
