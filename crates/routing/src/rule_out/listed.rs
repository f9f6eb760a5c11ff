//! What the lists of providers say of a provider. Most entries name providers, and a provider
//! serves many of the models that one request may try, so each is compared once per decision.

use std::cell::Cell;

use switchyard_catalog::snapshot::Catalog;

use super::Question;
use crate::{
    policy::Rules,
    slug::{names_provider, stated},
};

/// By the provider's index in the catalogue; `None`: not compared yet.
pub(super) struct Listed(Vec<Cell<Option<Listing>>>);

/// What lists say of all of a provider's endpoints. Entries that name a single endpoint, by a tag
/// that is not its provider's name, are not looked at here.
#[derive(Clone, Copy)]
pub(super) struct Listing {
    /// Every list of what is allowed names the provider.
    pub(super) is_allowed: bool,
    /// Some list of what is ignored names the provider.
    pub(super) is_ignored: bool,
}

impl Listed {
    pub(super) fn new(catalog: &Catalog) -> Self {
        Self(vec![Cell::new(None); catalog.providers.len()])
    }

    pub(super) fn of(&self, question: &Question<'_>) -> Listing {
        let known = &self.0[question.endpoint.provider];
        known.get().unwrap_or_else(|| {
            let listing = Listing::of(question);
            known.set(Some(listing));
            listing
        })
    }
}

impl Listing {
    fn of(question: &Question<'_>) -> Self {
        let preferences = &question.asked.needs.preferences;
        let has = |list: &[String]| names_provider(list, question.provider);
        let is_closed = preferences.allow_fallbacks == Some(false);
        let order = preferences.order.as_ref().filter(|_| is_closed);
        let requested = [preferences.only.as_ref(), order];
        let policy = question.asked.policy;
        let forbids = |rules: &Rules| {
            rules
                .allowed_providers
                .as_deref()
                .is_some_and(|list| !has(list))
        };
        let ignores = |rules: &Rules| has(&rules.ignored_providers);
        Self {
            is_allowed: requested
                .into_iter()
                .all(|list| stated(list).is_none_or(has))
                && policy.first(forbids).is_none(),
            is_ignored: has(&preferences.ignore) || policy.first(ignores).is_some(),
        }
    }
}
