//! `POST /chat/completions`.

use axum::{
    extract::{Request, State},
    response::Response,
};
use switchyard_app::generation::GenerateRequest;
use switchyard_dialects::openai_chat::decode_request;
use switchyard_domain::tenancy::Caller;

use super::{sse, whole};
use crate::{
    Edge, body,
    caller::{Authorized, cap},
    client, error,
    limits::INFERENCE_BODY_BYTES_MAX,
    openapi::schemas::{ChatCompletion, ChatRequestBody, ErrorBody},
    reply::Refusal,
};

#[utoipa::path(
    post,
    path = "/api/v1/chat/completions",
    operation_id = "createChatCompletion",
    tag = "Generation",
    summary = "Answer a conversation",
    description = "Picks an endpoint that may serve the request, falls back to others when it \
                   fails, and answers in one piece or, with `stream: true`, as server-sent \
                   events that end with `data: [DONE]`. A failure before the first token has an \
                   HTTP status of its own; a later one is the last event of the stream.",
    params(
        ("HTTP-Referer" = Option<String>, Header, description = "The address of the calling app."),
        ("X-OpenRouter-Title" = Option<String>, Header,
            description = "The name of the calling app; `X-Title` is the same."),
        ("x-session-id" = Option<String>, Header,
            description = "Names the conversation, at most 256 characters; `session_id` in the \
                           body wins. The session headers of Claude Code, Codex, OpenCode and \
                           others are read, too."),
        ("X-OpenRouter-Metadata" = Option<String>, Header,
            description = "`enabled` adds `openrouter_metadata` to the answer.")
    ),
    request_body = ChatRequestBody,
    responses(
        (status = 200, description = "The answer.", content(
            (ChatCompletion = "application/json"),
            (String = "text/event-stream")
        )),
        (status = 400, description = "The request or the model's name is wrong.", body = ErrorBody),
        (status = 401, description = "No valid API key.", body = ErrorBody),
        (status = 402, description = "Credits or the key's limit do not cover it.", body = ErrorBody),
        (status = 403, description = "A key of the wrong kind.", body = ErrorBody),
        (status = 404, description = "No endpoint may serve it.", body = ErrorBody),
        (status = 408, description = "The body did not arrive.", body = ErrorBody),
        (status = 413, description = "The body is too large.", body = ErrorBody),
        (status = 415, description = "The body is compressed.", body = ErrorBody),
        (status = 429, description = "Every provider asked to slow down.", body = ErrorBody),
        (status = 502, description = "The providers failed.", body = ErrorBody),
        (status = 503, description = "The service or the providers are at their limit.",
            body = ErrorBody),
        (status = 504, description = "The providers took too long.", body = ErrorBody)
    )
)]
pub(crate) async fn chat_completions(
    State(edge): State<Edge>,
    Authorized { caller, .. }: Authorized<cap::Infer>,
    request: Request,
) -> Result<Response, Refusal> {
    answer(edge, caller, request).await
}

/// The same for a caller who was let in elsewhere.
pub(crate) async fn answer(
    edge: Edge,
    caller: Caller,
    request: Request,
) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let body = body::read(&parts.headers, body, INFERENCE_BODY_BYTES_MAX).await?;
    let mut chat = decode_request(body).map_err(|error| error::undecodable(&error))?;
    body::wipe_secrets(&mut chat);
    client::join_session(&parts.headers, &mut chat)?;
    let stream = chat.stream.then(|| sse::Opening {
        model: chat.model.clone(),
        created_seconds: edge.frame.now_seconds(),
    });
    let request = GenerateRequest {
        caller,
        chat,
        client: client::facts(&parts.headers),
        country: client::country(&parts.headers, edge.country_header.as_ref()),
        router_metadata: client::router_metadata(&parts.headers),
    };
    let reply = edge
        .app
        .generate(request)
        .await
        .map_err(|error| error::not_generated(&error))?;
    match stream {
        Some(opening) => sse::answer(reply, opening).await,
        None => whole::answer(reply).await,
    }
}
