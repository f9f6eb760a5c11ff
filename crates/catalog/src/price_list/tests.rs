use proptest::prelude::*;

use super::*;

fn exact(picos: i64) -> Parsed {
    Parsed::Exact(Price::from_picos(picos).expect("not negative"))
}

fn rounded(picos: i64) -> Parsed {
    Parsed::Rounded(Price::from_picos(picos).expect("not negative"))
}

#[test]
fn prices_are_exact_to_twelve_digits() {
    for (text, picos) in [
        ("0", 0),
        ("0.000", 0),
        ("0.0000025", 2_500_000),
        ("0.000000000001", 1),
        ("0.0000000000010000", 1),
        ("3", 3_000_000_000_000),
    ] {
        assert_eq!(parse(text), Ok(exact(picos)), "{text}");
    }
}

#[test]
fn finer_prices_are_rounded_half_to_even_where_that_moves_little() {
    for (text, picos) in [
        ("0.00000008333333333", 83_333),
        ("0.0000000416666666666667", 41_667),
        ("0.0000000416665", 41_666),
        ("0.0000000416675", 41_668),
        ("0.0000000100005", 10_000),
    ] {
        assert_eq!(parse(text), Ok(rounded(picos)), "{text}");
    }
}

#[test]
fn what_is_no_price_is_refused() {
    for text in [
        "-1",
        "-0",
        "",
        "1e-6",
        ".5",
        "1.",
        "+1",
        " 1",
        "1 ",
        "0x1",
        "1,5",
        "NaN",
        "0.0000000000001",
        "0.0000000099994999",
        "0.0000001000000000000000000000000001",
        "99999999999999999999999999999999999999999999",
        "9999999999999999999",
        "٣",
    ] {
        assert!(parse(text).is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn parsing_never_panics(text in ".*") {
        let _ = parse(&text);
    }

    #[test]
    fn digits_never_panic(text in r"[0-9]{0,45}(\.[0-9]{0,45})?") {
        let _ = parse(&text);
    }

    #[test]
    fn what_prices_print_is_what_they_parse(picos in 0..=i64::MAX) {
        let price = Price::from_picos(picos).expect("not negative");
        prop_assert_eq!(parse(&price.to_string()), Ok(Parsed::Exact(price)));
    }

    /// Rounding never moves a price by more than half a pico-dollar.
    #[test]
    fn rounding_is_close(picos in 10_000..1_000_000_000_i64, finer in 1..1_000_000_i64) {
        let text = format!("0.{picos:012}{finer:06}");
        let price = match parse(&text) {
            Ok(Parsed::Exact(price) | Parsed::Rounded(price)) => price,
            Err(problem) => return Err(TestCaseError::fail(problem)),
        };
        let off = (price.picos() - picos) * 1_000_000 - finer;
        prop_assert!(off.abs() <= 500_000, "{} became {}", text, price);
    }
}
