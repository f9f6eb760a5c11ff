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
        ("models=gpt-one:nitro:free", "b"),
        ("models=gpt-one:exacto", "a"),
        ("models=gpt-one:floor:exacto", "a"),
        ("models=~lab/newest-latest:free", "b"),
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
            `:online` asks for the web plugin, which is not offered here. Ask for `lab/claude` without it, and offer the model a search tool of yours in `tools`, or put what you found into the prompt."#]],
    );
    check(
        CATALOG,
        "models=gpt-one:free:thinking",
        expect![[r#"
        400 model_not_found
        Model `lab/gpt-one:free` has no variant `:thinking`. Ask for `lab/gpt-one:free`, which can be followed by `:nitro` (fastest first), `:floor` (cheapest first) or `:exacto` (best at calling tools first)."#]],
    );
    check(CATALOG, "models=gpt-one:free:exacto", expect!["b"]);
    check(
        CATALOG,
        "models=claude:free",
        expect![[r#"
            404 free_variant_ended
            Model `lab/claude` is not offered for free, or no longer. Ask for it without `:free`, or for `switchyard/free`, which takes any free model."#]],
    );
    check(
        CATALOG,
        "models=claude:online:nitro",
        expect![[r#"
            400 model_not_found
            `:online` asks for the web plugin, which is not offered here. Ask for `lab/claude` without it, and offer the model a search tool of yours in `tools`, or put what you found into the prompt."#]],
    );
}

#[test]
fn moving_names_that_are_not_listed_follow_their_family() {
    // Later models of these catalogues are the newer ones.
    let catalog = "gpt-5-astra: a $1; gpt-5.6-astra: b $1; gpt-6-luna: c $1; glm-5: d $1; \
                   glm-6-flash: e $1; gpt-6-astra+free: f $0; gpt-9-astra expired: g $1; \
                   gpt-8-astra: h $1 uncallable";
    for (request, plan) in [
        ("models=~lab/gpt-astra-latest", "b"),
        ("models=~lab/gpt-luna-latest:nitro", "c"),
        ("models=~lab/glm-latest", "d"),
        ("models=~lab/glm-flash-latest", "e"),
        ("models=~lab/gpt-5-astra-latest", "a"),
        // What the catalogue lists counts before what the ids say.
        ("models=~lab/newest-latest", "a"),
        ("models=~lab/gpt-latest", "400 model_not_found"),
        ("models=~other/gpt-astra-latest", "400 model_not_found"),
        ("models=~lab/gpt-astra", "400 model_not_found"),
    ] {
        assert_eq!(plan_of(catalog, request), plan, "{request}");
    }
}

#[test]
fn typed_fallbacks_wait_behind_all_others() {
    let catalog = "m: a $1 ctx=1000; n: b $1; long: c $1; frank: d $1; tiny: e $1 ctx=10";
    for (request, plan) in [
        (
            "models=m,n if-too-long=long if-refused=frank prompt=9",
            "a, b, c if too long, d if refused",
        ),
        // What is tried anyway is not tried again; what waits for two failures waits for each.
        (
            "models=m if-too-long=m,long if-refused=long,m prompt=9",
            "a, c if too long, c if refused",
        ),
        // The catalogue says already what a provider would say.
        (
            "models=m if-too-long=long if-refused=frank prompt=5000",
            "c, d if refused",
        ),
        // A refusal cannot come from nobody, nor can another rule be got around.
        (
            "models=m if-refused=frank prompt=5000",
            "404 constraint_filtered context_length",
        ),
        (
            "models=m if-too-long=long ignore=a prompt=9",
            "404 no_endpoints allowed_providers",
        ),
        // They are no reason for the error either.
        (
            "models=m if-too-long=tiny ignore=a prompt=5000",
            "404 no_endpoints allowed_providers",
        ),
        ("models=m if-too-long=tiny prompt=9", "a, e if too long"),
        ("models=m if-too-long=nothing", "400 model_not_found"),
        ("models=m if-refused=m:nothing", "400 model_not_found"),
    ] {
        assert_eq!(plan_of(catalog, request), plan, "{request}");
    }
}
