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

fn with(field: &str, value: Value) -> String {
    changed(|file| file[field] = value)
}

fn complains(upload: &str, field: Option<&str>, says: &str) {
    let problem = look(upload).expect_err("a mistake");
    assert_eq!(problem.field.as_deref(), field, "{problem}");
    assert!(problem.message.contains(says), "{problem}");
    assert!(!problem.to_string().contains("MII"), "{problem}");
}

#[test]
fn mistakes_are_named_where_they_are() {
    for (upload, says) in [
        ("AIzaSyExampleExampleExample", "Google AI Studio"),
        ("~/Downloads/key.json", "JSON"),
        (&format!("[{KEY_FILE},{KEY_FILE}]"), "list"),
    ] {
        complains(upload, None, says);
    }
    for (field, value, says) in [
        ("type", json!("authorized_user"), "service_account"),
        ("type", json!("external_account"), "service_account"),
        ("type", Value::Null, "missing"),
        ("client_email", json!("me@example.com"), "service account"),
        ("client_email", json!("a b@x.iam.gserviceaccount.com"), ""),
        ("private_key_id", json!("../.."), "letters and digits"),
        ("private_key", Value::Null, "missing"),
        ("private_key", json!("MIIEvQIBADANBg"), "BEGIN PRIVATE KEY"),
    ] {
        complains(&with(field, value), Some(field), says);
    }
    let damaged = changed(|file| {
        let pem = file["private_key"].as_str().expect("a text");
        file["private_key"] = json!(pem.replace("\nMII", "\nMIA"));
    });
    complains(&damaged, Some("private_key"), "damaged");
}

#[test]
fn addresses_in_a_key_file_are_googles_or_refused() {
    for (field, address) in [
        (
            "token_uri",
            "https://oauth2.googleapis.com.evil.example/token",
        ),
        (
            "token_uri",
            "https://evil.example/https://oauth2.googleapis.com/token",
        ),
        ("token_uri", "http://oauth2.googleapis.com/token"),
        ("token_uri", "https://oauth2.googleapis.com/token?x"),
        ("token_uri", "https://accounts.google.com/o/oauth2/token"),
        ("universe_domain", "evil.example"),
    ] {
        complains(&with(field, json!(address)), Some(field), "googleapis.com");
    }
    // Of no use to us, and so of no harm.
    look(&with("auth_uri", json!("https://evil.example"))).expect("a key file");
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
