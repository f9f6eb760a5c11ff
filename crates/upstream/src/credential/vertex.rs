//! What Google Vertex AI is called with: the key of a service account.

use std::fmt;

use ring::{rand::SystemRandom, rsa::KeyPair, signature::RSA_PKCS1_SHA256};
use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject};
use switchyard_domain::secret::Secret;

use super::{
    CredentialFacts, InvalidCredential,
    json::{Object, objects},
};

/// What a key file has, and what may be added to it. Most of it is of no use to us; above all its
/// addresses.
const FIELDS: [&str; 13] = [
    "type",
    "project_id",
    "private_key_id",
    "private_key",
    "client_email",
    "client_id",
    "auth_uri",
    "token_uri",
    "auth_provider_x509_cert_url",
    "client_x509_cert_url",
    "universe_domain",
    "region",
    "bucket",
];

const EXAMPLE: &str = r#"{"type": "service_account", "project_id": "…", "private_key": "…", "client_email": "…"}, which is the key file as Google made it, with a "region" added if you like"#;

/// The only place that tokens are fetched from. A key file names its own; one that names another would
/// have us hand its assertion to whoever wrote the file.
pub(crate) const TOKEN_ADDRESS: &str = "https://oauth2.googleapis.com/token";

/// A place in Google's cloud, such as `us-east5`, `eu` or `global`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Location(String);

impl Location {
    /// Everywhere, which is where a key without a region calls.
    pub(crate) fn global() -> Self {
        Self("global".to_owned())
    }

    /// Reads a place's name.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let is_place = matches!(text, "global" | "eu" | "us") || is_region(text);
        is_place.then(|| Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Two words and a number: `europe-west4`.
fn is_region(text: &str) -> bool {
    let Some((area, place)) = text.split_once('-') else {
        return false;
    };
    let direction = place.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let is_word = |word: &str| {
        (2..=20).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_lowercase())
    };
    is_word(area) && is_word(direction) && (1..=2).contains(&(place.len() - direction.len()))
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A service account, as its key file has it.
pub(crate) struct ServiceAccount {
    pub(crate) project: String,
    pub(crate) email: String,
    pub(crate) key_id: Option<String>,
    /// In PEM.
    pub(crate) private_key: Secret<String>,
    /// Where its owner wants calls to go.
    pub(crate) location: Option<Location>,
}

/// Reads a credential to the bottom, and says what may be shown of it.
pub(super) fn inspect(text: &[u8]) -> Result<CredentialFacts, InvalidCredential> {
    let account = ServiceAccount::parse(text)?;
    account.signing_key()?;
    Ok(CredentialFacts {
        kind: "gcp_service_account",
        label: match &account.location {
            Some(location) => format!("{} {location}", account.project),
            None => account.project,
        },
        hosts: Vec::new(),
    })
}

impl ServiceAccount {
    /// Reads a credential. Complaints name the field. The private key itself is not looked into, since
    /// that takes its time; [`inspect`] does it.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, InvalidCredential> {
        let text = text.trim_ascii();
        if text.starts_with(b"AIza") {
            return Err(InvalidCredential::whole(
                "is an API key of Google AI Studio, and Vertex AI takes service accounts: store it for \
                 google-ai-studio, or paste the key file of a service account here",
            ));
        }
        let mut objects = objects(text, &FIELDS, EXAMPLE)?;
        match (objects.pop(), objects.is_empty()) {
            (Some(object), true) => read(&object),
            _ => Err(InvalidCredential::whole(
                "is a list, and one account is needed: store each as a key of its own",
            )),
        }
    }
}

fn read(object: &Object<'_>) -> Result<ServiceAccount, InvalidCredential> {
    if object.text("type")? != "service_account" {
        return Err(object.invalid(
            "type",
            "is not `service_account`: credentials of people and of other clouds cannot be used here; make a \
             key for a service account and paste that file",
        ));
    }
    check_addresses(object)?;
    let location = match object.optional_text("region")? {
        Some(text) => Some(Location::parse(text.trim()).ok_or_else(|| {
            object.invalid(
                "region",
                "is not a region of Vertex AI: write its name, such as us-east5, europe-west4, eu, us or global",
            )
        })?),
        None => None,
    };
    let project = object.text("project_id")?;
    if !is_project(&project) {
        return Err(object.invalid(
            "project_id",
            "is not the id of a project: it has 6 to 30 lower-case letters, digits and hyphens",
        ));
    }
    let email = object.text("client_email")?;
    if !is_account_email(&email) {
        return Err(object.invalid(
            "client_email",
            "is not the address of a service account, which ends in .gserviceaccount.com: paste the file \
             unchanged",
        ));
    }
    let key_id = object.optional_text("private_key_id")?;
    if key_id.as_deref().is_some_and(|id| !is_key_id(id)) {
        return Err(object.invalid(
            "private_key_id",
            "is not the id of a key, which is letters and digits: paste the file unchanged",
        ));
    }
    Ok(ServiceAccount {
        project,
        email,
        key_id,
        private_key: object.secret("private_key")?,
        location,
    })
}

/// The file says where tokens are fetched and which cloud it is for. Only one answer is right.
fn check_addresses(object: &Object<'_>) -> Result<(), InvalidCredential> {
    let token_address = object.optional_text("token_uri")?;
    if token_address.is_some_and(|given| given != TOKEN_ADDRESS) {
        return Err(object.invalid(
            "token_uri",
            format!(
                "is not {TOKEN_ADDRESS}: tokens are fetched there and nowhere else, so write that"
            ),
        ));
    }
    let universe = object.optional_text("universe_domain")?;
    if universe.is_some_and(|domain| domain != "googleapis.com") {
        return Err(object.invalid(
            "universe_domain",
            "is not googleapis.com: accounts of other clouds that run Google's software cannot be used here",
        ));
    }
    Ok(())
}

impl ServiceAccount {
    /// The RS256 signature of `message`.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, InvalidCredential> {
        let key = self.signing_key()?;
        let mut signature = vec![0; key.public().modulus_len()];
        // This padding draws no random numbers; the signature of one message is always the same.
        key.sign(
            &RSA_PKCS1_SHA256,
            &SystemRandom::new(),
            message,
            &mut signature,
        )
        .map_err(|_| unusable_key())?;
        Ok(signature)
    }

    /// In DER, as a verifier wants it.
    #[cfg(test)]
    pub(crate) fn public_key(&self) -> Vec<u8> {
        let key = self.signing_key().expect("a sound key");
        key.public().as_ref().to_vec()
    }

    fn signing_key(&self) -> Result<KeyPair, InvalidCredential> {
        let pem = self.private_key.expose().as_bytes();
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem).map_err(|_| {
            InvalidCredential::field(
                "private_key",
                "is not a private key between BEGIN PRIVATE KEY and END PRIVATE KEY: upload the file unchanged, \
                 with its \\n",
            )
        })?;
        let der = Secret::new(der);
        KeyPair::from_pkcs8(der.expose().secret_pkcs8_der()).map_err(|_| unusable_key())
    }
}

fn unusable_key() -> InvalidCredential {
    InvalidCredential::field(
        "private_key",
        "is damaged, or no RSA key of 2048 bits or more: upload the file as Google made it",
    )
}

fn is_project(text: &str) -> bool {
    let letters = text.as_bytes();
    (6..=30).contains(&letters.len())
        && letters[0].is_ascii_lowercase()
        && letters
            .iter()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-')
        && !text.ends_with('-')
}

fn is_account_email(text: &str) -> bool {
    text.len() <= 254
        && text.bytes().all(|byte| byte.is_ascii_graphic())
        && text.split_once('@').is_some_and(|(name, domain)| {
            !name.is_empty() && domain.ends_with(".gserviceaccount.com")
        })
}

fn is_key_id(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests;
