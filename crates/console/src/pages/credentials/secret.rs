//! The secret of a credential, as forms of its provider's kind have it: a key, or the parts of the JSON
//! that the provider gave out.

use serde_json::{Map, Value};
use switchyard_catalog::snapshot::Family;
use switchyard_domain::secret::Secret;

use super::Sent;
use crate::form::Faults;

/// Which form a secret has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SecretForm {
    /// One text.
    Key,
    Azure,
    Bedrock,
    Vertex,
}

/// Fields of Azure's two shapes, and what they are called.
const AZURE_RESOURCE: &[&str] = &["api_key", "resource_name", "resource_type"];
const AZURE_DEPLOYMENT: &[&str] = &["api_key", "model_slug", "endpoint_url", "model_id"];
const BEDROCK_KEY: &[&str] = &["apiKey", "region"];
const BEDROCK_PAIR: &[&str] = &["accessKeyId", "secretAccessKey", "sessionToken", "region"];

/// Fields that may stay empty.
const OPTIONAL: &[&str] = &["sessionToken", "region"];

impl SecretForm {
    pub(super) const fn of(family: Family) -> Self {
        match family {
            Family::OpenAiCompatible | Family::Anthropic => Self::Key,
            Family::Azure => Self::Azure,
            Family::Bedrock => Self::Bedrock,
            Family::Vertex => Self::Vertex,
        }
    }

    /// The name that templates compare with.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Azure => "azure",
            Self::Bedrock => "bedrock",
            Self::Vertex => "vertex",
        }
    }

    /// The shape that is filled in where nothing is chosen.
    pub(super) const fn first_shape(self) -> &'static str {
        match self {
            Self::Key | Self::Vertex => "",
            Self::Azure => "resource",
            Self::Bedrock => "key",
        }
    }

    /// The secret that a form holds. What is missing is said at its field.
    pub(super) fn read(self, sent: &Sent, faults: &mut Faults) -> Option<Secret<Vec<u8>>> {
        let fields = match (self, sent.get("shape")) {
            (Self::Key, _) => {
                let key = sent.get("secret");
                if key.is_empty() {
                    faults.add("secret", "Paste the key that the provider gave you.");
                    return None;
                }
                return Some(Secret::new(key.as_bytes().to_vec()));
            }
            (Self::Vertex, _) => return vertex(sent, faults),
            (Self::Azure, "deployment") => AZURE_DEPLOYMENT,
            (Self::Azure, _) => AZURE_RESOURCE,
            (Self::Bedrock, "pair") => BEDROCK_PAIR,
            (Self::Bedrock, _) => BEDROCK_KEY,
        };
        let mut object = Map::new();
        for name in fields {
            let value = sent.get(name);
            if !value.is_empty() {
                object.insert((*name).to_owned(), value.into());
            } else if !OPTIONAL.contains(name) {
                faults.add(*name, format!("{} is missing.", label(name)));
            }
        }
        faults.is_empty().then(|| whole(&Value::Object(object)))
    }
}

/// The key file as Google made it, with the region of the form in it.
fn vertex(sent: &Sent, faults: &mut Faults) -> Option<Secret<Vec<u8>>> {
    let text = sent.get("secret");
    if text.is_empty() {
        faults.add("secret", "Paste the whole key file, from { to }.");
        return None;
    }
    let region = sent.get("region");
    // What is no object is for the inspection to complain of, which knows what it should be.
    let object = serde_json::from_str::<Map<String, Value>>(text);
    match object {
        Ok(mut object) if !region.is_empty() => {
            object.insert("region".to_owned(), region.into());
            Some(whole(&Value::Object(object)))
        }
        _ => Some(Secret::new(text.as_bytes().to_vec())),
    }
}

fn whole(object: &Value) -> Secret<Vec<u8>> {
    Secret::new(object.to_string().into_bytes())
}

/// What a field of a secret is called on the form.
pub(super) fn label(field: &str) -> &'static str {
    match field {
        "api_key" | "apiKey" => "The API key",
        "resource_name" => "The resource's name",
        "resource_type" => "The resource's kind",
        "model_slug" => "The model",
        "endpoint_url" => "The deployment's address",
        "model_id" => "The deployment's model",
        "accessKeyId" => "The access key's id",
        "secretAccessKey" => "The secret access key",
        "sessionToken" => "The session token",
        "region" => "The region",
        _ => "The key",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(fields: &[(&str, &str)]) -> Sent {
        let fields = fields.iter();
        Sent(
            fields
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        )
    }

    fn read(form: SecretForm, fields: &[(&str, &str)]) -> Result<String, Vec<String>> {
        let mut faults = Faults::default();
        let secret = form.read(&sent(fields), &mut faults);
        match secret {
            Some(secret) if faults.is_empty() => {
                Ok(String::from_utf8(secret.expose().clone()).expect("text"))
            }
            _ => Err(faults.iter().map(|(field, _)| field.to_owned()).collect()),
        }
    }

    #[test]
    fn each_kind_has_its_own_form() {
        assert_eq!(
            read(SecretForm::Key, &[("secret", " sk-1 ")]),
            Ok("sk-1".to_owned())
        );
        assert_eq!(
            read(
                SecretForm::Azure,
                &[
                    ("shape", "resource"),
                    ("api_key", "k"),
                    ("resource_name", "acme"),
                    ("resource_type", "openai"),
                    ("model_id", "left over from the other shape"),
                ]
            ),
            Ok(r#"{"api_key":"k","resource_name":"acme","resource_type":"openai"}"#.to_owned())
        );
        assert_eq!(
            read(SecretForm::Bedrock, &[("shape", "key"), ("apiKey", "k")]),
            Ok(r#"{"apiKey":"k"}"#.to_owned())
        );
        assert_eq!(
            read(
                SecretForm::Vertex,
                &[("secret", r#"{"type":"x"}"#), ("region", "eu")]
            ),
            Ok(r#"{"type":"x","region":"eu"}"#.to_owned())
        );
        assert_eq!(
            read(
                SecretForm::Vertex,
                &[("secret", "no json"), ("region", "eu")]
            ),
            Ok("no json".to_owned())
        );
    }

    #[test]
    fn what_is_missing_is_said_at_its_field() {
        let missing = |form, fields: &[(&str, &str)]| read(form, fields).expect_err("refused");
        assert_eq!(missing(SecretForm::Key, &[]), ["secret"]);
        assert_eq!(missing(SecretForm::Vertex, &[("region", "eu")]), ["secret"]);
        assert_eq!(
            missing(
                SecretForm::Azure,
                &[("shape", "deployment"), ("api_key", "k")]
            ),
            ["endpoint_url", "model_id", "model_slug"]
        );
        assert_eq!(
            missing(SecretForm::Bedrock, &[("shape", "pair")]),
            ["accessKeyId", "secretAccessKey"]
        );
    }
}
