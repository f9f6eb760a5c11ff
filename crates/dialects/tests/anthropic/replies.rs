//! Reply heads and tails for tests.

use switchyard_domain::{id::GenerationId, money::UsdNanos, tokens::TokenUsage};
use switchyard_interchange::reply::{PublicFailure, ReplyHead, ReplyTail};

pub(crate) const GENERATION: &str = "gen-1700000000-aaaaaaaaaaaaaaaaaaaa";

pub(crate) fn head() -> ReplyHead {
    ReplyHead {
        generation_id: GENERATION.parse::<GenerationId>().expect("a generation id"),
        created_seconds: 1_700_000_000,
        model: "anthropic/claude-haiku-4.5".to_owned(),
        provider: "Anthropic".to_owned(),
    }
}

pub(crate) fn tail(tokens: TokenUsage) -> ReplyTail {
    ReplyTail {
        tokens,
        cost: UsdNanos::new(1_500),
        is_byok: false,
        list_cost: UsdNanos::new(1_500),
        list_cost_prompt: UsdNanos::new(500),
        list_cost_completion: UsdNanos::new(1_000),
        service_tier: Some("default".to_owned()),
        metadata: None,
    }
}

pub(crate) fn failure() -> PublicFailure {
    PublicFailure {
        status: 502,
        error_type: "provider_unavailable",
        message: "the provider went away".to_owned(),
        retry_after: None,
        metadata: None,
        availability: None,
    }
}
