//! Models that stand for a choice among models: `switchyard/auto` and `switchyard/free`, also under
//! OpenRouter's names for theirs.
//!
//! Both choose among models that can serve the request: every filter is asked, so no router
//! reaches what the caller could not have asked for by name. Withdrawn models are never chosen.
//! The choice is a function of the request's features, the catalogue and the caller's options.
//!
//! **Auto** guesses from what can be seen of a request how capable a model it takes:
//!
//! | the request | points |
//! |---|---|
//! | offers tools | 2 |
//! | asks for reasoning | 2 |
//! | wants JSON, by schema or without | 1 |
//! | has images or other media in it | 1 |
//! | has a prompt of about 8,000 tokens or more; of 64,000 or more | 1; 2 |
//!
//! | points | tier | dollars per million tokens |
//! |---|---|---|
//! | 0 or 1 | low | at most 0.50 |
//! | 2 or 3 | medium | at most 2 |
//! | 4 or more | high | at most 8 |
//! | never by itself | max | above |
//!
//! A model's price is that of its cheapest endpoint that can serve: what applies now to a prompt
//! of this length, three parts input to one part output. `cost_tier` takes the guess's place and
//! is a ceiling: no dearer model is chosen then. The order is: the model named by `pin_model`,
//! the model that holds the conversation's warm cache, models that can call tools (what cannot is
//! often made for a single purpose), models of the tier, of the next cheaper tiers, of the next
//! dearer tiers; in a tier, the newest first. The first is the pick, and two more stand behind it.
//!
//! **Free** takes a random free model (by the decision's seed), unless one holds the
//! conversation's warm cache; the others stand behind it.
//!
//! Where no model can serve, the three that come closest are tried in earnest, so that the error
//! names what stands in the way.

use std::cmp::Reverse;

use switchyard_catalog::snapshot::{Endpoint, Model};
use switchyard_domain::{
    model::{Modality, Parameter, Parameters},
    money::Price,
};
use switchyard_interchange::{
    needs::Needs,
    preferences::{CostTier, RouterOptions},
};

use super::{Chosen, Shortcut, find, similar::similar};
use crate::{
    rank::fraction,
    rule_out::{every_objection, given_beside, serving},
    select::{NoCandidates, Situation, TryWhen},
    slug::{in_words, names_model},
};

/// How many models an auto router gives: a pick and its fallbacks.
const AUTO_GIVES: usize = 3;
/// How many models an error is told about.
const NEAREST: usize = 3;
/// Sets the free router's draws apart from those among endpoints.
const DRAW_OF_MODELS: u64 = 0x5EED_0F40_DE15_0000;

/// A router model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Router {
    Auto,
    Free,
}

/// A model that can serve, with what the auto router goes by.
struct Fit<'a> {
    model: &'a Model,
    /// Pico-dollars for three input tokens and one output token.
    price: i128,
    /// Whether any endpoint that can serve calls tools.
    calls_tools: bool,
}

impl Router {
    /// The router with this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name.split_once('/')? {
            ("switchyard" | "openrouter", "auto" | "auto-beta") => Some(Self::Auto),
            ("switchyard" | "openrouter", "free") => Some(Self::Free),
            _ => None,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "switchyard/auto",
            Self::Free => "switchyard/free",
        }
    }

    /// The models it gives for a request, best first; at least one.
    pub(super) fn choose<'a>(
        self,
        needs: &'a Needs,
        situation: &'a Situation<'a>,
        shortcut: Option<Shortcut>,
    ) -> Result<Vec<&'a Model>, NoCandidates> {
        let bounds = Bounds::of(self, needs, situation)?;
        let pool: Vec<&Model> = situation
            .catalog
            .models
            .iter()
            .filter(|model| self.may_choose(model, needs, situation) && bounds.admit(model))
            .collect();
        if pool.is_empty() {
            return Err(bounds.leave_nothing(self));
        }
        let fits: Vec<Fit<'_>> = pool
            .iter()
            .filter_map(|model| Fit::of(model, needs, situation, shortcut))
            .collect();
        if fits.is_empty() {
            return Ok(nearest(&pool, needs, situation, shortcut));
        }
        match self {
            Self::Auto => bounds.pick(fits, needs, situation),
            Self::Free => Ok(draw(fits, situation)),
        }
    }

    /// Whether the model is of the kind that the router chooses from: current, and made to give
    /// what is asked for and nothing else.
    fn may_choose(self, model: &Model, needs: &Needs, situation: &Situation<'_>) -> bool {
        model.free == (self == Self::Free)
            && !model.endpoints.is_empty()
            && !model.is_expired(situation.now)
            && given_beside(model, needs).is_empty()
    }
}

impl<'a> Fit<'a> {
    /// `None`: no endpoint of the model can serve the request.
    fn of(
        model: &'a Model,
        needs: &'a Needs,
        situation: &'a Situation<'a>,
        shortcut: Option<Shortcut>,
    ) -> Option<Self> {
        let mut fit: Option<Self> = None;
        for endpoint in serving(needs, situation, plain(model, shortcut)) {
            let price = price_of(endpoint, needs, situation);
            let calls_tools = endpoint.supported_parameters.contains(Parameter::Tools);
            let fit = fit.get_or_insert(Self {
                model,
                price,
                calls_tools,
            });
            fit.price = fit.price.min(price);
            fit.calls_tools |= calls_tools;
        }
        fit
    }
}

const fn plain(model: &Model, shortcut: Option<Shortcut>) -> Chosen<'_> {
    Chosen {
        model,
        shortcut,
        when: TryWhen::Always,
    }
}

/// Three input tokens and one output token, as this request would pay them now.
fn price_of(endpoint: &Endpoint, needs: &Needs, situation: &Situation<'_>) -> i128 {
    let Some(list) = endpoint.prices.as_ref() else {
        return i128::MAX;
    };
    let prices = list.at(needs.prompt_tokens_estimate, situation.now);
    let picos = |price: Option<Price>| i128::from(price.unwrap_or_default().picos());
    let gross = picos(prices.prompt) * 3 + picos(prices.completion);
    gross - gross * i128::from(list.discount.get()) / 1_000_000
}

/// The tier of a price of three input tokens and one output token.
const fn tier_of(price: i128) -> CostTier {
    /// Pico-dollars for four tokens per dollar for a million.
    const DOLLAR: i128 = 4_000_000;
    if price <= DOLLAR / 2 {
        CostTier::Low
    } else if price <= 2 * DOLLAR {
        CostTier::Medium
    } else if price <= 8 * DOLLAR {
        CostTier::High
    } else {
        CostTier::Max
    }
}

/// How capable a model the request seems to take.
fn guess(needs: &Needs) -> CostTier {
    const REASONING: Parameters = Parameters::EMPTY
        .with(Parameter::Reasoning)
        .with(Parameter::ReasoningEffort)
        .with(Parameter::IncludeReasoning);
    const JSON: Parameters = Parameters::EMPTY
        .with(Parameter::ResponseFormat)
        .with(Parameter::StructuredOutputs);
    let carries = |some: Parameters| !needs.parameters.intersection(some).is_empty();
    let mut points = 0;
    if needs.uses_tools {
        points += 2;
    }
    if carries(REASONING) {
        points += 2;
    }
    if carries(JSON) {
        points += 1;
    }
    if !needs.input_modalities.without(Modality::Text).is_empty() {
        points += 1;
    }
    points += match needs.prompt_tokens_estimate {
        0..8_000 => 0,
        8_000..64_000 => 1,
        _ => 2,
    };
    match points {
        0 | 1 => CostTier::Low,
        2 | 3 => CostTier::Medium,
        _ => CostTier::High,
    }
}

/// What the caller's options make of the choice.
struct Bounds<'a> {
    options: Option<&'a RouterOptions>,
    pinned: Option<&'a Model>,
}

impl<'a> Bounds<'a> {
    /// The free router has no options. A pinned model that does not exist is the caller's error.
    fn of(
        router: Router,
        needs: &'a Needs,
        situation: &'a Situation<'a>,
    ) -> Result<Self, NoCandidates> {
        let options = needs.router.as_ref().filter(|_| router == Router::Auto);
        let named = options.and_then(|options| options.pin_model.as_deref());
        let pinned = match named {
            None => None,
            Some(name) => {
                let found = find(name, situation.catalog, situation.now);
                Some(found.ok_or_else(|| NoCandidates::UnknownModel {
                    model: name.to_owned(),
                    similar: similar(name, situation.catalog),
                })?)
            }
        };
        Ok(Self { options, pinned })
    }

    fn admit(&self, model: &Model) -> bool {
        let id = model.id.as_str();
        let has = |list: &[String]| list.iter().any(|pattern| names_model(pattern, id));
        self.options.is_none_or(|options| {
            (options.allowed_models.is_empty() || has(&options.allowed_models))
                && !has(&options.excluded_models)
        })
    }

    /// The auto router's order.
    fn pick(
        &self,
        mut fits: Vec<Fit<'a>>,
        needs: &Needs,
        situation: &'a Situation<'a>,
    ) -> Result<Vec<&'a Model>, NoCandidates> {
        let ceiling = self.options.and_then(|options| options.cost_tier);
        if let Some(ceiling) = ceiling {
            fits.retain(|fit| tier_of(fit.price) <= ceiling);
            if fits.is_empty() {
                return Err(NoCandidates::RouterLeftNothing {
                    router: Router::Auto.as_str(),
                    field: "cost_tier",
                    detail: format!(
                        "every model that can serve costs more than the tier `{}`",
                        name_of(ceiling)
                    ),
                });
            }
        }
        let wanted = ceiling.unwrap_or_else(|| guess(needs));
        let warm = warm_model(situation);
        let is = |one: &Model, other: Option<&Model>| other.is_some_and(|other| other.id == one.id);
        fits.sort_by_key(|fit| {
            (
                !is(fit.model, self.pinned),
                !is(fit.model, warm),
                !fit.calls_tools,
                distance(tier_of(fit.price), wanted),
                Reverse(fit.model.created),
                fit.model.id.clone(),
            )
        });
        let best = fits.into_iter().take(AUTO_GIVES);
        Ok(best.map(|fit| fit.model).collect())
    }

    fn leave_nothing(&self, router: Router) -> NoCandidates {
        let options = self.options.filter(|options| {
            !(options.allowed_models.is_empty() && options.excluded_models.is_empty())
        });
        let (field, detail) = match options {
            None => (
                "model",
                "there is no model of this kind in the catalogue".to_owned(),
            ),
            Some(options) if options.allowed_models.is_empty() => (
                "excluded_models",
                format!(
                    "`excluded_models: [{}]` leaves no model",
                    in_words(&options.excluded_models)
                ),
            ),
            Some(options) => (
                "allowed_models",
                format!(
                    "`allowed_models: [{}]`, less what is excluded, leaves no model",
                    in_words(&options.allowed_models)
                ),
            ),
        };
        NoCandidates::RouterLeftNothing {
            router: router.as_str(),
            field,
            detail,
        }
    }
}

/// Cheaper tiers before dearer ones.
const fn distance(tier: CostTier, wanted: CostTier) -> u8 {
    let (tier, wanted) = (tier as u8, wanted as u8);
    if tier <= wanted {
        wanted - tier
    } else {
        CostTier::Max as u8 + tier - wanted
    }
}

const fn name_of(tier: CostTier) -> &'static str {
    match tier {
        CostTier::Low => "low",
        CostTier::Medium => "medium",
        CostTier::High => "high",
        CostTier::Max => "max",
    }
}

/// The model whose prompt cache the conversation has warmed.
fn warm_model<'a>(situation: &'a Situation<'a>) -> Option<&'a Model> {
    let endpoint = situation.catalog.endpoint(&situation.pin?.endpoint)?;
    Some(situation.catalog.model_of(endpoint))
}

/// The free router's order.
fn draw<'a>(fits: Vec<Fit<'a>>, situation: &'a Situation<'a>) -> Vec<&'a Model> {
    let warm = warm_model(situation);
    let mut drawn: Vec<(bool, u64, &Model)> = fits
        .into_iter()
        .enumerate()
        .map(|(index, Fit { model, .. })| {
            let is_cold = warm.is_none_or(|warm| warm.id != model.id);
            let place = fraction(situation.seed ^ DRAW_OF_MODELS, index);
            (is_cold, place, model)
        })
        .collect();
    drawn.sort_by_key(|(is_cold, place, _)| (*is_cold, *place));
    drawn.into_iter().map(|(_, _, model)| model).collect()
}

/// The models that fail the fewest rules, newest first.
fn nearest<'a>(
    pool: &[&'a Model],
    needs: &Needs,
    situation: &Situation<'_>,
    shortcut: Option<Shortcut>,
) -> Vec<&'a Model> {
    let mut failing: Vec<(usize, &Model)> = pool
        .iter()
        .map(|model| {
            let objections = every_objection(needs, situation, &[plain(model, shortcut)]);
            let fewest = objections.iter().map(Vec::len).min();
            (fewest.unwrap_or(usize::MAX), *model)
        })
        .collect();
    failing.sort_by_key(|(count, model)| (*count, Reverse(model.created), model.id.clone()));
    let nearest = failing.into_iter().take(NEAREST);
    nearest.map(|(_, model)| model).collect()
}
