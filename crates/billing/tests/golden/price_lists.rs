//! The price lists of the golden cases, in dollars per million tokens.

use switchyard_domain::{
    money::{Ppm, Price},
    price_list::{DailyWindow, PriceList, PriceOverride, Prices},
};

/// Dollars per million tokens.
fn m(dollars: &str) -> Option<Price> {
    let price: Price = dollars.parse().expect("a price");
    Price::from_picos(price.picos() / 1_000_000)
}

/// Dollars apiece.
fn each(dollars: &str) -> Option<Price> {
    Some(dollars.parse().expect("a price"))
}

fn text(prompt: &str, completion: &str) -> Prices {
    Prices {
        prompt: m(prompt),
        completion: m(completion),
        ..Prices::default()
    }
}

fn list(base: Prices) -> PriceList {
    PriceList {
        base,
        ..PriceList::default()
    }
}

fn above_200k(prices: Prices) -> PriceOverride {
    PriceOverride {
        min_prompt_tokens: Some(200_000),
        window: None,
        weekdays: Vec::new(),
        prices,
    }
}

pub(crate) fn flash() -> PriceList {
    list(Prices {
        input_cache_read: m("0.01875"),
        ..text("0.075", "0.30")
    })
}

pub(crate) fn sonnet() -> PriceList {
    let base = Prices {
        input_cache_read: m("0.30"),
        input_cache_write: m("3.75"),
        input_cache_write_1h: m("6"),
        ..text("3", "15")
    };
    let long = Prices {
        input_cache_read: m("0.60"),
        input_cache_write: m("7.5"),
        input_cache_write_1h: m("12"),
        ..text("6", "22.5")
    };
    PriceList {
        overrides: vec![above_200k(long)],
        ..list(base)
    }
}

pub(crate) fn gpt() -> PriceList {
    let base = Prices {
        input_cache_read: m("1.25"),
        image: each("0.003613"),
        request: each("0.0005"),
        ..text("2.5", "10")
    };
    PriceList {
        overrides: vec![above_200k(text("5", "20"))],
        ..list(base)
    }
}

pub(crate) fn flex() -> PriceList {
    list(Prices {
        input_cache_read: m("0.625"),
        ..text("1.25", "5")
    })
}

pub(crate) fn audio() -> PriceList {
    list(Prices {
        audio: m("10"),
        audio_output: m("20"),
        ..text("0.6", "2.4")
    })
}

pub(crate) fn r0() -> PriceList {
    list(Prices {
        internal_reasoning: Some(Price::ZERO),
        ..text("1.1", "4.4")
    })
}

pub(crate) fn r6() -> PriceList {
    list(Prices {
        internal_reasoning: m("6"),
        ..text("1.1", "4.4")
    })
}

pub(crate) fn disc() -> PriceList {
    PriceList {
        discount: Ppm::new(15_000),
        ..flash()
    }
}

pub(crate) fn peak() -> PriceList {
    let off_peak = PriceOverride {
        min_prompt_tokens: None,
        window: Some(DailyWindow {
            start_minute: 16 * 60 + 30,
            end_minute: 30,
        }),
        weekdays: Vec::new(),
        prices: text("0.14", "0.21"),
    };
    PriceList {
        overrides: vec![off_peak],
        ..list(text("0.28", "0.42"))
    }
}

pub(crate) fn tiny() -> PriceList {
    list(text("0.0001", "0.0004"))
}
