//! Golden cases of the price list: usage in, nano-dollars and postings out. The amounts were
//! computed apart from this code and are never to be changed to please it.

use std::sync::Arc;

use switchyard_billing::{
    ledger::{LedgerTransaction, Posting, postings_for, postings_for_adjustment},
    outcome::{Ending, Payer, charge_for_outcome},
    price::{Terms, price},
    quote::{Demand, affordable_output_tokens, worst_case},
    settlement::{Charge, Settlement},
    test_suite::{
        Tenant,
        scene::{START, sample_settlement},
    },
};
use switchyard_domain::{
    clock::Timestamp,
    id::{AccountId, ApiKeyId, GenerationId, WorkspaceId},
    money::{Ppm, UsdNanos, UsdPicos},
    price_list::PriceList,
    tokens::TokenUsage,
};
use uuid::Uuid;

#[path = "golden/price_lists.rs"]
mod price_lists;

use price_lists::{audio, disc, flash, flex, gpt, peak, r0, r6, sonnet, tiny};

/// `input (r cache reads, w5 and w1h cache writes) / output`, the counts inclusive.
#[derive(Clone, Copy, Default)]
struct Used {
    input: u64,
    r: u64,
    w5: u64,
    w1h: u64,
    audio_in: u64,
    images: u64,
    output: u64,
    reasoning: u64,
    audio_out: u64,
}

impl Used {
    fn buckets(self) -> TokenUsage {
        TokenUsage {
            input_uncached: self.input - self.r - self.w5 - self.w1h - self.audio_in,
            cache_read: self.r,
            cache_write_5m: self.w5,
            cache_write_1h: self.w1h,
            audio_in: self.audio_in,
            output_text: self.output - self.reasoning - self.audio_out,
            reasoning: self.reasoning,
            audio_out: self.audio_out,
            image_out: 0,
            images_in: self.images,
        }
    }
}

fn used(input: u64, output: u64) -> Used {
    Used {
        input,
        output,
        ..Used::default()
    }
}

fn plain() -> Terms {
    Terms::at(START)
}

/// Nano-dollars as pico-dollars.
fn tools(nanos: i128) -> Terms {
    Terms {
        tools: UsdPicos::new(nanos * 1_000),
        ..plain()
    }
}

fn charge(list: &PriceList, used: Used, terms: Terms, ending: Ending) -> Charge {
    let usage = used.buckets();
    let quote = price(list, &usage, &terms).expect("the list states what is used");
    charge_for_outcome(&quote, &usage, ending, Payer::Account).expect("in range")
}

fn settlement(charge: Charge) -> Settlement {
    let tenant = Tenant {
        account_id: AccountId::from_uuid(Uuid::from_u128(1)),
        workspace_id: WorkspaceId::from_uuid(Uuid::from_u128(2)),
        api_key_id: ApiKeyId::from_uuid(Uuid::from_u128(3)),
    };
    let id = GenerationId::new(START.seconds(), 7);
    let mut settlement = sample_settlement(tenant, id, START, charge.total, Vec::new());
    settlement.charge = charge;
    settlement
}

/// Postings with the letters C (customer), R (inference), S (tools).
fn letters(transaction: Option<&LedgerTransaction>) -> String {
    let Some(transaction) = transaction else {
        return "none".to_owned();
    };
    let line = |posting: &Posting| {
        let letter = match posting.account.to_string().as_str() {
            "rev:inference" => 'R',
            "rev:tools" => 'S',
            customer if customer.starts_with("cust:") => 'C',
            other => panic!("unexpected account {other}"),
        };
        format!("{letter}{:+}", posting.amount.get())
    };
    transaction
        .postings()
        .iter()
        .map(line)
        .collect::<Vec<_>>()
        .join(" ")
}

#[track_caller]
fn check(case: &str, list: &PriceList, used: Used, terms: Terms, expected: i64) {
    let ledger = match expected {
        0 => "none".to_owned(),
        n => format!("C-{n} R+{n}"),
    };
    check_booked(
        case,
        charge(list, used, terms, Ending::Finished),
        expected,
        &ledger,
    );
}

#[track_caller]
fn check_booked(case: &str, charge: Charge, expected: i64, ledger: &str) {
    assert_eq!(charge.total, UsdNanos::new(expected), "case {case}");
    let transaction = postings_for(&settlement(charge));
    assert_eq!(letters(transaction.as_ref()), ledger, "case {case}");
}

#[test]
fn plain_and_cached_tokens() {
    check("1", &flash(), used(1_000, 500), plain(), 225_000);
    check("2", &flash(), used(1, 1), plain(), 375);
    check(
        "3",
        &flash(),
        Used {
            r: 10_318,
            ..used(10_339, 60)
        },
        plain(),
        213_038,
    );
    let written = Used {
        r: 66_360,
        w5: 32_435,
        ..used(98_805, 5_120)
    };
    assert_eq!(written.buckets().input_uncached, 10);
    check("4", &sonnet(), written, plain(), 218_369_250);
    let two_lives = Used {
        w5: 10_000,
        w1h: 30_000,
        ..used(50_000, 1_000)
    };
    check("5", &sonnet(), two_lives, plain(), 262_500_000);
}

#[test]
fn long_context_reprices_the_whole_request() {
    check("6", &sonnet(), used(200_000, 1_000), plain(), 615_000_000);
    check("7", &sonnet(), used(200_001, 1_000), plain(), 1_222_506_000);
    check(
        "8",
        &sonnet(),
        Used {
            r: 240_000,
            ..used(250_000, 500)
        },
        plain(),
        215_250_000,
    );
    check(
        "9",
        &gpt(),
        Used {
            r: 200_000,
            ..used(250_000, 1_000)
        },
        plain(),
        520_500_000,
    );
}

#[test]
fn images_tools_audio_and_reasoning() {
    check(
        "10",
        &gpt(),
        Used {
            images: 2,
            ..used(1_200, 300)
        },
        plain(),
        13_726_000,
    );
    let searched = charge(&gpt(), used(4_000, 800), tools(9_000_000), Ending::Finished);
    check_booked(
        "11",
        searched,
        27_500_000,
        "C-27500000 R+18500000 S+9000000",
    );
    let spoken = Used {
        audio_in: 600,
        audio_out: 200,
        ..used(900, 500)
    };
    check("12", &audio(), spoken, plain(), 10_900_000);
    let thought = Used {
        reasoning: 1_200,
        ..used(500, 1_500)
    };
    check("13 r0", &r0(), thought, plain(), 7_150_000);
    check("13 r6", &r6(), thought, plain(), 9_070_000);
}

#[test]
fn discounts_and_rounding() {
    check("14", &disc(), used(333, 77), plain(), 47_354);
    let logging = Terms {
        account_discount: Ppm::new(10_000),
        ..plain()
    };
    check("14 logging", &disc(), used(333, 77), logging, 46_880);
    check("15 half down", &tiny(), used(5, 0), plain(), 0);
    check("15 half up", &tiny(), used(15, 0), plain(), 2);
    check("15 half down again", &tiny(), used(25, 0), plain(), 2);
}

#[test]
fn the_served_tier_is_billed() {
    let usage = Used {
        r: 2_000,
        ..used(10_000, 2_000)
    };
    check("16", &flex(), usage, plain(), 21_250_000);
    check("17", &gpt(), usage, plain(), 43_000_000);
}

#[test]
fn the_admission_decides_the_window() {
    for (time, expected) in [
        ("16:29", 7_000_000),
        ("16:30", 3_500_000),
        ("00:29", 3_500_000),
        ("00:30", 7_000_000),
    ] {
        let text = format!("2026-11-24T{time}:00Z");
        let at = Timestamp::parse_rfc3339(&text).expect("an instant");
        check(
            &format!("18 {time}"),
            &peak(),
            used(10_000, 10_000),
            Terms::at(at),
            expected,
        );
    }
}

#[test]
fn failures_are_insured_and_tools_are_billed() {
    let blank = charge(
        &sonnet(),
        used(9_000, 0),
        tools(7_000_000),
        Ending::Unfinished,
    );
    check_booked("19", blank, 7_000_000, "C-7000000 S+7000000");
    assert!(blank.insured);

    let broken = charge(&sonnet(), used(12_000, 400), plain(), Ending::Failed);
    check_booked("20a", broken, 0, "none");
    // The attempt that was turned away is no part of the settlement; the one that served is.
    let second = charge(&sonnet(), used(12_000, 120), plain(), Ending::Finished);
    check_booked("20b", second, 37_800_000, "C-37800000 R+37800000");
    let cached = charge(
        &sonnet(),
        used(12_000, 120),
        plain(),
        Ending::ServedFromCache,
    );
    check_booked("20c", cached, 0, "none");
}

#[test]
fn usage_learned_later_is_an_adjustment() {
    let at_first = charge(&sonnet(), used(12_000, 120), plain(), Ending::Unfinished);
    check_booked("21", at_first, 37_800_000, "C-37800000 R+37800000");

    let corrected = charge(&sonnet(), used(12_000, 150), plain(), Ending::Unfinished);
    let settled = settlement(at_first);
    let an_hour_later = Timestamp::from_seconds(START.seconds() + 3_600);
    let adjustment = postings_for_adjustment(&settled, 1, &corrected, an_hour_later);
    assert_eq!(letters(adjustment.as_ref()), "C-450000 R+450000");
    let adjustment = adjustment.expect("money moves");
    assert_eq!(
        adjustment.idempotency_key(),
        format!("gen:{}:adjust:1", settled.generation_id)
    );
    assert_eq!(adjustment.effective_at(), an_hour_later);

    let back = postings_for_adjustment(&settlement(corrected), 2, &at_first, an_hour_later);
    assert_eq!(letters(back.as_ref()), "C+450000 R-450000");
    assert_eq!(
        postings_for_adjustment(&settled, 2, &at_first, an_hour_later),
        None
    );
}

#[test]
fn a_batch_halves_tokens_and_not_tools() {
    let mut no_request_fee = gpt();
    no_request_fee.base.request = None;
    let terms = Terms {
        batch: Ppm::new(500_000),
        ..tools(10_000_000)
    };
    let batch = charge(
        &no_request_fee,
        used(100_000, 20_000),
        terms,
        Ending::Finished,
    );
    check_booked(
        "22",
        batch,
        235_000_000,
        "C-235000000 R+225000000 S+10000000",
    );
}

/// The rest of this case, what becomes of the balance, is in the store suite; so is case 30, the
/// replay.
#[test]
fn a_balance_admits_what_it_can_pay_for() {
    let (list, demand, balance) = (sonnet(), Demand::text(1_000), UsdNanos::new(50_000_000));
    let hold = |output| worst_case(&list, &demand, output, &plain()).expect("priced");
    assert_eq!(hold(4_096), UsdNanos::new(64_440_000));
    assert!(hold(4_096) > balance);
    assert_eq!(
        affordable_output_tokens(&list, &demand, balance, &plain()),
        Ok(3_133)
    );
    assert_eq!(hold(3_133), UsdNanos::new(49_995_000));
    check("29", &list, used(1_050, 3_133), plain(), 50_145_000);
}

/// The prices of a charge travel with its settlement; reading them back must give the same charge.
#[test]
fn a_settlement_carries_what_its_charge_was_made_of() {
    let usage = Used {
        r: 66_360,
        w5: 32_435,
        ..used(98_805, 5_120)
    };
    let mut settled = settlement(charge(&sonnet(), usage, plain(), Ending::Finished));
    settled.usage = usage.buckets();
    if let Some(served) = &mut settled.served {
        served.prices = Arc::new(sonnet());
    }
    let journal = serde_json::to_vec(&settled).expect("a settlement is JSON");
    let replayed: Settlement = serde_json::from_slice(&journal).expect("as it was written");
    let prices = replayed.served.expect("served").prices;
    let again = price(&prices, &replayed.usage, &Terms::at(replayed.admitted_at)).expect("priced");
    assert_eq!(again.charge, replayed.charge);
    assert_eq!(replayed.charge, settled.charge);
}
