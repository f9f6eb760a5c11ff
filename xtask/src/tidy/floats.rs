//! Money is integers.

use crate::{
    finding::Finding,
    rust_source::RustSource,
    tree::{Tree, is_test_file},
};

/// Where money is computed or kept.
const MONEY: [&str; 6] = [
    "crates/billing/",
    "crates/domain/src/money.rs",
    "crates/domain/src/price_list.rs",
    "crates/domain/src/tokens.rs",
    "crates/store/",
    "crates/app/src/treasury.rs",
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.rust_files() {
        if !MONEY.iter().any(|place| path.starts_with(place)) || is_test_file(path) {
            continue;
        }
        let source = RustSource::new(text);
        let types = ["f32", "f64"]
            .iter()
            .flat_map(|word| source.find_word(word));
        let literals = float_literals(source.code());
        for at in types.chain(literals).filter(|at| !source.is_test(*at)) {
            let says = "no floating point where money is";
            findings.push(Finding::at(path, source.line(at), "floats", says));
        }
    }
    findings
}

/// Digits, a point, digits: but neither a field of a tuple's field nor a range.
fn float_literals(code: &str) -> Vec<usize> {
    let bytes = code.as_bytes();
    let points = code.match_indices('.').map(|(at, _)| at);
    points
        .filter(|at| {
            let digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
            let before = code[..*at]
                .rfind(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .map_or(0, |start| start + 1);
            let is_number = digit(bytes.get(before));
            let is_field = before > 0 && bytes[before - 1] == b'.';
            is_number && !is_field && digit(bytes.get(at + 1))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_integers() {
        for (path, text, is_fine) in [
            ("crates/billing/src/price.rs", "fn f(price: f64) {}", false),
            ("crates/billing/src/price.rs", "let a = 1_000.5;", false),
            ("crates/billing/tests/golden.rs", "any_price(0.5);", true),
            (
                "crates/billing/src/price.rs",
                "#[cfg(test)]\nmod tests { const W: f64 = 0.5; }",
                true,
            ),
            (
                "crates/billing/src/price.rs",
                "let a = pair.0.1; for i in 0..10 {}",
                true,
            ),
            (
                "crates/billing/src/price.rs",
                "let a = \"1.5\"; // 1.5",
                true,
            ),
            ("crates/dialects/src/json.rs", "let a = 1.5;", true),
        ] {
            assert_eq!(
                check(&Tree::of([(path, text)])).is_empty(),
                is_fine,
                "{path} {text}"
            );
        }
    }
}
