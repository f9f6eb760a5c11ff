use std::sync::Arc;

use switchyard_billing::{
    price::{Terms, price},
    settlement::Settlement,
};
use switchyard_domain::{
    money::{Ppm, Price, UsdNanos, UsdPicos},
    price_list::{PriceList, PriceOverride, Prices},
    tokens::TokenUsage,
};

use super::{super::fixture::settled, ChargedFor, CostStory, story};

fn prices(prompt: i64, completion: i64, cache_read: Option<i64>) -> PriceList {
    PriceList {
        base: Prices {
            prompt: Price::from_picos(prompt),
            completion: Price::from_picos(completion),
            input_cache_read: cache_read.and_then(Price::from_picos),
            ..Prices::default()
        },
        overrides: vec![PriceOverride {
            min_prompt_tokens: Some(10_000),
            window: None,
            weekdays: Vec::new(),
            prices: Prices {
                prompt: Price::from_picos(prompt * 2),
                ..Prices::default()
            },
        }],
        discount: Ppm::ZERO,
    }
}

fn told(list: PriceList, usage: TokenUsage, change: impl FnOnce(&mut Settlement)) -> CostStory {
    let generation = settled(|settlement| {
        let quote = price(&list, &usage, &Terms::at(settlement.admitted_at)).expect("priced");
        settlement.usage = usage;
        settlement.charge = quote.charge;
        settlement
            .attempts
            .iter_mut()
            .for_each(|one| one.is_byok = false);
        let served = settlement.served.as_mut().expect("served");
        served.prices = Arc::new(list);
        served.byok_credential_id = None;
        change(settlement);
    });
    story(&generation).expect("something served")
}

/// Odd numbers, so that there is something to round.
const USAGE: TokenUsage = TokenUsage {
    input_uncached: 1_001,
    cache_read: 7,
    cache_write_5m: 0,
    cache_write_1h: 0,
    audio_in: 0,
    output_text: 3,
    reasoning: 5,
    audio_out: 0,
    image_out: 0,
    images_in: 0,
};

#[test]
fn lines_add_up_to_the_charge() {
    let cost = told(prices(37_501, 150_003, Some(3_751)), USAGE, |_| {});
    let lines: Vec<_> = cost
        .lines
        .iter()
        .map(|line| {
            (
                line.bucket,
                line.count,
                line.price.picos(),
                line.amount.get(),
            )
        })
        .collect();
    let expected = [
        ("Input", 1_001, 37_501, 37_538_501),
        ("Input, read from cache", 7, 3_751, 26_257),
        ("Output", 3, 150_003, 450_009),
        ("Reasoning", 5, 150_003, 750_015),
    ];
    assert_eq!(lines, expected);
    let sum: i128 = cost.lines.iter().map(|line| line.amount.get()).sum();
    assert_eq!(cost.exact, UsdPicos::new(sum));
    assert_eq!(cost.exact.round_half_even(), Ok(cost.total));
    assert_eq!(cost.charged_for, ChargedFor::TheListPrice);
    assert!(cost.adds_up);
    assert_eq!(cost.overrides, [""; 0]);
}

#[test]
fn special_prices_are_named_and_used() {
    let usage = TokenUsage {
        input_uncached: 10_001,
        ..USAGE
    };
    let cost = told(prices(10, 20, None), usage, |_| {});
    assert_eq!(cost.overrides, ["above 10000 input tokens"]);
    assert_eq!(cost.lines[0].price.picos(), 20);
    assert!(cost.adds_up);
}

#[test]
fn it_is_said_why_nothing_is_charged() {
    let free = told(prices(0, 0, None), USAGE, |_| {});
    assert_eq!(free.charged_for, ChargedFor::FreeModel);
    let nothing = |settlement: &mut Settlement| {
        settlement.charge.total = UsdNanos::ZERO;
        settlement.charge.inference = UsdNanos::ZERO;
    };
    let insured = told(prices(1_000_000, 0, None), USAGE, |settlement| {
        nothing(settlement);
        settlement.charge.insured = true;
    });
    assert_eq!(insured.charged_for, ChargedFor::Insured);
    let own = told(prices(1_000_000, 0, None), USAGE, |settlement| {
        nothing(settlement);
        settlement.attempts.last_mut().expect("one").is_byok = true;
    });
    assert_eq!(own.charged_for, ChargedFor::OwnCredential);
    for cost in [free, insured, own] {
        assert_eq!(cost.total, UsdNanos::ZERO);
        assert!(cost.adds_up);
    }
}

#[test]
fn a_charge_that_does_not_follow_is_not_said_to() {
    let cost = told(prices(1_000_000, 0, None), USAGE, |settlement| {
        settlement.charge.total = UsdNanos::new(1);
    });
    assert!(!cost.adds_up);
}
