//! Who is charged for what, by how a generation ended. Tokens of an answer that failed, or that
//! never began, are insured: not charged. Tools that ran are charged all the same.

use switchyard_domain::{
    money::{Overflow, UsdNanos},
    tokens::TokenUsage,
};

use crate::{price::Quote, settlement::Charge};

/// How a generation ended, as far as charging asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The provider gave a finish reason that is not an error.
    Finished,
    /// No finish reason came, for instance because the caller left.
    Unfinished,
    /// It ended in an error, whether before or after the first token.
    Failed,
    /// An earlier answer was sent again; no provider was asked.
    ServedFromCache,
}

/// Whose credential served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payer {
    /// Ours: the account pays for the tokens.
    Account,
    /// The customer's own: the provider bills the customer.
    CustomerCredential,
}

/// Whether the tokens are free because there was no answer.
pub const fn is_insured(ending: Ending, output_tokens: u64) -> bool {
    match ending {
        Ending::Failed => true,
        Ending::Unfinished => output_tokens == 0,
        Ending::Finished | Ending::ServedFromCache => false,
    }
}

/// What a quoted generation is charged, given how it ended and whose credential served. The list
/// price stays in the record even where nobody is charged for it.
pub fn charge_for_outcome(
    quote: &Quote,
    usage: &TokenUsage,
    ending: Ending,
    payer: Payer,
) -> Result<Charge, Overflow> {
    if ending == Ending::ServedFromCache {
        return Ok(Charge::default());
    }
    let insured = is_insured(ending, usage.output_total());
    if payer == Payer::Account && !insured {
        return Ok(quote.charge);
    }
    let tools = quote.tools.round_half_even()?;
    let inference = UsdNanos::ZERO;
    Ok(Charge {
        total: tools,
        inference,
        tools,
        insured,
        ..quote.charge
    })
}

#[cfg(test)]
mod tests {
    use switchyard_domain::{
        clock::Timestamp,
        money::{Price, UsdPicos},
        price_list::{PriceList, Prices},
    };

    use super::*;
    use crate::price::{Terms, price};

    fn check(ending: Ending, payer: Payer, output_tokens: u64) -> (i64, i64, bool) {
        let base = Prices {
            prompt: Price::from_picos(1_000_000),
            completion: Price::from_picos(2_000_000),
            ..Prices::default()
        };
        let list = PriceList {
            base,
            ..PriceList::default()
        };
        let usage = TokenUsage {
            input_uncached: 100,
            output_text: output_tokens,
            ..TokenUsage::default()
        };
        let tools = UsdPicos::new(7_000_000);
        let terms = Terms {
            tools,
            ..Terms::at(Timestamp::default())
        };
        let quote = price(&list, &usage, &terms).expect("priced");
        let charge = charge_for_outcome(&quote, &usage, ending, payer).expect("in range");
        assert_eq!(charge.inference.checked_add(charge.tools), Ok(charge.total));
        if ending != Ending::ServedFromCache {
            let list_price = 100_000 + 2_000 * i64::try_from(output_tokens).expect("small");
            assert_eq!(
                charge.list,
                UsdNanos::new(list_price),
                "the list price is kept"
            );
        }
        (charge.inference.get(), charge.tools.get(), charge.insured)
    }

    #[test]
    fn no_answer_is_insured_and_tools_are_not() {
        for (ending, payer, output_tokens, charged) in [
            (
                Ending::Finished,
                Payer::Account,
                10,
                (120_000, 7_000, false),
            ),
            (Ending::Finished, Payer::Account, 0, (100_000, 7_000, false)),
            (
                Ending::Unfinished,
                Payer::Account,
                10,
                (120_000, 7_000, false),
            ),
            (Ending::Unfinished, Payer::Account, 0, (0, 7_000, true)),
            (Ending::Failed, Payer::Account, 10, (0, 7_000, true)),
            (Ending::Failed, Payer::Account, 0, (0, 7_000, true)),
            (
                Ending::Finished,
                Payer::CustomerCredential,
                10,
                (0, 7_000, false),
            ),
            (
                Ending::Failed,
                Payer::CustomerCredential,
                10,
                (0, 7_000, true),
            ),
            (Ending::ServedFromCache, Payer::Account, 10, (0, 0, false)),
        ] {
            let outcome = check(ending, payer, output_tokens);
            assert_eq!(outcome, charged, "{ending:?} {payer:?} {output_tokens}");
        }
    }
}
