use proptest::prelude::*;
use switchyard_domain::{
    money::UsdNanos,
    price_list::{DailyWindow, PriceOverride},
};

use super::*;

mod oracle;

fn list(base: Prices) -> PriceList {
    PriceList {
        base,
        ..PriceList::default()
    }
}

fn per_million(text: &str) -> Option<Price> {
    let dollars: Price = text.parse().expect("a price");
    Price::from_picos(dollars.picos() / 1_000_000)
}

fn text_prices() -> Prices {
    Prices {
        prompt: per_million("3"),
        completion: per_million("15"),
        ..Prices::default()
    }
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).expect("an instant")
}

fn prompt_at(over: PriceOverride, input_tokens: u64, instant: &str) -> i64 {
    let list = PriceList {
        overrides: vec![over],
        ..list(text_prices())
    };
    list.at(input_tokens, at(instant))
        .prompt
        .expect("a price")
        .picos()
}

fn over(prompt: &str) -> PriceOverride {
    PriceOverride {
        min_prompt_tokens: None,
        window: None,
        weekdays: Vec::new(),
        prices: Prices {
            prompt: per_million(prompt),
            ..Prices::default()
        },
    }
}

#[test]
fn windows_are_half_open_and_may_wrap() {
    let window = |start_minute, end_minute| PriceOverride {
        window: Some(DailyWindow {
            start_minute,
            end_minute,
        }),
        ..over("1")
    };
    for (start, end, instant, expected) in [
        (60, 120, "2026-11-24T00:59:59.999999Z", 3_000_000),
        (60, 120, "2026-11-24T01:00:00Z", 1_000_000),
        (60, 120, "2026-11-24T01:59:59.999999Z", 1_000_000),
        (60, 120, "2026-11-24T02:00:00Z", 3_000_000),
        (990, 30, "2026-11-24T16:29:00Z", 3_000_000),
        (990, 30, "2026-11-24T23:59:00Z", 1_000_000),
        (990, 30, "2026-11-24T00:29:59Z", 1_000_000),
        (990, 30, "2026-11-24T00:30:00Z", 3_000_000),
        (990, 1440, "2026-11-24T23:59:59Z", 1_000_000),
        (990, 1440, "2026-11-24T00:00:00Z", 3_000_000),
        (0, 1440, "2026-11-24T12:00:00Z", 1_000_000),
        (60, 60, "2026-11-24T01:00:00Z", 3_000_000),
        // The instant counts in UTC, whatever offset it was written with.
        (60, 120, "2026-11-24T03:30:00+02:00", 1_000_000),
    ] {
        assert_eq!(
            prompt_at(window(start, end), 1, instant),
            expected,
            "{start}-{end} {instant}"
        );
    }
}

#[test]
fn weekdays_count_from_monday() {
    // 2026-11-23 is a Monday.
    let weekend = PriceOverride {
        weekdays: vec![5, 6],
        ..over("1")
    };
    for (instant, expected) in [
        ("2026-11-23T12:00:00Z", 3_000_000),
        ("2026-11-27T23:59:59Z", 3_000_000),
        ("2026-11-28T00:00:00Z", 1_000_000),
        ("2026-11-29T23:59:59Z", 1_000_000),
    ] {
        assert_eq!(
            prompt_at(weekend.clone(), 1, instant),
            expected,
            "{instant}"
        );
    }
}

#[test]
fn every_stated_condition_must_hold() {
    let narrow = PriceOverride {
        min_prompt_tokens: Some(100),
        window: Some(DailyWindow {
            start_minute: 60,
            end_minute: 120,
        }),
        weekdays: vec![1],
        ..over("1")
    };
    for (input_tokens, instant, expected) in [
        (101, "2026-11-24T01:30:00Z", 1_000_000),
        (100, "2026-11-24T01:30:00Z", 3_000_000),
        (101, "2026-11-24T02:30:00Z", 3_000_000),
        (101, "2026-11-25T01:30:00Z", 3_000_000),
    ] {
        assert_eq!(
            prompt_at(narrow.clone(), input_tokens, instant),
            expected,
            "{instant}"
        );
    }
}

#[test]
fn later_overrides_win_key_by_key() {
    let mut dearer_output = over("2");
    dearer_output.prices.completion = per_million("20");
    let list = PriceList {
        overrides: vec![dearer_output, over("1")],
        ..list(Prices {
            input_cache_read: per_million("0.3"),
            ..text_prices()
        })
    };
    let prices = list.at(1, Timestamp::default());
    assert_eq!(prices.prompt, per_million("1"), "the last to state it");
    assert_eq!(
        prices.completion,
        per_million("20"),
        "the only one to state it"
    );
    assert_eq!(prices.input_cache_read, per_million("0.3"), "inherited");
}

#[test]
fn what_has_no_price_of_its_own_costs_as_much_as_text() {
    let check = |usage: TokenUsage| {
        let quote = price(
            &list(text_prices()),
            &usage,
            &Terms::at(Timestamp::default()),
        );
        quote.expect("priced").charge.total.get()
    };
    let none = TokenUsage::default();
    assert_eq!(check(none), 0);
    assert_eq!(
        check(TokenUsage {
            cache_read: 10,
            ..none
        }),
        30_000
    );
    assert_eq!(
        check(TokenUsage {
            cache_write_5m: 10,
            ..none
        }),
        30_000
    );
    assert_eq!(
        check(TokenUsage {
            cache_write_1h: 10,
            ..none
        }),
        30_000
    );
    assert_eq!(
        check(TokenUsage {
            audio_in: 10,
            ..none
        }),
        30_000
    );
    assert_eq!(
        check(TokenUsage {
            reasoning: 10,
            ..none
        }),
        150_000
    );
    assert_eq!(
        check(TokenUsage {
            audio_out: 10,
            ..none
        }),
        150_000
    );
    assert_eq!(
        check(TokenUsage {
            image_out: 10,
            ..none
        }),
        150_000
    );
    assert_eq!(
        check(TokenUsage {
            images_in: 10,
            ..none
        }),
        0,
        "their tokens are counted as input"
    );
}

#[test]
fn an_unstated_price_is_not_free() {
    let check = |base, usage| price(&list(base), &usage, &Terms::at(Timestamp::default()));
    let input = TokenUsage {
        input_uncached: 1,
        ..TokenUsage::default()
    };
    let output = TokenUsage {
        output_text: 1,
        ..TokenUsage::default()
    };
    let embedding = Prices {
        completion: None,
        ..text_prices()
    };
    assert_eq!(
        check(Prices::default(), input),
        Err(PriceError::Missing("prompt"))
    );
    assert_eq!(
        check(embedding, output),
        Err(PriceError::Missing("completion"))
    );
    assert_eq!(
        check(embedding, input).map(|q| q.charge.total),
        Ok(UsdNanos::new(3_000))
    );
}

#[test]
fn rates_that_would_pay_the_customer_are_refused() {
    let usage = TokenUsage {
        input_uncached: 1_000,
        ..TokenUsage::default()
    };
    let usual = Terms::at(Timestamp::default());
    let check = |list: &PriceList, terms| price(list, &usage, &terms).map(|q| q.charge.total.get());
    let plain = list(text_prices());
    for (discount, expected) in [
        (1_000_000, Ok(0)),
        (1_000_001, Err(PriceError::NegativeRate(-1))),
        (-100_000, Ok(3_300_000)),
    ] {
        let terms = Terms {
            account_discount: Ppm::new(discount),
            ..usual
        };
        assert_eq!(check(&plain, terms), expected, "account {discount}");
        let discounted = PriceList {
            discount: Ppm::new(discount),
            ..plain.clone()
        };
        assert_eq!(check(&discounted, usual), expected, "endpoint {discount}");
    }
    let terms = Terms {
        batch: Ppm::new(-1),
        ..usual
    };
    assert_eq!(check(&plain, terms), Err(PriceError::NegativeRate(-1)));
}

#[test]
fn absurd_counts_are_an_error_and_not_a_wrong_charge() {
    let base = Prices {
        prompt: Price::from_picos(i64::MAX),
        ..text_prices()
    };
    let usage = TokenUsage {
        input_uncached: u64::MAX,
        cache_read: 5,
        ..TokenUsage::default()
    };
    let quote = price(&list(base), &usage, &Terms::at(Timestamp::default()));
    assert_eq!(quote, Err(PriceError::Overflow(Overflow)));
}

#[test]
fn caching_saves_on_reads_and_costs_on_writes() {
    let base = Prices {
        input_cache_read: per_million("0.3"),
        input_cache_write: per_million("3.75"),
        input_cache_write_1h: per_million("6"),
        ..text_prices()
    };
    let check = |usage: TokenUsage| {
        let quote = price(&list(base), &usage, &Terms::at(Timestamp::default())).expect("priced");
        quote.charge.cache_discount.get()
    };
    let none = TokenUsage {
        input_uncached: 77,
        output_text: 5,
        ..TokenUsage::default()
    };
    assert_eq!(check(none), 0);
    assert_eq!(
        check(TokenUsage {
            cache_read: 1_000,
            ..none
        }),
        2_700_000
    );
    assert_eq!(
        check(TokenUsage {
            cache_write_5m: 1_000,
            ..none
        }),
        -750_000
    );
    assert_eq!(
        check(TokenUsage {
            cache_write_1h: 1_000,
            ..none
        }),
        -3_000_000
    );
    let both = TokenUsage {
        cache_read: 1_000,
        cache_write_5m: 1_000,
        ..none
    };
    assert_eq!(check(both), 1_950_000);
}

#[test]
fn shown_parts_add_up_where_rounding_each_would_not() {
    // 0.5 n each: rounded apart they would be 0 + 0, the list price is 1.
    let half = Price::from_picos(500);
    let base = Prices {
        prompt: half,
        completion: half,
        ..Prices::default()
    };
    let usage = TokenUsage {
        input_uncached: 1,
        output_text: 1,
        ..TokenUsage::default()
    };
    let terms = Terms {
        tools: UsdPicos::new(500),
        ..Terms::at(Timestamp::default())
    };
    let charge = price(&list(base), &usage, &terms).expect("priced").charge;
    assert_eq!(
        (
            charge.list,
            charge.list_prompt.get(),
            charge.list_completion.get()
        ),
        (UsdNanos::new(1), 1, 0)
    );
    // 1.5 n in all: 2, of which the tools' half is one.
    assert_eq!(
        (
            charge.total.get(),
            charge.inference.get(),
            charge.tools.get()
        ),
        (2, 1, 1)
    );
}

fn any_price() -> impl Strategy<Value = Option<Price>> {
    proptest::option::weighted(
        0.7,
        (0_i64..80_000_000).prop_map(|p| Price::from_picos(p).expect("≥ 0")),
    )
}

prop_compose! {
    fn any_prices()(
        required in (0_i64..80_000_000, 0_i64..80_000_000),
        optional in proptest::array::uniform9(any_price()),
    ) -> Prices {
        let [request, image, read, write, write_1h, reasoning, audio, audio_out, image_out] =
            optional;
        Prices {
            prompt: Price::from_picos(required.0),
            completion: Price::from_picos(required.1),
            request,
            image,
            input_cache_read: read,
            input_cache_write: write,
            input_cache_write_1h: write_1h,
            internal_reasoning: reasoning,
            audio,
            audio_output: audio_out,
            image_output: image_out,
            web_search: None,
        }
    }
}

prop_compose! {
    fn any_usage()(counts in proptest::array::uniform10(0_u64..300_000)) -> TokenUsage {
        let [input_uncached, cache_read, cache_write_5m, cache_write_1h, audio_in, output_text,
            reasoning, audio_out, image_out, images_in] = counts;
        TokenUsage {
            input_uncached, cache_read, cache_write_5m, cache_write_1h, audio_in, output_text,
            reasoning, audio_out, image_out, images_in,
        }
    }
}

prop_compose! {
    fn any_terms()(
        account_discount in -200_000_i64..=1_000_000,
        batch in prop_oneof![Just(1_000_000_i64), Just(500_000), 0_i64..1_000_000],
        tools in 0_i128..50_000_000_000,
    ) -> Terms {
        Terms {
            account_discount: Ppm::new(account_discount),
            batch: Ppm::new(batch),
            tools: UsdPicos::new(tools),
            ..Terms::at(Timestamp::default())
        }
    }
}

proptest! {
    #[test]
    fn price_arithmetic_equals_the_rational_oracle(
        base in any_prices(),
        usage in any_usage(),
        terms in any_terms(),
        discount in -200_000_i64..=1_000_000,
    ) {
        let list = PriceList { discount: Ppm::new(discount), ..list(base) };
        let charge = price(&list, &usage, &terms).expect("priced").charge;
        let oracle = oracle::price(&list, &usage, &terms);
        prop_assert_eq!(i128::from(charge.total.get()), oracle.total);
        prop_assert_eq!(i128::from(charge.list.get()), oracle.list);
        prop_assert_eq!(i128::from(charge.cache_discount.get()), oracle.cache_discount);
    }

    #[test]
    fn shown_parts_always_add_up(
        base in any_prices(),
        usage in any_usage(),
        terms in any_terms(),
        discount in -200_000_i64..=1_000_000,
    ) {
        let list = PriceList { discount: Ppm::new(discount), ..list(base) };
        let charge = price(&list, &usage, &terms).expect("priced").charge;
        prop_assert_eq!(charge.inference.checked_add(charge.tools), Ok(charge.total));
        prop_assert_eq!(charge.list_prompt.checked_add(charge.list_completion), Ok(charge.list));
        // No part is more than one nano-dollar from what it would be alone.
        let tools = terms.tools.round_half_even().expect("in range").get();
        prop_assert!((charge.tools.get() - tools).abs() <= 1);
        prop_assert!(charge.list_prompt >= UsdNanos::ZERO);
        prop_assert!(charge.list_completion >= UsdNanos::ZERO);
    }
}
