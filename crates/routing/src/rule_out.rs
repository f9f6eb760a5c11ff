//! Removes the endpoints that may not serve a request, each with the first rule that it fails.
//!
//! [`CHECKS`] is the whole filter: one line per rule, in the order in which they are applied.

mod admission;
mod fit;
mod price;
mod privacy;
mod soft;
pub mod vetted;

use std::{borrow::Cow, sync::Arc};

use switchyard_catalog::snapshot::{Endpoint, Model, Provider};
use switchyard_domain::{clock::Timestamp, endpoint::ServiceTier, money::UsdPicos};
use switchyard_interchange::{needs::Needs, preferences::RequestedTier};

use self::vetted::Vetted;
use crate::{
    cost::expected_cost,
    credentials::{CredentialUse, Credentials},
    health::EndpointHealth,
    policy::Policy,
    record::{CandidateRecord, Rule, RuledOut, Scope},
    resolve::Chosen,
    select::{Situation, TryWhen},
    slug::stated,
};

/// One endpoint before the filters, with everything they compare it with.
struct Question<'a> {
    needs: &'a Needs,
    policy: &'a Policy,
    credentials: Credentials<'a>,
    now: Timestamp,
    tiers: Tiers,
    model: &'a Model,
    provider: &'a Provider,
    endpoint: &'a Endpoint,
}

/// Which service tiers of a model a request draws on, before endpoints named in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tiers {
    /// The ordinary one.
    Ordinary,
    /// The ordinary one and the one asked for.
    Also(ServiceTier),
    /// Flex and nothing else: who asks for it does not want to pay the ordinary price.
    OnlyFlex,
}

/// Why an endpoint may not serve.
struct Objection {
    scope: Scope,
    field: &'static str,
    detail: Cow<'static, str>,
}

impl Objection {
    fn new(scope: Scope, field: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            scope,
            field,
            detail: detail.into(),
        }
    }

    fn by(self, rule: Rule) -> RuledOut {
        RuledOut {
            rule,
            scope: self.scope,
            field: self.field,
            detail: self.detail,
        }
    }
}

type Check = fn(&Question<'_>) -> Option<Objection>;

/// The filters in their fixed order. Which one removed the last endpoint is what callers are
/// told, so the order is part of the API.
const CHECKS: [(Rule, Check); 14] = [
    (Rule::NotCallable, admission::not_callable),
    (Rule::ServiceTier, admission::service_tier),
    (Rule::AllowedProviders, admission::allowed_providers),
    (Rule::Ignored, admission::ignored),
    (Rule::Training, privacy::training),
    (Rule::Zdr, privacy::zdr),
    (Rule::Distillable, privacy::distillable),
    (Rule::WrongApi, fit::wrong_api),
    (Rule::Modality, fit::modality),
    (Rule::ContextLength, fit::context_length),
    (Rule::RequireParameters, fit::require_parameters),
    (Rule::Quantization, fit::quantization),
    (Rule::MaxPrice, price::max_price),
    (Rule::Features, fit::features),
];

impl Question<'_> {
    fn first_objection(&self) -> Option<RuledOut> {
        CHECKS
            .iter()
            .find_map(|(rule, check)| Some(check(self)?.by(*rule)))
    }

    fn all_objections(&self) -> Vec<RuledOut> {
        CHECKS
            .iter()
            .filter_map(|(rule, check)| Some(check(self)?.by(*rule)))
            .collect()
    }
}

/// An endpoint that passed, with what ranking goes by.
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

/// An endpoint that passed the hard filters.
struct Passed {
    endpoint: usize,
    row: usize,
    health: EndpointHealth,
}

/// Puts every endpoint of every chosen model before the filters.
pub(crate) fn rule_out(needs: &Needs, situation: &Situation<'_>, chosen: &[Chosen<'_>]) -> Sieved {
    let endpoints = chosen
        .iter()
        .map(|choice| choice.model.endpoints.len())
        .sum();
    let mut rows = Vec::with_capacity(endpoints);
    let mut survivors = Vec::with_capacity(endpoints);
    let mut passed = Vec::with_capacity(endpoints);
    for (position, choice) in chosen.iter().enumerate() {
        passed.clear();
        let tiers = Tiers::of(needs, situation, *choice);
        for &index in &choice.model.endpoints {
            let question = question(needs, situation, *choice, tiers, index);
            let health =
                situation
                    .health
                    .of(&question.endpoint.id, CredentialUse::Shared, situation.now);
            let ruled_out = question.first_objection();
            if ruled_out.is_none() {
                passed.push(Passed {
                    endpoint: index,
                    row: rows.len(),
                    health,
                });
            }
            rows.push(CandidateRecord {
                endpoint: question.endpoint.id.clone(),
                provider: question.provider.name.clone(),
                model: choice.model.id.clone(),
                credential: CredentialUse::Shared,
                rank: None,
                ruled_out,
                expected_cost_nanos: None,
                draw_ppm: None,
                health: health.rank,
            });
        }
        soft::narrow(needs, situation, &mut passed, &mut rows);
        survivors.extend(
            passed
                .iter()
                .map(|one| vet(needs, situation, position, one, &mut rows)),
        );
    }
    Sieved { survivors, rows }
}

/// For each endpoint every rule that it fails: what a caller would have to change to get it.
pub(crate) fn every_objection(
    needs: &Needs,
    situation: &Situation<'_>,
    chosen: &[Chosen<'_>],
) -> Vec<Vec<RuledOut>> {
    chosen
        .iter()
        .flat_map(|choice| {
            let tiers = Tiers::of(needs, situation, *choice);
            choice.model.endpoints.iter().map(move |&index| {
                question(needs, situation, *choice, tiers, index).all_objections()
            })
        })
        .collect()
}

fn question<'a>(
    needs: &'a Needs,
    situation: &Situation<'a>,
    choice: Chosen<'a>,
    tiers: Tiers,
    index: usize,
) -> Question<'a> {
    let endpoint = &situation.catalog.endpoints[index];
    Question {
        needs,
        policy: situation.policy,
        credentials: situation.credentials,
        now: situation.now,
        tiers,
        model: choice.model,
        provider: situation.catalog.provider_of(endpoint),
        endpoint,
    }
}

fn vet(
    needs: &Needs,
    situation: &Situation<'_>,
    model: usize,
    passed: &Passed,
    rows: &mut [CandidateRecord],
) -> Survivor {
    let vetted = Vetted::new(
        Arc::clone(situation.catalog),
        passed.endpoint,
        CredentialUse::Shared,
    );
    let cost = vetted
        .endpoint()
        .prices
        .as_ref()
        .map_or(UsdPicos::ZERO, |prices| {
            expected_cost(prices, needs, situation.now)
        });
    rows[passed.row].expected_cost_nanos =
        Some(cost.round_half_even().map_or(i64::MAX, |nanos| nanos.get()));
    Survivor {
        vetted,
        model,
        when: TryWhen::Always,
        credential: CredentialUse::Shared,
        class: 1,
        own_order: 0,
        row: passed.row,
        cost,
        health: passed.health,
    }
}

impl Tiers {
    /// `service_tier` outranks a shortcut; a listed order or an explicit `default` takes the
    /// shortcut's tier back.
    fn of(needs: &Needs, situation: &Situation<'_>, choice: Chosen<'_>) -> Self {
        match needs.service_tier {
            Some(RequestedTier::Priority) => return Self::Also(ServiceTier::Priority),
            Some(RequestedTier::Flex) if has_flex(situation, choice.model) => {
                return Self::OnlyFlex;
            }
            Some(RequestedTier::Default) => return Self::Ordinary,
            Some(RequestedTier::Flex | RequestedTier::Auto) | None => {}
        }
        match choice.shortcut.and_then(|shortcut| shortcut.admits()) {
            Some(tier) if stated(needs.preferences.order.as_ref()).is_none() => Self::Also(tier),
            _ => Self::Ordinary,
        }
    }
}

/// The tier that the request asks for, or else the narrowest standing rule's, and whose wish it is.
/// `auto` leaves it to the standing rules.
pub(crate) fn asked_tier(needs: &Needs, policy: &Policy) -> Option<(RequestedTier, Scope)> {
    let requested = needs
        .service_tier
        .filter(|tier| *tier != RequestedTier::Auto)
        .map(|tier| (tier, Scope::Request));
    requested.or_else(|| {
        policy.layers.iter().rev().find_map(|layer| {
            let tier = layer.rules.default_service_tier?;
            Some((tier, layer.scope))
        })
    })
}

/// Whether a request for flex can be met at all; where not, it is routed as usual.
pub(crate) fn has_flex(situation: &Situation<'_>, model: &Model) -> bool {
    situation.catalog.endpoints_of(model).any(|endpoint| {
        endpoint.service_tier == ServiceTier::Flex
            && endpoint.is_callable(situation.catalog.provider_of(endpoint))
    })
}
