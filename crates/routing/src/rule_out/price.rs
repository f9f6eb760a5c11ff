//! Price ceilings.

use super::{Objection, Question};
use crate::{
    cost::exceeds,
    record::{Figures, Scope},
};

/// Compares the prices that would apply now to this prompt, after discount and overrides;
/// ceilings are inclusive. A request, image or audio price that is not stated is not charged on
/// its own, so no ceiling on it can be exceeded.
pub(super) fn max_price(question: &Question<'_>) -> Option<Objection> {
    let ceilings = &question.asked.needs.preferences.max_price;
    if ceilings.is_empty() {
        return None;
    }
    let list = question.endpoint.prices.as_ref()?;
    let prices = list.at(
        question.asked.needs.prompt_tokens_estimate,
        question.asked.now,
    );
    let compared = [
        (
            "provider.max_price.prompt",
            ceilings.prompt,
            prices.prompt,
            Unit::Token,
        ),
        (
            "provider.max_price.completion",
            ceilings.completion,
            prices.completion,
            Unit::Token,
        ),
        (
            "provider.max_price.request",
            ceilings.request,
            prices.request,
            Unit::Piece,
        ),
        (
            "provider.max_price.image",
            ceilings.image,
            prices.image,
            Unit::Piece,
        ),
        (
            "provider.max_price.audio",
            ceilings.audio,
            prices.audio,
            Unit::Token,
        ),
    ];
    compared
        .into_iter()
        .find_map(|(field, ceiling, price, unit)| {
            let (ceiling, price) = (ceiling?, price?);
            exceeds(list, price, ceiling).then(|| {
                let figures = match unit {
                    Unit::Token => Figures::TokenPrice { price, ceiling },
                    Unit::Piece => Figures::PiecePrice { price, ceiling },
                };
                Objection::new(Scope::Request, field, figures)
            })
        })
}

enum Unit {
    Token,
    Piece,
}
