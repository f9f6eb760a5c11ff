//! What a request may cost at most, before it is sent: the amount to reserve, and how long an
//! answer a balance can still pay for.

use switchyard_domain::{
    clock::Timestamp,
    money::{Overflow, Price, UsdNanos, UsdPicos},
    price_list::{PriceList, Prices},
};

use crate::price::{PriceError, Rate, Terms, cost, reasoning_price};

/// The most that a request can use, known before it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demand {
    /// Input tokens: an upper bound near a limit, an estimate with a margin far from it.
    pub input_tokens: u64,
    /// Input images, for endpoints that price them apiece.
    pub images: u64,
    /// Whether the request may write to a prompt cache.
    pub cache: CacheUse,
    /// What kinds of tokens there may be.
    pub media: MediaUse,
}

impl Demand {
    /// A text request that writes to no cache.
    pub const fn text(input_tokens: u64) -> Self {
        Self {
            input_tokens,
            images: 0,
            cache: CacheUse::None,
            media: MediaUse::TextOnly,
        }
    }
}

/// Whether a request may write to a prompt cache, which can cost more than plain input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheUse {
    /// It marks nothing to be cached.
    None,
    /// It marks something; every input token may be written at the dearest life.
    Marked,
}

/// What kinds of tokens a request and its answer may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaUse {
    /// Text (and reasoning) only.
    TextOnly,
    /// Audio in or out, or images out, as well.
    Possible,
}

/// What the request costs at most: dearest applicable prices, dearest kinds of token, rounded up.
/// The tools in `terms` are the most that tools may cost.
pub fn worst_case(
    list: &PriceList,
    demand: &Demand,
    output_tokens: u64,
    terms: &Terms,
) -> Result<UsdNanos, PriceError> {
    let rate = Rate::contract(list, terms)?;
    let mut worst = UsdNanos::ZERO;
    for input_tokens in largest_inputs(list, demand.input_tokens, terms.at) {
        let prices = list.at(input_tokens, terms.at);
        let output = cost(
            output_tokens,
            dearest_output(&prices, demand.media),
            "completion",
        )?;
        let inference = fixed_cost(&prices, input_tokens, demand)?.checked_add(output)?;
        worst = worst.max(rate.apply(inference)?.plus(terms.tools)?.round_up()?);
    }
    Ok(worst)
}

/// The most output tokens whose [`worst_case`] is within `available`: zero when not even the
/// input is, `u64::MAX` when output is free.
pub fn affordable_output_tokens(
    list: &PriceList,
    demand: &Demand,
    available: UsdNanos,
    terms: &Terms,
) -> Result<u64, PriceError> {
    let rate = Rate::contract(list, terms)?;
    let picos = i128::from(available.get()) * 1_000;
    let budget = UsdPicos::new(picos.checked_sub(terms.tools.get()).ok_or(Overflow)?);
    if budget < UsdPicos::ZERO {
        return Ok(0);
    }
    let Some(budget) = rate.largest_within(budget)? else {
        return Ok(u64::MAX);
    };
    let mut affordable = u64::MAX;
    for input_tokens in largest_inputs(list, demand.input_tokens, terms.at) {
        let prices = list.at(input_tokens, terms.at);
        let left = budget.get() - fixed_cost(&prices, input_tokens, demand)?.get();
        let price =
            dearest_output(&prices, demand.media).ok_or(PriceError::Missing("completion"))?;
        affordable = affordable.min(units_within(left, price));
    }
    Ok(affordable)
}

/// The input counts at which the worst case can stand: the bound itself, and the last count below
/// each threshold, because beyond a threshold prices may fall. Between two thresholds prices do
/// not change, so more tokens cost more.
fn largest_inputs(list: &PriceList, input_tokens: u64, at: Timestamp) -> impl Iterator<Item = u64> {
    let in_force = list
        .overrides
        .iter()
        .filter(move |over| over.is_in_force(at));
    let thresholds = in_force.filter_map(|over| over.min_prompt_tokens);
    let below = thresholds.filter(move |threshold| *threshold < input_tokens);
    std::iter::once(input_tokens).chain(below)
}

/// What is spent whatever comes out: input, images, the request.
fn fixed_cost(prices: &Prices, input_tokens: u64, demand: &Demand) -> Result<UsdPicos, PriceError> {
    let input = cost(input_tokens, dearest_input(prices, demand), "prompt")?;
    let images = prices.image.unwrap_or_default().times(demand.images)?;
    let request = prices.request.unwrap_or_default().times(1)?;
    Ok(input.checked_add(images)?.checked_add(request)?)
}

/// `None` when the plain price is missing: what is not stated cannot be bounded.
fn dearest_input(prices: &Prices, demand: &Demand) -> Option<Price> {
    let mut dearest = prices
        .prompt?
        .max(prices.input_cache_read.unwrap_or_default());
    if demand.cache == CacheUse::Marked {
        dearest = dearest.max(prices.input_cache_write.unwrap_or_default());
        dearest = dearest.max(prices.input_cache_write_1h.unwrap_or_default());
    }
    if demand.media == MediaUse::Possible {
        dearest = dearest.max(prices.audio.unwrap_or_default());
    }
    Some(dearest)
}

fn dearest_output(prices: &Prices, media: MediaUse) -> Option<Price> {
    let mut dearest = prices
        .completion?
        .max(reasoning_price(prices).unwrap_or_default());
    if media == MediaUse::Possible {
        dearest = dearest.max(prices.audio_output.unwrap_or_default());
        dearest = dearest.max(prices.image_output.unwrap_or_default());
    }
    Some(dearest)
}

fn units_within(budget_picos: i128, price: Price) -> u64 {
    match (budget_picos, price.picos()) {
        (..0, _) => 0,
        (_, 0) => u64::MAX,
        (budget, price) => u64::try_from(budget / i128::from(price)).unwrap_or(u64::MAX),
    }
}

#[cfg(test)]
mod tests;
