use proptest::prelude::*;
use switchyard_domain::{
    money::Ppm,
    price_list::{DailyWindow, PriceOverride},
    tokens::TokenUsage,
};

use super::*;
use crate::price::price;

fn picos(amount: i64) -> Option<Price> {
    Price::from_picos(amount)
}

fn sonnet() -> PriceList {
    let base = Prices {
        prompt: picos(3_000_000),
        completion: picos(15_000_000),
        input_cache_read: picos(300_000),
        input_cache_write: picos(3_750_000),
        input_cache_write_1h: picos(6_000_000),
        ..Prices::default()
    };
    PriceList {
        base,
        ..PriceList::default()
    }
}

fn over(min_prompt_tokens: Option<u64>, prompt: i64) -> PriceOverride {
    PriceOverride {
        min_prompt_tokens,
        window: None,
        weekdays: Vec::new(),
        prices: Prices {
            prompt: picos(prompt),
            ..Prices::default()
        },
    }
}

fn noon() -> Terms {
    Terms::at(Timestamp::from_seconds(43_200))
}

fn hold(list: &PriceList, demand: Demand, output_tokens: u64, terms: &Terms) -> i64 {
    worst_case(list, &demand, output_tokens, terms)
        .expect("priced")
        .get()
}

#[test]
fn cache_marks_make_input_as_dear_as_the_dearest_write() {
    let demand = Demand::text(1_000);
    assert_eq!(hold(&sonnet(), demand, 0, &noon()), 3_000_000);
    let marked = Demand {
        cache: CacheUse::Marked,
        ..demand
    };
    assert_eq!(hold(&sonnet(), marked, 0, &noon()), 6_000_000);
}

#[test]
fn the_dearest_kind_of_output_counts() {
    let mut list = sonnet();
    list.base.internal_reasoning = picos(20_000_000);
    list.base.audio_output = picos(90_000_000);
    list.base.audio = picos(40_000_000);
    let demand = Demand::text(10);
    assert_eq!(hold(&list, demand, 100, &noon()), 30_000 + 2_000_000);
    let spoken = Demand {
        media: MediaUse::Possible,
        ..demand
    };
    assert_eq!(hold(&list, spoken, 100, &noon()), 400_000 + 9_000_000);
}

#[test]
fn requests_images_and_tools_are_in_it() {
    let mut list = sonnet();
    list.base.request = picos(500_000_000);
    list.base.image = picos(3_613_000_000);
    let demand = Demand {
        images: 2,
        ..Demand::text(0)
    };
    let terms = Terms {
        tools: UsdPicos::new(7_000_000_000),
        ..noon()
    };
    assert_eq!(
        hold(&list, demand, 0, &terms),
        500_000 + 7_226_000 + 7_000_000
    );
}

#[test]
fn a_threshold_that_makes_input_cheaper_does_not_lower_the_bound() {
    let mut list = sonnet();
    list.overrides = vec![over(Some(1_000), 1_000_000)];
    assert_eq!(
        hold(&list, Demand::text(1_001), 0, &noon()),
        3_000_000,
        "1,000 tokens cost more"
    );
    assert_eq!(hold(&list, Demand::text(9_000), 0, &noon()), 9_000_000);
}

#[test]
fn windows_that_are_closed_at_admission_do_not_count() {
    let mut list = sonnet();
    let night = DailyWindow {
        start_minute: 0,
        end_minute: 60,
    };
    list.overrides = vec![PriceOverride {
        window: Some(night),
        ..over(None, 99_000_000)
    }];
    assert_eq!(hold(&list, Demand::text(10), 0, &noon()), 30_000);
    let midnight = Terms::at(Timestamp::from_seconds(0));
    assert_eq!(hold(&list, Demand::text(10), 0, &midnight), 990_000);
}

#[test]
fn holds_round_up() {
    let mut list = sonnet();
    list.base.prompt = picos(1);
    list.base.input_cache_read = None;
    assert_eq!(hold(&list, Demand::text(1), 0, &noon()), 1);
    assert_eq!(hold(&list, Demand::text(1_000), 0, &noon()), 1);
    assert_eq!(hold(&list, Demand::text(1_001), 0, &noon()), 2);
}

#[test]
fn what_has_no_price_cannot_be_bounded() {
    let list = PriceList::default();
    let demand = Demand::text(1);
    let missing = PriceError::Missing("prompt");
    assert_eq!(worst_case(&list, &demand, 0, &noon()), Err(missing));
    let affordable = affordable_output_tokens(&list, &demand, UsdNanos::MAX, &noon());
    assert_eq!(affordable, Err(missing));
}

#[test]
fn a_balance_affords_what_is_left_after_the_input() {
    let check = |list: &PriceList, available, terms: &Terms| {
        let available = UsdNanos::new(available);
        affordable_output_tokens(list, &Demand::text(1_000), available, terms).expect("priced")
    };
    for (available, expected) in [
        (50_000_000, 3_133),
        (3_015_000, 1),
        (3_014_999, 0),
        (2_999_999, 0),
        (0, 0),
        (-1, 0),
    ] {
        assert_eq!(
            check(&sonnet(), available, &noon()),
            expected,
            "{available}"
        );
    }
    let mut free = sonnet();
    free.base.completion = Some(Price::ZERO);
    assert_eq!(check(&free, 3_000_000, &noon()), u64::MAX);
    assert_eq!(check(&free, 2_999_999, &noon()), 0);
    let all_off = Terms {
        account_discount: Ppm::ONE,
        ..noon()
    };
    assert_eq!(check(&sonnet(), 0, &all_off), u64::MAX);
    let tools = Terms {
        tools: UsdPicos::new(1_000),
        ..all_off
    };
    assert_eq!(
        check(&sonnet(), 0, &tools),
        0,
        "the tools alone are too dear"
    );
}

fn any_price() -> impl Strategy<Value = Option<Price>> {
    proptest::option::of((0_i64..40_000_000).prop_map(|p| Price::from_picos(p).expect("≥ 0")))
}

prop_compose! {
    fn any_list()(
        required in (0_i64..40_000_000, 0_i64..40_000_000),
        optional in proptest::array::uniform9(any_price()),
        overrides in proptest::collection::vec((0_u64..3_000, any_price(), any_price()), 0..3),
        discount in -100_000_i64..=500_000,
    ) -> PriceList {
        let [request, image, read, write, write_1h, reasoning, audio, audio_out, image_out] =
            optional;
        let base = Prices {
            prompt: picos(required.0),
            completion: picos(required.1),
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
        };
        let overrides = overrides
            .into_iter()
            .map(|(threshold, prompt, completion)| PriceOverride {
                prices: Prices { prompt, completion, ..Prices::default() },
                ..over(Some(threshold), 0)
            })
            .collect();
        PriceList { base, overrides, discount: Ppm::new(discount) }
    }
}

proptest! {
    /// Whatever is really used within the demand, it costs no more than was reserved.
    #[test]
    fn no_charge_exceeds_its_worst_case(
        list in any_list(),
        counts in proptest::array::uniform10(0_u64..800),
        spare in (0_u64..500, 0_u64..500),
        tools in 0_i128..5_000_000,
    ) {
        let [input_uncached, cache_read, cache_write_5m, cache_write_1h, audio_in, output_text,
            reasoning, audio_out, image_out, images_in] = counts;
        let usage = TokenUsage {
            input_uncached, cache_read, cache_write_5m, cache_write_1h, audio_in, output_text,
            reasoning, audio_out, image_out, images_in,
        };
        let demand = Demand {
            input_tokens: usage.input_total() + spare.0,
            images: images_in,
            cache: CacheUse::Marked,
            media: MediaUse::Possible,
        };
        let terms = Terms { tools: UsdPicos::new(tools), ..noon() };
        let output_tokens = usage.output_total() + spare.1;
        let bound = worst_case(&list, &demand, output_tokens, &terms).expect("priced");
        let charge = price(&list, &usage, &terms).expect("priced").charge;
        prop_assert!(charge.total <= bound, "{} > {}", charge.total, bound);
    }

    /// The affordable count is the largest whose worst case fits.
    #[test]
    fn the_affordable_count_is_exact(
        list in any_list(),
        input_tokens in 0_u64..4_000,
        available in 0_i64..100_000_000,
        tools in 0_i128..5_000_000,
    ) {
        let demand = Demand { cache: CacheUse::Marked, ..Demand::text(input_tokens) };
        let available = UsdNanos::new(available);
        let terms = Terms { tools: UsdPicos::new(tools), ..noon() };
        let fits = |output_tokens| {
            worst_case(&list, &demand, output_tokens, &terms).expect("priced") <= available
        };
        let count = affordable_output_tokens(&list, &demand, available, &terms).expect("priced");
        prop_assert!(count == 0 || count == u64::MAX || fits(count));
        prop_assert!(count == u64::MAX || !fits(count + 1));
    }
}
