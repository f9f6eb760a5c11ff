//! Secrets on their way into and out of JSON, in buffers that are wiped.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use crate::limits::REQUEST_BYTES_ROOM;

/// Base64 of something secret.
pub(crate) struct SecretText(Zeroizing<String>);

impl SecretText {
    pub(crate) fn encode(parts: [&[u8]; 2]) -> Self {
        let [first, second] = parts;
        // Sized beforehand: what grows leaves copies behind.
        let mut plain = Zeroizing::new(Vec::with_capacity(first.len() + second.len()));
        plain.extend_from_slice(first);
        plain.extend_from_slice(second);
        let mut text = Zeroizing::new(String::with_capacity(plain.len().div_ceil(3) * 4));
        STANDARD.encode_string(&*plain, &mut text);
        Self(text)
    }

    /// The plain bytes, if it is base64 at all.
    pub(crate) fn decode(&self) -> Option<Zeroizing<Vec<u8>>> {
        let mut plain = Zeroizing::new(Vec::with_capacity(self.0.len()));
        STANDARD.decode_vec(self.0.as_bytes(), &mut plain).ok()?;
        Some(plain)
    }
}

impl Serialize for SecretText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

/// A request's JSON, wiped when the last handle on it goes.
pub(crate) fn json_bytes(value: &impl Serialize) -> Bytes {
    let mut bytes = Zeroizing::new(Vec::with_capacity(REQUEST_BYTES_ROOM));
    serde_json::to_writer(&mut *bytes, value).expect("requests are plain structs of text");
    Bytes::from_owner(bytes)
}
