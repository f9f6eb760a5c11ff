//! What callers hear about provider credentials of their own: stored ones that cannot be used, ones
//! that came with the request, and ones that their provider refused. Never what they are.

use std::time::Duration;

use switchyard_app::{generation::AttemptFailure, own_credentials::OpeningError};
use switchyard_domain::provider::ProviderSlug;
use switchyard_interchange::reply::PublicFailure;

use super::failure;

/// A stored credential was not opened. Nothing else was tried, and no provider was asked.
pub(super) fn not_opened(error: &OpeningError) -> PublicFailure {
    match error {
        OpeningError::Rejected { provider } => failure(
            403,
            "permission_denied",
            format!(
                "Your stored credential for {provider} failed its integrity check: it is not what \
                 was stored. It was not used, and no provider was asked. Store it anew, or delete \
                 it to go on without."
            ),
        ),
        OpeningError::Gone { provider } => failure(
            403,
            "permission_denied",
            format!(
                "Your stored credential for {provider} can no longer be opened, because the key it \
                 was sealed under was destroyed. No provider was asked. Store it anew, or delete it \
                 to go on without."
            ),
        ),
        OpeningError::Withdrawn | OpeningError::Unavailable => {
            let mut public = failure(
                503,
                "server",
                "Your stored credentials cannot be opened at the moment, so nothing was tried with \
                 others. Try again in a few seconds.",
            );
            public.retry_after = Some(Duration::from_secs(2));
            public
        }
    }
}

/// A credential that came with the request is none.
pub(super) fn wrongly_supplied(
    place: usize,
    provider: &ProviderSlug,
    message: &str,
) -> PublicFailure {
    failure(
        400,
        "invalid_request",
        format!(
            "`providerOptions.gateway.byok`: credential {} (for {provider}): {message}.",
            place + 1
        ),
    )
}

/// Every attempt used a credential of the caller's that its provider refused. That is no outage: the
/// same request would fail again until its owner acts.
pub(super) fn refused(last: &AttemptFailure) -> PublicFailure {
    let provider = &last.provider_name;
    let status = last
        .failure
        .status
        .map_or_else(String::new, |status| format!(" with status {status}"));
    let told = last.failure.message.trim_end_matches('.');
    failure(
        403,
        "permission_denied",
        format!(
            "{provider} refused your own credential{status}: {told}. Renew it, or let others serve \
             these requests."
        ),
    )
}
