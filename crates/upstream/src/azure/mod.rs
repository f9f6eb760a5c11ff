//! Azure: models in resources and deployments of the credential's owner. OpenAI's dialect by its
//! version 1 API, Anthropic's for Claude.

use http::{header::AUTHORIZATION, request::Builder};
use switchyard_dialects::{anthropic_messages, openai_chat};
use switchyard_domain::secret::Secret;
use switchyard_interchange::{failure::Failure, request::Dialect};

use crate::{
    address::Address,
    anthropic,
    call::Call,
    credential::azure::{
        AzureCredential, FOUNDRY_DOMAIN, OPENAI_DOMAIN, Resource, ResourceKind, Surface, Target,
    },
    openai_compatible,
    prepared::{Prepared, Reading, Sent, header_secret, post, unusable, with_body},
    registry::base_url,
};

pub(crate) fn prepare(call: Call<'_>) -> Result<Prepared, Failure> {
    let credential = AzureCredential::parse(call.credential.expose())
        .map_err(|_| unusable("the stored credential is not one of Azure's"))?;
    let target = credential
        .target(call.endpoint.model())
        .ok_or_else(|| unusable("the credential opens no resource that has this model"))?;
    let surface = surface(target, call);
    let (body, dialect) = encode(target, surface, call)?;
    let (address, api_key) = match target {
        Target::Resource(resource) => (
            resource_address(resource, surface, call)?,
            &resource.api_key,
        ),
        Target::Deployment(deployment) => {
            let url = &deployment.url;
            let credential = call.endpoint.credential();
            let address = Address::named(&url.host, &url.path, credential)?;
            (address, &deployment.api_key)
        }
    };
    let egress = address.egress();
    let request = authenticate(post(address, call), target, surface, api_key)?;
    Ok(Prepared {
        request: with_body(request, body)?,
        egress,
        reading: Reading::plain(dialect),
        sent: Sent::Parts(vec![Secret::new(api_key.expose().clone())]),
    })
}

/// A deployment's address says what it speaks; in a resource, Claude speaks its own dialect.
fn surface(target: Target<'_>, call: Call<'_>) -> Surface {
    match target {
        Target::Deployment(deployment) => deployment.url.surface,
        Target::Resource(_) if call.endpoint.model().author == "anthropic" => Surface::Messages,
        Target::Resource(_) => Surface::ChatCompletions,
    }
}

fn encode(
    target: Target<'_>,
    surface: Surface,
    call: Call<'_>,
) -> Result<(Vec<u8>, Dialect), Failure> {
    let deployed = match target {
        Target::Deployment(deployment) => Some(deployment.model_id.clone()),
        Target::Resource(_) => None,
    };
    match surface {
        Surface::ChatCompletions => {
            let mut traits = openai_compatible::quirks::traits(call);
            traits.model = deployed.unwrap_or(traits.model);
            let body = openai_chat::encode_request(call.request, &traits)?;
            Ok((body, Dialect::OpenAiChat))
        }
        Surface::Messages => {
            let mut traits = anthropic::quirks::traits(call.endpoint);
            traits.model = deployed.unwrap_or(traits.model);
            let body = anthropic_messages::encode_request(call.request, &traits)?;
            Ok((body, Dialect::AnthropicMessages))
        }
    }
}

/// The catalogue's address with the resource filled in. It names the domain of Azure OpenAI, and
/// Foundry's resources are called at theirs.
fn resource_address(
    resource: &Resource,
    surface: Surface,
    call: Call<'_>,
) -> Result<Address, Failure> {
    let listed = base_url(&call);
    let moved = match resource.kind {
        ResourceKind::OpenAi => None,
        ResourceKind::Foundry => listed
            .strip_suffix(OPENAI_DOMAIN)
            .map(|resource| format!("{resource}{FOUNDRY_DOMAIN}")),
    };
    let path = match surface {
        Surface::ChatCompletions => "/openai/v1/chat/completions",
        Surface::Messages => "/anthropic/v1/messages",
    };
    Address::filled(
        moved.as_deref().unwrap_or(listed),
        path,
        &[("resource", &resource.name)],
        call.endpoint.credential(),
    )
}

fn authenticate(
    request: Builder,
    target: Target<'_>,
    surface: Surface,
    api_key: &Secret<String>,
) -> Result<Builder, Failure> {
    let key = api_key.expose().as_bytes();
    let wants_bearer = match target {
        Target::Deployment(deployment) => deployment.url.wants_bearer(),
        Target::Resource(_) => false,
    };
    let request = match surface {
        _ if wants_bearer => request.header(AUTHORIZATION, header_secret("Bearer ", key)?),
        Surface::ChatCompletions => request.header("api-key", header_secret("", key)?),
        Surface::Messages => request.header("x-api-key", header_secret("", key)?),
    };
    Ok(match surface {
        Surface::ChatCompletions => request,
        Surface::Messages => request.header("anthropic-version", anthropic::VERSION),
    })
}

#[cfg(test)]
mod tests;
