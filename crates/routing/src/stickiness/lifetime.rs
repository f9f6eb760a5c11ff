//! How long a prompt cache lasts, and a pin with it.

use std::time::Duration;

use switchyard_catalog::snapshot::Endpoint;
use switchyard_interchange::{
    message::{CacheLife, CacheMark, Part},
    request::ChatRequest,
};

/// How long providers keep a prompt unused unless more is asked for.
const ORDINARY: Duration = Duration::from_secs(5 * 60);
const ONE_HOUR: Duration = Duration::from_secs(60 * 60);
const ONE_DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a request asks for its prompt to be kept, shortest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum CacheWish {
    /// It leaves that to the provider.
    #[default]
    Unstated,
    /// A mark with the ordinary life.
    FiveMinutes,
    /// A mark with the long life.
    OneHour,
    /// Extended retention.
    OneDay,
}

impl CacheWish {
    /// The longest life that a request's marks ask for. Extended retention is no mark; who reads
    /// that from a request takes the larger of the two.
    pub fn of(request: &ChatRequest) -> Self {
        let tools = request.tools.iter().map(|tool| Self::of_mark(tool.cache));
        let parts = request.messages.iter().flat_map(|message| &message.parts);
        parts
            .map(Self::of_part)
            .chain(tools)
            .fold(Self::of_mark(request.automatic_cache), Self::max)
    }

    fn of_part(part: &Part) -> Self {
        match part {
            Part::Text { cache, .. } | Part::Image { cache, .. } | Part::File { cache, .. } => {
                Self::of_mark(*cache)
            }
            Part::ToolCall(call) => Self::of_mark(call.cache),
            Part::ToolResult(result) => result
                .content
                .iter()
                .map(Self::of_part)
                .fold(Self::of_mark(result.cache), Self::max),
            Part::Audio { .. } | Part::Video { .. } | Part::Reasoning(_) | Part::Refusal { .. } => {
                Self::Unstated
            }
        }
    }

    fn of_mark(mark: Option<CacheMark>) -> Self {
        match mark.map(|mark| mark.life) {
            None => Self::Unstated,
            Some(CacheLife::Short) => Self::FiveMinutes,
            Some(CacheLife::OneHour) => Self::OneHour,
        }
    }
}

/// How long the cache that was bought at an endpoint lasts unused. An hour is had only where it has
/// a price: elsewhere the mark's life is dropped on the way. A day is had where the provider caches
/// by itself, since that is what extended retention extends.
pub fn cache_ttl(wish: CacheWish, endpoint: &Endpoint) -> Duration {
    let prices = endpoint.prices.as_ref().map(|list| list.base);
    let sells_an_hour = prices.is_some_and(|prices| prices.input_cache_write_1h.is_some());
    match wish {
        CacheWish::OneDay if endpoint.supports_implicit_caching != Some(false) => ONE_DAY,
        CacheWish::OneHour | CacheWish::OneDay if sells_an_hour => ONE_HOUR,
        _ => ORDINARY,
    }
}

/// How long a pin outlives its last use: the ordinary lifetime of pins, but as long as the cache
/// that was bought.
pub fn pin_lifetime(ordinary: Duration, wish: CacheWish, endpoint: &Endpoint) -> Duration {
    ordinary.max(cache_ttl(wish, endpoint))
}
