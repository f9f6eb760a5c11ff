//! A row's `pricing` object as a [`PriceList`].
//!
//! Prices are decimal texts and never pass through a floating-point number. Three things in the
//! data need a decision:
//!
//! - **More than twelve fractional digits.** Some hosts quote a share of an hourly rate, which
//!   has no end in decimals (a twelfth of a dollar per million tokens). Such a price is rounded
//!   half to even to whole pico-dollars where that moves it by less than one part in twenty
//!   thousand, and remarked upon; where it would move it further, it is a fault.
//! - **`image`.** It means a price per input image, but Google's rows put their price per image
//!   *token* there, equal to the prompt price. Images of those rows are counted as prompt tokens
//!   already, so the figure is kept for display and never billed per image.
//! - **Prices without a meter.** `image_token`, `input_audio_cache` and `input_cache_write_12h`
//!   price things our usage buckets do not tell apart. They are kept for display; what they would
//!   price is billed as the bucket it falls into.

mod window;

#[cfg(test)]
mod tests;

use serde_json::Value;
use switchyard_domain::{
    money::{ParseAmountError, Ppm, Price, divide_half_even, parse_decimal},
    price_list::{PriceList, PriceOverride, Prices},
};

use crate::{document::shown, findings::shorten, reader::Reader, snapshot::UnmeteredPrices};

/// 0.01 USD a token. Ten times the dearest model's price; a price per million tokens put into a
/// per-token field is far above it.
const PER_TOKEN_MAX: i64 = 10_000_000_000;
/// 5 USD a request, image or search.
const PER_UNIT_MAX: i64 = 5_000_000_000_000;
/// 0.00001 USD. The cheapest price of a whole image is several times that; below it stands a
/// price per token in the wrong field.
const PER_IMAGE_MIN: i64 = 10_000_000;
/// The smallest price that may be rounded to a pico-dollar: half of one is then less than a part
/// in twenty thousand.
const ROUNDABLE_MIN: i128 = 10_000;
/// Fractional digits that are looked at before rounding.
const FRACTION_DIGITS_MAX: u32 = 30;

const CONDITIONS: [&str; 4] = ["min_prompt_tokens", "utc_start", "utc_end", "utc_days"];

/// What a row says about prices.
#[derive(Debug, Default)]
pub(crate) struct Pricing {
    /// `None` where the prompt or completion price is unknown.
    pub(crate) list: Option<PriceList>,
    pub(crate) unmetered: UnmeteredPrices,
    /// The `discount` figure, already taken off the prices.
    pub(crate) discount: f64,
    /// Whether any price in it is above zero.
    pub(crate) charges: bool,
}

/// The prices stated in one object: the base, or an override.
#[derive(Debug, Clone, Copy, Default)]
struct Stated {
    prices: Prices,
    unmetered: UnmeteredPrices,
    /// How many keys of it state a price.
    count: usize,
    charges: bool,
}

impl Stated {
    fn slot(&mut self, key: &str) -> Option<&mut Option<Price>> {
        let prices = &mut self.prices;
        Some(match key {
            "prompt" => &mut prices.prompt,
            "completion" => &mut prices.completion,
            "request" => &mut prices.request,
            "image" => &mut prices.image,
            "input_cache_read" => &mut prices.input_cache_read,
            "input_cache_write" => &mut prices.input_cache_write,
            "input_cache_write_1h" => &mut prices.input_cache_write_1h,
            "internal_reasoning" => &mut prices.internal_reasoning,
            "audio" => &mut prices.audio,
            "audio_output" => &mut prices.audio_output,
            "image_output" => &mut prices.image_output,
            "web_search" => &mut prices.web_search,
            "image_token" => &mut self.unmetered.image_token,
            "input_audio_cache" => &mut self.unmetered.input_audio_cache,
            "input_cache_write_12h" => &mut self.unmetered.input_cache_write_12h,
            _ => return None,
        })
    }
}

/// Reads a `pricing` object.
pub(crate) fn read(pricing: &Reader<'_>) -> Pricing {
    let base = stated(pricing, &["discount", "overrides"], None);
    check_caches(pricing, &base.prices);
    let mut charges = base.charges;
    let mut overrides: Vec<PriceOverride> = Vec::new();
    for reader in pricing.objects("overrides") {
        let over = stated(&reader, &CONDITIONS, base.prices.prompt);
        charges |= over.charges;
        let row = conditions(&reader, over);
        check_order(&reader, overrides.last(), &row);
        overrides.push(row);
    }
    let priced = base.prices.prompt.is_some() && base.prices.completion.is_some();
    Pricing {
        list: priced.then_some(PriceList {
            base: base.prices,
            overrides,
            discount: Ppm::ZERO,
        }),
        unmetered: base.unmetered,
        discount: discount(pricing),
        charges,
    }
}

/// Reads the prices of one object; `others` are its keys that are no prices, `base_prompt` is the
/// prompt price that holds where the object states none.
fn stated(reader: &Reader<'_>, others: &[&str], base_prompt: Option<Price>) -> Stated {
    let mut stated = Stated::default();
    for key in reader.names() {
        if others.contains(&key) {
            continue;
        }
        let Some(slot) = stated.slot(key) else {
            reader.fault(
                key,
                "is not a price that is known here",
                "correct its name, or remove it: nothing would charge it",
            );
            continue;
        };
        *slot = price(reader, key);
        let charges = *slot > Some(Price::ZERO);
        stated.charges |= charges;
        stated.count += usize::from(reader.known(key).is_some());
    }
    let prompt = stated.prices.prompt.or(base_prompt);
    if is_per_token(stated.prices.image, prompt) {
        stated.unmetered.image_per_token = stated.prices.image.take();
    }
    check_image(reader, stated.prices.image);
    stated
}

/// An image that costs exactly what one token costs is an image token.
fn is_per_token(image: Option<Price>, prompt: Option<Price>) -> bool {
    image.is_some_and(|image| image > Price::ZERO && Some(image) == prompt)
}

fn check_image(reader: &Reader<'_>, image: Option<Price>) {
    if let Some(image) = image.filter(|image| (1..PER_IMAGE_MIN).contains(&image.picos())) {
        reader.fault(
            "image",
            format!("is {image} USD, too little for a whole image"),
            "write a price per token as image_token, a price per image as image",
        );
    }
}

/// A price where the key states one; what is wrong with it is noted.
fn price(reader: &Reader<'_>, key: &str) -> Option<Price> {
    let value = reader.known(key)?;
    let Some(text) = value.as_str() else {
        reader.fault(
            key,
            format!("is {}", shown(value)),
            "write a decimal number in quotes, so that it stays exact, or null",
        );
        return None;
    };
    let price = match parse(text) {
        Ok(Parsed::Exact(price)) => price,
        Ok(Parsed::Rounded(price)) => {
            reader.remark(
                key,
                format!("`{}` has more than 12 fractional digits", shorten(text)),
                format!("{price} is charged"),
            );
            price
        }
        Err(problem) => {
            let problem = format!("`{}` {problem}", shorten(text));
            reader.fault(
                key,
                problem,
                "write plain decimal US dollars such as \"0.0000025\"",
            );
            return None;
        }
    };
    check_size(reader, key, price);
    Some(price)
}

/// A price far above any real one is a price for another number of units.
fn check_size(reader: &Reader<'_>, key: &str, price: Price) {
    let (max, unit, remedy) = match key {
        "request" | "image" => (PER_UNIT_MAX, key, "write the price of one"),
        "web_search" => (
            PER_UNIT_MAX,
            "search",
            "write the price of one, not of a thousand",
        ),
        _ => (
            PER_TOKEN_MAX,
            "token",
            "write 3 USD per million tokens as \"0.000003\"",
        ),
    };
    if price.picos() > max {
        reader.fault(key, format!("is {price} USD for one {unit}"), remedy);
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Parsed {
    Exact(Price),
    Rounded(Price),
}

fn parse(text: &str) -> Result<Parsed, &'static str> {
    if text.starts_with('-') {
        return Err("is negative");
    }
    match text.parse::<Price>() {
        Ok(price) => Ok(Parsed::Exact(price)),
        Err(ParseAmountError::Malformed) => Err("is not a plain decimal number"),
        Err(ParseAmountError::OutOfRange) => Err("is out of range"),
        Err(ParseAmountError::TooPrecise(digits)) => round(text, digits).map(Parsed::Rounded),
    }
}

fn round(text: &str, digits: u32) -> Result<Price, &'static str> {
    const TOO_PRECISE: &str = "has more than 12 fractional digits and is too small to round";
    let fine = parse_decimal(text, FRACTION_DIGITS_MAX).map_err(|error| match error {
        ParseAmountError::TooPrecise(_) => "has more than 30 fractional digits",
        ParseAmountError::Malformed | ParseAmountError::OutOfRange => "is out of range",
    })?;
    let unit = 10_i128.pow(FRACTION_DIGITS_MAX.saturating_sub(digits));
    let picos = divide_half_even(fine, unit).map_err(|_| "is out of range")?;
    if picos < ROUNDABLE_MIN {
        return Err(TOO_PRECISE);
    }
    let picos = i64::try_from(picos).map_err(|_| "is out of range")?;
    Price::from_picos(picos).ok_or("is negative")
}

/// The conditions of an override beside its prices.
fn conditions(reader: &Reader<'_>, over: Stated) -> PriceOverride {
    let row = PriceOverride {
        min_prompt_tokens: reader.whole("min_prompt_tokens"),
        window: window::daily(reader),
        weekdays: window::weekdays(reader),
        prices: over.prices,
    };
    if CONDITIONS.iter().all(|key| reader.known(key).is_none()) {
        reader.fault(
            "",
            "has no condition",
            "add min_prompt_tokens, utc_start and utc_end, or utc_days",
        );
    }
    if over.count == 0 {
        reader.fault("", "replaces no price", "add the prices it puts in place");
    }
    row
}

/// Later rows win, so among rows that differ only in their threshold the higher must come later.
fn check_order(reader: &Reader<'_>, before: Option<&PriceOverride>, row: &PriceOverride) {
    let same_time =
        |before: &&PriceOverride| before.window == row.window && before.weekdays == row.weekdays;
    let threshold_before = before
        .filter(same_time)
        .and_then(|before| before.min_prompt_tokens);
    let (Some(before), Some(threshold)) = (threshold_before, row.min_prompt_tokens) else {
        return;
    };
    if threshold <= before {
        reader.fault(
            "min_prompt_tokens",
            format!("is {threshold}, not above the {before} of the row before"),
            "put the rows in rising order: later rows win",
        );
    }
}

fn discount(pricing: &Reader<'_>) -> f64 {
    let Some(discount) = pricing.number("discount") else {
        return 0.0;
    };
    if !(discount > -1.0 && discount < 1.0) {
        let stated = Value::from(discount);
        pricing.fault(
            "discount",
            format!("is {}", shown(&stated)),
            "write a share between 0 and 1; it is shown, never taken off",
        );
    }
    discount
}

fn check_caches(pricing: &Reader<'_>, prices: &Prices) {
    if let (Some(read), Some(prompt)) = (prices.input_cache_read, prices.prompt)
        && read >= prompt
        && prompt > Price::ZERO
    {
        pricing.remark(
            "input_cache_read",
            format!("is {read}, not below the prompt price {prompt}"),
            "check which of the two is meant",
        );
    }
    if let (Some(long), Some(short)) = (prices.input_cache_write_1h, prices.input_cache_write)
        && long < short
    {
        pricing.remark(
            "input_cache_write_1h",
            format!("is {long}, below the {short} of the shorter life"),
            "check which of the two is meant",
        );
    }
}
