//! Azure's credentials: resources, which serve whatever is deployed in them, and single deployments.

use std::collections::BTreeSet;

use switchyard_catalog::snapshot::Model;
use switchyard_domain::secret::Secret;

use super::{
    CredentialFacts, InvalidCredential, api_key,
    json::{Object, objects},
    masked,
};
use crate::host::{Host, is_label};

const FIELDS: [&str; 6] = [
    "api_key",
    "resource_name",
    "resource_type",
    "model_slug",
    "endpoint_url",
    "model_id",
];

const EXAMPLE: &str = r#"[{"api_key": "…", "resource_name": "…", "resource_type": "openai"}]"#;

/// Domains that Azure serves models under. No other host gets a key of Azure's.
const DOMAINS: [&str; 5] = [
    OPENAI_DOMAIN,
    FOUNDRY_DOMAIN,
    "cognitiveservices.azure.com",
    "models.ai.azure.com",
    "inference.ml.azure.com",
];

/// Where resources of Azure OpenAI are.
pub(crate) const OPENAI_DOMAIN: &str = "openai.azure.com";
/// Where resources of AI Foundry are.
pub(crate) const FOUNDRY_DOMAIN: &str = "services.ai.azure.com";

/// Characters of a deployment's name.
const MODEL_ID_CHARS_MAX: usize = 256;
/// Characters of an address, which is more than Azure ever gives out.
const URL_CHARS_MAX: usize = 2_048;

/// All that one credential opens.
#[derive(Debug)]
pub(crate) struct AzureCredential {
    resources: Vec<Resource>,
    deployments: Vec<Deployment>,
}

/// A resource, and its key.
#[derive(Debug)]
pub(crate) struct Resource {
    /// One label of a host name.
    pub(crate) name: String,
    pub(crate) kind: ResourceKind,
    pub(crate) api_key: Secret<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResourceKind {
    OpenAi,
    Foundry,
}

/// One deployment, with an address of its own.
#[derive(Debug)]
pub(crate) struct Deployment {
    /// The model it serves, by the name that callers use.
    model_slug: String,
    pub(crate) url: DeploymentUrl,
    /// The model to ask it for.
    pub(crate) model_id: String,
    pub(crate) api_key: Secret<String>,
}

/// A deployment's address, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeploymentUrl {
    pub(crate) host: Host,
    /// Path, and the version of the API where it names one.
    pub(crate) path: String,
    pub(crate) surface: Surface,
}

/// Which API an address is one of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Surface {
    ChatCompletions,
    Messages,
}

/// What of a credential serves a model.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target<'c> {
    Resource(&'c Resource),
    Deployment(&'c Deployment),
}

impl AzureCredential {
    /// Reads a credential. Complaints name the field.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, InvalidCredential> {
        let mut credential = Self {
            resources: Vec::new(),
            deployments: Vec::new(),
        };
        for object in objects(text.trim_ascii(), &FIELDS, EXAMPLE)? {
            let is_resource = object.has("resource_name") || object.has("resource_type");
            let is_deployment = ["model_slug", "endpoint_url", "model_id"]
                .into_iter()
                .any(|field| object.has(field));
            match (is_resource, is_deployment) {
                (true, false) => credential.resources.push(resource(&object)?),
                (false, true) => credential.deployments.push(deployment(&object)?),
                (true, true) => {
                    return Err(object.invalid_whole(
                        "names a resource and a deployment: make two objects of it, one with \
                         resource_name, one with model_slug, endpoint_url and model_id",
                    ));
                }
                (false, false) => {
                    return Err(
                        object.invalid("resource_name", format!("is missing: write {EXAMPLE}"))
                    );
                }
            }
        }
        Ok(credential)
    }

    /// What serves `model`: a deployment of it, or else a resource of the kind that has it. Models of
    /// other authors than OpenAI are deployed in Foundry's; Claude is nowhere else.
    pub(crate) fn target(&self, model: &Model) -> Option<Target<'_>> {
        let slugs = [model.id.as_str(), model.canonical_slug.as_str()];
        let mut deployments = self.deployments.iter();
        let deployed = deployments.find(|one| slugs.contains(&one.model_slug.as_str()));
        if let Some(deployment) = deployed {
            return Some(Target::Deployment(deployment));
        }
        let foundry = || {
            let mut resources = self.resources.iter();
            resources.find(|one| one.kind == ResourceKind::Foundry)
        };
        let resource = match model.author.as_str() {
            "openai" => self.resources.first(),
            "anthropic" => foundry(),
            _ => foundry().or_else(|| self.resources.first()),
        };
        resource.map(Target::Resource)
    }

    pub(super) fn facts(&self) -> CredentialFacts {
        let resources = self.resources.iter().map(|one| {
            let domain = one.kind.domain();
            format!("{}.{domain}", one.name)
        });
        let deployments = self.deployments.iter();
        let deployments = deployments.map(|one| one.url.host.as_str().to_owned());
        let hosts: BTreeSet<String> = resources.chain(deployments).collect();
        let first = match (self.resources.first(), self.deployments.first()) {
            (Some(resource), _) => Some((resource.name.as_str(), &resource.api_key)),
            (None, Some(deployment)) => {
                let host = deployment.url.host.as_str();
                let name = host.split('.').next().unwrap_or(host);
                Some((name, &deployment.api_key))
            }
            (None, None) => None,
        };
        let mut label = first.map_or_else(String::new, |(name, key)| {
            format!("{name} {}", masked(key.expose()))
        });
        match self.resources.len() + self.deployments.len() {
            0 | 1 => {}
            more => label.push_str(&format!(" and {} more", more - 1)),
        }
        CredentialFacts {
            kind: "azure",
            label,
            hosts: hosts.into_iter().collect(),
        }
    }
}

impl ResourceKind {
    pub(crate) const fn domain(self) -> &'static str {
        match self {
            Self::OpenAi => OPENAI_DOMAIN,
            Self::Foundry => FOUNDRY_DOMAIN,
        }
    }
}

fn resource(object: &Object<'_>) -> Result<Resource, InvalidCredential> {
    let name = object.text("resource_name")?.to_ascii_lowercase();
    if !is_label(&name) {
        return Err(object.invalid(
            "resource_name",
            "is not the name of a resource: write the first part of its address alone, which has \
             letters, digits and hyphens, without `https://` and without a dot",
        ));
    }
    let kind = match object.optional_text("resource_type")?.as_deref() {
        None | Some("openai") => ResourceKind::OpenAi,
        Some("ai_foundry") => ResourceKind::Foundry,
        Some(_) => {
            return Err(object.invalid(
                "resource_type",
                "is not a kind of resource: write `openai` or `ai_foundry`",
            ));
        }
    };
    Ok(Resource {
        name,
        kind,
        api_key: key(object)?,
    })
}

fn deployment(object: &Object<'_>) -> Result<Deployment, InvalidCredential> {
    let model_slug = object.text("model_slug")?;
    let is_slug = model_slug
        .split_once('/')
        .is_some_and(|(author, model)| !author.is_empty() && !model.is_empty());
    if !is_slug {
        return Err(object.invalid(
            "model_slug",
            "is not the name of a model here: write it as callers do, such as `openai/gpt-4.1`",
        ));
    }
    let model_id = object.text("model_id")?;
    let is_name = (1..=MODEL_ID_CHARS_MAX).contains(&model_id.len())
        && model_id.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_name {
        return Err(object.invalid(
            "model_id",
            "is not the name of a deployment: write it as the Azure portal shows it",
        ));
    }
    let url = DeploymentUrl::parse(&object.text("endpoint_url")?)
        .map_err(|message| object.invalid("endpoint_url", message))?;
    Ok(Deployment {
        model_slug,
        url,
        model_id,
        api_key: key(object)?,
    })
}

fn key(object: &Object<'_>) -> Result<Secret<String>, InvalidCredential> {
    let key = object.secret("api_key")?;
    let checked = api_key::check_shape(key.expose().trim_ascii().as_bytes());
    match checked {
        Ok(_) => Ok(key),
        Err(invalid) => Err(object.invalid("api_key", invalid.message)),
    }
}

impl DeploymentUrl {
    /// Takes an address apart. Only what is recognised is kept, and nothing is kept as it was written
    /// but the path's own characters.
    fn parse(url: &str) -> Result<Self, &'static str> {
        if url.len() > URL_CHARS_MAX {
            return Err("is longer than any address of Azure's: copy it again");
        }
        let scheme = url.get(..8).unwrap_or_default();
        if !scheme.eq_ignore_ascii_case("https://") {
            return Err("must begin with `https://`: copy the whole address");
        }
        let rest = &url[8..];
        if rest.contains(['#', '\\']) {
            return Err("has a `#` or a `\\` in it: leave it out, and what is behind it");
        }
        let (authority, path) = match rest.find(['/', '?']) {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        if authority.contains('@') {
            return Err("has a name or password before its host: leave them out");
        }
        let authority = authority.strip_suffix(":443").unwrap_or(authority);
        if !authority.starts_with('[') && authority.contains(':') {
            return Err("has a port: Azure is called at 443, leave it out");
        }
        let host = Host::parse(authority).ok();
        let host = host.filter(|host| DOMAINS.into_iter().any(|domain| host.is_below(domain)));
        let host = host.ok_or(
            "does not lead to Azure: its host must end in openai.azure.com, services.ai.azure.com, \
             cognitiveservices.azure.com, models.ai.azure.com or inference.ml.azure.com",
        )?;
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let surface = surface(path)?;
        if !query.is_empty() && !is_version(query) {
            return Err("has a query: only `api-version` may stand there, leave the rest out");
        }
        let path = match query {
            "" => path.to_owned(),
            query => format!("{path}?{query}"),
        };
        Ok(Self {
            host,
            path,
            surface,
        })
    }

    /// Whether the host wants the key as a bearer token: those of single machine learning endpoints
    /// do, and know no other header.
    pub(crate) fn wants_bearer(&self) -> bool {
        let domains = ["models.ai.azure.com", "inference.ml.azure.com"];
        domains.into_iter().any(|domain| self.host.is_below(domain))
    }
}

fn surface(path: &str) -> Result<Surface, &'static str> {
    let is_segment = |segment: &str| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:@".contains(&byte);
        !matches!(segment, "" | "." | "..") && segment.bytes().all(is_plain)
    };
    let segments = path.strip_prefix('/').unwrap_or_default();
    if !segments.split('/').all(is_segment) {
        return Err("has a path that no deployment has: copy the whole address from Azure");
    }
    if path.ends_with("/chat/completions") {
        Ok(Surface::ChatCompletions)
    } else if path.ends_with("/messages") {
        Ok(Surface::Messages)
    } else {
        Err("must end in `/chat/completions`, or for Claude in `/messages`: copy the whole address")
    }
}

/// Whether a query is the version of the API, and nothing else.
fn is_version(query: &str) -> bool {
    let version = query.strip_prefix("api-version=").unwrap_or_default();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
    (1..=64).contains(&version.len()) && version.bytes().all(is_plain)
}
