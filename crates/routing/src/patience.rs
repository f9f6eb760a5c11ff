//! How long a caller lets an endpoint take to its first token.

use std::time::Duration;

use switchyard_interchange::preferences::ProviderPreferences;

use crate::{
    rule_out::vetted::Vetted,
    slug::{Named, names},
};

/// The caller's limit for this endpoint; one that names it in full wins over its provider's.
pub(crate) fn first_token_timeout(
    preferences: &ProviderPreferences,
    vetted: &Vetted,
) -> Option<Duration> {
    if preferences.first_token_timeouts_ms.is_empty() {
        return None;
    }
    let limits = preferences.first_token_timeouts_ms.iter();
    let named = limits.filter_map(|(entry, limit_ms)| {
        let named = names(entry, vetted.provider(), vetted.endpoint())?;
        Some((named == Named::ByProvider, *limit_ms))
    });
    let (_, limit_ms) = named.min()?;
    Some(Duration::from_millis(limit_ms))
}
