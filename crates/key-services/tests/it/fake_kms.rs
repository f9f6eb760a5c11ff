//! A KMS with a few keys: checks who asks, keeps what it encrypted, and decrypts it for the same
//! encryption context only.

use std::sync::{Arc, Mutex};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{Response, request::Parts};
use serde_json::{Value, json};
use switchyard_domain::{
    clock::{Clock, Timestamp},
    secret::Secret,
};
use switchyard_key_services::{AwsCredentials, AwsKms, AwsKmsSettings};

use crate::{
    clock::ManualClock,
    fake::{Fake, Service, json as answer_json},
    sigv4::{Expected, verifies},
};

pub(crate) const KEY: &str =
    "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
pub(crate) const OTHER_KEY: &str =
    "arn:aws:kms:eu-central-1:111122223333:key/0987dcba-09fe-87dc-65ba-ab0987654321";
const ACCESS_KEY_ID: &str = "AKIDEXAMPLE";
const SECRET_ACCESS_KEY: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const SESSION_TOKEN: &str = "AQoDYXdzEPT//example";
/// How far a signature's time may be off.
const SKEW_SECONDS: i64 = 300;

pub(crate) struct FakeKms {
    clock: Arc<ManualClock>,
    pub(crate) policy: Mutex<Policy>,
    made: Mutex<Vec<Made>>,
}

/// What it is told to do otherwise.
#[derive(Default)]
pub(crate) struct Policy {
    /// An operation that ends in an error of this name and status.
    pub(crate) failing: Option<(&'static str, &'static str, u16)>,
    /// The key it says it used.
    pub(crate) claimed_key: Option<&'static str>,
    /// What decrypting yields.
    pub(crate) plaintext: Option<&'static str>,
}

struct Made {
    key: String,
    context: Value,
    plaintext: String,
    blob: String,
}

impl FakeKms {
    pub(crate) async fn start(clock: &Arc<ManualClock>) -> Fake<Self> {
        Fake::start(Self {
            clock: Arc::clone(clock),
            policy: Mutex::default(),
            made: Mutex::default(),
        })
        .await
    }

    pub(crate) fn set(&self, policy: Policy) {
        *self.policy.lock().expect("no panic holds it") = policy;
    }

    fn is_authentic(&self, head: &Parts, body: &[u8]) -> bool {
        let expected = Expected {
            access_key_id: ACCESS_KEY_ID,
            secret_access_key: SECRET_ACCESS_KEY,
            region: "eu-central-1",
            service: "kms",
        };
        let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
        let at = header("x-amz-date").and_then(parse_time);
        let now = self.clock.now().seconds();
        let is_timely = at.is_some_and(|at| (at.seconds() - now).abs() <= SKEW_SECONDS);
        is_timely
            && header("x-amz-security-token") == Some(SESSION_TOKEN)
            && verifies(&expected, head, body)
    }

    fn encrypt(&self, asked: &Value, key: &str) -> Response<Vec<u8>> {
        let mut made = self.made.lock().expect("no panic holds it");
        let blob = STANDARD.encode(format!("blob {}", made.len()));
        made.push(Made {
            key: key.to_owned(),
            context: asked["EncryptionContext"].clone(),
            plaintext: text(asked, "Plaintext"),
            blob: blob.clone(),
        });
        amz_json(
            200,
            &json!({
                "CiphertextBlob": blob,
                "EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
                "KeyId": self.claimed(key),
            }),
        )
    }

    fn decrypt(&self, asked: &Value, key: &str) -> Response<Vec<u8>> {
        let made = self.made.lock().expect("no panic holds it");
        let blob = text(asked, "CiphertextBlob");
        let Some(found) = made.iter().find(|made| made.blob == blob) else {
            return error(400, "InvalidCiphertextException");
        };
        if found.key != key {
            return error(400, "IncorrectKeyException");
        }
        if found.context != asked["EncryptionContext"] {
            return error(400, "InvalidCiphertextException");
        }
        let policy = self.policy.lock().expect("no panic holds it");
        let plaintext = policy.plaintext.unwrap_or(&found.plaintext).to_owned();
        drop(policy);
        amz_json(
            200,
            &json!({
                "EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
                "KeyId": self.claimed(key),
                "KeyMaterialId": "0b7fd7ddbac6eef27907413567cad8c810e2883dc8a7534067a82ee1142fc1e6",
                "Plaintext": plaintext,
            }),
        )
    }

    fn claimed(&self, key: &str) -> String {
        let policy = self.policy.lock().expect("no panic holds it");
        policy.claimed_key.unwrap_or(key).to_owned()
    }
}

impl Service for FakeKms {
    fn answer(&self, head: &Parts, body: &[u8]) -> Response<Vec<u8>> {
        let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
        if (head.method.as_str(), head.uri.path()) != ("POST", "/")
            || header("content-type") != Some("application/x-amz-json-1.1")
        {
            return error(404, "UnknownOperationException");
        }
        if !self.is_authentic(head, body) {
            return error(400, "InvalidSignatureException");
        }
        let Ok(asked) = serde_json::from_slice::<Value>(body) else {
            return error(400, "SerializationException");
        };
        let target = header("x-amz-target").unwrap_or_default();
        let operation = target.strip_prefix("TrentService.").unwrap_or_default();
        let failing = self.policy.lock().expect("no panic holds it").failing;
        if let Some((failing, name, status)) = failing
            && failing == operation
        {
            return error(status, name);
        }
        let key = text(&asked, "KeyId");
        if key != KEY && key != OTHER_KEY {
            return error(400, "NotFoundException");
        }
        match operation {
            "Encrypt" => self.encrypt(&asked, &key),
            "Decrypt" => self.decrypt(&asked, &key),
            _ => error(400, "UnknownOperationException"),
        }
    }
}

/// A client of the fake, for one of its keys.
pub(crate) fn client(fake: &Fake<FakeKms>, key: &str, clock: &Arc<ManualClock>) -> AwsKms {
    client_as(fake, key, clock, SECRET_ACCESS_KEY)
}

pub(crate) fn client_as(
    fake: &Fake<FakeKms>,
    key: &str,
    clock: &Arc<ManualClock>,
    secret_access_key: &str,
) -> AwsKms {
    let settings = AwsKmsSettings {
        key: key.parse().expect("an ARN"),
        endpoint: fake.address(),
        credentials: AwsCredentials {
            access_key_id: ACCESS_KEY_ID.to_owned(),
            secret_access_key: Arc::new(Secret::new(secret_access_key.to_owned())),
            session_token: Some(Arc::new(Secret::new(SESSION_TOKEN.to_owned()))),
        },
    };
    AwsKms::new(&settings, Arc::clone(clock) as Arc<_>)
}

fn amz_json(status: u16, body: &Value) -> Response<Vec<u8>> {
    let mut response = answer_json(status, body);
    let kind = "application/x-amz-json-1.1".parse().expect("a value");
    response.headers_mut().insert("content-type", kind);
    response
}

fn error(status: u16, name: &str) -> Response<Vec<u8>> {
    amz_json(
        status,
        &json!({ "__type": name, "message": "said at length" }),
    )
}

fn text(object: &Value, field: &str) -> String {
    object[field].as_str().unwrap_or_default().to_owned()
}

/// Such as 20150830T123600Z.
fn parse_time(text: &str) -> Option<Timestamp> {
    let part = |range| text.get(range);
    let (year, month, day) = (part(0..4)?, part(4..6)?, part(6..8)?);
    let (hour, minute, second) = (part(9..11)?, part(11..13)?, part(13..15)?);
    Timestamp::parse_rfc3339(&format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z"))
}
