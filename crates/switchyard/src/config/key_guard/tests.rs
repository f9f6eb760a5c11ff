use super::{super::tests::config, KeyGuard};

const KEY_ARN: &str = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd";

#[test]
fn each_key_guard_has_what_it_needs() {
    assert!(matches!(
        config(&[]).expect("valid").key_guard,
        KeyGuard::Keyring
    ));
    let guard = config(&[
        ("SWITCHYARD__VAULT__PROVIDER", "environment"),
        (
            "SWITCHYARD__VAULT__ENVIRONMENT__KEY",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        ),
    ]);
    let guard = guard.expect("valid").key_guard;
    assert!(matches!(guard, KeyGuard::Environment(_)), "{guard:?}");

    let guard = config(&[
        ("SWITCHYARD__VAULT__PROVIDER", "aws_kms"),
        ("SWITCHYARD__VAULT__AWS_KMS__KEY_ID", KEY_ARN),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7"),
    ]);
    let KeyGuard::AwsKms(settings) = guard.expect("valid").key_guard else {
        panic!("another guard")
    };
    let endpoint = settings.endpoint.to_string();
    assert_eq!(endpoint, "https://kms.eu-central-1.amazonaws.com");
    assert_eq!(settings.credentials.access_key_id, "AKIDEXAMPLE");
    assert!(settings.credentials.session_token.is_none());

    let guard = config(&[
        ("SWITCHYARD__VAULT__PROVIDER", "transit"),
        (
            "SWITCHYARD__VAULT__TRANSIT__ADDRESS",
            "http://127.0.0.1:8100",
        ),
        ("SWITCHYARD__VAULT__TRANSIT__KEY", "switchyard"),
    ]);
    let KeyGuard::Transit { settings, ca_file } = guard.expect("an agent needs no token").key_guard
    else {
        panic!("another guard")
    };
    assert_eq!(
        (settings.mount.to_string().as_str(), ca_file),
        ("transit", None)
    );
}

/// These settings of the vault have these faults, in this order and no others.
fn faults(settings: &[(&str, &str)], expected: &[&str]) {
    let named: Vec<(String, &str)> = settings
        .iter()
        .map(|(name, value)| (format!("SWITCHYARD__VAULT__{name}"), *value))
        .collect();
    let named: Vec<(&str, &str)> = named.iter().map(|(n, v)| (n.as_str(), *v)).collect();
    let faults = config(&named).expect_err("invalid").faults;
    assert_eq!(faults.len(), expected.len(), "{faults:#?}");
    for (fault, part) in faults.iter().zip(expected) {
        assert!(fault.contains(part), "{part} in {fault}");
        assert!(!fault.contains("c2Vjc"), "a secret is repeated: {fault}");
    }
}

#[test]
fn an_unknown_provider_is_refused() {
    let expected = ["vault.provider`: `plaintext` is none of"];
    faults(&[("PROVIDER", "plaintext")], &expected);
}

#[test]
fn what_the_environment_lacks_is_told() {
    let provider = ("PROVIDER", "environment");
    faults(&[provider], &["vault.environment.key`: must be set"]);
    faults(
        &[provider, ("ENVIRONMENT__KEY", "c2VjcmV0")],
        &["vault.environment.key`: the vault key must be 32"],
    );
}

#[test]
fn what_aws_kms_lacks_is_told() {
    let provider = ("PROVIDER", "aws_kms");
    faults(
        &[provider, ("AWS_KMS__ENDPOINT", "http://kms.internal")],
        &[
            "vault.aws_kms.key_id`: must be set",
            "vault.aws_kms.endpoint`: `http://kms.internal` must begin with https",
            "vault.aws_kms.access_key_id`: must be set",
            "vault.aws_kms.secret_access_key`: must be set",
        ],
    );
    faults(
        &[
            provider,
            ("AWS_KMS__KEY_ID", "alias/vault"),
            ("AWS_KMS__ACCESS_KEY_ID", "AKIDEXAMPLE"),
            ("AWS_KMS__SECRET_ACCESS_KEY", "c2Vjc mV0"),
        ],
        &[
            "vault.aws_kms.key_id`: `alias/vault` is an alias",
            "vault.aws_kms.secret_access_key`: may have visible ASCII",
        ],
    );
}

#[test]
fn what_transit_lacks_is_told() {
    let provider = ("PROVIDER", "transit");
    faults(
        &[provider, ("TRANSIT__MOUNT", "")],
        &[
            "vault.transit.address`: must be set",
            "vault.transit.mount`: must be set",
            "vault.transit.key`: must be set",
            "vault.transit.token`: must be set",
        ],
    );
    faults(
        &[
            provider,
            ("TRANSIT__ADDRESS", "http://vault.example:8200"),
            ("TRANSIT__KEY", "../sys"),
            ("TRANSIT__NAMESPACE", "u:c2VjcmV0@x"),
            ("TRANSIT__TOKEN", "c2VjcmV0"),
        ],
        &[
            "vault.transit.address`: `http://vault.example:8200` must begin with https",
            "vault.transit.key`: `../sys` may have letters",
            "vault.transit.namespace`: `(hidden)` may have letters",
        ],
    );
}
