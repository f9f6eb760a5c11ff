//! `providerOptions.gateway.byok`: provider credentials that a caller sends along with one request.
//!
//! Values go from the body straight into memory that is wiped, in the form in which a stored
//! credential is uploaded. No complaint repeats one.

use std::{borrow::Cow, sync::Arc};

use serde_json::value::RawValue;
use switchyard_domain::secret::Secret;
use switchyard_interchange::request::SuppliedCredential;

use crate::{
    error::DecodeError,
    json::{self, RawObject, Text},
};

/// Credentials that one request may bring.
const CREDENTIALS_MAX: usize = 8;

/// What a field of theirs is called where credentials are stored.
type Renaming = &'static [(&'static str, &'static str)];

const KEY: Renaming = &[("apiKey", "apiKey")];
const REGIONAL_KEY: Renaming = &[("apiKey", "apiKey"), ("region", "region")];
const AZURE: Renaming = &[("apiKey", "api_key"), ("resourceName", "resource_name")];
const AWS: Renaming = &[
    ("accessKeyId", "accessKeyId"),
    ("secretAccessKey", "secretAccessKey"),
    ("sessionToken", "sessionToken"),
    ("region", "region"),
];
const GOOGLE: Renaming = &[
    ("project", "project_id"),
    ("location", "region"),
    ("clientEmail", "client_email"),
    ("privateKey", "private_key"),
];
/// Where Google's fields may lie one level deeper.
const GOOGLE_NESTED: &str = "googleCredentials";

/// Reads the credentials of each provider, in order; `our_name` knows providers by our names.
pub(super) fn decode(
    path: &str,
    value: Option<&RawValue>,
    our_name: impl Fn(&str) -> String,
) -> Result<Vec<SuppliedCredential>, DecodeError> {
    let Some(value) = value else {
        return Ok(Vec::new());
    };
    let providers: RawObject<'_> = json::parse_at(path, value)?;
    let mut supplied = Vec::new();
    for (provider, list) in &providers.0 {
        let path = format!("{path}.{}", &**provider);
        let objects: Vec<&RawValue> = json::parse_at(&path, list)?;
        for (place, object) in objects.into_iter().enumerate() {
            let path = format!("{path}[{place}]");
            if supplied.len() == CREDENTIALS_MAX {
                return Err(DecodeError::invalid(
                    &path,
                    format!("a request may bring at most {CREDENTIALS_MAX} credentials"),
                ));
            }
            supplied.push(SuppliedCredential {
                provider: our_name(provider),
                secret: Arc::new(read(&path, object)?),
            });
        }
    }
    Ok(supplied)
}

fn read(path: &str, object: &RawValue) -> Result<Secret<Vec<u8>>, DecodeError> {
    let mut fields: RawObject<'_> = json::parse_at(path, object)?;
    if let Some(place) = fields
        .0
        .iter()
        .position(|(name, _)| &**name == GOOGLE_NESTED)
    {
        let (_, nested) = fields.0.remove(place);
        let nested: RawObject<'_> = json::parse_at(&format!("{path}.{GOOGLE_NESTED}"), nested)?;
        fields.0.extend(nested.0);
    }
    let has = |name: &str| fields.0.iter().any(|(field, _)| &**field == name);
    if has("modelMappings") {
        return Err(DecodeError::unsupported(
            format!("{path}.modelMappings"),
            "is not offered; store the credential and name its deployments there",
        ));
    }
    let (known, is_plain) = match () {
        () if has("accessKeyId") => (AWS, false),
        () if has("clientEmail") || has("privateKey") => (GOOGLE, false),
        () if has("resourceName") => (AZURE, false),
        () if has("region") => (REGIONAL_KEY, false),
        () => (KEY, true),
    };
    for (name, _) in &fields.0 {
        if !known.iter().any(|(theirs, _)| *theirs == &**name) {
            return Err(DecodeError::invalid(
                format!("{path}.{}", &**name),
                "is not known here; give `apiKey`, or what the provider's credential consists of",
            ));
        }
    }
    if is_plain {
        return plain_key(path, &fields);
    }
    Ok(document(known, &fields))
}

fn plain_key(path: &str, fields: &RawObject<'_>) -> Result<Secret<Vec<u8>>, DecodeError> {
    let path = format!("{path}.apiKey");
    let Some((_, value)) = fields.0.first() else {
        return Err(DecodeError::invalid(&path, "is missing"));
    };
    let key: Text<'_> = json::parse_at(&path, value)?;
    Ok(Secret::new(match key.0 {
        Cow::Borrowed(key) => key.as_bytes().to_vec(),
        Cow::Owned(key) => key.into_bytes(),
    }))
}

/// The stored form: values as they were written, under the names that they have there. Sized
/// beforehand, since a buffer that grows leaves copies behind.
fn document(known: Renaming, fields: &RawObject<'_>) -> Secret<Vec<u8>> {
    const SERVICE_ACCOUNT: &str = r#""type":"service_account""#;
    /// Quotes, colon, comma, and the longest name.
    const FIELD_BYTES: usize = 32;
    let values: usize = fields.0.iter().map(|(_, value)| value.get().len()).sum();
    let bytes = values + FIELD_BYTES * fields.0.len() + SERVICE_ACCOUNT.len() + 2;
    let mut text = Vec::with_capacity(bytes);
    text.push(b'{');
    if known == GOOGLE {
        text.extend_from_slice(SERVICE_ACCOUNT.as_bytes());
    }
    for (name, value) in &fields.0 {
        let ours = known.iter().find(|(theirs, _)| *theirs == &**name);
        let Some((_, ours)) = ours else { continue };
        if text.len() > 1 {
            text.push(b',');
        }
        text.push(b'"');
        text.extend_from_slice(ours.as_bytes());
        text.extend_from_slice(b"\":");
        text.extend_from_slice(value.get().as_bytes());
    }
    text.push(b'}');
    Secret::new(text)
}
