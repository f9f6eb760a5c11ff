//! A Vault with one transit key: checks who asks, numbers its versions, and decrypts for the same
//! associated data only.

use std::sync::{Arc, Mutex};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{Response, request::Parts};
use serde_json::{Map, Value, json};
use switchyard_domain::secret::Secret;
use switchyard_key_services::{Transit, TransitSettings, Trust};

use crate::{
    clock::ManualClock,
    fake::{Fake, Service, json as answer_json},
};

pub(crate) const TOKEN: &str = "hvs.CAESIJ-example-token";
pub(crate) const NAMESPACE: &str = "teams/a";
pub(crate) const KEK_ID: &str = "transit:teams/a/kms/transit/switchyard";
const ROUTE: &str = "/v1/kms/transit/";
const KEY: &str = "switchyard";

#[derive(Default)]
pub(crate) struct FakeTransit {
    pub(crate) state: Mutex<State>,
}

pub(crate) struct State {
    pub(crate) latest_version: u64,
    pub(crate) min_decryption_version: u64,
    pub(crate) kind: &'static str,
    /// As before version 1.13.
    pub(crate) ignores_associated_data: bool,
    /// What callers must show; an agent shows it for them.
    pub(crate) token: Option<&'static str>,
    /// What every request is answered with.
    pub(crate) error: Option<(u16, &'static str)>,
    made: Vec<Made>,
}

struct Made {
    ciphertext: String,
    version: u64,
    associated_data: String,
    plaintext: String,
}

impl Default for State {
    fn default() -> Self {
        Self {
            latest_version: 1,
            min_decryption_version: 1,
            kind: "aes256-gcm96",
            ignores_associated_data: false,
            token: Some(TOKEN),
            error: None,
            made: Vec::new(),
        }
    }
}

impl State {
    fn answer(&mut self, operation: &str, method: &str, asked: &Value) -> Response<Vec<u8>> {
        match (method, operation) {
            ("POST", "encrypt") => self.encrypt(asked),
            ("POST", "decrypt") => self.decrypt(asked),
            ("GET", "keys") => self.facts(),
            _ => errors(405, "unsupported operation"),
        }
    }

    fn encrypt(&mut self, asked: &Value) -> Response<Vec<u8>> {
        let version = self.latest_version;
        let body = STANDARD.encode(format!("made {}", self.made.len()));
        let ciphertext = format!("vault:v{version}:{body}");
        self.made.push(Made {
            ciphertext: ciphertext.clone(),
            version,
            associated_data: text(asked, "associated_data"),
            plaintext: text(asked, "plaintext"),
        });
        data(&json!({ "ciphertext": ciphertext, "key_version": version }))
    }

    fn decrypt(&self, asked: &Value) -> Response<Vec<u8>> {
        let ciphertext = text(asked, "ciphertext");
        let Some(found) = self.made.iter().find(|made| made.ciphertext == ciphertext) else {
            return errors(400, "invalid ciphertext: unable to decrypt");
        };
        if found.version < self.min_decryption_version {
            let says = "ciphertext or signature version is disallowed by policy (too old)";
            return errors(400, says);
        }
        if found.version > self.latest_version {
            return errors(400, "invalid ciphertext: version is too new");
        }
        let is_bound = !self.ignores_associated_data;
        if is_bound && found.associated_data != text(asked, "associated_data") {
            return errors(400, "cipher: message authentication failed");
        }
        data(&json!({ "plaintext": found.plaintext }))
    }

    fn facts(&self) -> Response<Vec<u8>> {
        let keys: Map<String, Value> = (self.min_decryption_version..=self.latest_version)
            .map(|version| (version.to_string(), json!(1_795_500_000)))
            .collect();
        data(&json!({
            "type": self.kind,
            "name": KEY,
            "keys": keys,
            "latest_version": self.latest_version,
            "min_decryption_version": self.min_decryption_version,
            "min_encryption_version": 0,
            "derived": false,
            "exportable": false,
            "deletion_allowed": false,
            "supports_encryption": true,
            "supports_decryption": true,
        }))
    }
}

impl Service for FakeTransit {
    fn answer(&self, head: &Parts, body: &[u8]) -> Response<Vec<u8>> {
        let mut state = self.state.lock().expect("no panic holds it");
        let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
        if let Some((status, says)) = state.error {
            return errors(status, says);
        }
        if header("x-vault-token") != state.token || header("x-vault-request") != Some("true") {
            return errors(403, "permission denied");
        }
        let route = head.uri.path().strip_prefix(ROUTE);
        let operation = route.and_then(|rest| rest.strip_suffix(KEY)?.strip_suffix('/'));
        let (Some(operation), Some(NAMESPACE)) = (operation, header("x-vault-namespace")) else {
            return errors(404, "no handler for route");
        };
        let asked: Value = serde_json::from_slice(body).unwrap_or_default();
        state.answer(operation, head.method.as_str(), &asked)
    }
}

pub(crate) async fn start() -> Fake<FakeTransit> {
    Fake::start(FakeTransit::default()).await
}

impl Fake<FakeTransit> {
    pub(crate) fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.service.state.lock().expect("no panic holds it"));
    }
}

/// A client of the fake.
pub(crate) fn client(fake: &Fake<FakeTransit>, clock: &Arc<ManualClock>) -> Transit {
    client_with(fake, clock, Some(TOKEN), &Trust::public())
}

pub(crate) fn client_with(
    fake: &Fake<FakeTransit>,
    clock: &Arc<ManualClock>,
    token: Option<&str>,
    trust: &Trust,
) -> Transit {
    let settings = TransitSettings {
        address: fake.address(),
        mount: "kms/transit/".parse().expect("a path"),
        key: KEY.parse().expect("a name"),
        namespace: Some(NAMESPACE.parse().expect("a path")),
        token: token.map(|token| Arc::new(Secret::new(token.to_owned()))),
    };
    Transit::new(settings, trust, Arc::clone(clock) as Arc<_>).expect("a token for a header")
}

fn data(data: &Value) -> Response<Vec<u8>> {
    answer_json(
        200,
        &json!({
            "request_id": "f2d4a1f0-0d1e-4d0b-8a5e-7a3f5d1c2b3a",
            "lease_id": "",
            "renewable": false,
            "lease_duration": 0,
            "data": data,
            "wrap_info": null,
            "warnings": null,
            "auth": null,
        }),
    )
}

fn errors(status: u16, says: &str) -> Response<Vec<u8>> {
    answer_json(status, &json!({ "errors": [says] }))
}

fn text(object: &Value, field: &str) -> String {
    object[field].as_str().unwrap_or_default().to_owned()
}
