//! A request that nothing can serve, as its caller may read it.

use serde::Serialize;
use switchyard_routing::{explain::Availability, select::NoCandidates};

/// Where the availability codes are explained; a path on this service.
pub const DOCS_URL: &str = "/docs/errors#availability";

/// Why no endpoint can serve a request, and what would help.
#[derive(Debug, Clone)]
pub struct Unavailable {
    /// The HTTP status: mostly the code's own.
    pub status: u16,
    /// What happened and what to do about it.
    pub message: String,
    pub availability: DocumentedAvailability,
}

/// The `error.availability` object.
#[derive(Debug, Clone, Serialize)]
pub struct DocumentedAvailability {
    #[serde(flatten)]
    pub availability: Availability,
    pub docs_url: &'static str,
}

impl From<NoCandidates> for Unavailable {
    fn from(error: NoCandidates) -> Self {
        let availability = error.availability();
        Self {
            status: error.status(),
            message: error.message(),
            availability: DocumentedAvailability {
                availability,
                docs_url: DOCS_URL,
            },
        }
    }
}
