//! What somebody thinks of a generation, kept in the audit log.

use serde_json::json;
use switchyard_domain::id::{GenerationId, WorkspaceId};
use switchyard_store::DirectoryError;

use crate::{
    App,
    acting_caller::{ActingCaller, Deed},
};

/// What somebody thinks of a generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feedback {
    pub generation_id: GenerationId,
    pub workspace_id: WorkspaceId,
    pub category: String,
    pub comment: String,
}

impl App {
    /// Notes it. Whether the generation is theirs, the caller has asked.
    pub async fn note_feedback(
        &self,
        by: &ActingCaller,
        feedback: &Feedback,
    ) -> Result<(), DirectoryError> {
        let deed = Deed {
            action: "generation.feedback",
            subject: feedback.generation_id.to_string(),
            workspace_id: Some(feedback.workspace_id),
            detail: json!({ "category": feedback.category, "comment": feedback.comment }),
        };
        let event = by.did(deed, self.clock.now());
        self.directory.append_audit(&event).await
    }
}
