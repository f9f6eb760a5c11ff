use super::*;

fn check(private_cidrs: &[&str], allowed: &[&str], refused: &[&str]) {
    let policy = EgressPolicy {
        private_cidrs: private_cidrs
            .iter()
            .map(|c| c.parse().expect("a range"))
            .collect(),
    };
    for (addresses, expected) in [(allowed, true), (refused, false)] {
        for address in addresses {
            let parsed = address.parse().expect("an address");
            assert_eq!(
                policy.allows(EgressClass::Operator, parsed),
                expected,
                "{address}"
            );
        }
    }
}

#[test]
fn only_public_addresses_by_default() {
    check(
        &[],
        &["8.8.8.8", "2606:4700::1111", "100.128.0.1"],
        &[
            "127.0.0.1",
            "10.1.2.3",
            "192.168.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::ffff:127.0.0.1",
            "fe80::1",
            "fc00::1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:db8::1",
        ],
    );
}

#[test]
fn named_ranges_open_just_themselves() {
    check(
        &["127.0.0.0/8", "10.1.0.0/16"],
        &["127.0.0.1", "10.1.9.9", "::ffff:10.1.0.1"],
        &["10.2.0.1", "::1"],
    );
    assert!("10.0.0.0/33".parse::<Cidr>().is_err());
    assert!("10.0.0.0".parse::<Cidr>().is_err());
}

fn rules(class: EgressClass) -> Rules {
    let private_cidrs = vec!["10.0.0.0/8".parse().expect("a range")];
    Rules {
        class,
        policy: Arc::new(EgressPolicy { private_cidrs }),
    }
}

fn verdict(class: EgressClass, uri: &str) -> Result<(), Problem> {
    let uri = uri.parse().expect("an address");
    rules(class)
        .check_uri(&uri)
        .map_err(|blocked| blocked.problem)
}

#[test]
fn tenants_call_public_names_over_tls_at_one_port() {
    for (uri, problem) in [
        ("https://api.example.com/v1", None),
        ("https://API.Example.com./v1", None),
        ("https://api.example.com:443/v1", None),
        ("https://xn--bcher-kva.example.com/", None),
        ("https://1.example.com/", None),
        ("http://api.example.com/v1", Some(Problem::Plain)),
        ("https://api.example.com:8443/v1", Some(Problem::Port)),
        ("https://me@api.example.com/v1", Some(Problem::UserInfo)),
        ("https://8.8.8.8/", Some(Problem::Host(NoHost::Address))),
        ("https://134744072/", Some(Problem::Host(NoHost::Address))),
        (
            "https://[2606:4700::1111]/",
            Some(Problem::Host(NoHost::Address)),
        ),
        ("https://10.0.0.1/", Some(Problem::Private)),
        (
            "https://db.internal/",
            Some(Problem::Host(NoHost::Internal)),
        ),
        (
            "https://printer.local/",
            Some(Problem::Host(NoHost::Internal)),
        ),
        ("https://intranet/", Some(Problem::Host(NoHost::Internal))),
        ("https://api.svc/", Some(Problem::Host(NoHost::Internal))),
        (
            "https://a..example.com/",
            Some(Problem::Host(NoHost::Malformed)),
        ),
        (
            "https://-a.example.com/",
            Some(Problem::Host(NoHost::Malformed)),
        ),
        (
            "https://a_b.example.com/",
            Some(Problem::Host(NoHost::Malformed)),
        ),
    ] {
        let expected = problem.map_or(Ok(()), Err);
        assert_eq!(verdict(EgressClass::Tenant, uri), expected, "{uri}");
    }
}

#[test]
fn operators_may_call_what_they_name() {
    for (uri, problem) in [
        ("http://api.example.com:8080/v1", None),
        ("http://10.1.2.3:8080/v1", None),
        ("http://model-server:8080/v1", None),
        ("http://[::ffff:10.1.2.3]/", None),
        ("http://127.0.0.1:8080/v1", Some(Problem::Private)),
        ("http://me@10.1.2.3/", Some(Problem::UserInfo)),
    ] {
        let expected = problem.map_or(Ok(()), Err);
        assert_eq!(verdict(EgressClass::Operator, uri), expected, "{uri}");
    }
}

#[test]
fn a_private_range_opens_for_the_operator_alone() {
    let addresses = |texts: &[&str]| -> Vec<SocketAddr> {
        let parsed = texts.iter().map(|text| text.parse().expect("an address"));
        parsed.collect()
    };
    let found = addresses(&["10.0.0.1:0", "8.8.8.8:0", "127.0.0.1:0"]);
    let operator = rules(EgressClass::Operator).check_addresses("api.example.com", found.clone());
    assert_eq!(operator, Ok(addresses(&["10.0.0.1:0", "8.8.8.8:0"])));
    let tenant = rules(EgressClass::Tenant).check_addresses("api.example.com", found);
    let blocked = tenant.expect_err("not for tenants");
    assert_eq!(
        blocked.to_string(),
        "egress rules for tenant addresses do not allow `api.example.com`: its address is not public"
    );
}
