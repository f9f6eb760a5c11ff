use std::time::Duration;

use super::{Config, ConfigFaults, Layers, values::parse_duration};

pub(super) fn config(environment: &[(&str, &str)]) -> Result<Config, ConfigFaults> {
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
