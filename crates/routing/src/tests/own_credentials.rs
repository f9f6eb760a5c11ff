//! Customers' own credentials: which copies there are, and that none gets around a filter.

use expect_test::expect;

use super::fixture::{Case, check, plan_of};

#[test]
fn copies_follow_section_and_owners_order() {
    let catalog = "acme $1 | bolt $2";
    for (request, plan) in [
        ("own=K@acme u=0", "acme(K), acme, bolt"),
        ("own=K@bolt u=0", "bolt(K), acme, bolt"),
        ("own=K@acme:fallback u=0", "acme, bolt, acme(K)"),
        (
            "own=K2@bolt own=K1@acme u=0",
            "bolt(K2), acme(K1), acme, bolt",
        ),
        ("own=K@cato u=0", "acme, bolt"),
        // Required: no other than its own side of the provider is closed.
        ("own=K@acme:required u=0", "acme(K), bolt"),
        (
            "own=K1@acme own=K2@acme:required own=K3@acme:fallback u=0",
            "acme(K1), acme(K2), bolt, acme(K3)",
        ),
        // Only its own: the operator's is closed for the whole provider, whatever the model.
        ("own=K@acme:only u=0", "acme(K), bolt"),
        ("own=K@acme:only:for=other u=0", "bolt"),
        (
            "own=K1@acme:only:for=other own=K2@acme u=0",
            "acme(K2), bolt",
        ),
        (
            "own=K@acme:only:for=other only=acme",
            "404 no_endpoints allowed_providers",
        ),
        // In the fallback section it means nothing.
        ("own=K@acme:fallback:only u=0", "acme, bolt, acme(K)"),
        // What the request supplied is like any other.
        (
            "own=#0@bolt own=#1@acme u=0",
            "bolt(#0), acme(#1), acme, bolt",
        ),
        ("own=#0@acme:required u=0", "acme(#0), bolt"),
        ("own=K@acme:fallback:required u=0", "acme, bolt, acme(K)"),
        // Not eligible, not required.
        ("own=K@acme:required:for=other u=0", "acme, bolt"),
        // The operator need not be there.
        ("credentials=bolt own=K@acme u=0", "acme(K), bolt"),
        ("credentials=bolt own=K@acme:fallback u=0", "bolt, acme(K)"),
        (
            "credentials=bolt own=K@acme:for=other only=acme",
            "404 no_endpoints allowed_providers",
        ),
        // One endpoint without fallbacks, with all that it can be called with.
        (
            "own=K1@bolt own=K2@bolt:fallback no-fallbacks",
            "bolt(K1), bolt, bolt(K2)",
        ),
    ] {
        assert_eq!(plan_of(catalog, request), plan, "{request}");
    }
}

#[test]
fn no_credential_gets_around_a_filter() {
    let catalog = "acme $1 trains fp4 | bolt $2";
    for request in [
        "deny",
        "account.deny",
        "ignore=acme",
        "only=bolt",
        "quant=unknown",
        "zdr",
        "zdr account.trust-zdr",
    ] {
        let plan = plan_of(catalog, &format!("own=K@acme {request}"));
        assert!(!plan.contains("acme"), "{request}: {plan}");
    }
}

#[test]
fn a_statement_of_zero_retention_counts_where_the_account_trusts_it() {
    let catalog = "acme $1 | bolt $2 zdr";
    check(
        catalog,
        "zdr own=K1@acme:zdr own=K2@acme account.trust-zdr",
        expect![[r#"
            acme(K1), bolt
            acme(K2): zdr (request, provider.zdr: it keeps prompts for 30 days)
            acme: zdr (request, provider.zdr: it keeps prompts for 30 days)"#]],
    );
    for (request, plan) in [
        ("zdr own=K@acme:zdr", "bolt"),
        // Nobody but the account can decide that.
        ("zdr own=K@acme:zdr workspace.trust-zdr", "bolt"),
        ("zdr own=K@acme:zdr key.trust-zdr", "bolt"),
        ("zdr own=K@bolt:zdr account.trust-zdr", "bolt(K), bolt"),
        (
            "account.zdr account.trust-zdr own=K@acme:zdr:fallback",
            "bolt, acme(K)",
        ),
        // It stands in for zero retention and for nothing else.
        (
            "zdr own=K@acme:zdr account.trust-zdr max-prompt=.5",
            "404 constraint_filtered max_price",
        ),
    ] {
        assert_eq!(plan_of(catalog, request), plan, "{request}");
    }
    let plan = Case::new(catalog)
        .ask("zdr own=K1@acme:zdr account.trust-zdr")
        .select()
        .expect("both may serve");
    let stated: Vec<bool> = plan
        .record
        .candidates
        .iter()
        .map(|row| row.declared_zdr)
        .collect();
    assert_eq!(stated, [true, false, false]);
    let json = serde_json::to_value(&plan.record.candidates[0]).expect("it is plain data");
    assert_eq!(json["declared_zdr"], true);
    assert_eq!(json["section"], "prioritized");
    assert!(json["credential"]["own"].is_string(), "{json}");
}

#[test]
fn every_copy_has_a_row() {
    check(
        "acme $1 | bolt $2",
        "own=K1@acme own=K2@acme:fallback ignore=bolt",
        expect![[r#"
            acme(K1), acme, acme(K2)
            bolt: ignored (request, provider.ignore: `ignore` is bolt)"#]],
    );
    let plan = Case::new("acme $1 | bolt $2")
        .ask("own=K1@acme own=K2@bolt:fallback u=0")
        .select()
        .expect("both may serve");
    let rows: Vec<String> = plan
        .record
        .candidates
        .iter()
        .map(|row| format!("{} {:?} {:?}", row.endpoint, row.section, row.rank))
        .collect();
    assert_eq!(
        rows,
        [
            "lab/m|acme Some(Prioritized) Some(0)",
            "lab/m|acme None Some(1)",
            "lab/m|bolt None Some(2)",
            "lab/m|bolt Some(Fallback) Some(3)",
        ]
    );
}

#[test]
fn what_the_operator_would_serve_can_be_left_out_of_the_record() {
    let mut plan = Case::new("acme $1 | bolt $2")
        .ask("own=K1@acme own=K2@bolt:fallback u=0")
        .select()
        .expect("all may serve");
    plan.record.leave_out_shared();
    let ranks: Vec<String> = plan
        .record
        .candidates
        .iter()
        .map(|row| format!("{} {:?} {:?}", row.endpoint, row.section, row.rank))
        .collect();
    assert_eq!(
        ranks,
        [
            "lab/m|acme Some(Prioritized) Some(0)",
            "lab/m|acme None None",
            "lab/m|bolt None None",
            "lab/m|bolt Some(Fallback) Some(1)",
        ]
    );
    let json = serde_json::to_value(&plan.record).expect("it is plain data");
    assert_eq!(json["own_only"], true);
}
