//! Prices of an endpoint in words: what holds now, and what holds under other conditions.

use switchyard_catalog::listing::{WEEKDAYS, is_open, prices_now};
use switchyard_domain::{
    clock::Timestamp,
    money::Price,
    price_list::{PriceList, PriceOverride, Prices},
};

use crate::ui::{count, usd_per_million};

/// A list of prices as it is shown.
pub(super) struct PriceView {
    pub(super) input: Option<String>,
    pub(super) output: Option<String>,
    /// Name and price of everything else that has one.
    pub(super) others: Vec<(&'static str, String)>,
    /// What changes, and when.
    pub(super) exceptions: Vec<Exception>,
}

/// Other prices under a condition.
pub(super) struct Exception {
    pub(super) when: String,
    pub(super) prices: String,
    pub(super) is_now: bool,
}

impl PriceView {
    pub(super) fn of(list: &PriceList, now: Timestamp) -> Self {
        let prices = prices_now(list, now);
        let exceptions = list.overrides.iter();
        Self {
            input: prices.prompt.map(per_million),
            output: prices.completion.map(per_million),
            others: others(&prices),
            exceptions: exceptions.map(|over| Exception::of(over, now)).collect(),
        }
    }
}

fn others(prices: &Prices) -> Vec<(&'static str, String)> {
    let per_token = [
        ("cache read", prices.input_cache_read),
        ("cache write", prices.input_cache_write),
        ("cache write, 1 h", prices.input_cache_write_1h),
        ("reasoning", prices.internal_reasoning),
        ("audio in", prices.audio),
        ("audio out", prices.audio_output),
        ("image out", prices.image_output),
    ];
    let apiece = [
        ("per request", prices.request),
        ("per image", prices.image),
        ("per web search", prices.web_search),
    ];
    let stated = |(name, price): (&'static str, Option<Price>)| Some((name, price?));
    let worth = |(_, price): &(&'static str, Price)| *price > Price::ZERO;
    let tokens = per_token.into_iter().filter_map(stated).filter(worth);
    let pieces = apiece.into_iter().filter_map(stated).filter(worth);
    let mut shown: Vec<_> = tokens
        .map(|(name, price)| (name, per_million(price)))
        .collect();
    shown.extend(pieces.map(|(name, price)| (name, format!("${price}"))));
    shown
}

impl Exception {
    fn of(over: &PriceOverride, now: Timestamp) -> Self {
        let mut prices: Vec<String> = Vec::new();
        let main = [
            ("input", over.prices.prompt),
            ("output", over.prices.completion),
        ];
        for (name, price) in main {
            prices.extend(price.map(|price| format!("{name} {}", per_million(price))));
        }
        let others = others(&over.prices).into_iter();
        prices.extend(others.map(|(name, price)| format!("{name} {price}")));
        Self {
            when: when(over),
            prices: prices.join(", "),
            is_now: over.min_prompt_tokens.is_none() && is_open(over, now),
        }
    }
}

fn when(over: &PriceOverride) -> String {
    let mut conditions = Vec::new();
    if let Some(min) = over.min_prompt_tokens {
        conditions.push(format!("above {} input tokens", count(min)));
    }
    if let Some(window) = over.window {
        conditions.push(format!(
            "{}–{} UTC",
            clock(window.start_minute),
            clock(window.end_minute)
        ));
    }
    if !over.weekdays.is_empty() {
        let days = over.weekdays.iter();
        let names: Vec<_> = days
            .filter_map(|day| WEEKDAYS.get(usize::from(*day)))
            .copied()
            .collect();
        conditions.push(format!("on {}", names.join(", ")));
    }
    conditions.join(", ")
}

fn clock(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60 % 24, minute % 60)
}

pub(super) fn per_million(price: Price) -> String {
    usd_per_million(price.picos())
}
