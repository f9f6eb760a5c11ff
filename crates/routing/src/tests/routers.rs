//! Router models: what they choose, and what they say when there is nothing to choose.

use std::collections::BTreeSet;

use expect_test::expect;

use super::fixture::{Case, check, order, plan_of};
use crate::record::Route;

/// Later models are newer. Prices are those of three input tokens and one output token, since
/// both cost the same.
const CATALOG: &str = "small: a $.1 out$.1 tools; mini: b $.4 out$.4 tools; \
                       middle: c $1 out$1 tools structured_outputs response_format; \
                       seer image: d $2 out$2 tools structured_outputs response_format; \
                       great image: e $8 out$8 tools reasoning; \
                       huge image: f $20 out$20 tools reasoning zdr; \
                       patcher: g $.1 out$.1; painter makes-image: h $.1 tools; \
                       vectors embeds: i $.1; old expired: j $.1 tools; \
                       small+free: k $0 tools; tale+free: l $0; story+free: n $0";

const AUTO: &str = "models=switchyard/auto prompt=100";

#[test]
fn auto_takes_the_newest_model_of_a_fitting_tier() {
    for (request, plan) in [
        // Low: the newest of the tier first. What cannot call tools stands behind what can.
        ("", "b, a, d"),
        // Medium: 2 points for tools or reasoning.
        ("with=tools", "d, c, b"),
        ("with=tools prompt=8000", "d, c, b"),
        // High: 2 and 2, or 2, 1 and 1.
        ("with=tools prompt=64000", "e, d, c"),
        ("with=tools,reasoning", "e, d, c"),
        ("with=tools,response_format in=text,image", "e, d, f"),
        // One point alone stays low, and what does not fit is not chosen.
        ("in=text,image", "d, e, f"),
        ("zdr", "f"),
        ("max-prompt=.3", "a, g"),
    ] {
        let request = format!("{AUTO} {request}");
        assert_eq!(plan_of(CATALOG, &request), plan, "{request}");
    }
}

#[test]
fn autos_options_bound_the_choice() {
    for (request, plan) in [
        ("auto.tier=low", "b, a, g"),
        ("auto.tier=medium", "d, c, b"),
        ("auto.tier=max", "f, e, d"),
        ("auto.tier=low with=response_format", "b, a, g"),
        ("auto.allow=lab/m*", "b, c"),
        ("auto.allow=lab/m*,lab/huge auto.exclude=*/mini", "c, f"),
        ("auto.exclude=lab/*i*", "a, d, e"),
        ("auto.pin=great", "e, b, a"),
        // A pin counts only while the model may serve, and not against the bounds.
        ("auto.pin=great zdr", "f"),
        ("auto.pin=great auto.exclude=lab/great", "b, a, d"),
        ("auto.pin=nothing", "400 model_not_found"),
        ("auto.allow=lab/nothing", "404 no_endpoints"),
        ("auto.tier=low zdr", "404 constraint_filtered"),
    ] {
        let request = format!("{AUTO} {request}");
        assert_eq!(plan_of(CATALOG, &request), plan, "{request}");
    }
}

#[test]
fn routers_go_by_other_names_and_stand_among_models() {
    for (request, plan) in [
        ("models=openrouter/auto prompt=100", "b, a, d"),
        ("models=openrouter/auto-beta prompt=100", "b, a, d"),
        ("models=huge,switchyard/auto,mini prompt=100", "f, b, a, d"),
        (
            "models=switchyard/auto:nope prompt=100",
            "400 model_not_found",
        ),
    ] {
        assert_eq!(plan_of(CATALOG, request), plan, "{request}");
    }
    for (request, route) in [
        ("models=openrouter/auto", Route::Auto),
        ("models=switchyard/auto:floor", Route::Auto),
        ("models=switchyard/free", Route::Free),
        ("models=switchyard/free,mini", Route::Fallback),
    ] {
        let plan = Case::new(CATALOG).ask(request).select();
        assert_eq!(
            plan.expect("some may serve").record.route,
            route,
            "{request}"
        );
    }
}

#[test]
fn a_warm_cache_keeps_its_model() {
    let mut case = Case::new(CATALOG).ask(&format!("{AUTO} pin=e"));
    assert_eq!(order(&case.select().expect("some may serve")), "e, b, a");
    // As long as it may serve, within the options.
    case = case.ask("zdr");
    assert_eq!(order(&case.select().expect("one may serve")), "f");
    let case = Case::new(CATALOG).ask(&format!("{AUTO} pin=e auto.tier=low"));
    assert_eq!(order(&case.select().expect("some may serve")), "b, a, g");
    for seed in 0..20 {
        let mut case = Case::new(CATALOG).ask("models=switchyard/free pin=l");
        case.seed = seed;
        let plan = case.select().expect("three may serve");
        assert!(order(&plan).starts_with("l, "), "{}", order(&plan));
    }
}

#[test]
fn free_draws_among_free_models_that_fit() {
    let mut case = Case::new(CATALOG).ask("models=openrouter/free");
    let mut plans = BTreeSet::new();
    for seed in 0..200 {
        case.seed = seed;
        let plan = order(&case.select().expect("three may serve"));
        assert_eq!(plan, order(&case.select().expect("as before")));
        plans.insert(plan);
    }
    assert_eq!(plans.len(), 6, "every order of three: {plans:?}");
    assert_eq!(plan_of(CATALOG, "models=switchyard/free with=tools"), "k");
}

#[test]
fn routers_say_what_to_relax() {
    check(
        "small: a $.1; big: b $9; vectors embeds: i $.1",
        "models=switchyard/auto with=tools",
        expect![[r#"
            404 constraint_filtered
            No endpoint can serve `switchyard/auto`: 2 endpoints excluded by the request: features (it lacks tools). It is offered by b, a. To get an answer, drop `tools` or choose a model that has it."#]],
    );
    check(
        CATALOG,
        &format!("{AUTO} auto.tier=low zdr"),
        expect![[r#"
            404 constraint_filtered
            `switchyard/auto` has no model to choose from: every model that can serve costs more than the tier `low`. Raise `cost_tier`, or relax what keeps cheaper models out, to get an answer."#]],
    );
    check(
        CATALOG,
        &format!("{AUTO} auto.allow=lab/nothing"),
        expect![[r#"
            404 no_endpoints
            `switchyard/auto` has no model to choose from: `allowed_models: [lab/nothing]`, less what is excluded, leaves no model. Allow more models to get an answer."#]],
    );
    check(
        CATALOG,
        &format!("{AUTO} auto.exclude=*"),
        expect![[r#"
        404 no_endpoints
        `switchyard/auto` has no model to choose from: `excluded_models: [lab/*]` leaves no model. Exclude fewer models to get an answer."#]],
    );
    check(
        "small: a $.1",
        "models=switchyard/free",
        expect![[r#"
        404 no_endpoints
        `switchyard/free` has no model to choose from: there is no model of this kind in the catalogue. Name a model to get an answer."#]],
    );
}
