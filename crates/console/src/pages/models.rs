//! What there is to call, for whoever looks: searched, sifted and compared under their own policy.
//!
//! `wanted.rs` is what an address asks for, `shelf.rs` the catalogue made ready to be sifted, `sift.rs` which
//! models are meant and how many another choice would leave, `why.rs` why one is not offered.

mod compare;
mod facets;
mod list;
mod one;
mod price;
mod shelf;
mod sift;
#[cfg(test)]
mod tests;
mod wanted;
mod why;

pub(crate) use self::{
    compare::{asked, show as compare},
    list::show as list,
    one::show as one,
    shelf::{Shelf, ShelfCell},
    why::Why,
};

use switchyard_app::offer::{Offer, Onlooker};
use switchyard_catalog::snapshot::Model;

use crate::{Console, error::PageError, visit::Visit};

/// Who looks at the catalogue; `None` is somebody without a session.
pub(crate) fn onlooker(visit: &Visit) -> Option<Onlooker> {
    let visitor = visit.visitor.as_ref()?;
    Some(Onlooker {
        account_id: visitor.account_id(),
        workspace_id: visitor.workspace_id(),
        person_id: visitor.person().id,
    })
}

/// What is offered to whoever looks.
pub(crate) async fn offered(console: &Console, visit: &Visit) -> Result<Offer, PageError> {
    Ok(console.app.offer(onlooker(visit)).await?)
}

/// A model to try first: one that writes text, served by many, and cheap.
pub(crate) fn showcase(offer: &Offer) -> Option<&str> {
    use switchyard_domain::model::Modality::Text;
    let catalog = &offer.catalog;
    let writes = |model: &&Model| model.output_modalities.contains(Text) && !model.free;
    let served = |model: &Model| {
        let endpoints = model.endpoints.iter();
        endpoints
            .filter(|index| offer.whose(**index).is_some())
            .count()
    };
    let models = catalog.models.iter().filter(writes);
    let best = models
        .map(|model| (served(model), model))
        .filter(|(count, _)| *count > 0)
        .max_by_key(|(count, model)| (*count, std::cmp::Reverse(model.id.clone())))?;
    Some(best.1.id.as_str())
}
