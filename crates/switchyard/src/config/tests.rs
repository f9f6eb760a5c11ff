use std::time::Duration;

use super::{Config, ConfigFaults, KeyGuard, Layers, values::parse_duration};

fn config(environment: &[(&str, &str)]) -> Result<Config, ConfigFaults> {
    let environment = environment
        .iter()
        .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
    Config::from_layers(&Layers::gather(None, environment))
}

#[test]
fn defaults_are_valid() {
    let config = config(&[]).expect("the shipped defaults");
    assert!(config.database_url().starts_with("sqlite:switchyard-data/"));
    assert_eq!(config.upstream.first_byte, Duration::from_secs(60));
    assert_eq!(config.server.country_header, None);
}

#[test]
fn the_environment_wins_and_long_names_win_over_short_ones() {
    let config = config(&[
        ("SWITCHYARD__SERVER__LISTEN", "0.0.0.0:80"),
        ("SWITCHYARD__DATABASE__URL", "postgres://long"),
        ("DATABASE_URL", "postgres://short"),
        (
            "SWITCHYARD__EGRESS__OPERATOR_PRIVATE_CIDRS",
            "127.0.0.0/8, 10.0.0.0/8",
        ),
        ("SWITCHYARD__UPSTREAM__IDLE_TIMEOUT", "500ms"),
        ("UNRELATED", "x"),
    ])
    .expect("valid");
    assert_eq!(config.server.listen.port(), 80);
    assert_eq!(config.database_url(), "postgres://long");
    assert_eq!(config.egress.private_cidrs.len(), 2);
    assert_eq!(config.upstream.idle, Duration::from_millis(500));
}

#[test]
fn all_faults_are_told_at_once() {
    let faults = config(&[
        ("SWITCHYARD__SERVER__LISTEN", "nowhere"),
        ("SWITCHYARD__SERVER__LISTENN", "0.0.0.0:1"),
        ("SWITCHYARD__UPSTREAM__TOTAL_TIMEOUT", "0s"),
        ("SWITCHYARD__UPSTREAM__IDLE_TIMEOUT", "soon"),
        ("SWITCHYARD__EGRESS__OPERATOR_PRIVATE_CIDRS", "10.0.0.0"),
        ("SWITCHYARD__LOG__FORMAT", "xml"),
        ("SWITCHYARD__SERVER__COUNTRY_HEADER", "cf ipcountry"),
        ("DATABASE_URL", "mysql://x"),
    ])
    .expect_err("invalid")
    .faults;
    assert_eq!(faults.len(), 8, "{faults:#?}");
    for name in [
        "server.listenn",
        "server.listen`",
        "total_timeout",
        "soon",
        "CIDR",
        "xml",
        "cf ipcountry",
    ] {
        assert!(
            faults.iter().any(|fault| fault.contains(name)),
            "{name} in {faults:#?}"
        );
    }
}

#[test]
fn durations_have_units() {
    for (text, expected) in [
        ("3s", Some(3_000)),
        ("500ms", Some(500)),
        ("2m", Some(120_000)),
        ("1h", Some(3_600_000)),
        ("3", None),
        ("s", None),
        ("-1s", None),
        ("1.5s", None),
    ] {
        assert_eq!(
            parse_duration(text),
            expected.map(Duration::from_millis),
            "{text}"
        );
    }
}

#[test]
fn passwords_are_not_shown() {
    let environment = [(
        "DATABASE_URL".to_owned(),
        "postgres://u:secret@h/db".to_owned(),
    )];
    let layers = Layers::gather(None, environment.into_iter());
    assert!(
        layers
            .shown()
            .all(|(_, value, _)| !value.contains("secret"))
    );
}

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

#[test]
fn what_a_key_guard_lacks_is_told_without_repeating_secrets() {
    for (environment, expected) in [
        (
            vec![
                ("PROVIDER", "environment"),
                ("ENVIRONMENT__KEY", "c2VjcmV0"),
            ],
            vec!["vault.environment.key`: the vault key must be 32"],
        ),
        (
            vec![("PROVIDER", "environment")],
            vec!["vault.environment.key`: must be set"],
        ),
        (
            vec![
                ("PROVIDER", "aws_kms"),
                ("AWS_KMS__ENDPOINT", "http://kms.internal"),
            ],
            vec![
                "vault.aws_kms.key_id`: must be set",
                "vault.aws_kms.endpoint`: `http://kms.internal` must begin with https",
                "vault.aws_kms.access_key_id`: must be set",
                "vault.aws_kms.secret_access_key`: must be set",
            ],
        ),
        (
            vec![
                ("PROVIDER", "aws_kms"),
                ("AWS_KMS__KEY_ID", "alias/vault"),
                ("AWS_KMS__ACCESS_KEY_ID", "AKIDEXAMPLE"),
                ("AWS_KMS__SECRET_ACCESS_KEY", "c2Vjc mV0"),
            ],
            vec![
                "vault.aws_kms.key_id`: `alias/vault` is an alias",
                "vault.aws_kms.secret_access_key`: may have visible ASCII",
            ],
        ),
        (
            vec![("PROVIDER", "transit"), ("TRANSIT__MOUNT", "")],
            vec![
                "vault.transit.address`: must be set",
                "vault.transit.mount`: must be set",
                "vault.transit.key`: must be set",
                "vault.transit.token`: must be set",
            ],
        ),
        (
            vec![
                ("PROVIDER", "transit"),
                ("TRANSIT__ADDRESS", "http://vault.example:8200"),
                ("TRANSIT__KEY", "../sys"),
                ("TRANSIT__TOKEN", "c2VjcmV0"),
            ],
            vec![
                "vault.transit.address`: `http://vault.example:8200` must begin with https",
                "vault.transit.key`: `../sys` may have letters",
            ],
        ),
        (
            vec![("PROVIDER", "plaintext")],
            vec!["vault.provider`: `plaintext` is none of"],
        ),
    ] {
        let named: Vec<(String, &str)> = environment
            .iter()
            .map(|(name, value)| (format!("SWITCHYARD__VAULT__{name}"), *value))
            .collect();
        let named: Vec<(&str, &str)> = named.iter().map(|(n, v)| (n.as_str(), *v)).collect();
        let faults = config(&named).expect_err("invalid").faults;
        assert_eq!(faults.len(), expected.len(), "{faults:#?}");
        for (fault, part) in faults.iter().zip(expected) {
            assert!(fault.contains(part), "{part} in {fault}");
            assert!(!fault.contains("c2Vjc"), "{fault}");
        }
    }
}

#[test]
fn the_variables_of_aws_count_together_or_not_at_all() {
    let layers = Layers::gather(
        None,
        [
            ("AWS_ACCESS_KEY_ID", "AKIDOTHER"),
            ("AWS_SESSION_TOKEN", "other"),
            ("SWITCHYARD__VAULT__AWS_KMS__ACCESS_KEY_ID", "AKIDOURS"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into_iter(),
    );
    let value = |name: &str| layers.get(name).value.as_str();
    assert_eq!(value("vault.aws_kms.access_key_id"), "AKIDOURS");
    assert_eq!(value("vault.aws_kms.session_token"), "");
}

#[test]
fn secrets_are_neither_shown_nor_printed() {
    let environment = [
        "SWITCHYARD__VAULT__ENVIRONMENT__KEY",
        "SWITCHYARD__VAULT__TRANSIT__TOKEN",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "DATABASE_URL",
    ]
    .map(|name| (name.to_owned(), "postgres://u:canary@h/db".to_owned()));
    let layers = Layers::gather(None, environment.into_iter());
    let shown: Vec<_> = layers.shown().collect();
    let hidden = shown.iter().filter(|(_, value, _)| value == "(hidden)");
    assert_eq!(hidden.count(), 5);
    assert!(!format!("{shown:?} {layers:?}").contains("canary"));
    let config = Config::from_layers(&layers).expect("valid");
    assert!(!format!("{:?}", config.key_guard).contains("canary"));
}
