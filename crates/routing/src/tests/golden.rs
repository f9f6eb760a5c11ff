//! Reference scenarios of provider selection, in their own notation: `a $1` costs one dollar.

use super::fixture::plan_of;

fn table(rows: &[(u8, &str, &str, &str)]) {
    for (number, catalog, request, expected) in rows {
        assert_eq!(
            plan_of(catalog, request),
            *expected,
            "scenario {number}: {catalog} / {request}"
        );
    }
}

#[test]
fn load_balancing_and_health() {
    table(&[
        (1, "a $1 | b $2 outage | c $3", "u=.5", "a, c, b"),
        (1, "a $1 | b $2 outage | c $3", "u=.95", "c, a, b"),
        (2, "a $1 | b $2 | c $3", "u=.80", "b, a, c"),
        (3, "a $1 down | b $2 degraded | c $9", "", "c, b, a"),
        // What failed long ago is not in the snapshot: both are stable.
        (4, "a $1 | b $2", "u=0", "a, b"),
        (5, "a $0 | b $0 | c $1", "u=.6", "b, a, c"),
        (6, "a $1 outage | b $2", "sort=price", "a, b"),
        (7, "a $1 down | b $2", "sort=price", "b, a"),
        (
            8,
            "a $1 tps=50 | b $2 tps=90 | c $3",
            "sort=throughput",
            "b, a, c",
        ),
    ]);
}

#[test]
fn order_and_provider_lists() {
    table(&[
        (9, "a $1 | b $2 | c $3", "order=b u=0", "b, a, c"),
        (10, "a $1 | b $2", "order=x,b no-fallbacks", "b"),
        (11, "a $1 | b $2", "no-fallbacks u=.99", "a"),
        (12, "a $1 | b $2", "order=b only=a", "a"),
        (
            13,
            "a $1 | b $2",
            "order=b only=a no-fallbacks",
            "404 no_endpoints allowed_providers",
        ),
        (14, "a $1 | b $2 | c $3", "account.only=a,b only=b,c", "b"),
        (
            15,
            "a $1 | b $2",
            "account.only=a only=b",
            "404 no_endpoints allowed_providers",
        ),
        (16, "a $1 | b $2 | c $3", "account.ignore=a ignore=b", "c"),
        (
            17,
            "a $1",
            "only=a ignore=a",
            "404 no_endpoints allowed_providers",
        ),
    ]);
}

#[test]
fn service_tiers() {
    let regions = "v/us $2 | v/eu $2 | v/flex $1 flex";
    let priced = "a/pri $1 priority tps=80 | b/pri $1 priority tps=60 | a $1 tps=90 | b $1 tps=40";
    table(&[
        (18, regions, "only=v sort=price", "v/eu, v/us"),
        (19, regions, "only=v/flex sort=price", "v/flex"),
        (20, "a/flex $1 flex | a $2", "tier=flex", "a/flex"),
        (20, "a $2", "tier=flex", "a"),
        (21, priced, "tier=priority", "a/pri, b/pri, a, b"),
        (
            22,
            "a $1 tps=90 | a/pri $1 priority tps=80 | b $1 tps=40",
            "models=m:nitro",
            "a, a/pri, b",
        ),
        (
            23,
            "a/flex $.5 flex | a $1 | b $2",
            "models=m:floor order=b u=0",
            "b, a",
        ),
    ]);
}

#[test]
fn prices_and_parameters() {
    table(&[
        (24, "a $1 | b $1.01", "max-prompt=1", "a"),
        (
            25,
            "a $1 | b $1.01",
            "max-prompt=.5",
            "404 constraint_filtered max_price",
        ),
        (26, "a $1 | b $2 seed", "with=seed u=0", "a, b"),
        (26, "a $1 | b $2 seed", "with=seed require u=0", "b"),
        (27, "a $1 | b $3 tools", "with=tools", "b"),
        // The settled default is to refuse; dropping tools is the account's choice.
        (
            28,
            "a $1",
            "with=tools",
            "404 constraint_filtered require_parameters",
        ),
        (28, "a $1", "with=tools account.drop-features", "a"),
        (
            28,
            "a $1",
            "with=tools require",
            "404 constraint_filtered require_parameters",
        ),
        (
            32,
            "a $1 fp8 | b $2 mxfp8 | c $3 bf16",
            "quant=fp8 sort=price",
            "a, b",
        ),
    ]);
}

#[test]
fn privacy() {
    let first_party = "openai/gpt: openai $1 | azure $2 zdr";
    table(&[
        (29, "a $1 trains | b $2", "deny", "b"),
        // A request cannot take back what its account demands.
        (
            30,
            first_party,
            "models=openai/gpt account.zdr=openai",
            "azure",
        ),
        (
            30,
            first_party,
            "models=openai/gpt account.zdr=google u=0",
            "openai, azure",
        ),
        (31, "a $1", "zdr", "404 privacy_restricted data_policy:zdr"),
        (
            31,
            "a $1",
            "zdr own=K@a:prioritized",
            "404 privacy_restricted data_policy:zdr",
        ),
    ]);
}

#[test]
fn own_credentials() {
    let openai = "openai $1 | azure $2";
    let keys = "own=K1@openai:prioritized own=K2@openai:prioritized own=K3@openai:fallback";
    let two = "x: openai $1; y: openai $1";
    let always = "own=KA@openai:prioritized:required:for=x own=KB@openai:prioritized";
    table(&[
        (
            33,
            "bedrock $1 | vertex $2",
            "order=bedrock,vertex own=K@vertex:prioritized",
            "vertex(K), bedrock, vertex",
        ),
        (
            34,
            openai,
            &format!("{keys} u=0"),
            "openai(K1), openai(K2), openai, azure, openai(K3)",
        ),
        (
            35,
            two,
            &format!("models=x {always}"),
            "openai(KA), openai(KB)",
        ),
        (35, two, &format!("models=y {always}"), "openai(KB), openai"),
    ]);
}

#[test]
fn several_models_and_pins() {
    let two = "m1: a $5 | b $6; m2: c $1";
    let own = "m1: a $5; m2: c $1";
    let warm = "a $1 | b $2 read$.1";
    table(&[
        (36, two, "models=m1,m2 sort=price", "a, b, c"),
        (36, two, "models=m1,m2 sort=price pool", "c, a, b"),
        (37, own, "models=m1,m2 own=K@c", "a, c(K), c"),
        (
            37,
            own,
            "models=m1,m2 own=K@c sort=price pool",
            "c(K), c, a",
        ),
        (39, warm, "u=0 pin=b", "b, a"),
        (39, warm, "u=0", "a, b"),
        (39, warm, "u=0 pin=b order=a", "a, b"),
    ]);
}

#[test]
fn thresholds() {
    let two = "m1: a $1 tps90=30; m2: c $1 tps90=60";
    table(&[(38, two, "models=m1,m2 min-tps90=50", "c, a")]);
}
