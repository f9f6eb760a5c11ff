//! Google Vertex AI: Anthropic's models by raw prediction, Google's own and those of others by
//! OpenAI's format. Which is which, and which models have neither, the catalogue knows.

mod access_tokens;
mod assertion;
mod exchange;
mod granted;
mod place;

use http::header::AUTHORIZATION;
use switchyard_catalog::wire_format::{WireFormat, of_vertex};
use switchyard_dialects::{anthropic_messages, openai_chat};
use switchyard_interchange::{failure::Failure, request::Dialect};

use crate::{
    address::Address,
    anthropic,
    call::Call,
    credential::vertex::ServiceAccount,
    openai_compatible,
    prepared::{Prepared, Reading, Sent, header_secret, post, unusable, with_body},
    registry::{base_url, provider_model_id, spoken},
    transport::Transport,
};

pub(crate) use access_tokens::{AccessToken, AccessTokens};

pub(crate) async fn prepare(
    call: Call<'_>,
    tokens: &AccessTokens,
    transport: &Transport,
) -> Result<Prepared, Failure> {
    let account = ServiceAccount::parse(call.credential.expose())
        .map_err(|_| unusable("the stored credential is not one of Vertex AI's"))?;
    let location = place::location(
        account.location.as_ref(),
        call.endpoint.endpoint().regions.as_deref(),
    )?;
    let shape = Shape::of(call)?;
    let values = [
        ("region", location.as_str()),
        ("project", account.project.as_str()),
        ("model", provider_model_id(&call)),
    ];
    let address = Address::filled(
        &place::base_url_at(base_url(&call), &location),
        shape.path,
        &values,
        call.endpoint.credential(),
    )?;
    let egress = address.egress();
    let exchange = exchange::TokenService { transport };
    let token = tokens.token(call.credential, &account, &exchange).await?;
    let bearer = header_secret("Bearer ", token.expose().as_bytes())?;
    let request = post(address, call).header(AUTHORIZATION, bearer);
    Ok(Prepared {
        request: with_body(request, shape.body)?,
        egress,
        reading: Reading::plain(shape.dialect),
        sent: Sent::AccessToken(token),
    })
}

/// What of a request follows from the format that its model is served in.
struct Shape {
    path: &'static str,
    body: Vec<u8>,
    dialect: Dialect,
}

impl Shape {
    fn of(call: Call<'_>) -> Result<Self, Failure> {
        match spoken(of_vertex(provider_model_id(&call))) {
            WireFormat::Messages => {
                let mut traits = anthropic::quirks::traits(call.endpoint);
                traits.host = anthropic_messages::Host::Vertex;
                Ok(Self {
                    path: if call.request.stream {
                        "/publishers/anthropic/models/{model}:streamRawPredict"
                    } else {
                        "/publishers/anthropic/models/{model}:rawPredict"
                    },
                    body: anthropic_messages::encode_request(call.request, &traits)?,
                    dialect: Dialect::AnthropicMessages,
                })
            }
            WireFormat::ChatCompletions => {
                let mut traits = openai_compatible::quirks::traits(call);
                if !traits.model.contains('/') {
                    // Google's own models are listed without their publisher.
                    traits.model.insert_str(0, "google/");
                }
                Ok(Self {
                    path: "/endpoints/openapi/chat/completions",
                    body: openai_chat::encode_request(call.request, &traits)?,
                    dialect: Dialect::OpenAiChat,
                })
            }
        }
    }
}
