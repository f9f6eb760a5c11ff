//! Prices as the catalogue shows them: decimal text, so that they stay exact.

use serde::{Serialize, Serializer};
use switchyard_catalog::{
    listing::{WEEKDAYS, hhmm},
    snapshot::Endpoint,
};
use switchyard_domain::{
    money::Price,
    price_list::{PriceOverride, Prices},
};
use utoipa::ToSchema;

/// A price as decimal text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decimal(Price);

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// Prices in USD per token, request, image or search.
#[derive(Serialize, ToSchema)]
#[schema(as = Pricing)]
pub(crate) struct PricingView {
    #[schema(value_type = String, example = "0.000003")]
    prompt: Decimal,
    #[schema(value_type = String, example = "0.000015")]
    completion: Decimal,
    #[serde(flatten)]
    others: OtherPrices,
    /// Already taken off the prices; for display.
    discount: f64,
    /// Prices that replace these under conditions; later ones win.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    overrides: Vec<OverrideView>,
}

/// Prices that not every endpoint has.
#[derive(Serialize, ToSchema, Default)]
#[serde(default)]
#[schema(as = OtherPrices)]
pub(crate) struct OtherPrices {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    request: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    image: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    image_token: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    image_output: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    audio: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    audio_output: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    input_audio_cache: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    web_search: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    internal_reasoning: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    input_cache_read: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    input_cache_write: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    input_cache_write_1h: Option<Decimal>,
}

/// Prices under conditions; all stated conditions must hold.
#[derive(Serialize, ToSchema)]
#[schema(as = PricingOverride)]
pub(crate) struct OverrideView {
    /// Holds when the prompt has strictly more tokens; the whole request pays these prices.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    min_prompt_tokens: Option<u64>,
    /// Clock time HHMM in UTC; the window includes its start, not its end, and may wrap.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    utc_start: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    utc_end: Option<u16>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    utc_days: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    prompt: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    completion: Option<Decimal>,
    #[serde(flatten)]
    others: OtherPrices,
}

impl PricingView {
    /// The prices of an endpoint; `None` where they are unknown.
    pub(crate) fn new(endpoint: &Endpoint) -> Option<Self> {
        let list = endpoint.prices.as_ref()?;
        let mut others = OtherPrices::from(&list.base);
        if let Some(unmetered) = &endpoint.unmetered_prices {
            // An `image` price that is per image token is shown as what it is.
            others.image_token = unmetered
                .image_token
                .or(unmetered.image_per_token)
                .map(Decimal);
            others.input_audio_cache = unmetered.input_audio_cache.map(Decimal);
        }
        Some(Self {
            prompt: Decimal(list.base.prompt?),
            completion: Decimal(list.base.completion?),
            others,
            discount: endpoint.display_discount,
            overrides: list.overrides.iter().map(OverrideView::from).collect(),
        })
    }
}

impl From<&Prices> for OtherPrices {
    fn from(prices: &Prices) -> Self {
        Self {
            request: prices.request.map(Decimal),
            image: prices.image.map(Decimal),
            image_token: None,
            image_output: prices.image_output.map(Decimal),
            audio: prices.audio.map(Decimal),
            audio_output: prices.audio_output.map(Decimal),
            input_audio_cache: None,
            web_search: prices.web_search.map(Decimal),
            internal_reasoning: prices.internal_reasoning.map(Decimal),
            input_cache_read: prices.input_cache_read.map(Decimal),
            input_cache_write: prices.input_cache_write.map(Decimal),
            input_cache_write_1h: prices.input_cache_write_1h.map(Decimal),
        }
    }
}

impl From<&PriceOverride> for OverrideView {
    fn from(over: &PriceOverride) -> Self {
        let days = over.weekdays.iter();
        Self {
            min_prompt_tokens: over.min_prompt_tokens,
            utc_start: over.window.map(|window| hhmm(window.start_minute)),
            utc_end: over.window.map(|window| hhmm(window.end_minute)),
            utc_days: days
                .filter_map(|day| WEEKDAYS.get(usize::from(*day)).copied())
                .collect(),
            prompt: over.prices.prompt.map(Decimal),
            completion: over.prices.completion.map(Decimal),
            others: OtherPrices::from(&over.prices),
        }
    }
}
