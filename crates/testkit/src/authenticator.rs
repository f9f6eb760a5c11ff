//! A device with passkeys, in software: what a browser and the key in it answer to a console.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    digest::{SHA256, digest},
    hmac,
    rand::{SecureRandom as _, SystemRandom},
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use serde_json::{Value, json};

const USER_PRESENT: u8 = 0x01;
const USER_VERIFIED: u8 = 0x04;
const HAS_CREDENTIAL: u8 = 0x40;

/// A key pair that was made for somebody at some console.
struct Held {
    credential_id: [u8; 16],
    user_handle: String,
    keys: EcdsaKeyPair,
    uses: u32,
}

/// A person's device, at a page of some origin. It holds one passkey, the last that was asked for.
pub struct SoftAuthenticator {
    origin: String,
    verified: u8,
    random: SystemRandom,
    held: Option<Held>,
}

impl SoftAuthenticator {
    /// A device whose browser shows a page of `origin`.
    pub fn at(origin: &str) -> Self {
        Self {
            origin: origin.to_owned(),
            verified: USER_VERIFIED,
            random: SystemRandom::new(),
            held: None,
        }
    }

    /// Has the browser show a page of another origin.
    pub fn visit(&mut self, origin: &str) {
        origin.clone_into(&mut self.origin);
    }

    /// From now on whoever touches the device is let in.
    pub fn stop_verifying_people(&mut self) {
        self.verified = 0;
    }

    /// Forgets how often the passkey was used, as a copy made before would.
    pub fn rewind(&mut self) {
        if let Some(held) = &mut self.held {
            held.uses = 0;
        }
    }

    /// Makes a passkey for `question` (the `publicKey` option of a browser's call) and answers as
    /// browsers do.
    pub fn register(&mut self, question: &Value) -> Value {
        let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &self.random).expect("a key pair");
        let keys = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &self.random)
            .expect("the key pair that was just made");
        let mut credential_id = [0; 16];
        self.random.fill(&mut credential_id).expect("random bytes");
        let user_handle = text(&question["user"]["id"]);

        let mut data = self.authenticator_data(&text(&question["rp"]["id"]), HAS_CREDENTIAL, 0);
        data.extend([0; 16]);
        data.extend([0, 16]);
        data.extend(credential_id);
        data.extend(cose_key(keys.public_key().as_ref()));
        let mut attestation = vec![0xa3];
        attestation.extend(cbor_text("fmt"));
        attestation.extend(cbor_text("none"));
        attestation.extend(cbor_text("attStmt"));
        attestation.push(0xa0);
        attestation.extend(cbor_text("authData"));
        attestation.extend([0x58, u8::try_from(data.len()).expect("less than 256 bytes")]);
        attestation.extend(data);

        let client = self.client_data("webauthn.create", question);
        self.held = Some(Held {
            credential_id,
            user_handle,
            keys,
            uses: 0,
        });
        let id = URL_SAFE_NO_PAD.encode(credential_id);
        json!({
            "id": id,
            "rawId": id,
            "type": "public-key",
            "response": {
                "attestationObject": URL_SAFE_NO_PAD.encode(attestation),
                "clientDataJSON": URL_SAFE_NO_PAD.encode(client),
            },
            "clientExtensionResults": {},
        })
    }

    /// Signs `question` with the passkey and answers as browsers do.
    pub fn sign_in(&mut self, question: &Value) -> Value {
        let held = self.held.as_mut().expect("a passkey was registered before");
        held.uses += 1;
        let uses = held.uses;
        let data = self.authenticator_data(&text(&question["rpId"]), 0, uses);
        let client = self.client_data("webauthn.get", question);
        let mut signed = data.clone();
        signed.extend(digest(&SHA256, &client).as_ref());
        let held = self.held.as_ref().expect("it still holds it");
        let signature = held.keys.sign(&self.random, &signed).expect("a signature");
        let id = URL_SAFE_NO_PAD.encode(held.credential_id);
        json!({
            "id": id,
            "rawId": id,
            "type": "public-key",
            "response": {
                "authenticatorData": URL_SAFE_NO_PAD.encode(data),
                "clientDataJSON": URL_SAFE_NO_PAD.encode(client),
                "signature": URL_SAFE_NO_PAD.encode(signature.as_ref()),
                "userHandle": held.user_handle,
            },
            "clientExtensionResults": {},
        })
    }

    fn authenticator_data(&self, rp_id: &str, flags: u8, uses: u32) -> Vec<u8> {
        let mut data = digest(&SHA256, rp_id.as_bytes()).as_ref().to_vec();
        data.push(USER_PRESENT | self.verified | flags);
        data.extend(uses.to_be_bytes());
        data
    }

    fn client_data(&self, ceremony: &str, question: &Value) -> Vec<u8> {
        json!({
            "type": ceremony,
            "challenge": question["challenge"],
            "origin": self.origin,
            "crossOrigin": false,
        })
        .to_string()
        .into_bytes()
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn cbor_text(text: &str) -> Vec<u8> {
    let mut bytes = vec![0x60 + u8::try_from(text.len()).expect("a short text")];
    bytes.extend(text.as_bytes());
    bytes
}

/// What an authenticator app with this seed (as it is typed in) shows in a step of 30 seconds since 1970.
///
/// # Panics
/// When the seed is none.
pub fn app_code(typed_seed: &str, step: u64) -> String {
    let mut bits: u32 = 0;
    let mut count = 0;
    let mut seed = Vec::new();
    for letter in typed_seed
        .bytes()
        .filter(|letter| !letter.is_ascii_whitespace())
    {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'2'..=b'7' => letter - b'2' + 26,
            _ => panic!("`{typed_seed}` is no seed"),
        };
        bits = (bits << 5) | u32::from(value);
        count += 5;
        if count >= 8 {
            count -= 8;
            seed.push(u8::try_from((bits >> count) & 0xff).expect("eight bits"));
        }
    }
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &seed);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let from = usize::from(tag[19] & 15);
    let mut four = [0; 4];
    four.copy_from_slice(&tag[from..from + 4]);
    let number = (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000;
    format!("{number:06}")
}

/// The public key as the standard writes one for ECDSA over P-256.
fn cose_key(uncompressed: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20];
    bytes.extend(&uncompressed[1..33]);
    bytes.extend([0x22, 0x58, 0x20]);
    bytes.extend(&uncompressed[33..65]);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_standard() {
        let seed = "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ";
        for (step, code) in [
            (1, "287082"),
            (37_037_036, "081804"),
            (66_666_666, "279037"),
        ] {
            assert_eq!(app_code(seed, step), code);
        }
    }
}
