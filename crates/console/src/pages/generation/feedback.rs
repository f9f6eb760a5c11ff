//! Telling us that a generation was not as it should be.

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use serde::Deserialize;
use switchyard_app::inspection::Feedback;

use super::{address_of, find, page_of};
use crate::{
    Console,
    error::{PageError, go_to},
    form::{Faults, Submitted},
    shell::page_with,
    visit::SignedIn,
};

/// What feedback can be about, in addresses of the API and on pages.
pub(super) const CATEGORIES: [(&str, &str); 7] = [
    ("latency", "It was slow"),
    ("incoherence", "It made no sense"),
    ("incorrect_response", "It was wrong"),
    ("formatting", "Its format was wrong"),
    ("billing", "Its charge is wrong"),
    ("api_error", "It failed"),
    ("other", "Something else"),
];
const COMMENT_CHARS_MAX: usize = 1_000;

/// What somebody thinks of a generation.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct FeedbackForm {
    pub(super) category: String,
    pub(super) comment: String,
}

/// Notes it.
pub(crate) async fn tell(
    State(console): State<Console>,
    signed_in: SignedIn,
    Path(id): Path<String>,
    Submitted(form): Submitted<FeedbackForm>,
) -> Result<Response, PageError> {
    let found = find(&console, &signed_in, &id).await?;
    let mut faults = Faults::default();
    let category = CATEGORIES.iter().find(|(name, _)| *name == form.category);
    if category.is_none() {
        faults.add("category", "Choose what it is about.");
    }
    if form.comment.chars().count() > COMMENT_CHARS_MAX {
        faults.add("comment", "Write at most 1,000 characters.");
    }
    let Some((category, _)) = category.filter(|_| faults.is_empty()) else {
        let page = page_of(&console, &signed_in, found, faults, form).await?;
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
    };
    let feedback = Feedback {
        generation_id: found.it.generation.generation_id.clone(),
        workspace_id: found.it.generation.workspace_id,
        category: (*category).to_owned(),
        comment: form.comment,
    };
    console
        .app
        .note_feedback(&signed_in.acting(), &feedback)
        .await?;
    let back = address_of(&signed_in.visit, &feedback.generation_id);
    Ok(go_to(&signed_in.visit, &back.with("told", "1").to_string()))
}
