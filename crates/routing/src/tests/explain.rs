//! What callers are told when nothing can serve.

use expect_test::expect;

use super::fixture::{Case, check, plan_of};

#[test]
fn messages_name_rules_providers_and_the_way_out() {
    check(
        "acme $1 | bolt $2 | cato $3",
        "only=acme ignore=acme",
        expect![[r#"
            404 no_endpoints
            No endpoint can serve `lab/m`: 2 endpoints excluded by the request: allowed_providers (`only` is acme); 1 endpoint excluded by the request: ignored (`ignore` is acme). It is offered by acme, bolt, cato. To get an answer, drop `ignore: [acme]`."#]],
    );
    check(
        "acme $1 | bolt $2",
        "order=cato no-fallbacks",
        expect![[r#"
            404 no_endpoints
            No endpoint can serve `lab/m`: 2 endpoints excluded by the request: allowed_providers (`order` is cato and fallbacks are off). It is offered by acme, bolt. To get an answer, allow fallbacks, or drop `order: [cato]`."#]],
    );
    check(
        "acme $1 | bolt $2 trains | cato $3",
        "only=bolt,acme deny max-prompt=.5",
        expect![[r#"
            404 constraint_filtered
            No endpoint can serve `lab/m`: 1 endpoint excluded by the request: allowed_providers (`only` is bolt, acme); 1 endpoint excluded by the request: training (it trains on prompts); 1 endpoint excluded by the request: max_price ($1 per million tokens exceeds $0.5). It is offered by acme, bolt, cato. To get an answer, raise `max_price.prompt`."#]],
    );
    check(
        "acme $1",
        "account.zdr account.only=bolt",
        expect![[r#"
            404 no_endpoints
            No endpoint can serve `lab/m`: 1 endpoint excluded by account settings: allowed_providers (the account allows bolt). It is offered by acme. To get an answer, allow Acme in the account's settings, and lift zero data retention in the account's settings."#]],
    );
    check(
        "acme/flex $1 flex",
        "",
        expect![[r#"
            404 constraint_filtered
            No endpoint can serve `lab/m`: 1 endpoint excluded by the request: service_tier (the flex tier was not asked for). It is offered by acme. To get an answer, name the endpoint in full in `only`, or ask for its `service_tier`."#]],
    );
    check(
        "acme $1 ctx=100 | bolt $1 out-max=50",
        "prompt=90 max=60",
        expect![[r#"
            404 constraint_filtered
            No endpoint can serve `lab/m`: 2 endpoints excluded by the request: context_length (about 90 prompt and 60 output tokens exceed the context of 100). It is offered by acme, bolt. To get an answer, shorten the prompt or lower `max_tokens`."#]],
    );
    check(
        "acme $1 uncallable",
        "",
        expect![[r#"
            404 no_endpoints
            No endpoint can serve `lab/m`: 1 endpoint excluded: not_callable (the provider's id of the model is unknown). It is offered by acme."#]],
    );
    check(
        "m embeds: acme $1",
        "",
        expect![[r#"
            400 wrong_endpoint
            No endpoint can serve `lab/m`: 1 endpoint excluded: wrong_api (the model answers with embeddings). It is offered by acme."#]],
    );
    check(
        "acme $1",
        "in=image",
        expect![[r#"
            404 constraint_filtered
            No endpoint can serve `lab/m`: 1 endpoint excluded by the request: modality (the model does not take image input). It is offered by acme. To get an answer, choose a model for these kinds of input and output."#]],
    );
    check(
        "acme $1",
        "with=structured_outputs,response_format",
        expect![[r#"
            404 constraint_filtered
            No endpoint can serve `lab/m`: 1 endpoint excluded by the request: features (it lacks structured_outputs). It is offered by acme. To get an answer, drop `response_format` or choose a model that has it."#]],
    );
}

#[test]
fn a_model_without_endpoints_is_said_to_have_none() {
    check(
        "m: ; n: acme $1",
        "models=m",
        expect![[r#"
            404 no_endpoints
            No endpoint can serve `lab/m`: nobody offers it at present."#]],
    );
    check(
        "m expired: ; n: acme $1",
        "models=m",
        expect![[r#"
            404 model_deprecated
            No endpoint can serve `lab/m`, which its author has withdrawn: nobody offers it at present. As things are, lab/n can answer."#]],
    );
    check(
        "m expired: acme $1 uncallable; n: acme $1",
        "models=m",
        expect![[r#"
            404 model_deprecated
            No endpoint can serve `lab/m`, which its author has withdrawn: 1 endpoint excluded: not_callable (the provider's id of the model is unknown). It is offered by acme. As things are, lab/n can answer."#]],
    );
    check(
        "m expired: acme $1; n: acme $1",
        "models=m ignore=acme",
        expect![[r#"
            404 no_endpoints
            No endpoint can serve `lab/m`, which its author has withdrawn: 1 endpoint excluded by the request: ignored (`ignore` is acme). It is offered by acme. To get an answer, drop `ignore: [acme]`."#]],
    );
    check(
        "m expired: acme $1; n: acme $1",
        "models=m",
        expect!["acme"],
    );
}

#[test]
fn the_availability_object_is_openrouters() {
    let error = Case::new("m: acme $1 | bolt $2 | cato $3 zdr; n: acme $1")
        .ask("models=m,n only=acme,bolt zdr")
        .select()
        .expect_err("nothing is left");
    expect![[r#"
        {
          "code": "privacy_restricted",
          "retryable": false,
          "requested_models": [
            "lab/m",
            "lab/n"
          ],
          "excluded_by": [
            "data_policy:zdr",
            "allowed_providers"
          ],
          "affected_providers": [
            "Acme",
            "Bolt"
          ],
          "constraint": {
            "field": "provider.zdr",
            "detail": "it keeps prompts for 30 days"
          }
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&error.availability()).expect("it is plain data"));
    let error = Case::new("m: acme $1")
        .ask("models=mm")
        .select()
        .expect_err("no such model");
    expect![[r#"{"code":"model_not_found","retryable":false,"requested_models":["lab/mm"]}"#]]
        .assert_eq(&serde_json::to_string(&error.availability()).expect("it is plain data"));
}

#[test]
fn the_way_out_works() {
    // What the hint says, applied, gives a plan.
    let catalog = "acme $9 | bolt $1 trains | cato $2";
    for (request, hint, relaxed) in [
        (
            "only=acme max-prompt=5",
            "raise `max_price.prompt`",
            "only=acme",
        ),
        (
            // Nobody is advised to give up privacy where anything else would do.
            "only=bolt deny",
            "drop `only: [bolt]`",
            "deny",
        ),
        (
            "only=bolt ignore=acme,cato deny",
            "drop `data_collection: deny`",
            "only=bolt ignore=acme,cato",
        ),
        (
            "account.only=acme only=cato",
            "drop `only: [cato]`",
            "account.only=acme",
        ),
        (
            "account.only=bolt account.ignore=acme,bolt",
            "stop ignoring Bolt in the account's settings",
            "account.only=bolt account.ignore=acme",
        ),
        (
            "account.only=eris",
            "allow Acme in the account's settings",
            "account.only=eris,acme",
        ),
        (
            "only=bolt deny max-prompt=.5",
            "drop `only: [bolt]`, and raise `max_price.prompt`",
            "deny",
        ),
    ] {
        let error = Case::new(catalog)
            .ask(request)
            .select()
            .expect_err("nothing is left");
        let crate::select::NoCandidates::RuledOut { relaxation, .. } = error else {
            panic!("{error:?}");
        };
        assert_eq!(relaxation.as_deref(), Some(hint), "{request}");
        assert!(
            Case::new(catalog).ask(relaxed).select().is_ok(),
            "{relaxed}"
        );
    }
}

#[test]
fn every_permanent_code_is_reached() {
    let catalog = "m: a $1 blocked=XA | b $2; n embeds: b $1; gone expired: ; bare: ";
    for (request, error) in [
        ("models=mm", "400 model_not_found"),
        ("models=m:online", "400 model_not_found"),
        ("models=m:free", "404 free_variant_ended"),
        ("models=n", "400 wrong_endpoint"),
        ("models=gone", "404 model_deprecated"),
        ("models=bare", "404 no_endpoints"),
        ("ignore=a,b", "404 no_endpoints allowed_providers"),
        ("account.not-models=m", "403 no_endpoints"),
        (
            "country=XA only=a",
            "404 no_endpoints allowed_providers geo",
        ),
        (
            "country=XA ignore=a,b",
            "404 no_endpoints allowed_providers geo",
        ),
        ("zdr", "404 privacy_restricted data_policy:zdr"),
        ("account.regions=eu", "404 constraint_filtered data_region"),
        (
            "distillable",
            "404 constraint_filtered data_policy:training",
        ),
        ("max-prompt=.5", "404 constraint_filtered max_price"),
        ("prompt=1 max=1", "a, b"),
    ] {
        let request = format!("{request} u=0");
        assert_eq!(plan_of(catalog, &request), error, "{request}");
    }
    assert_eq!(
        plan_of("a $1 blocked=XA", "country=XA"),
        "403 region_restricted geo"
    );
    assert_eq!(
        plan_of("a $1 trains", "workspace.deny"),
        "404 privacy_restricted data_policy:training"
    );
}

#[test]
fn siblings_that_would_do_are_suggested() {
    let catalog = "lab/one: a $1; lab/two: a $1 tools zdr; lab/three: b $1 tools; \
                   lab/four: a $1 tools; lab/five: c $1 tools zdr; lab/six expired: a $1 tools zdr; \
                   lab/pics makes-image: a $1 tools zdr; other/seven: a $1 tools zdr";
    let suggested = |request: &str| {
        let error = Case::new(catalog).ask(request).select();
        let availability = error.expect_err("nothing is left").availability();
        availability.fallback_models.join(" ")
    };
    for (request, models) in [
        // The newest three of the same author that can serve; later ones are newer here.
        ("with=tools", "lab/five lab/four lab/three"),
        ("with=tools zdr", "lab/five lab/two"),
        ("with=tools ignore=c", "lab/four lab/three lab/two"),
        ("with=tools models=one,other/seven max-prompt=.5", ""),
        // Who rules out all providers by name is not sent elsewhere.
        ("ignore=a", ""),
        ("account.not-models=one", ""),
    ] {
        assert_eq!(suggested(request), models, "{request}");
    }
    check(
        catalog,
        "zdr",
        expect![[r#"
        404 privacy_restricted
        No endpoint can serve `lab/one`: 1 endpoint excluded by the request: zdr (it keeps prompts for 30 days). It is offered by a. To get an answer, drop `zdr: true`. As things are, lab/five, lab/two can answer."#]],
    );
}
