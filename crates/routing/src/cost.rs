//! What a request would cost at an endpoint: for ranking and for price ceilings. Charging is
//! billing's, from what was really used.

use switchyard_domain::{
    clock::Timestamp,
    money::{Price, UsdPicos},
    price_list::{PriceList, Prices},
};
use switchyard_interchange::needs::Needs;

const ONE_MILLION: i128 = 1_000_000;

/// Prompt tokens per output token where nobody limited the output.
const PROMPT_PER_OUTPUT: u64 = 3;

/// What of a prompt may be read from a cache.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Warmth {
    /// Tokens that were in the cache when it was last used.
    pub(crate) tokens: u64,
    /// The chance that they still are, in parts per million.
    pub(crate) hit_ppm: u32,
}

impl Warmth {
    /// All of the prompt is there.
    pub(crate) fn whole(needs: &Needs) -> Self {
        Self {
            tokens: needs.prompt_tokens_estimate,
            hit_ppm: 1_000_000,
        }
    }
}

/// The expected cost without regard to caches: the estimated prompt at the input price plus the
/// expected output at the output price. The output is expected to be as long as it may be, or a
/// third of the prompt.
pub(crate) fn expected_cost(list: &PriceList, needs: &Needs, now: Timestamp) -> UsdPicos {
    let prices = list.at(needs.prompt_tokens_estimate, now);
    let prompt = times(
        prices.prompt.unwrap_or_default(),
        needs.prompt_tokens_estimate,
    );
    net(list, prompt.saturating_add(beside_prompt(&prices, needs)))
}

/// The same with a prompt cache weighed in. The tokens that are expected to be read from it cost
/// the read price. All others cost the input price, or where somebody asked for the prompt to be
/// cached and the provider charges for it the write price; one that is stated below the input
/// price is a fee for storage, and comes with the input price.
pub(crate) fn cost_with_cache(
    list: &PriceList,
    needs: &Needs,
    now: Timestamp,
    warmth: Warmth,
) -> UsdPicos {
    let prices = list.at(needs.prompt_tokens_estimate, now);
    let input = prices.prompt.unwrap_or_default();
    let unread = match prices.input_cache_write {
        Some(write) if needs.marks_cache => write.max(input),
        _ => input,
    };
    let warm = warmth.tokens.min(needs.prompt_tokens_estimate);
    let read_tokens = share_of(i128::from(warm), warmth.hit_ppm);
    let unread_tokens = i128::from(needs.prompt_tokens_estimate) - read_tokens;
    let read = prices.input_cache_read.unwrap_or(input);
    let prompt = i128::from(read.picos())
        .saturating_mul(read_tokens)
        .saturating_add(i128::from(unread.picos()).saturating_mul(unread_tokens));
    net(list, prompt.saturating_add(beside_prompt(&prices, needs)))
}

/// A probability's share of an amount, rounded down.
pub(crate) fn share_of(amount: i128, ppm: u32) -> i128 {
    let ppm = i128::from(ppm).min(ONE_MILLION);
    match amount.checked_mul(ppm) {
        Some(product) => product / ONE_MILLION,
        None => (amount / ONE_MILLION).saturating_mul(ppm),
    }
}

fn beside_prompt(prices: &Prices, needs: &Needs) -> i128 {
    let output_tokens = needs.max_output_tokens.map_or_else(
        || (needs.prompt_tokens_estimate / PROMPT_PER_OUTPUT).max(1),
        u64::from,
    );
    [
        (prices.completion, output_tokens),
        (prices.request, 1),
        (prices.image, needs.input_images),
    ]
    .into_iter()
    .map(|(price, count)| times(price.unwrap_or_default(), count))
    .fold(0_i128, i128::saturating_add)
}

fn times(price: Price, count: u64) -> i128 {
    i128::from(price.picos()).saturating_mul(i128::from(count))
}

fn net(list: &PriceList, gross: i128) -> UsdPicos {
    let left = share_left(list);
    if left == ONE_MILLION {
        return UsdPicos::new(gross);
    }
    let cost = match gross.checked_mul(left) {
        Some(product) => product / ONE_MILLION,
        None => (gross / ONE_MILLION).saturating_mul(left),
    };
    UsdPicos::new(cost)
}

/// What a contractual discount leaves of a price, in parts per million.
fn share_left(list: &PriceList) -> i128 {
    (ONE_MILLION - i128::from(list.discount.get())).clamp(0, ONE_MILLION)
}

/// Whether `price`, after the list's discount, is above `ceiling`.
pub(crate) fn exceeds(list: &PriceList, price: Price, ceiling: Price) -> bool {
    i128::from(price.picos()) * share_left(list) > i128::from(ceiling.picos()) * ONE_MILLION
}

/// A per-token price as people state it: dollars per million.
pub(crate) fn per_million(price: Price) -> String {
    let picos = price.picos().saturating_mul(1_000_000);
    Price::from_picos(picos).map_or_else(|| price.to_string(), |scaled| scaled.to_string())
}
