use super::*;

fn own() -> CredentialUse {
    let id = format!("cred_{:032x}", 1);
    CredentialUse::Own(id.parse().expect("an id"))
}

fn filled(base_url: &str, path: &str, values: Values<'_>) -> Option<String> {
    let address = Address::filled(base_url, path, values, own()).ok()?;
    Some(address.into_uri().to_string())
}

const TEMPLATE: &str = "https://{resource}.openai.azure.com";

#[test]
fn placeholders_are_filled_in_host_and_path() {
    for (base_url, path, expected) in [
        (
            TEMPLATE,
            "/v1/chat",
            "https://acme-1.openai.azure.com/v1/chat",
        ),
        (
            "https://{resource}.example.com/base/",
            "/model/{model}/invoke",
            "https://acme-1.example.com/base/model/a%2Fb%3A0/invoke",
        ),
        (
            "http://127.0.0.1:4010/p/{resource}",
            "/m/{model}:stream",
            "http://127.0.0.1:4010/p/acme-1/m/a%2Fb%3A0:stream",
        ),
        (
            "https://fixed.example.com",
            "/v1/chat",
            "https://fixed.example.com/v1/chat",
        ),
    ] {
        let values = [("resource", "acme-1"), ("model", "a/b:0")];
        assert_eq!(filled(base_url, path, &values).as_deref(), Some(expected));
    }
}

#[test]
fn t32_no_resource_becomes_another_address() {
    for resource in [
        "evil#",
        "evil.com#",
        "a/b",
        "a\\b",
        "user@evil.com",
        "evil.com?",
        "evil.com:80",
        "",
        ".",
        "..",
        "a.b",
        "-a",
        "a-",
        "A",
        "ä",
        "a b",
        "a\n",
        "a%2f",
        "{resource}",
        "a\u{0}",
        "[::1]",
        "a;b",
    ] {
        assert_eq!(
            filled(TEMPLATE, "/v1", &[("resource", resource)]),
            None,
            "{resource:?}"
        );
    }
}

#[test]
fn t32_no_value_leaves_its_path_segment() {
    for (value, expected) in [
        ("a/b", Some("a%2Fb")),
        ("a?b", Some("a%3Fb")),
        ("a#b", Some("a%23b")),
        ("a%2Fb", Some("a%252Fb")),
        ("@evil.com", Some("%40evil.com")),
        ("a\\b", Some("a%5Cb")),
        ("ä\r\n", Some("%C3%A4%0D%0A")),
        ("..", None),
        (".", None),
        ("", None),
    ] {
        let found = filled("https://example.com", "/m/{model}/run", &[("model", value)]);
        let expected = expected.map(|segment| format!("https://example.com/m/{segment}/run"));
        assert_eq!(found, expected, "{value:?}");
    }
}

#[test]
fn what_is_not_filled_or_not_closed_is_no_address() {
    for (base_url, path) in [
        ("https://{region}.example.com", "/v1"),
        ("https://example.com", "/v1/{project}"),
        ("https://{resource.example.com", "/v1"),
        ("example.com", "/v1"),
        ("https://user@example.com", "/v1"),
        ("https://example.com", "/v1#part"),
        ("https://exa mple.com", "/v1"),
    ] {
        assert_eq!(
            filled(base_url, path, &[("resource", "acme")]),
            None,
            "{base_url}{path}"
        );
    }
}

#[test]
fn who_chose_the_host_decides_the_class() {
    let values = [("resource", "acme")];
    let class = |base_url: &str, credential| {
        Address::filled(base_url, "/v1", &values, credential).map(|address| address.egress())
    };
    for (base_url, credential, expected) in [
        (TEMPLATE, own(), EgressClass::Tenant),
        (TEMPLATE, CredentialUse::Shared, EgressClass::Operator),
        (
            "https://example.com/{resource}",
            own(),
            EgressClass::Operator,
        ),
    ] {
        assert_eq!(class(base_url, credential), Ok(expected), "{base_url}");
    }
    let host = Host::parse("acme.openai.azure.com").expect("a host");
    for (credential, expected) in [
        (own(), EgressClass::Tenant),
        (CredentialUse::Shared, EgressClass::Operator),
    ] {
        let named = Address::named(&host, "/v1?api-version=1", credential);
        let named = named.expect("an address");
        assert_eq!(named.egress(), expected);
        assert_eq!(
            named.into_uri().to_string(),
            "https://acme.openai.azure.com/v1?api-version=1"
        );
    }
}
