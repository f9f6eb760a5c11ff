//! What Amazon Bedrock is called with: an API key, or an access key that signs.

use std::{fmt, ops::RangeInclusive};

use switchyard_domain::secret::Secret;

use super::{
    CredentialFacts, InvalidCredential, api_key,
    json::{Object, objects},
    masked,
};

const FIELDS: [&str; 5] = [
    "apiKey",
    "accessKeyId",
    "secretAccessKey",
    "sessionToken",
    "region",
];

const EXAMPLE: &str = r#"{"apiKey": "…", "region": "us-east-1"} or {"accessKeyId": "…", "secretAccessKey": "…", "region": "us-east-1"}"#;

/// Parts of the world that Amazon's public regions begin with. China, Europe's sovereign cloud and
/// those of secret services are other clouds, with other addresses.
const REGION_AREAS: [&str; 10] = [
    "af", "ap", "ca", "eu", "il", "me", "mx", "sa", "us", "us-gov",
];

/// Characters of an access key's id.
const ID_CHARS: RangeInclusive<usize> = 16..=128;
/// Characters of a secret access key; today's have forty.
const SECRET_CHARS: RangeInclusive<usize> = 16..=256;
/// Characters of a session token, which says much and has no stated limit.
const TOKEN_CHARS: RangeInclusive<usize> = 16..=8_192;

/// A region of Amazon's, such as `eu-west-1`: a label of a host name, and part of what is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Region(String);

impl Region {
    /// Reads a region's name.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (rest, number) = text.rsplit_once('-')?;
        let (area, direction) = rest.rsplit_once('-')?;
        let is_region = matches!(number.as_bytes(), [b'1'..=b'9'])
            && (4..=16).contains(&direction.len())
            && direction.bytes().all(|byte| byte.is_ascii_lowercase())
            && REGION_AREAS.contains(&area);
        is_region.then(|| Self(text.to_owned()))
    }

    /// Where a key that names no region is good, as far as anybody knows: where most are made.
    pub(crate) fn of_bare_keys() -> Self {
        Self("us-east-1".to_owned())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What authenticates a call.
pub(crate) enum BedrockCredential {
    /// Sent as it is. A key without a region works wherever the endpoint says, or in
    /// [`Region::of_bare_keys`].
    ApiKey {
        key: Secret<String>,
        region: Option<Region>,
    },
    /// Signs each request, in its one region.
    AccessKey { key: AccessKey, region: Region },
}

/// An access key. Temporary ones come with a token.
pub(crate) struct AccessKey {
    pub(crate) id: Secret<String>,
    pub(crate) secret: Secret<String>,
    pub(crate) session_token: Option<Secret<String>>,
}

impl BedrockCredential {
    /// Reads a credential. Complaints name the field.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, InvalidCredential> {
        let text = text.trim_ascii();
        if !matches!(text.first(), Some(b'{' | b'[')) {
            let key = api_key::check_shape(text)?;
            if looks_like_access_key_id(key) {
                return Err(InvalidCredential::whole(format!(
                    "is the id of an access key, which signs nothing without the rest: write {EXAMPLE}"
                )));
            }
            return Ok(Self::ApiKey {
                key: Secret::new(key.to_owned()),
                region: None,
            });
        }
        let mut objects = objects(text, &FIELDS, EXAMPLE)?;
        match (objects.pop(), objects.is_empty()) {
            (Some(object), true) => read(&object),
            _ => Err(InvalidCredential::whole(
                "is a list, and one key is needed: store each as a key of its own",
            )),
        }
    }

    /// What may be shown of it.
    pub(super) fn facts(&self) -> CredentialFacts {
        let (kind, label, region) = match self {
            Self::ApiKey { key, region } => {
                ("bedrock_api_key", masked(key.expose()), region.as_ref())
            }
            Self::AccessKey { key, region } => {
                ("aws_access_key", masked(key.id.expose()), Some(region))
            }
        };
        CredentialFacts {
            kind,
            label: match region {
                Some(region) => format!("{region} {label}"),
                None => label,
            },
            hosts: Vec::new(),
        }
    }
}

fn read(object: &Object<'_>) -> Result<BedrockCredential, InvalidCredential> {
    let is_access_key = ["accessKeyId", "secretAccessKey", "sessionToken"]
        .into_iter()
        .any(|field| object.has(field));
    if object.has("apiKey") {
        if is_access_key {
            return Err(object.invalid(
                "apiKey",
                "stands beside an access key: keep one of them, and store the other as a key of its own",
            ));
        }
        let key = trimmed(object.secret("apiKey")?);
        api_key::check_shape(key.expose().as_bytes())
            .map_err(|problem| object.invalid("apiKey", problem.message))?;
        return Ok(BedrockCredential::ApiKey {
            key,
            region: region(object)?,
        });
    }
    if !is_access_key {
        return Err(object.invalid("apiKey", format!("is missing: write {EXAMPLE}")));
    }
    let key = AccessKey {
        id: trimmed(object.secret("accessKeyId")?),
        secret: trimmed(object.secret("secretAccessKey")?),
        session_token: match object.has("sessionToken") {
            true => Some(trimmed(object.secret("sessionToken")?)),
            false => None,
        },
    };
    check_access_key(object, &key)?;
    let region = region(object)?.ok_or_else(|| {
        object.invalid(
            "region",
            "is missing: name the region that the key is to call, such as us-east-1",
        )
    })?;
    Ok(BedrockCredential::AccessKey { key, region })
}

fn region(object: &Object<'_>) -> Result<Option<Region>, InvalidCredential> {
    let Some(text) = object.optional_text("region")? else {
        return Ok(None);
    };
    match Region::parse(text.trim()) {
        Some(region) => Ok(Some(region)),
        None => Err(object.invalid(
            "region",
            "is not one of Amazon's public regions: write its code, such as us-east-1 or eu-central-1",
        )),
    }
}

fn check_access_key(object: &Object<'_>, key: &AccessKey) -> Result<(), InvalidCredential> {
    let (id, secret) = (key.id.expose(), key.secret.expose());
    if looks_like_access_key_id(secret) && !looks_like_access_key_id(id) {
        return Err(object.invalid(
            "accessKeyId",
            "and secretAccessKey are the wrong way round: swap them",
        ));
    }
    let is_id = ID_CHARS.contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if !is_id {
        return Err(object.invalid(
            "accessKeyId",
            "is not the id of an access key: it has 16 or more capital letters and digits, such as AKIA…",
        ));
    }
    check_visible(object, "secretAccessKey", secret, SECRET_CHARS)?;
    match &key.session_token {
        Some(token) => check_visible(object, "sessionToken", token.expose(), TOKEN_CHARS),
        None if id.starts_with("ASIA") => Err(object.invalid(
            "sessionToken",
            "is missing: an access key that begins with ASIA is temporary and works only with its token; \
             store one that lasts instead",
        )),
        None => Ok(()),
    }
}

fn check_visible(
    object: &Object<'_>,
    field: &str,
    text: &str,
    length: RangeInclusive<usize>,
) -> Result<(), InvalidCredential> {
    if length.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    let message = format!(
        "must be {} to {} visible characters without spaces: copy it again",
        length.start(),
        length.end()
    );
    Err(object.invalid(field, message))
}

/// Without the line end that was pasted along.
fn trimmed(secret: Secret<String>) -> Secret<String> {
    if secret.expose().trim().len() == secret.expose().len() {
        return secret;
    }
    Secret::new(secret.expose().trim().to_owned())
}

fn looks_like_access_key_id(text: &str) -> bool {
    text.len() == 20
        && (text.starts_with("AKIA") || text.starts_with("ASIA"))
        && text
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

#[cfg(test)]
mod tests;
