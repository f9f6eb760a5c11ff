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

/// One request's prices at one endpoint, looked up once however often they are reckoned with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rates {
    prompt_tokens: u64,
    /// Of a prompt token, without regard to caches.
    input: Price,
    /// Of a prompt token that is read from a cache.
    read: Price,
    /// Of a prompt token that is not. Where somebody asked for the prompt to be cached and the
    /// provider charges for it, that is the write price; one that is stated below the input price
    /// is a fee for storage, and comes with the input price.
    unread: Price,
    /// Of everything beside the prompt together.
    beside_prompt: i128,
    /// What the discount leaves, in parts per million.
    share_left: i128,
}

impl Rates {
    pub(crate) fn of(list: &PriceList, needs: &Needs, now: Timestamp) -> Self {
        let prices = list.at(needs.prompt_tokens_estimate, now);
        let input = prices.prompt.unwrap_or_default();
        Self {
            prompt_tokens: needs.prompt_tokens_estimate,
            input,
            read: prices.input_cache_read.unwrap_or(input),
            unread: match prices.input_cache_write {
                Some(write) if needs.marks_cache => write.max(input),
                _ => input,
            },
            beside_prompt: beside_prompt(&prices, needs),
            share_left: share_left(list),
        }
    }

    /// The expected cost without regard to caches: the estimated prompt at the input price plus the
    /// expected output at the output price. The output is expected to be as long as it may be, or a
    /// third of the prompt.
    pub(crate) fn cost(&self) -> UsdPicos {
        self.net(times(self.input, self.prompt_tokens))
    }

    /// The same with a prompt cache weighed in: the tokens that are expected to be read from it cost
    /// the read price, all others that of what is not read.
    pub(crate) fn cost_with_cache(&self, warmth: Warmth) -> UsdPicos {
        let warm = warmth.tokens.min(self.prompt_tokens);
        let read_tokens = share_of(i128::from(warm), warmth.hit_ppm);
        let read_tokens = u64::try_from(read_tokens).unwrap_or(warm);
        let read = times(self.read, read_tokens);
        let unread = times(self.unread, self.prompt_tokens - read_tokens);
        self.net(read.saturating_add(unread))
    }

    fn net(&self, prompt: i128) -> UsdPicos {
        let gross = prompt.saturating_add(self.beside_prompt);
        if self.share_left == ONE_MILLION {
            return UsdPicos::new(gross);
        }
        let cost = match gross.checked_mul(self.share_left) {
            Some(product) => product / ONE_MILLION,
            None => (gross / ONE_MILLION).saturating_mul(self.share_left),
        };
        UsdPicos::new(cost)
    }
}

/// A probability's share of an amount, rounded down.
pub(crate) fn share_of(amount: i128, ppm: u32) -> i128 {
    let ppm = i128::from(ppm).min(ONE_MILLION);
    let Some(product) = amount.checked_mul(ppm) else {
        return (amount / ONE_MILLION).saturating_mul(ppm);
    };
    divide(product, 1_000_000)
}

/// Half the width takes a fraction of the time, and almost every amount fits.
#[inline]
pub(crate) fn divide(amount: i128, by: i64) -> i128 {
    match i64::try_from(amount) {
        Ok(amount) => i128::from(amount / by),
        Err(_) => amount / i128::from(by),
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
    // 64 bits by 64 bits always fit.
    i128::from(price.picos()) * i128::from(count)
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
