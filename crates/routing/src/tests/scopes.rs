//! Standing rules of several scopes: they only tighten, and who set what is said.

use expect_test::expect;

use super::fixture::{check, plan_of};

#[test]
fn every_refusal_names_the_scope_that_set_it() {
    check(
        "acme $1 | bolt $2 trains zdr | cato $3 | dune $4 zdr | eris $5 zdr | fern $6 zdr",
        "account.zdr workspace.deny key.only=acme,bolt,cato,dune,fern member.ignore=dune \
         preset.only=acme,bolt,cato,dune,eris u=0",
        expect![[r#"
            bolt
            acme: zdr (account, zdr: it keeps prompts for 30 days)
            cato: zdr (account, zdr: it keeps prompts for 30 days)
            dune: ignored (member, ignored_providers: the member ignores dune)
            eris: allowed_providers (key, allowed_providers: the key allows acme, bolt, cato, dune, fern)
            fern: allowed_providers (preset, allowed_providers: the preset allows acme, bolt, cato, dune, eris)"#]],
    );
}

#[test]
fn allowed_lists_intersect_and_ignored_ones_add_up() {
    let catalog = "a $1 | b $2 | c $3 | d $4";
    for (request, plan) in [
        (
            "account.only=a,b,c workspace.only=b,c,d key.only=c,d sort=price",
            "c",
        ),
        (
            "account.only=a key.only=b",
            "404 no_endpoints allowed_providers",
        ),
        (
            "account.ignore=a workspace.ignore=b ignore=c sort=price",
            "d",
        ),
        ("key.only= sort=price", "404 no_endpoints allowed_providers"),
    ] {
        assert_eq!(plan_of(catalog, request), plan, "{request}");
    }
}

#[test]
fn forbidden_models_are_refused_or_skipped() {
    let catalog = "m: a $1; n: b $1; other/o: c $1";
    for (request, plan) in [
        ("account.models=lab/*", "a"),
        ("account.models=LAB/M", "a"),
        ("account.models=n", "403 no_endpoints"),
        ("account.models=", "403 no_endpoints"),
        ("account.not-models=m", "403 no_endpoints"),
        ("account.not-models=other/*", "a"),
        (
            "account.models=m,n key.models=n,other/o models=m,n,other/o",
            "b",
        ),
        ("workspace.not-models=m models=m,other/o", "c"),
        // The last rule decides, and this one has a second model to speak of.
        (
            "account.models=n models=m,n max-prompt=.5",
            "404 constraint_filtered max_price",
        ),
    ] {
        assert_eq!(plan_of(catalog, request), plan, "{request}");
    }
    check(
        catalog,
        "workspace.models=n,other/*",
        expect![[r#"
        403 no_endpoints
        No endpoint can serve `lab/m`: 1 endpoint excluded by workspace settings: model_not_allowed (the workspace allows lab/n, other/*). It is offered by a. To get an answer, allow lab/m in the workspace's settings."#]],
    );
    check(
        catalog,
        "key.not-models=lab/*",
        expect![[r#"
        403 no_endpoints
        No endpoint can serve `lab/m`: 1 endpoint excluded by the API key's settings: model_not_allowed (the key ignores lab/*). It is offered by a. To get an answer, stop ignoring lab/m in the API key's settings."#]],
    );
}

#[test]
fn countries_bind_where_they_are_known() {
    let catalog = "m: a $1 blocked=XA+XB | b $2; n blocked=XC: a $1 | b $2";
    for (request, plan) in [
        ("sort=price", "a, b"),
        ("country=XA", "b"),
        ("country=xb", "b"),
        ("country=XC sort=price", "a, b"),
        ("country=XC models=n", "403 region_restricted geo"),
        ("country=XA models=n,m sort=price", "b, b"),
    ] {
        assert_eq!(plan_of(catalog, request), plan, "{request}");
    }
    check(
        catalog,
        "country=XA only=a",
        expect![[r#"
        404 no_endpoints
        No endpoint can serve `lab/m`: 1 endpoint excluded: geo (the provider is not offered in XA); 1 endpoint excluded by the request: allowed_providers (`only` is a). It is offered by a, b. To get an answer, drop `only: [a]`."#]],
    );
    check(
        catalog,
        "country=XC models=n",
        expect![[r#"
        403 region_restricted
        No endpoint can serve `lab/n`: 2 endpoints excluded: geo (the model is not offered in XC). It is offered by a, b."#]],
    );
}

#[test]
fn data_regions_fail_closed() {
    let catalog = "a $1 | b/eu $2 regions=eu | b/us $3 regions=us-east-1 | c $4 regions=eu+us | \
                   d $5 regions=global | e $6 regions=swedencentral";
    for (request, plan) in [
        ("account.regions=eu sort=price", "b/eu, e"),
        ("account.regions=us", "b/us"),
        ("account.regions=eu,us sort=price", "b/eu, b/us, c, e"),
        ("account.regions=eu,us workspace.regions=us,global", "b/us"),
        ("account.regions=global", "d"),
        ("account.regions=", "404 constraint_filtered data_region"),
        // The region comes before any name.
        (
            "account.regions=eu only=a",
            "404 no_endpoints allowed_providers data_region",
        ),
        (
            "account.regions=eu only=a,b/us order=a",
            "404 no_endpoints allowed_providers data_region",
        ),
    ] {
        assert_eq!(plan_of(catalog, request), plan, "{request}");
    }
    check(
        catalog,
        "workspace.regions=us sort=price",
        expect![[r#"
        b/us
        a: data_region (workspace, allowed_data_regions: where it serves is not known, and the workspace allows us)
        b/eu: data_region (workspace, allowed_data_regions: it serves in eu, and the workspace allows us)
        c: data_region (workspace, allowed_data_regions: it serves in eu, us, and the workspace allows us)
        d: data_region (workspace, allowed_data_regions: it serves in global, and the workspace allows us)
        e: data_region (workspace, allowed_data_regions: it serves in swedencentral, and the workspace allows us)"#]],
    );
    check(
        "a $1",
        "key.regions=eu",
        expect![[r#"
            404 constraint_filtered
            No endpoint can serve `lab/m`: 1 endpoint excluded by the API key's settings: data_region (where it serves is not known, and the key allows eu). It is offered by a. To get an answer, relax `allowed_data_regions` in the API key's settings."#]],
    );
}

#[test]
fn free_and_paid_training_and_publication_are_told_apart() {
    let catalog =
        "m: a $1 trains | b $2; m+free: c $0 trains | d $0 publishes | e $0 publishes-not";
    for (request, plan) in [
        ("models=m account.deny-paid", "b"),
        (
            "models=m account.deny-free account.no-publish sort=price",
            "a, b",
        ),
        ("models=m:free account.deny-free sort=price", "d, e"),
        ("models=m:free account.deny-paid sort=price", "c, d, e"),
        ("models=m:free account.no-publish", "e"),
        ("models=m:free key.no-publish workspace.deny-free", "e"),
        ("models=m:free deny sort=price", "d, e"),
    ] {
        assert_eq!(plan_of(catalog, request), plan, "{request}");
    }
    check(
        catalog,
        "models=m:free workspace.no-publish only=d,c",
        expect![[r#"
            404 privacy_restricted
            No endpoint can serve `lab/m:free`: 1 endpoint excluded by the request: allowed_providers (`only` is d, c); 2 endpoints excluded by workspace settings: publication (whether it publishes prompts is not known). It is offered by c, d, e. To get an answer, drop `only: [d, c]`."#]],
    );
}

#[test]
fn zero_retention_goes_by_group() {
    let catalog = "openai/m: a $1 | b $2 zdr; google/m: a $1 | b $2 zdr; x-ai/m: a $1 | b $2 zdr; \
                   anthropic/m: a $1 | b $2 zdr; lab/m: a $1 | b $2 zdr";
    for group in ["openai", "google", "xai", "anthropic", "other"] {
        for author in ["openai", "google", "x-ai", "anthropic", "lab"] {
            let is_group = match author {
                "x-ai" => group == "xai",
                "lab" => group == "other",
                author => group == author,
            };
            let plan = if is_group { "b" } else { "a, b" };
            let request = format!("models={author}/m workspace.zdr={group} u=0");
            assert_eq!(plan_of(catalog, &request), plan, "{request}");
        }
    }
}

#[test]
fn the_narrowest_default_tier_counts() {
    let catalog = "a $2 | a/flex $1 flex | a/fast $4 priority";
    for (request, plan) in [
        ("workspace.tier=flex", "a/flex"),
        ("workspace.tier=flex tier=default", "a"),
        ("workspace.tier=flex tier=auto", "a/flex"),
        ("workspace.tier=flex tier=priority", "a/fast, a"),
        ("account.tier=flex workspace.tier=default", "a"),
        ("account.tier=default key.tier=priority", "a/fast, a"),
        ("workspace.tier=flex models=m:nitro", "a/flex"),
    ] {
        assert_eq!(plan_of(catalog, request), plan, "{request}");
    }
    check(
        catalog,
        "workspace.tier=flex ignore=a/flex",
        expect![[r#"
            404 no_endpoints
            No endpoint can serve `lab/m`: 1 endpoint excluded by workspace settings: service_tier (the ordinary tier, and flex was asked for); 1 endpoint excluded by the request: service_tier (the priority tier was not asked for); 1 endpoint excluded by the request: ignored (`ignore` is a/flex). It is offered by a. To get an answer, drop `ignore: [a/flex]`."#]],
    );
}
