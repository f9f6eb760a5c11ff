use super::*;

fn new(body: &str) -> Result<Draft, PublicFailure> {
    Fields::of(body.as_bytes()).and_then(draft)
}

fn change(body: &str) -> Result<CredentialChange, PublicFailure> {
    Fields::of(body.as_bytes()).and_then(edit)
}

fn told<T: std::fmt::Debug>(outcome: Result<T, PublicFailure>) -> (u16, String) {
    let failure = outcome.expect_err("refused");
    (failure.status, failure.message)
}

#[test]
fn what_is_left_out_is_open_and_off() {
    let draft = new(r#"{"provider":"acme","key":"sk-1"}"#).expect("a credential");
    assert_eq!(draft.provider.as_str(), "acme");
    assert_eq!(draft.secret.expose(), b"sk-1");
    assert_eq!(draft.workspace, Patch::Keep);
    assert_eq!(draft.settings, CredentialSettings::default());
}

#[test]
fn everything_that_is_stated_arrives() {
    let id = "ws_00000000000000000000000000000007";
    let body = format!(
        r#"{{"provider":"acme","key":"k","workspace_id":"{id}","name":"n","disabled":true,
        "is_fallback":true,"is_required":true,"is_byok_only":false,"declared_zdr":false,
        "declared_region":"europe","allowed_models":["a/b"],"allowed_api_key_hashes":["h"],
        "allowed_user_ids":["u"]}}"#
    );
    let draft = new(&body).expect("a credential");
    assert_eq!(draft.workspace, Patch::Set(id.parse().expect("an id")));
    let list = |entry: &str| Some(vec![entry.to_owned()]);
    let expected = CredentialSettings {
        name: Some("n".to_owned()),
        disabled: true,
        section: StoredSection::Fallback,
        is_required: true,
        is_byok_only: false,
        declared_zdr: Some(false),
        declared_region: Some("europe".to_owned()),
        filters: CredentialFilters {
            models: list("a/b"),
            api_key_hashes: list("h"),
            user_ids: list("u"),
        },
    };
    assert_eq!(draft.settings, expected);
    let everywhere = new(r#"{"provider":"acme","key":"k","workspace_id":null}"#);
    assert_eq!(everywhere.expect("a credential").workspace, Patch::Clear);
}

#[test]
fn t16_nobody_sets_what_the_service_sets() {
    for field in OWNED {
        for (status, message) in [
            told(new(&format!(
                r#"{{"provider":"acme","key":"k","{field}":1}}"#
            ))),
            told(change(&format!(r#"{{"{field}":1}}"#))),
        ] {
            assert_eq!(status, 400);
            assert!(message.contains("is set by the service"), "{message}");
        }
    }
    for field in [
        "account_id",
        "created_by",
        "endpoint_host",
        "base_url",
        "revision",
    ] {
        let (status, message) = told(change(&format!(r#"{{"{field}":"x"}}"#)));
        assert_eq!(status, 400);
        assert!(message.contains("is not known here"), "{message}");
    }
}

#[test]
fn t16_a_credential_stays_with_its_provider_and_workspace() {
    for field in ["provider", "workspace_id"] {
        for value in [r#""acme""#, "null"] {
            let (status, message) = told(change(&format!(r#"{{"{field}":{value}}}"#)));
            assert_eq!(status, 400);
            assert!(message.contains("cannot be changed"), "{message}");
        }
    }
}

#[test]
fn a_change_tells_left_out_from_null() {
    let change = change(r#"{"name":null,"allowed_models":["a/b"],"key":"new"}"#);
    let change = change.expect("a change");
    assert_eq!(change.name, Patch::Clear);
    assert_eq!(change.allowed_models, Patch::Set(vec!["a/b".to_owned()]));
    assert_eq!(change.allowed_user_ids, Patch::Keep);
    assert_eq!(change.disabled, None);
    assert_eq!(change.secret.expect("a secret").expose(), b"new");
}

#[test]
fn no_complaint_repeats_the_secret() {
    for body in [
        r#"{"provider":"acme","key":"sk-canary","nme":1}"#,
        r#"{"provider":"acme","key":"sk-canary","disabled":"sk-canary"}"#,
        r#"{"provider":"acme","key":"sk-canary\ud800"}"#,
        r#"{"provider":"acme","key":"sk-canary","key":"sk-canary"}"#,
        r#"{"provider":"acme","key":["sk-canary"}"#,
        r#"{"provider":"acme","key":"sk-canary"#,
        r#"{"provider":["sk-canary"],"key":"sk-canary"}"#,
    ] {
        let failure = new(body).expect_err("refused");
        assert_eq!(failure.status, 400, "{body}");
        assert!(!failure.message.contains("canary"), "{}", failure.message);
    }
}

#[test]
fn ids_that_are_none_are_nobodys() {
    let body = r#"{"provider":"acme","key":"k","workspace_id":"default"}"#;
    assert_eq!(told(new(body)).0, 404);
    let order = |body: &str| Fields::of(body.as_bytes()).and_then(order);
    assert_eq!(told(order(r#"{"provider":"a","ids":["x"]}"#)).0, 404);
    assert_eq!(told(order(r#"{"provider":"a","ids":[]}"#)).0, 400);
    let (provider, ids) =
        order(r#"{"provider":"a","ids":["cred_00000000000000000000000000000001"]}"#)
            .expect("an order");
    assert_eq!((provider.as_str(), ids.len()), ("a", 1));
}
