//! The pricing formula once more, written down naively over reduced fractions, to compare with.

use super::*;

pub(super) struct Oracle {
    pub(super) total: i128,
    pub(super) list: i128,
    pub(super) cache_discount: i128,
}

pub(super) fn price(list: &PriceList, usage: &TokenUsage, terms: &Terms) -> Oracle {
    let base = &list.base;
    let picos = |price: Option<Price>| price.map(|price| i128::from(price.picos()));
    let (prompt, completion) = (
        picos(base.prompt).unwrap_or(0),
        picos(base.completion).unwrap_or(0),
    );
    let reasoning = match picos(base.internal_reasoning) {
        None | Some(0) => completion,
        Some(own) => own,
    };
    let mut stated = picos(base.request).unwrap_or(0);
    for (count, each) in [
        (usage.input_uncached, prompt),
        (
            usage.cache_read,
            picos(base.input_cache_read).unwrap_or(prompt),
        ),
        (
            usage.cache_write_5m,
            picos(base.input_cache_write).unwrap_or(prompt),
        ),
        (
            usage.cache_write_1h,
            picos(base.input_cache_write_1h).unwrap_or(prompt),
        ),
        (usage.audio_in, picos(base.audio).unwrap_or(prompt)),
        (usage.images_in, picos(base.image).unwrap_or(0)),
        (usage.output_text, completion),
        (usage.reasoning, reasoning),
        (
            usage.audio_out,
            picos(base.audio_output).unwrap_or(completion),
        ),
        (
            usage.image_out,
            picos(base.image_output).unwrap_or(completion),
        ),
    ] {
        stated += i128::from(count) * each;
    }
    let mut saved = 0;
    for (count, each) in [
        (usage.cache_read, picos(base.input_cache_read)),
        (usage.cache_write_5m, picos(base.input_cache_write)),
        (usage.cache_write_1h, picos(base.input_cache_write_1h)),
    ] {
        saved += i128::from(count) * (prompt - each.unwrap_or(prompt));
    }
    let million = 1_000_000;
    let endpoint = Fraction::new(million - i128::from(list.discount.get()), million);
    let account = Fraction::new(million - i128::from(terms.account_discount.get()), million);
    let batch = Fraction::new(i128::from(terms.batch.get()), million);
    let nano = Fraction::new(1, 1_000);
    let net = Fraction::new(stated, 1).times(endpoint);
    Oracle {
        total: net
            .times(account)
            .times(batch)
            .plus(terms.tools.get())
            .times(nano)
            .half_even(),
        list: net.times(nano).half_even(),
        cache_discount: Fraction::new(saved, 1)
            .times(endpoint)
            .times(nano)
            .half_even(),
    }
}

/// In lowest terms, denominator positive.
#[derive(Clone, Copy)]
struct Fraction(i128, i128);

impl Fraction {
    fn new(numerator: i128, denominator: i128) -> Self {
        let (mut a, mut b) = (numerator.abs(), denominator);
        while b != 0 {
            (a, b) = (b, a % b);
        }
        let divisor = a.max(1);
        Self(numerator / divisor, denominator / divisor)
    }

    fn times(self, other: Self) -> Self {
        // Reduced crosswise first, so that the products stay small.
        let (left, right) = (Self::new(self.0, other.1), Self::new(other.0, self.1));
        Self::new(left.0 * right.0, left.1 * right.1)
    }

    fn plus(self, whole: i128) -> Self {
        Self::new(self.0 + whole * self.1, self.1)
    }

    /// Looks at both neighbours and takes the nearer one, or the even one of two as near.
    fn half_even(self) -> i128 {
        let below = self.0.div_euclid(self.1);
        let above = below + 1;
        let (to_below, to_above) = (self.0 - below * self.1, above * self.1 - self.0);
        if to_below == to_above {
            return if below % 2 == 0 { below } else { above };
        }
        if to_below < to_above { below } else { above }
    }
}
