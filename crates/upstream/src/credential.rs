//! What owners upload as provider credentials: parsed, checked, and told apart from what it is easily
//! mistaken for. One place for all families, used when a credential is stored and again when it is
//! sent, so that what is accepted is what works.
//!
//! Nothing here says what a secret is: facts and complaints name fields, shapes and places.

mod api_key;
pub(crate) mod azure;
pub(crate) mod bedrock;
mod json;
pub(crate) mod vertex;

#[cfg(test)]
mod tests;

use switchyard_catalog::snapshot::Family;
use switchyard_domain::{provider::ProviderSlug, secret::Secret};

use self::{azure::AzureCredential, bedrock::BedrockCredential};

/// What may be known of a credential by whoever may list it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialFacts {
    /// The form it has.
    pub kind: &'static str,
    /// By what its owner recognises it: its ends, never more than eight characters of a secret in all.
    pub label: String,
    /// The hosts that its owner chose, in lower case, sorted. Empty where the catalogue says where
    /// requests go.
    pub hosts: Vec<String>,
}

/// What is wrong with an uploaded credential, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", field.as_ref().map_or(String::new(), |field| format!("`{field}` ")))]
pub struct InvalidCredential {
    /// Where, in a credential that has fields.
    pub field: Option<String>,
    /// Reads on after the field's name. Holds nothing of the credential.
    pub message: String,
}

impl InvalidCredential {
    /// A complaint about the credential as a whole.
    pub(crate) fn whole(message: impl Into<String>) -> Self {
        Self {
            field: None,
            message: message.into(),
        }
    }

    /// A complaint about one field.
    pub(crate) fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            field: Some(field.into()),
            message: message.into(),
        }
    }
}

/// Checks a credential for `provider`, which is of `family`, without asking anybody. Whitespace around
/// it does not count: it is left out when the credential is used.
pub fn inspect(
    family: Family,
    provider: &ProviderSlug,
    credential: &Secret<Vec<u8>>,
) -> Result<CredentialFacts, InvalidCredential> {
    let text = credential.expose().trim_ascii();
    match family {
        Family::OpenAiCompatible | Family::Anthropic => {
            let key = api_key::check(provider, text)?;
            Ok(CredentialFacts {
                kind: "api_key",
                label: masked(key),
                hosts: Vec::new(),
            })
        }
        Family::Azure => AzureCredential::parse(text).map(|credential| credential.facts()),
        Family::Bedrock => BedrockCredential::parse(text).map(|credential| credential.facts()),
        Family::Vertex => vertex::inspect(text),
    }
}

/// The ends of a secret: a quarter of it, and never more than eight characters.
pub(crate) fn masked(secret: &str) -> String {
    let letters = secret.chars().count();
    let shown = (letters / 4).min(8);
    let tail = (shown / 2).min(3);
    let head: String = secret.chars().take(shown - tail).collect();
    let end: String = secret.chars().skip(letters - tail).collect();
    format!("{head}...{end}")
}
