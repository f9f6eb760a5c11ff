use switchyard_domain::id::WorkspaceId;
use switchyard_domain::money::UsdNanos;
use uuid::Uuid;

use super::*;

/// The example of RFC 7636.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const CALLBACK: &str = "https://app.example/done?tab=1";

fn asks(change: impl FnOnce(&mut GrantRequest)) -> GrantRequest {
    let mut request = GrantRequest {
        callback_url: Some(CALLBACK.to_owned()),
        code_challenge: Some(CHALLENGE.to_owned()),
        ..GrantRequest::default()
    };
    change(&mut request);
    request
}

fn checked(request: GrantRequest, allow_plain: bool) -> Result<OAuthGrant, GrantRequestError> {
    let place = (
        AccountId::from_uuid(Uuid::from_u128(1)),
        WorkspaceId::from_uuid(Uuid::from_u128(2)),
    );
    request.checked(place, None, allow_plain, Timestamp::from_seconds(1_000))
}

fn refused_field(request: GrantRequest, allow_plain: bool) -> &'static str {
    checked(request, allow_plain).expect_err("refused").field
}

fn code_for(grant: OAuthGrant) -> OAuthCode {
    OAuthCode {
        grant,
        origin: "https://app.example".to_owned(),
        expires_at: Timestamp::from_seconds(2_000),
        used_at: None,
        key_hash: None,
    }
}

fn presented(verifier: Option<&str>) -> Presented {
    Presented {
        code: Secret::new("code".to_owned()),
        verifier: verifier.map(|text| Secret::new(text.to_owned())),
        method: None,
        callback_url: None,
        ip: None,
    }
}

#[test]
fn codes_are_sent_over_tls_or_to_ones_own_machine() {
    for good in [
        "https://app.example/done",
        "http://localhost:5173/cb",
        "http://127.0.0.1/cb",
        "http://[::1]:9000/",
        "https://localhost/",
    ] {
        assert!(Callback::parse(good).is_ok(), "{good}");
    }
    for bad in [
        "",
        "/done",
        "http://app.example/done",
        "http://localhost.evil.example/",
        "http://127.0.0.2/",
        "http://localhost@evil.example/",
        "https://user:pass@app.example/",
        "https://app.example/#fragment",
        "javascript:alert(1)",
        "data:text/html,x",
        "app://callback",
        "ftp://localhost/",
    ] {
        assert!(Callback::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_callback_keeps_its_own_query() {
    let callback = Callback::parse(CALLBACK).expect("fine");
    assert_eq!(
        callback.with(&[("code", "a b"), ("state", "&=")]),
        "https://app.example/done?tab=1&code=a+b&state=%26%3D"
    );
    assert_eq!(callback.host(), "app.example");
    let local = Callback::parse("http://localhost:3000/x").expect("fine");
    assert_eq!(local.host(), "localhost:3000");
}

#[test]
fn letters_that_look_alike_are_told_apart() {
    let callback = Callback::parse("https://аpple.example/").expect("an address");
    assert!(callback.host().starts_with("xn--"), "{}", callback.host());
}

#[test]
fn t18_only_loopback_ports_may_differ() {
    let same = |a: &str, b: &str| {
        let parse = |text| Callback::parse(text).expect("fine");
        parse(a).is_same(&parse(b))
    };
    assert!(same(CALLBACK, CALLBACK));
    assert!(same("http://localhost:1/cb", "http://localhost:2/cb"));
    for (a, b) in [
        (CALLBACK, "https://app.example/done"),
        (CALLBACK, "https://app.example:444/done?tab=1"),
        ("http://localhost:1/cb", "http://localhost:1/other"),
        ("http://localhost:1/cb", "http://127.0.0.1:1/cb"),
        ("http://localhost:1/cb", "https://localhost:1/cb"),
    ] {
        assert!(!same(a, b), "{a} {b}");
    }
}

#[test]
fn t18_s256_is_what_is_taken() {
    let grant = checked(asks(|_| ()), false).expect("fine");
    let challenge = grant.challenge.expect("one");
    assert_eq!(challenge.method, ChallengeMethod::S256);
    assert_eq!(grant.key_name, "app.example");
    let plain = |request: &mut GrantRequest| {
        request.code_challenge_method = Some("plain".to_owned());
        request.code_challenge = Some(VERIFIER.to_owned());
    };
    assert_eq!(refused_field(asks(plain), false), "code_challenge_method");
    assert!(checked(asks(plain), true).is_ok());
    let none = |request: &mut GrantRequest| request.code_challenge = None;
    assert_eq!(refused_field(asks(none), false), "code_challenge");
    assert!(checked(asks(none), true).is_ok());
    let shown = |request: &mut GrantRequest| {
        request.code_challenge = None;
        request.callback_url = None;
    };
    for allow_plain in [false, true] {
        assert_eq!(refused_field(asks(shown), allow_plain), "code_challenge");
    }
    for method in ["s256", "S512", ""] {
        let other = |request: &mut GrantRequest| {
            request.code_challenge_method = Some(method.to_owned());
        };
        assert_eq!(refused_field(asks(other), true), "code_challenge_method");
    }
    for challenge in ["short", &format!("{CHALLENGE}="), &"+".repeat(43)] {
        let other = |request: &mut GrantRequest| {
            request.code_challenge = Some(challenge.to_owned());
        };
        assert_eq!(refused_field(asks(other), true), "code_challenge");
    }
}

#[test]
fn what_a_key_may_do_is_checked() {
    for (field, change) in [
        (
            "limit",
            (|request| request.limit = Some(UsdNanos::ZERO)) as fn(&mut GrantRequest),
        ),
        ("limit", |request| {
            request.reset = Some(switchyard_domain::clock::ResetInterval::Daily);
        }),
        ("expires_at", |request| {
            request.expires_at = Some(Timestamp::from_seconds(999));
        }),
        ("key_label", |request| {
            request.key_label = Some("x".repeat(101))
        }),
        ("key_label", |request| {
            request.key_label = Some("a\nb".to_owned())
        }),
    ] {
        assert_eq!(refused_field(asks(change), false), field);
    }
}

#[test]
fn t18_the_verifier_and_the_method_must_fit() {
    let code = code_for(checked(asks(|_| ()), false).expect("fine"));
    check(&code, &presented(Some(VERIFIER))).expect("proved");
    for wrong in [
        None,
        Some(CHALLENGE),
        Some(""),
        Some("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl"),
    ] {
        let refused = check(&code, &presented(wrong));
        assert!(matches!(refused, Err(ExchangeError::Invalid)), "{wrong:?}");
    }
    let downgraded = Presented {
        method: Some(ChallengeMethod::Plain),
        ..presented(Some(CHALLENGE))
    };
    assert!(matches!(
        check(&code, &downgraded),
        Err(ExchangeError::OtherMethod)
    ));
    let elsewhere = Presented {
        callback_url: Some("https://evil.example/".to_owned()),
        ..presented(Some(VERIFIER))
    };
    assert!(matches!(
        check(&code, &elsewhere),
        Err(ExchangeError::Invalid)
    ));
    let there = Presented {
        callback_url: Some(CALLBACK.to_owned()),
        ..presented(Some(VERIFIER))
    };
    check(&code, &there).expect("the same address");
}

#[test]
fn t18_plain_challenges_are_compared_where_they_are_allowed() {
    let plain = |request: &mut GrantRequest| {
        request.code_challenge_method = Some("plain".to_owned());
        request.code_challenge = Some(VERIFIER.to_owned());
    };
    let code = code_for(checked(asks(plain), true).expect("allowed"));
    check(&code, &presented(Some(VERIFIER))).expect("proved");
    let raised = Presented {
        method: Some(ChallengeMethod::S256),
        ..presented(Some(VERIFIER))
    };
    assert!(matches!(
        check(&code, &raised),
        Err(ExchangeError::OtherMethod)
    ));
    let none = |request: &mut GrantRequest| request.code_challenge = None;
    let code = code_for(checked(asks(none), true).expect("allowed"));
    check(&code, &presented(None)).expect("nothing to prove");
    assert!(check(&code, &presented(Some(VERIFIER))).is_err());
}
