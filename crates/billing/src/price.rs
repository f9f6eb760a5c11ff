//! What a generation costs. Everything is exact in pico-dollars until the total is known; the
//! total is rounded to nano-dollars once, half to even.
//!
//! A price that an endpoint does not state is not free: cache and audio tokens without a price of
//! their own cost what plain tokens cost, and without that the generation cannot be priced.

mod rounding;

use switchyard_domain::{
    clock::Timestamp,
    money::{Overflow, Ppm, Price, UsdPicos},
    price_list::{PriceList, Prices},
    tokens::TokenUsage,
};

pub(crate) use self::rounding::Rate;
use crate::settlement::Charge;

/// The tokens of one request at one instant, priced.
///
/// The charge is what an answered generation costs on our own credentials; what is really charged
/// depends on how it ended, see [`crate::outcome`].
pub fn price(list: &PriceList, usage: &TokenUsage, terms: &Terms) -> Result<Quote, PriceError> {
    let prices = list.at(usage.input_total(), terms.at);
    let parts = Parts::of(&prices, usage)?;
    let (input, output) = (parts.input()?, parts.output()?);
    let inference = input.checked_add(output)?;

    let at_list = Rate::list(list)?;
    let list_total = at_list.apply(inference)?.round_half_even()?;
    let (list_prompt, list_completion) = at_list.split(list_total, input, output)?;

    let at_terms = Rate::contract(list, terms)?;
    let total = at_terms
        .apply(inference)?
        .plus(terms.tools)?
        .round_half_even()?;
    let (inference_part, tools_part) = at_terms.split_beside(total, inference, terms.tools)?;

    let saved = parts.saved_by_caching(&prices, usage)?;
    let charge = Charge {
        total,
        inference: inference_part,
        tools: tools_part,
        list: list_total,
        list_prompt,
        list_completion,
        cache_discount: at_list.apply(saved)?.round_half_even()?,
        insured: false,
    };
    Ok(Quote {
        prices,
        parts,
        tools: terms.tools,
        charge,
    })
}

/// What a price depends on beside the list and the usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// When the request was admitted; decides which time windows apply.
    pub at: Timestamp,
    /// Taken off for the account. Negative is a surcharge.
    pub account_discount: Ppm,
    /// The share of token prices that is paid: all of it, or half in a batch.
    pub batch: Ppm,
    /// What the tools that we ran cost; neither discounted nor halved.
    pub tools: UsdPicos,
}

impl Terms {
    /// Full price, no tools.
    pub const fn at(at: Timestamp) -> Self {
        Self {
            at,
            account_discount: Ppm::ZERO,
            batch: Ppm::ONE,
            tools: UsdPicos::ZERO,
        }
    }
}

/// Why something has no price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// The endpoint states no price for what was used.
    #[error("the price list states no `{0}` price")]
    Missing(&'static str),
    /// A discount above the whole, or a negative share.
    #[error("a rate of {0} parts per million would make the charge negative")]
    NegativeRate(i64),
    /// The amount is beyond anything a ledger holds.
    #[error(transparent)]
    Overflow(#[from] Overflow),
}

/// A price with everything needed to recompute it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quote {
    /// The prices that applied, overrides included.
    pub prices: Prices,
    /// The exact cost of each bucket, before discounts.
    pub parts: Parts,
    /// The exact cost of the tools.
    pub tools: UsdPicos,
    /// The rounded result.
    pub charge: Charge,
}

/// The exact cost of each bucket, before discounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Parts {
    /// Plain input tokens.
    pub input_uncached: UsdPicos,
    /// Input tokens read from a cache.
    pub cache_read: UsdPicos,
    /// Input tokens written to a cache for five minutes.
    pub cache_write_5m: UsdPicos,
    /// Input tokens written to a cache for an hour.
    pub cache_write_1h: UsdPicos,
    /// Audio input tokens.
    pub audio_in: UsdPicos,
    /// Input images.
    pub images: UsdPicos,
    /// The request itself.
    pub request: UsdPicos,
    /// Plain output tokens.
    pub output_text: UsdPicos,
    /// Reasoning tokens.
    pub reasoning: UsdPicos,
    /// Audio output tokens.
    pub audio_out: UsdPicos,
    /// Image output tokens.
    pub image_out: UsdPicos,
}

impl Parts {
    fn of(prices: &Prices, usage: &TokenUsage) -> Result<Self, PriceError> {
        let input = |count, price: Option<Price>| cost(count, price.or(prices.prompt), "prompt");
        let output =
            |count, price: Option<Price>| cost(count, price.or(prices.completion), "completion");
        let apiece = |count, price: Option<Price>| price.unwrap_or_default().times(count);
        Ok(Self {
            input_uncached: input(usage.input_uncached, None)?,
            cache_read: input(usage.cache_read, prices.input_cache_read)?,
            cache_write_5m: input(usage.cache_write_5m, prices.input_cache_write)?,
            cache_write_1h: input(usage.cache_write_1h, prices.input_cache_write_1h)?,
            audio_in: input(usage.audio_in, prices.audio)?,
            images: apiece(usage.images_in, prices.image)?,
            request: apiece(1, prices.request)?,
            output_text: output(usage.output_text, None)?,
            reasoning: output(usage.reasoning, reasoning_price(prices))?,
            audio_out: output(usage.audio_out, prices.audio_output)?,
            image_out: output(usage.image_out, prices.image_output)?,
        })
    }

    /// The input side: tokens, images and the request.
    pub fn input(&self) -> Result<UsdPicos, Overflow> {
        sum([
            self.input_uncached,
            self.cache_read,
            self.cache_write_5m,
            self.cache_write_1h,
            self.audio_in,
            self.images,
            self.request,
        ])
    }

    /// The output side.
    pub fn output(&self) -> Result<UsdPicos, Overflow> {
        sum([
            self.output_text,
            self.reasoning,
            self.audio_out,
            self.image_out,
        ])
    }

    /// What the cached tokens would have cost as plain ones, less what they cost.
    fn saved_by_caching(
        &self,
        prices: &Prices,
        usage: &TokenUsage,
    ) -> Result<UsdPicos, PriceError> {
        let tokens = [usage.cache_read, usage.cache_write_5m, usage.cache_write_1h];
        let plain = tokens.map(|count| cost(count, prices.prompt, "prompt"));
        let [read, write_5m, write_1h] = plain;
        let plain = sum([read?, write_5m?, write_1h?])?;
        let cached = sum([self.cache_read, self.cache_write_5m, self.cache_write_1h])?;
        Ok(plain.checked_add(UsdPicos::new(-cached.get()))?)
    }
}

/// The price of a reasoning token where it has one of its own; zero means it has none.
pub(crate) fn reasoning_price(prices: &Prices) -> Option<Price> {
    prices
        .internal_reasoning
        .filter(|price| *price > Price::ZERO)
}

/// The exact cost of `count` units. Nothing used needs no price.
pub(crate) fn cost(
    count: u64,
    price: Option<Price>,
    key: &'static str,
) -> Result<UsdPicos, PriceError> {
    if count == 0 {
        return Ok(UsdPicos::ZERO);
    }
    Ok(price.ok_or(PriceError::Missing(key))?.times(count)?)
}

fn sum<const N: usize>(amounts: [UsdPicos; N]) -> Result<UsdPicos, Overflow> {
    amounts
        .into_iter()
        .try_fold(UsdPicos::ZERO, UsdPicos::checked_add)
}

#[cfg(test)]
mod tests;
