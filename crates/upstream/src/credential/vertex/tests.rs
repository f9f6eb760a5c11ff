//! Key files of service accounts as people upload them.

use serde_json::{Value, json};

use super::*;

const KEY_FILE: &str = include_str!("../../../fixtures/vertex/service-account.json");

fn changed(change: impl FnOnce(&mut Value)) -> String {
    let mut file: Value = serde_json::from_str(KEY_FILE).expect("JSON");
    change(&mut file);
    file.to_string()
}

fn look(upload: &str) -> Result<CredentialFacts, InvalidCredential> {
    inspect(upload.as_bytes())
}

#[test]
fn key_files_are_taken_with_and_without_a_region() {
    let facts = look(KEY_FILE).expect("a key file");
    assert_eq!(facts.kind, "gcp_service_account");
    assert_eq!(facts.label, "acme-models-42");
    assert!(facts.hosts.is_empty());
    for region in [
        "global",
        "eu",
        "us",
        "us-east5",
        "europe-west12",
        "northamerica-northeast1",
    ] {
        let upload = changed(|file| file["region"] = json!(region));
        let facts = look(&upload).expect(region);
        assert_eq!(facts.label, format!("acme-models-42 {region}"));
    }
    let bare = changed(|file| {
        let file = file.as_object_mut().expect("an object");
        for field in [
            "private_key_id",
            "token_uri",
            "universe_domain",
            "client_id",
        ] {
            file.remove(field);
        }
    });
    look(&bare).expect("what is needed is there");
}

#[test]
fn mistakes_are_named_where_they_are() {
    let set = |field: &str, value: Value| changed(|file| file[field] = value);
    let cut = changed(|file| {
        let pem = file["private_key"].as_str().expect("a text");
        file["private_key"] = json!(pem.replace("\nMII", "\nMIA"));
    });
    for (upload, field, says) in [
        (
            "AIzaSyExampleExampleExample".to_owned(),
            None,
            "Google AI Studio",
        ),
        ("/home/me/key.json".to_owned(), None, "JSON"),
        (format!("[{KEY_FILE},{KEY_FILE}]"), None, "list"),
        (
            set("type", json!("authorized_user")),
            Some("type"),
            "service_account",
        ),
        (
            set("type", json!("external_account")),
            Some("type"),
            "service_account",
        ),
        (set("type", Value::Null), Some("type"), "missing"),
        (
            set("private_key", Value::Null),
            Some("private_key"),
            "missing",
        ),
        (
            set("client_email", json!("me@example.com")),
            Some("client_email"),
            "service account",
        ),
        (
            set("client_email", json!("a b@x.iam.gserviceaccount.com")),
            Some("client_email"),
            "",
        ),
        (
            set("private_key_id", json!("../..")),
            Some("private_key_id"),
            "",
        ),
        (
            set("private_key", json!("MIIEvQIBADANBg")),
            Some("private_key"),
            "BEGIN PRIVATE KEY",
        ),
        (cut, Some("private_key"), "damaged"),
        (
            set(
                "token_uri",
                json!("https://oauth2.googleapis.com.evil.example/token"),
            ),
            Some("token_uri"),
            "nowhere else",
        ),
        (
            set("token_uri", json!("http://oauth2.googleapis.com/token")),
            Some("token_uri"),
            "",
        ),
        (
            set("universe_domain", json!("evil.example")),
            Some("universe_domain"),
            "",
        ),
    ] {
        let problem = look(&upload).expect_err("a mistake");
        assert_eq!(problem.field.as_deref(), field, "{problem}");
        assert!(problem.message.contains(says), "{problem}");
        assert!(!problem.to_string().contains("MII"), "{problem}");
    }
}

#[test]
fn t32_what_is_no_region_or_project_is_refused() {
    let hostile = [
        "evil#",
        "a/b",
        "evil.example",
        "x@evil.example",
        "us-east5?x=1",
        "us-east5\\",
        "us-east5:443",
        "us-east5%2f",
        "US-EAST5",
        "us-east",
        "us-east123",
        "useast5",
        "-east5",
        "localhost",
        "169.254.169.254",
        "../../v2",
        "",
    ];
    for (field, allowed) in [
        ("region", &["us-east"][..0]),
        (
            "project_id",
            &["us-east", "us-east123", "useast5", "localhost"],
        ),
    ] {
        for text in hostile.iter().filter(|text| !allowed.contains(text)) {
            let upload = changed(|file| file[field] = json!(text));
            let problem = look(&upload).expect_err(text);
            assert_eq!(problem.field.as_deref(), Some(field), "{text}");
        }
    }
}
