//! Companies that serve models.

use std::{borrow::Borrow, fmt, sync::Arc};

use serde::{Deserialize, Serialize};

/// A provider's slug, such as `deepinfra`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProviderSlug(Arc<str>);

impl ProviderSlug {
    /// Wraps a slug. Whether such a provider exists is the catalogue's to say.
    pub fn new(slug: impl Into<Arc<str>>) -> Self {
        Self(slug.into())
    }

    /// The text form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for ProviderSlug {
    /// Lets maps keyed by the slug be asked with a plain text.
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProviderSlug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ProviderSlug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
