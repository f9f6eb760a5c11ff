//! What the catalogue says of an endpoint's prompt cache, in either family.

use switchyard_dialects::cache_marks::CACHED_TOKENS_MIN_UNKNOWN;
use switchyard_routing::vetted::Vetted;

/// Whether writing to the cache has a price of its own.
pub(crate) fn charges_cache_writes(endpoint: &Vetted) -> bool {
    let prices = endpoint.endpoint().prices.as_deref();
    prices.is_some_and(|prices| prices.base.input_cache_write.is_some())
}

/// From how many tokens on an endpoint keeps a marked prefix, where it keeps nothing else. Without
/// a price for writing we do not know what a mark would cost, and place none.
pub(crate) fn keeps_marked_from(endpoint: &Vetted) -> Option<u64> {
    let caches_by_itself = endpoint.endpoint().supports_implicit_caching == Some(true);
    (charges_cache_writes(endpoint) && !caches_by_itself).then_some(CACHED_TOKENS_MIN_UNKNOWN)
}
