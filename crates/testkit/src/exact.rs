//! Money in answers, compared to the last digit: figures are taken from the text of the JSON, never
//! through a float, and costs are computed here independently of the code under test.

use std::collections::HashMap;

use serde_json::value::RawValue;

use crate::catalog::TokenPrices;

const PICOS_PER_NANO: i128 = 1_000;

/// The literal at a path of object keys such as `/usage/cost`.
///
/// # Panics
/// When there is none.
pub fn literal(json: &str, pointer: &str) -> String {
    let mut rest = json.to_owned();
    for key in pointer.split('/').skip(1) {
        let mut object: HashMap<String, Box<RawValue>> = serde_json::from_str(&rest)
            .unwrap_or_else(|error| panic!("{pointer}: {error}: {json}"));
        let found = object.remove(key);
        rest = found
            .unwrap_or_else(|| panic!("no {pointer} in {json}"))
            .get()
            .to_owned();
    }
    rest
}

/// The amount at a path, in nano-dollars.
///
/// # Panics
/// When there is none, or it is no plain decimal.
pub fn nanos_at(json: &str, pointer: &str) -> i128 {
    decimal(&literal(json, pointer), 9)
}

/// What tokens cost, rounded once, half to even, in nano-dollars.
pub fn cost_nanos(prices: TokenPrices, input_tokens: u64, output_tokens: u64) -> i128 {
    let picos = decimal(prices.prompt, 12) * i128::from(input_tokens)
        + decimal(prices.completion, 12) * i128::from(output_tokens);
    let (whole, rest) = (picos / PICOS_PER_NANO, picos % PICOS_PER_NANO);
    let rounds_up = rest * 2 > PICOS_PER_NANO || (rest * 2 == PICOS_PER_NANO && whole % 2 == 1);
    whole + i128::from(rounds_up)
}

/// A plain decimal as a whole number of its smallest unit.
///
/// # Panics
/// When it is none, or is finer than that unit.
pub fn decimal(text: &str, digits: usize) -> i128 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let (kept, beyond) = fraction.split_at(fraction.len().min(digits));
    assert!(
        beyond.bytes().all(|digit| digit == b'0'),
        "{text} has more than {digits} digits"
    );
    format!("{whole}{kept:0<digits$}")
        .parse()
        .unwrap_or_else(|_| panic!("{text} is no plain decimal"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_keep_every_digit() {
        let json = r#"{"usage":{"cost":0.000007576,"tokens":3}}"#;
        assert_eq!(literal(json, "/usage/cost"), "0.000007576");
        assert_eq!(nanos_at(json, "/usage/cost"), 7_576);
        assert_eq!(decimal("12", 9), 12_000_000_000);
        assert_eq!(decimal("-0.5", 3), -500);
    }

    #[test]
    fn halves_are_rounded_to_even() {
        let prices = TokenPrices {
            prompt: "0.0000001235",
            completion: "0.0000005",
        };
        assert_eq!(cost_nanos(prices, 33, 7), 7_576, "7575.5");
        assert_eq!(cost_nanos(prices, 35, 7), 7_822, "7822.5");
        assert_eq!(cost_nanos(prices, 0, 0), 0);
    }
}
