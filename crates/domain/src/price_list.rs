//! The prices of one endpoint, as the catalogue states them and as billing applies them.

use serde::{Deserialize, Serialize};

use crate::{
    clock::Timestamp,
    money::{Ppm, Price},
};

/// One price per metered unit. `None` means the endpoint states no such price; what then applies
/// is billing's rule, not zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Prices {
    /// Per uncached text input token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt: Option<Price>,
    /// Per output token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completion: Option<Price>,
    /// Per request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<Price>,
    /// Per input image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<Price>,
    /// Per input token read from a cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_cache_read: Option<Price>,
    /// Per input token written to a cache with the default (five minute) life.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_cache_write: Option<Price>,
    /// Per input token written to a cache with the one-hour life.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_cache_write_1h: Option<Price>,
    /// Per reasoning token; absent or zero means the completion price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub internal_reasoning: Option<Price>,
    /// Per audio input token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio: Option<Price>,
    /// Per audio output token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio_output: Option<Price>,
    /// Per image output token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_output: Option<Price>,
    /// Per web search.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub web_search: Option<Price>,
}

impl Prices {
    /// These prices with every price that `over` states put in their place.
    pub fn overridden_by(self, over: &Self) -> Self {
        Self {
            prompt: over.prompt.or(self.prompt),
            completion: over.completion.or(self.completion),
            request: over.request.or(self.request),
            image: over.image.or(self.image),
            input_cache_read: over.input_cache_read.or(self.input_cache_read),
            input_cache_write: over.input_cache_write.or(self.input_cache_write),
            input_cache_write_1h: over.input_cache_write_1h.or(self.input_cache_write_1h),
            internal_reasoning: over.internal_reasoning.or(self.internal_reasoning),
            audio: over.audio.or(self.audio),
            audio_output: over.audio_output.or(self.audio_output),
            image_output: over.image_output.or(self.image_output),
            web_search: over.web_search.or(self.web_search),
        }
    }
}

/// A half-open UTC time window; `start > end` wraps past midnight. Minutes since midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DailyWindow {
    /// First minute inside, 0..1440.
    pub start_minute: u16,
    /// First minute outside, 0..=1440.
    pub end_minute: u16,
}

/// Prices that replace the base under conditions; all stated conditions must hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceOverride {
    /// Holds when the request's input tokens are strictly more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_prompt_tokens: Option<u64>,
    /// Holds when admission falls inside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<DailyWindow>,
    /// Holds on these UTC weekdays, Monday = 0; empty: every day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub weekdays: Vec<u8>,
    /// What it replaces.
    pub prices: Prices,
}

/// Everything needed to price a generation at one endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PriceList {
    /// The prices without any override.
    pub base: Prices,
    /// Later entries win, key by key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<PriceOverride>,
    /// A contractual discount still to be taken off. Catalogue prices are net, so the catalogue
    /// leaves this at zero and shows its own `discount` figure elsewhere.
    #[serde(default)]
    pub discount: Ppm,
}

impl DailyWindow {
    /// Whether a minute of the UTC day, 0..1440, lies inside.
    pub const fn contains(self, minute: u16) -> bool {
        if self.start_minute <= self.end_minute {
            self.start_minute <= minute && minute < self.end_minute
        } else {
            self.start_minute <= minute || minute < self.end_minute
        }
    }
}

impl PriceOverride {
    /// Whether every stated condition holds for a request with this many input tokens, admitted
    /// at this moment.
    pub fn applies(&self, prompt_tokens: u64, at: Timestamp) -> bool {
        self.min_prompt_tokens
            .is_none_or(|threshold| prompt_tokens > threshold)
            && self.is_in_force(at)
    }

    /// Whether the conditions that depend on time alone hold.
    pub fn is_in_force(&self, at: Timestamp) -> bool {
        let day = at.seconds().div_euclid(86_400);
        let minute = u16::try_from(at.seconds().rem_euclid(86_400) / 60).unwrap_or(0);
        // The epoch was a Thursday, three days after a Monday.
        let weekday = u8::try_from((day + 3).rem_euclid(7)).unwrap_or(0);
        self.window.is_none_or(|window| window.contains(minute))
            && (self.weekdays.is_empty() || self.weekdays.contains(&weekday))
    }
}

impl PriceList {
    /// The prices of a request with this many input tokens, admitted at this moment, before
    /// [`Self::discount`]. They hold for the whole request, not for the part above a threshold.
    #[inline]
    pub fn at(&self, prompt_tokens: u64, at: Timestamp) -> Prices {
        if self.overrides.is_empty() {
            return self.base;
        }
        self.overridden_at(prompt_tokens, at)
    }

    fn overridden_at(&self, prompt_tokens: u64, at: Timestamp) -> Prices {
        self.overrides
            .iter()
            .filter(|over| over.applies(prompt_tokens, at))
            .fold(self.base, |prices, over| prices.overridden_by(&over.prices))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overrides_hold_under_all_their_conditions_and_later_ones_win() {
        let price = |picos| Price::from_picos(picos);
        let only_prompt = |picos| Prices {
            prompt: price(picos),
            ..Prices::default()
        };
        let window = Some(DailyWindow {
            start_minute: 22 * 60,
            end_minute: 6 * 60,
        });
        let list = PriceList {
            base: Prices {
                completion: price(9),
                ..only_prompt(1)
            },
            overrides: vec![
                PriceOverride {
                    min_prompt_tokens: Some(100),
                    window: None,
                    weekdays: vec![],
                    prices: only_prompt(2),
                },
                // Mondays at night, wrapping past midnight.
                PriceOverride {
                    min_prompt_tokens: None,
                    window,
                    weekdays: vec![0],
                    prices: only_prompt(3),
                },
            ],
            discount: Ppm::ZERO,
        };
        for (tokens, at, prompt) in [
            (100, "2026-11-24T12:00:00Z", 1),
            (101, "2026-11-24T12:00:00Z", 2),
            (101, "2026-11-23T22:00:00Z", 3),
            (1, "2026-11-23T05:59:59Z", 3),
            (1, "2026-11-23T06:00:00Z", 1),
            (1, "2026-11-24T05:00:00Z", 1),
        ] {
            let now = Timestamp::parse_rfc3339(at).expect("a valid instant");
            let prices = list.at(tokens, now);
            assert_eq!(
                (prices.prompt, prices.completion),
                (price(prompt), price(9)),
                "{at}"
            );
        }
    }
}
