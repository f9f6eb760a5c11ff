//! Each filter: whom it removes, what the record says.

use std::sync::Arc;

use expect_test::expect;
use switchyard_domain::money::Ppm;

use super::fixture::{Case, check, plan_of};
use crate::select::NoCandidates;

#[test]
fn what_cannot_be_called_is_out() {
    check(
        "acme $1 uncallable | bolt $2",
        "",
        expect![[r#"
        bolt
        acme: not_callable (catalog, endpoint: the provider's id of the model is unknown)"#]],
    );
}

#[test]
fn who_has_no_credential_here_is_out() {
    check(
        "acme $1 | bolt $2",
        "credentials=bolt",
        expect![[r#"
        bolt
        acme: not_callable (catalog, endpoint: no credential is stored for acme)"#]],
    );
}

#[test]
fn tiers_need_an_opt_in() {
    let catalog = "acme $2 | acme/flex $1 flex | acme/fast $4 priority";
    check(
        catalog,
        "sort=price",
        expect![[r#"
        acme
        acme/flex: service_tier (request, service_tier: the flex tier was not asked for)
        acme/fast: service_tier (request, service_tier: the priority tier was not asked for)"#]],
    );
    check(
        catalog,
        "sort=price tier=flex",
        expect![[r#"
        acme/flex
        acme: service_tier (request, service_tier: the ordinary tier, and flex was asked for)
        acme/fast: service_tier (request, service_tier: the priority tier was not asked for)"#]],
    );
    for (request, plan) in [
        ("sort=price tier=auto", "acme"),
        ("sort=price tier=priority", "acme/fast, acme"),
        ("models=m:floor", "acme/flex, acme"),
        ("models=m:floor tier=default", "acme"),
        ("models=m:floor sort=price", "acme/flex, acme"),
        ("sort=price only=acme", "acme"),
        ("sort=price only=Acme/FAST", "acme/fast"),
        ("order=acme/fast", "acme/fast, acme"),
        ("only=acme/fast tier=default", "acme/fast"),
        ("only=acme tier=flex", "acme/flex"),
        // `order` takes back what the shortcut admitted.
        ("models=m:nitro order=acme", "acme"),
    ] {
        assert_eq!(plan_of(catalog, request), plan, "{request}");
    }
}

#[test]
fn provider_lists_match_slugs_names_and_full_tags() {
    let catalog = "acme/fp8 $1 | acme/us $2 | bolt $3";
    for (request, plan) in [
        ("only=acme sort=price", "acme/fp8, acme/us"),
        ("only=ACME sort=price", "acme/fp8, acme/us"),
        ("only=acme/us", "acme/us"),
        ("only=acme/us,bolt sort=price", "acme/us, bolt"),
        ("ignore=acme/us sort=price", "acme/fp8, bolt"),
        ("ignore=Acme", "bolt"),
        ("only=acm", "404 no_endpoints allowed_providers"),
        ("only= ignore= sort=price", "acme/fp8, acme/us, bolt"),
        (
            "account.only= sort=price",
            "404 no_endpoints allowed_providers",
        ),
    ] {
        assert_eq!(plan_of(catalog, request), plan, "{request}");
    }
    check(
        catalog,
        "account.only=acme only=acme/us,bolt",
        expect![[r#"
        acme/us
        acme/fp8: allowed_providers (request, provider.only: `only` is acme/us, bolt)
        bolt: allowed_providers (account, allowed_providers: the account allows acme)"#]],
    );
    check(
        catalog,
        "order=bolt no-fallbacks",
        expect![[r#"
        bolt
        acme/fp8: allowed_providers (request, provider.order: `order` is bolt and fallbacks are off)
        acme/us: allowed_providers (request, provider.order: `order` is bolt and fallbacks are off)"#]],
    );
    check(
        catalog,
        "ignore=bolt account.ignore=acme/us",
        expect![[r#"
        acme/fp8
        acme/us: ignored (account, ignored_providers: the account ignores acme/us)
        bolt: ignored (request, provider.ignore: `ignore` is bolt)"#]],
    );
}

#[test]
fn privacy_takes_the_strictest_and_unknown_is_the_worst() {
    let catalog = "acme $1 | bolt $2 zdr | cato $3 trains | dune $4 policy?";
    check(
        catalog,
        "deny sort=price",
        expect![[r#"
        acme, bolt
        cato: training (request, provider.data_collection: it trains on prompts)
        dune: training (request, provider.data_collection: whether it trains on prompts is not known)"#]],
    );
    check(
        catalog,
        "zdr account.deny",
        expect![[r#"
            bolt
            acme: zdr (request, provider.zdr: it keeps prompts for 30 days)
            cato: training (account, allow_paid_training: it trains on prompts)
            dune: training (account, allow_paid_training: whether it trains on prompts is not known)"#]],
    );
    check(
        catalog,
        "account.zdr",
        expect![[r#"
        bolt
        acme: zdr (account, zdr: it keeps prompts for 30 days)
        cato: zdr (account, zdr: it keeps prompts for 30 days)
        dune: zdr (account, zdr: whether it keeps prompts is not known)"#]],
    );
}

#[test]
fn distillation_is_the_authors_to_allow() {
    check(
        "m: acme $1; open distillable: bolt $1",
        "models=m,open distillable",
        expect![[r#"
            bolt
            acme: distillable (request, provider.enforce_distillable_text: its author has not allowed distillation)"#]],
    );
}

#[test]
fn kinds_of_input_and_output_are_the_models() {
    check(
        "m image: acme $1; n: bolt $1",
        "models=m,n in=text,image",
        expect![[r#"
            acme
            bolt: modality (request, messages: the model does not take image input)"#]],
    );
    check(
        "m makes-image: acme $1; n: bolt $1",
        "models=m,n makes=image",
        expect![[r#"
            acme
            bolt: modality (request, modalities: the model does not give image output)"#]],
    );
    check(
        "m embeds: acme $1; n: bolt $1",
        "models=m,n",
        expect![[r#"
        bolt
        acme: wrong_api (catalog, model: the model answers with embeddings)"#]],
    );
}

#[test]
fn prompt_and_output_must_fit() {
    let catalog =
        "acme $1 ctx=4000 | bolt $2 ctx=9000 out-max=1000 | cato $3 ctx=9000 prompt-max=2000";
    check(
        catalog,
        "prompt=3000 max=1001",
        expect![[r#"
            404 constraint_filtered
            No endpoint can serve `lab/m`: 3 endpoints excluded by the request: context_length (about 3000 prompt and 1001 output tokens exceed the context of 4000). It is offered by acme, bolt, cato. To get an answer, shorten the prompt or lower `max_tokens`."#]],
    );
    for (request, plan) in [
        ("prompt=3000 max=1000 sort=price", "acme, bolt"),
        ("prompt=3999 sort=price", "acme, bolt"),
        ("prompt=4000 sort=price", "bolt"),
        ("prompt=2000 max=7000", "cato"),
        ("prompt=9000", "404 constraint_filtered context_length"),
    ] {
        assert_eq!(plan_of(catalog, request), plan, "{request}");
    }
}

#[test]
fn required_parameters_go_by_meaning() {
    let catalog = "acme $1 seed reasoning | bolt $2 seed top_k";
    check(
        catalog,
        "require with=seed,top_k",
        expect![[r#"
        bolt
        acme: require_parameters (request, provider.require_parameters: it lacks top_k)"#]],
    );
    for (request, plan) in [
        ("require with=reasoning_effort,include_reasoning", "acme"),
        (
            "require with=max_completion_tokens sort=price",
            "acme, bolt",
        ),
        ("with=seed,top_k sort=price", "acme, bolt"),
    ] {
        assert_eq!(plan_of(catalog, request), plan, "{request}");
    }
}

#[test]
fn weights_go_by_family_and_undisclosed_is_unknown() {
    let catalog = "acme $1 mxfp4 | bolt $2 nvfp4 | cato $3 fp4 | dune $4 unknown | eris $5";
    check(
        catalog,
        "quant=FP4 sort=price",
        expect![[r#"
        acme, bolt, cato
        dune: quantization (request, provider.quantizations: its weights are unknown, wanted FP4)
        eris: quantization (request, provider.quantizations: its weights are unknown, wanted FP4)"#]],
    );
    assert_eq!(plan_of(catalog, "quant=mxfp4"), "acme");
    assert_eq!(plan_of(catalog, "quant=unknown sort=price"), "dune, eris");
}

#[test]
fn price_ceilings_compare_what_would_apply_now() {
    let catalog = "acme $1 out$4 | bolt $1 out$4 long$2 | cato $3 out$4 night$1";
    check(
        catalog,
        "max-prompt=1 prompt=200001",
        expect![[r#"
        acme
        bolt: max_price (request, provider.max_price.prompt: $2 per million tokens exceeds $1)
        cato: max_price (request, provider.max_price.prompt: $3 per million tokens exceeds $1)"#]],
    );
    for (request, plan) in [
        ("max-prompt=1 prompt=200000 sort=price", "acme, bolt"),
        (
            "max-prompt=1 prompt=1 at=22:00 sort=price",
            "acme, bolt, cato",
        ),
        ("max-prompt=1 prompt=1 at=05:59 only=cato", "cato"),
        (
            "max-prompt=1 prompt=1 at=06:00 only=cato",
            "404 constraint_filtered max_price allowed_providers",
        ),
        (
            "max-completion=3.999999",
            "404 constraint_filtered max_price",
        ),
        ("max-completion=4 sort=price prompt=1", "acme, bolt, cato"),
        // Nobody charges by the request here.
        ("max-request=0 sort=price prompt=1", "acme, bolt, cato"),
    ] {
        assert_eq!(plan_of(catalog, request), plan, "{request}");
    }
    check(
        "acme $1 request$0.02",
        "max-request=0.01",
        expect![[r#"
            404 constraint_filtered
            No endpoint can serve `lab/m`: 1 endpoint excluded by the request: max_price ($0.02 exceeds $0.01). It is offered by acme. To get an answer, raise `max_price.request`."#]],
    );
}

#[test]
fn ceilings_hold_for_images_and_sound_too() {
    let catalog = "acme $1 image$0.02 audio$9 | bolt $1 image$0.01 audio$3 | cato $1";
    check(
        catalog,
        "max-image=0.01 max-audio=3 sort=price",
        expect![[r#"
            bolt, cato
            acme: max_price (request, provider.max_price.image: $0.02 exceeds $0.01)"#]],
    );
    assert_eq!(plan_of(catalog, "max-image=0.005"), "cato");
    assert_eq!(plan_of(catalog, "max-audio=2.999999"), "cato");
}

#[test]
fn wanted_capabilities_are_demanded_whether_used_or_not() {
    let catalog = "m image: acme $1 caches fp8 tools | bolt $2 reasoning_effort mxfp8 structured_outputs; \
                   n: cato $3 bf16 tools | dune $4";
    for (request, plan) in [
        ("has=implicit_caching", "acme"),
        ("has=reasoning", "bolt"),
        ("has=structured_output", "bolt"),
        ("has=tool_use", "acme, cato"),
        ("has=vision sort=price", "acme, bolt"),
        ("has=quantization:fp8 sort=price", "acme, bolt"),
        ("has=quantization:mxfp8", "bolt"),
        ("has=!quantization:fp8", "cato"),
        ("has=!quantization:mxfp8", "acme, cato"),
        ("has=quantization:unknown", "dune"),
        ("has=vision,tool_use", "acme"),
        (
            "has=vision,implicit_caching,reasoning",
            "404 constraint_filtered require_parameters",
        ),
    ] {
        let request = format!("models=m,n {request}");
        assert_eq!(plan_of(catalog, &request), plan, "{request}");
    }
    check(
        catalog,
        "models=m,n has=tool_use,quantization:fp8,!quantization:mxfp8",
        expect![[r#"
            acme
            bolt: capability (request, provider.has: it lacks tools)
            cato: capability (request, provider.has: its weights are bf16, wanted fp8)
            dune: capability (request, provider.has: it lacks tools)"#]],
    );
}

#[test]
fn a_contractual_discount_counts_against_a_ceiling() {
    let mut case = Case::new("acme $2").ask("max-prompt=1");
    assert!(case.select().is_err());
    let catalog = Arc::get_mut(&mut case.catalog).expect("not shared");
    let prices = catalog.endpoints[0].prices.as_mut().expect("it has prices");
    Arc::make_mut(prices).discount = Ppm::new(500_000);
    let plan = case.select().expect("half of two dollars is one");
    assert_eq!(
        plan.record.candidates[0].expected_cost_nanos,
        Some(1_000_000_000)
    );
}

#[test]
fn soft_parameters_narrow_but_never_to_nothing() {
    let catalog = "acme $1 | bolt $2 response_format | cato $3 verbosity";
    check(
        catalog,
        "with=response_format,verbosity",
        expect![[r#"
        bolt
        acme: features (request, response_format: it lacks response_format)
        cato: features (request, response_format: it lacks response_format)"#]],
    );
    assert_eq!(plan_of(catalog, "with=verbosity"), "cato");
    assert_eq!(plan_of("acme $1", "with=response_format,verbosity"), "acme");
    // Filtered support does not count.
    assert_eq!(plan_of(catalog, "with=verbosity only=acme"), "acme");
}

#[test]
fn tools_and_strict_schemas_are_never_dropped_unasked() {
    let catalog = "m: acme $1 | bolt $2 tools; n: cato $3 structured_outputs response_format";
    check(
        catalog,
        "models=m,n with=tools",
        expect![[r#"
        bolt
        acme: features (request, tools: it lacks tools)
        cato: features (request, tools: it lacks tools)"#]],
    );
    check(
        catalog,
        "models=m,n with=structured_outputs,response_format",
        expect![[r#"
            cato
            acme: features (request, response_format: it lacks structured_outputs)
            bolt: features (request, response_format: it lacks structured_outputs)"#]],
    );
    assert_eq!(
        plan_of(catalog, "only=acme with=tools"),
        "404 constraint_filtered require_parameters allowed_providers"
    );
    assert_eq!(
        plan_of(catalog, "only=acme with=tools account.drop-features"),
        "acme"
    );
    assert_eq!(plan_of(catalog, "with=tools account.drop-features"), "bolt");
}

#[test]
fn the_first_rule_that_fails_is_the_one_recorded() {
    // Fails every rule there is a word for; each line lifts the one recorded before.
    let mut head = vec!["m+free", "embeds"];
    let mut facts = vec![
        "uncallable",
        "flex",
        "blocked=XA",
        "policy?",
        "ctx=5",
        "fp4",
    ];
    let mut request = vec![
        "country=XA",
        "account.regions=eu",
        "account.models=other/*",
        "account.no-publish",
        "only=bolt",
        "ignore=acme",
        "deny",
        "zdr",
        "distillable",
        "in=image",
        "require",
        "with=seed,tools",
        "has=vision",
        "quant=bf16",
        "max-prompt=1",
    ];
    let mut seen = Vec::new();
    loop {
        let catalog = format!("{}: acme {}", head.join(" "), facts.join(" "));
        let error = match Case::new(&catalog).ask(&request.join(" ")).select() {
            Ok(_) => break,
            Err(error) => error,
        };
        let NoCandidates::RuledOut {
            last: Some(rule), ..
        } = error
        else {
            panic!("{error:?}");
        };
        seen.push(rule.as_str());
        let lift: &[&str] = match rule.as_str() {
            "not_callable" => &["uncallable"],
            "service_tier" => &["flex"],
            "geo" => &["blocked=XA"],
            "data_region" => &["account.regions=eu"],
            "model_not_allowed" => &["account.models=other/*"],
            "publication" => {
                // Only what is free may be published, and what is free costs too much for nobody.
                head[0] = "m";
                facts.push("$9");
                &["account.no-publish"]
            }
            "capability" => &["has=vision"],
            "allowed_providers" => &["only=bolt"],
            "ignored" => &["ignore=acme"],
            "training" => &["deny"],
            "zdr" => &["zdr"],
            "distillable" => &["distillable"],
            "wrong_api" => &["embeds"],
            "modality" => &["in=image"],
            "context_length" => &["ctx=5"],
            "require_parameters" => &["require"],
            "quantization" => &["quant=bf16"],
            "max_price" => &["max-prompt=1"],
            "features" => &["with=seed,tools"],
            other => panic!("{other}"),
        };
        head.retain(|word| !lift.contains(word));
        facts.retain(|word| !lift.contains(word));
        request.retain(|word| !lift.contains(word));
    }
    expect!["not_callable service_tier geo data_region model_not_allowed allowed_providers ignored training publication zdr distillable wrong_api modality context_length require_parameters capability quantization max_price features"].assert_eq(&seen.join(" "));
}
