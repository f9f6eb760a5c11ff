//! What a request would cost at an endpoint: for ranking and for price ceilings. Charging is
//! billing's, from what was really used.

use switchyard_domain::{
    clock::Timestamp,
    money::{Price, UsdPicos},
    price_list::PriceList,
};
use switchyard_interchange::needs::Needs;

const ONE_MILLION: i128 = 1_000_000;

/// Prompt tokens per output token where nobody limited the output.
const PROMPT_PER_OUTPUT: u64 = 3;

/// The expected cost: the estimated prompt at the input price plus the expected output at the
/// output price. The output is expected to be as long as it may be, or a third of the prompt.
pub(crate) fn expected_cost(list: &PriceList, needs: &Needs, now: Timestamp) -> UsdPicos {
    let prices = list.at(needs.prompt_tokens_estimate, now);
    let output_tokens = needs.max_output_tokens.map_or_else(
        || (needs.prompt_tokens_estimate / PROMPT_PER_OUTPUT).max(1),
        u64::from,
    );
    let gross = [
        (prices.prompt, needs.prompt_tokens_estimate),
        (prices.completion, output_tokens),
        (prices.request, 1),
        (prices.image, needs.input_images),
    ]
    .into_iter()
    .map(|(price, count)| times(price.unwrap_or_default(), count))
    .fold(0_i128, i128::saturating_add);
    let cost = match gross.checked_mul(share_left(list)) {
        Some(product) => product / ONE_MILLION,
        None => (gross / ONE_MILLION).saturating_mul(share_left(list)),
    };
    UsdPicos::new(cost)
}

fn times(price: Price, count: u64) -> i128 {
    i128::from(price.picos()).saturating_mul(i128::from(count))
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
