//! The proof that an endpoint may serve a request.

use std::{fmt, sync::Arc};

use switchyard_catalog::snapshot::{Catalog, Endpoint, Model, Provider};

use crate::credentials::CredentialUse;

/// An endpoint that passed every filter for one request, with the credential it passed for. Only the filter stage can make one, and
/// the dispatcher takes nothing else: a request under zero data retention that reaches a
/// retaining endpoint does not compile.
///
/// Reading one is free:
///
/// ```
/// fn address(vetted: &switchyard_routing::vetted::Vetted) -> Option<&str> {
///     vetted.endpoint().base_url.as_deref()
/// }
/// ```
///
/// Making one is not:
///
/// ```compile_fail,E0624
/// use std::sync::Arc;
/// use switchyard_catalog::snapshot::Catalog;
/// use switchyard_routing::credentials::CredentialUse;
///
/// fn smuggle(catalog: Arc<Catalog>) -> switchyard_routing::vetted::Vetted {
///     switchyard_routing::vetted::Vetted::new(catalog, 0, CredentialUse::Shared)
/// }
/// ```
///
/// ```compile_fail,E0451
/// use std::sync::Arc;
/// use switchyard_catalog::snapshot::Catalog;
/// use switchyard_routing::credentials::CredentialUse;
///
/// fn smuggle(catalog: Arc<Catalog>, credential: CredentialUse) -> switchyard_routing::vetted::Vetted {
///     switchyard_routing::vetted::Vetted { catalog, index: 0, credential }
/// }
/// ```
#[derive(Clone)]
pub struct Vetted {
    catalog: Arc<Catalog>,
    index: usize,
    credential: CredentialUse,
}

impl Vetted {
    pub(super) fn new(catalog: Arc<Catalog>, index: usize, credential: CredentialUse) -> Self {
        Self {
            catalog,
            index,
            credential,
        }
    }

    /// Whose credential it was vetted with; no other may be used.
    pub fn credential(&self) -> CredentialUse {
        self.credential
    }

    /// The endpoint.
    pub fn endpoint(&self) -> &Endpoint {
        &self.catalog.endpoints[self.index]
    }

    /// Who serves it.
    pub fn provider(&self) -> &Provider {
        self.catalog.provider_of(self.endpoint())
    }

    /// What it serves.
    pub fn model(&self) -> &Model {
        self.catalog.model_of(self.endpoint())
    }
}

impl fmt::Debug for Vetted {
    /// The endpoint's id; a whole catalogue hangs off it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Vetted").field(&self.endpoint().id).finish()
    }
}
