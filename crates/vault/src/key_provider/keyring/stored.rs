//! The JSON form of a keyring.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeStruct as _};
use switchyard_domain::secret::Secret;
use zeroize::Zeroizing;

use super::RetiredKey;
use crate::key_provider::local::LocalKey;

pub(super) const FORMAT: u32 = 1;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredKeyring {
    pub(super) format: u32,
    pub(super) id: String,
    pub(super) primary: u32,
    pub(super) keys: Vec<StoredKey>,
    #[serde(default)]
    pub(super) retired: Vec<StoredRetired>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredRetired {
    pub(super) version: u32,
    #[serde(deserialize_with = "key_from_base64")]
    pub(super) audit_key: Secret<[u8; 32]>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredKey {
    pub(super) version: u32,
    #[serde(deserialize_with = "key_from_base64")]
    pub(super) key: Secret<[u8; 32]>,
}

/// Straight from the file's buffer into the secret, without a copy of the text in between.
fn key_from_base64<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Secret<[u8; 32]>, D::Error> {
    let text = <&str>::deserialize(deserializer)?;
    let mut bytes = Zeroizing::new([0_u8; 36]);
    let length = STANDARD
        .decode_slice(text, &mut *bytes)
        .map_err(|_| de::Error::custom("a key is not base64"))?;
    match (length, bytes.first_chunk()) {
        (32, Some(key)) => Ok(Secret::new(*key)),
        _ => Err(de::Error::custom("a key has not 32 bytes")),
    }
}

#[derive(Serialize)]
pub(super) struct StoredKeyringRef<'a> {
    pub(super) format: u32,
    pub(super) id: &'a str,
    pub(super) primary: u32,
    pub(super) keys: Vec<StoredKeyRef<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) retired: Vec<StoredRetiredRef<'a>>,
}

pub(super) struct StoredKeyRef<'a>(pub(super) &'a LocalKey);

impl Serialize for StoredKeyRef<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = Zeroizing::new(STANDARD.encode(self.0.material()));
        let mut stored = serializer.serialize_struct("StoredKey", 2)?;
        stored.serialize_field("version", &self.0.version)?;
        stored.serialize_field("key", &*text)?;
        stored.end()
    }
}

pub(super) struct StoredRetiredRef<'a>(pub(super) &'a RetiredKey);

impl Serialize for StoredRetiredRef<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = Zeroizing::new(STANDARD.encode(self.0.audit_key.expose()));
        let mut stored = serializer.serialize_struct("StoredRetired", 2)?;
        stored.serialize_field("version", &self.0.version)?;
        stored.serialize_field("audit_key", &*text)?;
        stored.end()
    }
}

impl StoredKeyringRef<'_> {
    pub(super) fn to_json(&self) -> Zeroizing<Vec<u8>> {
        // Room for everything beforehand: a growing buffer would leave copies of keys behind.
        let mut json = Zeroizing::new(Vec::with_capacity(
            256 + self.id.len() + 128 * (self.keys.len() + self.retired.len()),
        ));
        serde_json::to_writer(&mut *json, self).expect("writing to memory cannot fail");
        json.push(b'\n');
        json
    }
}
