//! Lists of models, and the settings of a model that chooses one.

use switchyard_interchange::preferences::{CostTier, RouterOptions};

use super::*;

#[test]
fn fallbacks_have_three_forms_in_each_list() {
    for list in [
        "fallbacks",
        "context_window_fallbacks",
        "content_policy_fallbacks",
    ] {
        let read = |value: &str| {
            let body = format!(r#"{{"model": "a/b:nitro", "{list}": {value}}}"#);
            decode(&body).map(|read| match list {
                "fallbacks" => read.models,
                "context_window_fallbacks" => read.context_window_fallbacks,
                _ => read.content_policy_fallbacks,
            })
        };
        for (value, ids) in [
            ("null", &[][..]),
            ("[]", &[]),
            (r#"["x", "y", "z"]"#, &["x", "y", "z"]),
            (r#"[{"model": "x"}, "y"]"#, &["x", "y"]),
            (r#"[{"a/b:nitro": ["x", "y"]}]"#, &["x", "y"]),
            (r#"["w", {"a/b:nitro": ["x", "y"]}]"#, &["w", "x", "y"]),
        ] {
            assert_eq!(read(value).expect(value), ids, "{list}: {value}");
        }
        for (value, said) in [
            (r#"["w", "x", "y", "z"]"#, ": at most 3 models"),
            (
                r#"[{"a/b:nitro": ["w", "x", "y", "z"]}]"#,
                "[0].a/b:nitro: at most 3 models",
            ),
            (
                r#"["w", "x", {"a/b:nitro": ["y", "z"]}]"#,
                ": at most 3 models",
            ),
            (r#"["x", ""]"#, "[1]: must not be empty"),
            (r#"[{"model": null}]"#, "[0].model: is required"),
            (r#"[{}]"#, "[0].model: is required"),
            (r#"[{"model": 7}]"#, "[0].model: expected a string"),
            (
                r#"[{"c/d": ["x"]}]"#,
                "[0]: is about `c/d`, not about the model asked for: send a list of model ids",
            ),
            (
                r#"[{"model": "x", "messages": []}]"#,
                "[0]: has more than one key: send a list of model ids",
            ),
            (
                r#"[{"a/b:nitro": "x"}]"#,
                "[0].a/b:nitro: expected an array",
            ),
            (r#"[7]"#, "[0]: expected a string"),
            (r#""x""#, ": expected an array"),
        ] {
            let error = read(value).expect_err(value).to_string();
            assert_eq!(error, format!("{list}{said}"), "{value}");
        }
    }
}

#[test]
fn fallbacks_go_without_models() {
    let error = decode(r#"{"models": ["x"], "fallbacks": ["y"]}"#).unwrap_err();
    assert_eq!(
        error.to_string(),
        "fallbacks: goes without `models`: send either"
    );
}

#[test]
fn without_a_model_the_first_of_the_list_is_the_one_asked_for() {
    let body = r#"{"models": ["m", "n"], "context_window_fallbacks": [{"m": ["x"]}]}"#;
    assert_eq!(decode(body).unwrap().context_window_fallbacks, ["x"]);
}

fn router(model: &str, plugins: &str) -> Result<Option<RouterOptions>, DecodeError> {
    decode(&format!(r#"{{"model": "{model}", "plugins": {plugins}}}"#)).map(|read| read.router)
}

#[test]
fn the_plugin_of_the_router_asked_for_counts() {
    const BOTH: &str = r#"[{"id": "auto-beta-router", "cost_tier": "max"},
        {"id": "auto-router", "allowed_models": ["anthropic/*"], "excluded_models": ["*:free"],
         "cost_tier": "low", "pin_model": "anthropic/claude-sonnet-5"}]"#;
    let auto = RouterOptions {
        allowed_models: vec!["anthropic/*".to_owned()],
        excluded_models: vec!["*:free".to_owned()],
        cost_tier: Some(CostTier::Low),
        pin_model: Some("anthropic/claude-sonnet-5".to_owned()),
    };
    let beta = RouterOptions {
        cost_tier: Some(CostTier::Max),
        ..RouterOptions::default()
    };
    for (model, options) in [
        ("switchyard/auto", Some(&auto)),
        ("openrouter/auto", Some(&auto)),
        ("openrouter/auto:nitro", Some(&auto)),
        ("openrouter/auto-beta", Some(&beta)),
        ("openai/gpt-5", None),
        ("switchyard/free", None),
    ] {
        assert_eq!(router(model, BOTH).unwrap().as_ref(), options, "{model}");
    }
    let behind = format!(r#"{{"model": "a/b", "models": ["openrouter/auto"], "plugins": {BOTH}}}"#);
    assert_eq!(decode(&behind).unwrap().router, Some(auto));
    let off = r#"[{"id": "auto-router", "enabled": false, "cost_tier": "low"}]"#;
    assert_eq!(router("switchyard/auto", off).unwrap(), None);
    let bare = router("switchyard/auto", r#"[{"id": "auto-router"}]"#).unwrap();
    assert_eq!(bare, Some(RouterOptions::default()));
}

#[test]
fn a_routers_settings_are_checked_whether_or_not_they_count() {
    for (plugins, said) in [
        (
            r#"[{"id": "auto-router", "cost_tier": "cheap"}]"#,
            "plugins[0].cost_tier: expected low, medium, high or max",
        ),
        (
            r#"[{"id": "auto-router", "allowed_models": ["a/*", " "]}]"#,
            "plugins[0].allowed_models[1]: must not be empty",
        ),
        (
            r#"[{"id": "auto-beta-router", "excluded_models": "a/*"}]"#,
            "plugins[0].excluded_models: expected an array",
        ),
        (
            r#"[{"id": "auto-router", "pin_model": ""}]"#,
            "plugins[0].pin_model: must not be empty",
        ),
        (
            r#"[{"id": "auto-router"}, {"id": "auto-router"}]"#,
            "plugins[1].id: is listed twice",
        ),
        (r#"[{"enabled": true}]"#, "plugins[0].id: is required"),
    ] {
        let error = router("switchyard/auto", plugins).unwrap_err();
        assert_eq!(error.to_string(), said, "{plugins}");
    }
}
