//! Amazon Bedrock's credentials as people upload them.

use serde_json::{Value, json};

use super::*;

fn facts(upload: &str) -> Result<CredentialFacts, InvalidCredential> {
    BedrockCredential::parse(upload.as_bytes()).map(|credential| credential.facts())
}

fn access_key(change: impl FnOnce(&mut Value)) -> String {
    let mut upload = json!({
        "accessKeyId": "AKIAIOSFODNN7EXAMPLE",
        "secretAccessKey": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "region": "eu-west-1",
    });
    change(&mut upload);
    upload.to_string()
}

#[test]
fn forms_that_are_taken() {
    for (upload, kind, label) in [
        (
            "ABSKQmVkcm9ja0FQSUtleQ==".to_owned(),
            "bedrock_api_key",
            "ABS...Q==",
        ),
        (
            "  bedrock-api-key-YmVkcm9jaw==\n".to_owned(),
            "bedrock_api_key",
            "bedr...w==",
        ),
        (
            json!({"apiKey": "ABSKQmVkcm9ja0FQSUtleQ==\n", "region": " eu-central-1"}).to_string(),
            "bedrock_api_key",
            "eu-central-1 ABS...Q==",
        ),
        (access_key(|_| {}), "aws_access_key", "eu-west-1 AKI...LE"),
        (
            access_key(|upload| {
                upload["accessKeyId"] = json!("ASIAIOSFODNN7EXAMPLE");
                upload["sessionToken"] = json!("IQoJb3JpZ2luX2VjEXAMPLETOKEN");
            }),
            "aws_access_key",
            "eu-west-1 ASI...LE",
        ),
    ] {
        let facts = facts(&upload).expect("a credential");
        assert_eq!((facts.kind, facts.label.as_str()), (kind, label));
        assert!(facts.hosts.is_empty());
    }
}

#[test]
fn mistakes_are_named_where_they_are() {
    let without = |field: &'static str| {
        access_key(|upload| {
            upload.as_object_mut().expect("an object").remove(field);
        })
    };
    for (upload, field, says) in [
        (
            "AKIAIOSFODNN7EXAMPLE".to_owned(),
            None,
            "id of an access key",
        ),
        ("Bearer ABSKQmVkcm9ja0FQSUtleQ==".to_owned(), None, "Bearer"),
        ("{\"apiKey\": ".to_owned(), None, "JSON"),
        ("[]".to_owned(), None, "one"),
        (without("region"), Some("region"), "name the region"),
        (without("accessKeyId"), Some("accessKeyId"), "missing"),
        (
            without("secretAccessKey"),
            Some("secretAccessKey"),
            "missing",
        ),
        (
            access_key(|upload| upload["apiKey"] = json!("ABSKQmVkcm9ja0FQSUtleQ==")),
            Some("apiKey"),
            "beside an access key",
        ),
        (
            json!({"region": "us-east-1"}).to_string(),
            Some("apiKey"),
            "missing",
        ),
        (
            access_key(|upload| {
                let id = upload["accessKeyId"].take();
                upload["accessKeyId"] = upload["secretAccessKey"].take();
                upload["secretAccessKey"] = id;
            }),
            Some("accessKeyId"),
            "wrong way round",
        ),
        (
            access_key(|upload| upload["accessKeyId"] = json!("ASIAIOSFODNN7EXAMPLE")),
            Some("sessionToken"),
            "temporary",
        ),
        (
            access_key(|upload| upload["secretAccessKey"] = json!("two words are no key")),
            Some("secretAccessKey"),
            "without spaces",
        ),
        (
            access_key(|upload| upload["accessKeyId"] = json!("akiaiosfodnn7example")),
            Some("accessKeyId"),
            "capital letters",
        ),
    ] {
        let problem = facts(&upload).expect_err("a mistake");
        assert_eq!(problem.field.as_deref(), field, "{problem}");
        assert!(problem.message.contains(says), "{problem}");
        for secret in ["wJalrXUtnFEMI", "IOSFODNN7", "QmVkcm9ja0FQSUtleQ"] {
            assert!(!problem.to_string().contains(secret), "{problem}");
        }
    }
}

#[test]
fn t32_what_is_no_region_is_refused() {
    for region in [
        "evil#",
        "a/b",
        "us-east-1.evil.example",
        "us-east-1@evil.example",
        "us-east-1?x",
        "us-east-1\\",
        "us-east-1:443",
        "us-east-1%2f",
        "US-EAST-1",
        "us-east-",
        "us-east-0",
        "us-east-11",
        "useast1",
        "-east-1",
        "us--1",
        "localhost",
        "169.254.169.254",
        "us-ëast-1",
        "",
        // Other clouds, with other hosts.
        "cn-north-1",
        "eusc-de-east-1",
    ] {
        let upload = access_key(|upload| upload["region"] = json!(region));
        let problem = facts(&upload).expect_err("no region");
        assert_eq!(problem.field.as_deref(), Some("region"), "{region}");
    }
    for region in [
        "us-east-1",
        "eu-central-2",
        "ap-southeast-5",
        "us-gov-west-1",
        "mx-central-1",
    ] {
        facts(&access_key(|upload| upload["region"] = json!(region))).expect(region);
    }
}
