//! Answers that several kinds of things share.

use serde::Serialize;
use utoipa::ToSchema;

/// It is gone.
#[derive(Serialize, ToSchema)]
pub(crate) struct Deleted {
    /// Always `true`.
    deleted: bool,
}

impl Deleted {
    pub(crate) const fn yes() -> Self {
        Self { deleted: true }
    }
}
