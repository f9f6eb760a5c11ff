//! A charge, bucket by bucket: priced again from the prices that applied, so that whoever reads it can add
//! it up.

use switchyard_billing::price::{Parts, Terms, price};
use switchyard_domain::{
    clock::Timestamp,
    money::{Ppm, Price, UsdNanos, UsdPicos},
    price_list::{PriceOverride, Prices},
    tokens::TokenUsage,
};
use switchyard_store::generation::GenerationView;

/// How a charge comes about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CostStory {
    /// What was used and costs something, or would.
    pub lines: Vec<CostLine>,
    /// All lines together.
    pub exact: UsdPicos,
    /// What a contract takes off; zero nearly always.
    pub discount: Ppm,
    /// The special prices that applied, in words.
    pub overrides: Vec<String>,
    /// All lines together, rounded once.
    pub list: UsdNanos,
    /// What tools cost beside.
    pub tools: UsdNanos,
    /// What was charged.
    pub total: UsdNanos,
    /// Why that is, or is not, the list price.
    pub charged_for: ChargedFor,
    /// What caching saved.
    pub cache_discount: UsdNanos,
    /// Names the prices.
    pub snapshot: String,
    /// Whether pricing it again gives what is stored.
    pub adds_up: bool,
}

/// One bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CostLine {
    /// What was used.
    pub bucket: &'static str,
    /// How much of it.
    pub count: u64,
    /// What one costs.
    pub price: Price,
    /// What all cost.
    pub amount: UsdPicos,
}

/// What stands between the list price and the charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChargedFor {
    /// Nothing.
    TheListPrice,
    /// Its list price is zero.
    FreeModel,
    /// A credential of the customer's own served, so its provider bills for the tokens.
    OwnCredential,
    /// No answer came, or it broke off: not charged.
    Insured,
}

/// `None` where nothing served.
pub(super) fn story(generation: &GenerationView) -> Option<CostStory> {
    let served = generation.served.as_ref()?;
    let (usage, charge) = (&generation.usage, &generation.charge);
    let terms = Terms::at(generation.admitted_at);
    let quote = price(&served.prices, usage, &terms).ok()?;
    let exact = quote.parts.input().ok()?;
    let exact = exact.checked_add(quote.parts.output().ok()?).ok()?;
    let charged_for = if charge.insured {
        ChargedFor::Insured
    } else if generation.is_byok() {
        ChargedFor::OwnCredential
    } else if exact == UsdPicos::ZERO {
        ChargedFor::FreeModel
    } else {
        ChargedFor::TheListPrice
    };
    let is_charged = charged_for == ChargedFor::TheListPrice;
    let tokens = if is_charged {
        quote.charge.list
    } else {
        UsdNanos::ZERO
    };
    let overrides = served.prices.overrides.iter();
    let input = usage.input_total();
    Some(CostStory {
        lines: lines(&quote.prices, &quote.parts, usage),
        exact,
        discount: served.prices.discount,
        overrides: overrides
            .filter(|over| over.applies(input, generation.admitted_at))
            .map(|over| condition(over, generation.admitted_at))
            .collect(),
        list: quote.charge.list,
        tools: charge.tools,
        total: charge.total,
        charged_for,
        cache_discount: charge.cache_discount,
        snapshot: served.price_snapshot_id.to_string(),
        adds_up: quote.charge.list == charge.list
            && tokens.saturating_add(charge.tools) == charge.total,
    })
}

fn lines(prices: &Prices, parts: &Parts, usage: &TokenUsage) -> Vec<CostLine> {
    let input = prices.prompt;
    let output = prices.completion;
    let reasoning = prices
        .internal_reasoning
        .filter(|price| *price > Price::ZERO);
    let rows = [
        ("Input", usage.input_uncached, input, parts.input_uncached),
        (
            "Input, read from cache",
            usage.cache_read,
            prices.input_cache_read.or(input),
            parts.cache_read,
        ),
        (
            "Input, written to cache for 5 min",
            usage.cache_write_5m,
            prices.input_cache_write.or(input),
            parts.cache_write_5m,
        ),
        (
            "Input, written to cache for 1 h",
            usage.cache_write_1h,
            prices.input_cache_write_1h.or(input),
            parts.cache_write_1h,
        ),
        (
            "Audio input",
            usage.audio_in,
            prices.audio.or(input),
            parts.audio_in,
        ),
        ("Input images", usage.images_in, prices.image, parts.images),
        ("The request", 1, prices.request, parts.request),
        ("Output", usage.output_text, output, parts.output_text),
        (
            "Reasoning",
            usage.reasoning,
            reasoning.or(output),
            parts.reasoning,
        ),
        (
            "Audio output",
            usage.audio_out,
            prices.audio_output.or(output),
            parts.audio_out,
        ),
        (
            "Image output",
            usage.image_out,
            prices.image_output.or(output),
            parts.image_out,
        ),
    ];
    let used = rows.into_iter().filter(|(bucket, count, price, _)| {
        let is_apiece = matches!(*bucket, "The request" | "Input images");
        let costs = price.is_some_and(|price| price > Price::ZERO);
        *count > 0 && (costs || !is_apiece)
    });
    used.map(|(bucket, count, price, amount)| CostLine {
        bucket,
        count,
        price: price.unwrap_or_default(),
        amount,
    })
    .collect()
}

/// When a special price holds, in words.
fn condition(over: &PriceOverride, _: Timestamp) -> String {
    let mut parts = Vec::new();
    if let Some(tokens) = over.min_prompt_tokens {
        parts.push(format!("above {tokens} input tokens"));
    }
    if let Some(window) = over.window {
        let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        let (start, end) = (clock(window.start_minute), clock(window.end_minute));
        parts.push(format!("from {start} to {end} UTC"));
    }
    if !over.weekdays.is_empty() {
        const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
        let days = over.weekdays.iter();
        let days: Vec<_> = days
            .filter_map(|day| DAYS.get(usize::from(*day)).copied())
            .collect();
        parts.push(format!("on {}", days.join(", ")));
    }
    if parts.is_empty() {
        "always".to_owned()
    } else {
        parts.join(", ")
    }
}

#[cfg(test)]
mod tests;
