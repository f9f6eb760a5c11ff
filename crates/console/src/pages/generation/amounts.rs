//! Amounts as the ledger has them: nine places, what is past cents dimmed; exact ones up to twelve.

use switchyard_domain::money::{Price, UsdNanos, UsdPicos};

use crate::ui::{Markup, usd_exact};

/// An amount of the ledger.
pub(super) fn ledger(amount: UsdNanos) -> Markup {
    dimmed(&usd_exact(amount), &amount.to_string())
}

/// What one unit costs.
pub(super) fn price(price: Price) -> Markup {
    exact(UsdPicos::new(i128::from(price.picos())))
}

/// An amount that is not rounded yet: nine places, or as many more as it has.
pub(super) fn exact(amount: UsdPicos) -> Markup {
    const PICOS: u128 = 1_000_000_000_000;
    let size = amount.get().unsigned_abs();
    let mut digits = format!("{:012}", size % PICOS);
    while digits.len() > 9 && digits.ends_with('0') {
        digits.pop();
    }
    let sign = if amount.get() < 0 { "\u{2212}" } else { "" };
    let text = format!("{sign}${}.{digits}", size / PICOS);
    let value = format!(
        "{}{}.{digits}",
        if amount.get() < 0 { "-" } else { "" },
        size / PICOS
    );
    dimmed(&text, &value)
}

fn dimmed(text: &str, value: &str) -> Markup {
    let cents = text.find('.').map_or(text.len(), |point| point + 3);
    let (coarse, fine) = text.split_at(cents.min(text.len()));
    Markup::trusted(format!(
        r#"<data class="money" value="{value}">{coarse}<span class="fine">{fine}</span></data>"#
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_the_places_they_need() {
        for (picos, text) in [
            (0, "$0.00<span class=\"fine\">0000000</span>"),
            (37_538_501, "$0.00<span class=\"fine\">0037538501</span>"),
            (
                1_500_000_000_000,
                "$1.50<span class=\"fine\">0000000</span>",
            ),
            (-1, "\u{2212}$0.00<span class=\"fine\">0000000001</span>"),
        ] {
            let shown = exact(UsdPicos::new(picos)).to_string();
            assert!(shown.contains(text), "{shown}");
        }
        let shown = ledger(UsdNanos::new(-11_673)).to_string();
        assert!(
            shown.contains("\u{2212}$0.00<span class=\"fine\">0011673</span>"),
            "{shown}"
        );
    }
}
