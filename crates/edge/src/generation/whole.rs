//! An answer in one piece.

use axum::{http::StatusCode, response::Response};
use switchyard_app::generation::{Reply, ReplyStep};
use switchyard_dialects::openai_chat::encode_completion;

use crate::{
    error,
    reply::{Refusal, json_bytes, put_generation_id, put_provider},
};

/// Waits for the answer, however long it takes. A client that leaves drops this future and with it
/// the reply, which cancels the provider.
pub(super) async fn answer(reply: Reply) -> Result<Response, Refusal> {
    let Reply {
        generation_id,
        mut steps,
    } = reply;
    let (mut head, mut completion) = (None, None);
    while let Some(step) = steps.recv().await {
        match step {
            ReplyStep::Head(one) => head = Some(one),
            ReplyStep::Complete(one) => completion = Some(one),
            ReplyStep::Failed(error) => {
                return Err(Refusal::of_generation(
                    error::not_generated(&error),
                    generation_id,
                ));
            }
            ReplyStep::Tail(tail) => {
                let (Some(head), Some(completion)) = (&head, &completion) else {
                    break;
                };
                let body = encode_completion(head, completion, &tail);
                let mut response = json_bytes(StatusCode::OK, body.into());
                put_generation_id(response.headers_mut(), &generation_id);
                put_provider(response.headers_mut(), &head.provider);
                return Ok(response);
            }
            // The use-case gathers streams for callers that did not ask for one.
            ReplyStep::Steps(_) => break,
        }
    }
    tracing::error!(generation.id = %generation_id, "a reply had no end, or an unexpected step");
    Err(Refusal::of_generation(error::internal(), generation_id))
}

#[cfg(test)]
mod tests;
