//! Removes the endpoints that may not serve a request, each with the first rule that it fails.
//!
//! [`CHECKS`] is the whole filter: one line per rule, in the order in which they are applied. What
//! passes is then copied once per credential that it can be called with (`copies`); no credential
//! makes an endpoint pass that does not, with the one exception that `verdict` documents.

mod admission;
mod capability;
mod copies;
mod fit;
mod listed;
mod place;
mod price;
mod privacy;
mod question;
mod soft;
mod tiers;
pub mod vetted;
mod wording;

use switchyard_catalog::snapshot::{Endpoint, Model};
use switchyard_domain::money::UsdPicos;
use switchyard_interchange::needs::Needs;

use self::{
    copies::Copies,
    question::{Asked, Fate, Notes, Objection, Question},
    tiers::Tiers,
    vetted::Vetted,
    wording::Wording,
};
use crate::{
    credentials::CredentialUse,
    health::EndpointHealth,
    offer::Whose,
    record::{CandidateRecord, Rule, RuledOut},
    resolve::Chosen,
    select::{Situation, TryWhen},
};

pub use self::place::region_includes;
pub(crate) use self::{
    fit::given_beside,
    tiers::{asked_tier, has_flex},
};

type Check = fn(&Question<'_>) -> Option<Objection>;

/// The filters in their fixed order. Which one removed the last endpoint is what callers are
/// told, so the order is part of the API.
const CHECKS: [(Rule, Check); 19] = [
    (Rule::NotCallable, admission::not_callable),
    (Rule::ServiceTier, admission::service_tier),
    (Rule::Geo, place::geo),
    (Rule::DataRegion, place::data_region),
    (Rule::ModelNotAllowed, admission::model_not_allowed),
    (Rule::AllowedProviders, admission::allowed_providers),
    (Rule::Ignored, admission::ignored),
    (Rule::Training, privacy::training),
    (Rule::Publication, privacy::publication),
    (Rule::Zdr, privacy::zdr),
    (Rule::Distillable, privacy::distillable),
    (Rule::WrongApi, fit::wrong_api),
    (Rule::Modality, fit::modality),
    (Rule::ContextLength, fit::context_length),
    (Rule::RequireParameters, fit::require_parameters),
    (Rule::Capability, capability::has),
    (Rule::Quantization, capability::quantization),
    (Rule::MaxPrice, price::max_price),
    (Rule::Features, fit::features),
];

/// A copy of an endpoint that passed, with what ranking goes by.
#[derive(Debug)]
pub(crate) struct Survivor {
    pub(crate) vetted: Vetted,
    /// The position of its model among the models asked for.
    pub(crate) model: usize,
    /// What must have happened before its model is tried.
    pub(crate) when: TryWhen,
    /// Whose credential this copy is called with.
    pub(crate) credential: CredentialUse,
    /// The credential's class: 0 is a customer's prioritized one, 1 the operator's, 2 a customer's
    /// fallback one.
    pub(crate) class: u8,
    /// The credential's position in its owner's order; 0 for the operator's.
    pub(crate) own_order: usize,
    /// The position of its row in the record.
    pub(crate) row: usize,
    pub(crate) cost: UsdPicos,
    pub(crate) health: EndpointHealth,
}

/// What the filters left, and what they did.
pub(crate) struct Sieved {
    pub(crate) survivors: Vec<Survivor>,
    pub(crate) rows: Vec<CandidateRecord>,
}

/// Puts every endpoint of every chosen model before the filters.
pub(crate) fn rule_out(needs: &Needs, situation: &Situation<'_>, chosen: &[Chosen<'_>]) -> Sieved {
    let endpoints = chosen
        .iter()
        .map(|choice| choice.model.endpoints.len())
        .sum();
    let catalog = situation.catalog;
    let notes = Notes::new(catalog);
    let mut fates = Vec::with_capacity(endpoints);
    let mut copies = Copies::new(needs, situation, endpoints);
    for (position, choice) in chosen.iter().enumerate() {
        let asked = Asked::of(needs, situation, *choice);
        let verdicts = choice.model.endpoints.iter().map(|&index| Fate {
            endpoint: index,
            verdict: Question::of(&asked, &notes, catalog, index).verdict(),
        });
        fates.extend(verdicts);
        soft::narrow(needs, situation, &mut fates);
        for fate in fates.drain(..) {
            copies.add(position, *choice, fate);
        }
    }
    copies.finish()
}

impl Sieved {
    /// The plan's view of typed fallbacks. Those behind an ordinary candidate wait for their
    /// failure. Where no ordinary candidate is left, models for a prompt that is too long stand in
    /// if that is what removed one: a provider need not say again what the catalogue says. Other
    /// typed fallbacks never see their failure then, so they are no candidates.
    pub(crate) fn settle_fallbacks(&mut self) {
        let waits = |survivor: &Survivor| survivor.when != TryWhen::Always;
        if !self.survivors.iter().all(waits) {
            return;
        }
        let is_too_long = self.rows.iter().any(|row| {
            let rule = row.ruled_out.as_ref().map(|ruled_out| ruled_out.rule);
            row.when == TryWhen::Always && rule == Some(Rule::ContextLength)
        });
        let stands_in =
            |survivor: &Survivor| is_too_long && survivor.when == TryWhen::AfterContextLength;
        if !self.survivors.iter().any(stands_in) {
            self.survivors.clear();
            return;
        }
        for survivor in self.survivors.iter_mut().filter(|one| stands_in(one)) {
            survivor.when = TryWhen::Always;
        }
    }
}

/// A model's endpoints that pass every hard filter.
pub(crate) fn serving<'a>(
    needs: &'a Needs,
    situation: &'a Situation<'a>,
    choice: Chosen<'a>,
) -> impl Iterator<Item = &'a Endpoint> {
    let catalog = situation.catalog;
    let asked = Asked::of(needs, situation, choice);
    let notes = Notes::new(catalog);
    choice.model.endpoints.iter().filter_map(move |&index| {
        let verdict = Question::of(&asked, &notes, catalog, index).verdict();
        verdict.is_ok().then(|| &catalog.endpoints[index])
    })
}

/// What the standing rules say of each endpoint of the catalogue.
pub(crate) fn offered<'a>(
    needs: &'a Needs,
    situation: &'a Situation<'a>,
    choose: impl Fn(&'a Model) -> Chosen<'a>,
) -> Vec<Result<Whose, RuledOut>> {
    let catalog = situation.catalog;
    let notes = Notes::new(catalog);
    let models = catalog.models.iter();
    let asked: Vec<_> = models
        .map(|model| Asked::of(needs, situation, choose(model)))
        .collect();
    let endpoints = catalog.endpoints.iter().enumerate();
    endpoints
        .map(|(index, endpoint)| {
            Question::of(&asked[endpoint.model], &notes, catalog, index).standing_verdict()
        })
        .collect()
}

/// For each endpoint every rule that it fails: what a caller would have to change to get it.
pub(crate) fn every_objection(
    needs: &Needs,
    situation: &Situation<'_>,
    chosen: &[Chosen<'_>],
) -> Vec<Vec<RuledOut>> {
    let catalog = situation.catalog;
    let notes = Notes::new(catalog);
    let of_model = |choice: &Chosen<'_>| {
        let asked = Asked::of(needs, situation, *choice);
        let ask = |index: &usize| Question::of(&asked, &notes, catalog, *index);
        let objections = choice
            .model
            .endpoints
            .iter()
            .map(|index| ask(index).all_objections());
        objections.collect::<Vec<_>>()
    };
    chosen.iter().flat_map(of_model).collect()
}
