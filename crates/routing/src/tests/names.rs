//! Model names as people write them.

use expect_test::expect;

use super::fixture::{Case, check, plan_of, show};
use crate::record::Route;

const CATALOG: &str = "gpt-one: a $1 | a/flex $.5 flex | a/fast $9 priority; gpt-one+free: b $0; \
                       claude: c $1; llama-big: d $1";

#[test]
fn ids_aliases_rows_and_shortcuts_are_found() {
    for (request, plan) in [
        ("models=lab/claude", "c"),
        ("models=gpt-one:free", "b"),
        ("models=gpt-one:floor", "a/flex, a"),
        ("models=gpt-one:free:nitro", "b"),
        ("models=gpt-one:nitro:floor", "a/flex, a"),
        ("models=~lab/newest-latest", "a"),
        ("models=~lab/newest-latest:floor", "a/flex, a"),
        ("models=claude,~lab/newest-latest,gpt-one,claude", "c, a"),
    ] {
        assert_eq!(plan_of(CATALOG, request), plan, "{request}");
    }
}

#[test]
fn routes_tell_how_a_model_was_named() {
    for (request, route) in [
        ("models=claude", Route::Direct),
        ("models=claude:nitro", Route::Direct),
        ("models=~lab/newest-latest", Route::Latest),
        ("models=claude,gpt-one", Route::Fallback),
    ] {
        let plan = Case::new(CATALOG)
            .ask(request)
            .select()
            .expect("all may serve");
        assert_eq!(plan.record.route, route, "{request}");
    }
}

#[test]
fn unknown_names_get_suggestions() {
    check(
        CATALOG,
        "models=claud",
        expect![[r#"
        400 model_not_found
        There is no model `lab/claud`. Did you mean lab/claude?"#]],
    );
    check(
        CATALOG,
        "models=openai/GPT-one",
        expect![[r#"
        400 model_not_found
        There is no model `openai/GPT-one`. Did you mean lab/gpt-one, lab/gpt-one:free?"#]],
    );
    check(
        CATALOG,
        "models=claude,llama:nitro",
        expect![[r#"
        400 model_not_found
        There is no model `lab/llama:nitro`. Did you mean lab/llama-big?"#]],
    );
    check(
        CATALOG,
        "models=nothing-like-that-at-all",
        expect![[r#"
        400 model_not_found
        There is no model `lab/nothing-like-that-at-all`. GET /api/v1/models lists what there is."#]],
    );
    check(
        CATALOG,
        "models=~lab/newest-lates",
        expect![[r#"
        400 model_not_found
        There is no model `~lab/newest-lates`. Did you mean ~lab/newest-latest?"#]],
    );
    let mut case = Case::new(CATALOG);
    case.needs.models = vec![format!("lab/{}", "x".repeat(100_000))];
    let shown = show(&case.select());
    assert!(shown.starts_with("400 model_not_found") && shown.len() < 250);
    case.needs.models.clear();
    assert!(show(&case.select()).starts_with("400 model_not_found"));
}

#[test]
fn unknown_variants_are_errors_of_their_own() {
    check(
        CATALOG,
        "models=claude:online",
        expect![[r#"
        400 model_not_found
        Model `lab/claude` has no variant `:online`. Ask for `lab/claude`, which can be followed by `:nitro` (fastest first) or `:floor` (cheapest first)."#]],
    );
    check(CATALOG, "models=gpt-one:free:exacto", expect!["b"]);
    check(
        CATALOG,
        "models=claude:free",
        expect![[r#"
        404 free_variant_ended
        Model `lab/claude` has no variant `:free`. Ask for `lab/claude`, which can be followed by `:nitro` (fastest first) or `:floor` (cheapest first)."#]],
    );
    check(
        CATALOG,
        "models=claude:online:nitro",
        expect![[r#"
        400 model_not_found
        Model `lab/claude` has no variant `:online`. Ask for `lab/claude`, which can be followed by `:nitro` (fastest first) or `:floor` (cheapest first)."#]],
    );
}
