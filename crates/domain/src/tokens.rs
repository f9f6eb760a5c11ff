//! What a generation used, in buckets that never overlap. Providers report cached tokens inside
//! or beside the prompt count; the adapters untangle that, so billing can simply multiply.

use serde::{Deserialize, Serialize};

/// Usage in disjoint buckets: every token is in exactly one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TokenUsage {
    /// Text (and image) input tokens that no cache served.
    #[serde(skip_serializing_if = "is_zero")]
    pub input_uncached: u64,
    /// Input tokens read from the provider's prompt cache.
    #[serde(skip_serializing_if = "is_zero")]
    pub cache_read: u64,
    /// Input tokens written to the cache with the short (five minute) life.
    #[serde(skip_serializing_if = "is_zero")]
    pub cache_write_5m: u64,
    /// Input tokens written to the cache with the one-hour life.
    #[serde(skip_serializing_if = "is_zero")]
    pub cache_write_1h: u64,
    /// Audio input tokens.
    #[serde(skip_serializing_if = "is_zero")]
    pub audio_in: u64,
    /// Output tokens that are neither reasoning nor audio nor image.
    #[serde(skip_serializing_if = "is_zero")]
    pub output_text: u64,
    /// Output tokens spent on reasoning.
    #[serde(skip_serializing_if = "is_zero")]
    pub reasoning: u64,
    /// Audio output tokens.
    #[serde(skip_serializing_if = "is_zero")]
    pub audio_out: u64,
    /// Image output tokens.
    #[serde(skip_serializing_if = "is_zero")]
    pub image_out: u64,
    /// Input images, for endpoints that price them apiece.
    #[serde(skip_serializing_if = "is_zero")]
    pub images_in: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks with a reference"
)]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl TokenUsage {
    /// All input tokens, cached or not; what long-context thresholds are compared with.
    /// Saturates, because the counts come from outside.
    pub fn input_total(&self) -> u64 {
        [
            self.cache_read,
            self.cache_write_5m,
            self.cache_write_1h,
            self.audio_in,
        ]
        .into_iter()
        .fold(self.input_uncached, u64::saturating_add)
    }

    /// All output tokens; saturates like the input.
    pub fn output_total(&self) -> u64 {
        [self.reasoning, self.audio_out, self.image_out]
            .into_iter()
            .fold(self.output_text, u64::saturating_add)
    }
}

/// Where the token counts of a settled generation came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UsageSource {
    /// The provider reported them.
    Upstream,
    /// We counted, because the provider never said.
    LocalEstimate,
    /// Nothing was produced.
    None,
}

impl UsageSource {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Upstream => "upstream",
            Self::LocalEstimate => "local_estimate",
            Self::None => "none",
        }
    }
}
