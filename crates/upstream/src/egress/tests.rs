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
