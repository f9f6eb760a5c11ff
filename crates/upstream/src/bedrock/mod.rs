//! Amazon Bedrock's runtime: Anthropic's models by invocation, OpenAI's open ones by their own
//! format. Which is which, and which models have neither, the catalogue knows.

mod model_events;
mod place;
pub(crate) mod refusal;
mod signature;

#[cfg(test)]
mod tests;

use bytes::Bytes;
use http::{
    HeaderValue, Request,
    header::{ACCEPT, AUTHORIZATION},
};
use http_body_util::Full;
use switchyard_catalog::wire_format::{WireFormat, of_bedrock};
use switchyard_dialects::{anthropic_messages, openai_chat};
use switchyard_domain::clock::Clock;
use switchyard_interchange::{failure::Failure, request::Dialect};

use crate::{
    address::Address,
    anthropic,
    call::Call,
    credential::bedrock::{AccessKey, BedrockCredential, Region},
    framing::Framing,
    openai_compatible,
    prepared::{ErrorNames, Prepared, Reading, Sent, header_secret, post, unusable, with_body},
    registry::{base_url, provider_model_id, spoken},
};

pub(crate) use model_events::ModelEvents;

pub(crate) fn prepare(call: Call<'_>, clock: &dyn Clock) -> Result<Prepared, Failure> {
    let credential = BedrockCredential::parse(call.credential.expose())
        .map_err(|_| unusable("the stored credential is not one of Amazon Bedrock's"))?;
    let region = place::region(&credential, call.endpoint.endpoint().regions.as_deref())?;
    let shape = Shape::of(call)?;
    let values = [
        ("region", region.as_str()),
        ("model", provider_model_id(&call)),
    ];
    let address = Address::filled(
        base_url(&call),
        shape.path,
        &values,
        call.endpoint.credential(),
    )?;
    let egress = address.egress();
    let body = Bytes::from(shape.body);
    let mut request = with_body(post(address, call), body.clone())?;
    if let Some(accept) = shape.accept {
        let accept = HeaderValue::from_static(accept);
        request.headers_mut().insert(ACCEPT, accept);
    }
    let sent = match credential {
        BedrockCredential::ApiKey { key, .. } => {
            let bearer = header_secret("Bearer ", key.expose().as_bytes())?;
            request.headers_mut().insert(AUTHORIZATION, bearer);
            vec![key]
        }
        BedrockCredential::AccessKey { key, .. } => {
            sign(&mut request, &key, &region, &body, clock)?;
            let AccessKey {
                id,
                secret,
                session_token,
            } = key;
            [id, secret].into_iter().chain(session_token).collect()
        }
    };
    Ok(Prepared {
        request,
        egress,
        reading: shape.reading,
        sent: Sent::Parts(sent),
    })
}

/// What of a request follows from the format that its model is served in.
struct Shape {
    path: &'static str,
    body: Vec<u8>,
    /// What is accepted, where it is not what is asked of everybody.
    accept: Option<&'static str>,
    reading: Reading,
}

impl Shape {
    fn of(call: Call<'_>) -> Result<Self, Failure> {
        match spoken(of_bedrock(provider_model_id(&call))) {
            WireFormat::Messages => Self::invocation(call),
            WireFormat::ChatCompletions => Ok(Self {
                path: "/openai/v1/chat/completions",
                body: openai_chat::encode_request(
                    call.request,
                    &openai_compatible::quirks::traits(call),
                )?,
                accept: None,
                reading: Reading {
                    errors: ErrorNames::AmazonHeader,
                    ..Reading::plain(Dialect::OpenAiChat)
                },
            }),
        }
    }

    fn invocation(call: Call<'_>) -> Result<Self, Failure> {
        let mut traits = anthropic::quirks::traits(call.endpoint);
        traits.host = anthropic_messages::Host::Bedrock;
        let (path, accept) = if call.request.stream {
            (
                "/model/{model}/invoke-with-response-stream",
                "application/vnd.amazon.eventstream",
            )
        } else {
            ("/model/{model}/invoke", "application/json")
        };
        Ok(Self {
            path,
            body: anthropic_messages::encode_request(call.request, &traits)?,
            accept: Some(accept),
            reading: Reading {
                dialect: Dialect::AnthropicMessages,
                framing: Framing::AmazonEventStream,
                errors: ErrorNames::AmazonHeader,
            },
        })
    }
}

fn sign(
    request: &mut Request<Full<Bytes>>,
    key: &AccessKey,
    region: &Region,
    body: &[u8],
    clock: &dyn Clock,
) -> Result<(), Failure> {
    let uri = request.uri().to_string();
    let host = request.uri().authority().map(ToString::to_string);
    let signable = signature::Signable {
        uri: &uri,
        host: host.as_deref().unwrap_or_default(),
        body,
        region,
        now: clock.now(),
    };
    let signed = signature::sign_request(key, &signable)?;
    request.headers_mut().extend(signed);
    Ok(())
}
