//! Whether a provider really wraps and unwraps, which its own word about itself would not prove:
//! a permission may be missing for either.

use switchyard_domain::secret::Secret;
use switchyard_vault::{KeyProvider, KeyProviderError};

/// No tenant's context.
const CONTEXT: &[u8] = b"switchyard.key-services.v1 probe";
/// Protects nothing.
const PLAIN: [u8; 32] = [0x5a; 32];

pub(crate) async fn round_trip(provider: &impl KeyProvider) -> Result<(), KeyProviderError> {
    let wrapped = provider.wrap(CONTEXT, &Secret::new(PLAIN)).await?;
    let plain = provider.unwrap(CONTEXT, &wrapped).await?;
    if *plain.expose() == PLAIN {
        Ok(())
    } else {
        Err(KeyProviderError::Rejected)
    }
}
