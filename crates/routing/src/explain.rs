//! Tells a caller why nothing can serve a request, and what would help.
//!
//! Codes and words are OpenRouter's where it has any, so that its clients' handling applies.

mod relaxation;
mod siblings;

use serde::Serialize;
use switchyard_interchange::needs::Needs;

use crate::{
    record::{CandidateRecord, DecisionRecord, Rule, RuledOut, Scope},
    resolve::Chosen,
    rule_out::every_objection,
    select::{NoCandidates, Situation, TryWhen},
    slug::in_words,
};

/// `error.availability` but for its `docs_url`, which the API's address decides.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Availability {
    /// What clients switch on.
    pub code: AvailabilityCode,
    /// Whether the same request may succeed later.
    pub retryable: bool,
    /// The models as asked for.
    pub requested_models: Vec<String>,
    /// Which kinds of constraint removed endpoints, the deciding one first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub excluded_by: Vec<&'static str>,
    /// Providers that the deciding constraint removed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub affected_providers: Vec<String>,
    /// Models to try instead.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fallback_models: Vec<String>,
    /// The deciding constraint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub constraint: Option<Constraint>,
}

/// A constraint that could not be met.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Constraint {
    /// The request field or account setting.
    pub field: &'static str,
    /// The compared values, in words.
    pub detail: String,
}

/// OpenRouter's availability codes. Provider selection itself gives the permanent ones; the
/// retryable ones are for a plan whose every attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AvailabilityCode {
    /// Unknown id.
    ModelNotFound,
    /// The model answers another API.
    WrongEndpoint,
    /// None configured, or removed by provider preferences.
    NoEndpoints,
    /// Removed by a data policy.
    PrivacyRestricted,
    /// Removed by price, context, parameters, weights or kind of input.
    ConstraintFiltered,
    /// Withdrawn by its author.
    ModelDeprecated,
    /// No longer offered for free.
    FreeVariantEnded,
    /// Not offered in the country that the request comes from.
    RegionRestricted,
    /// Every provider said that it does not know the model.
    ModelUnavailableUpstream,
    /// Every attempt was refused for its rate.
    CapacityExhausted,
    /// Every attempt failed, and may not next time.
    TemporarilyUnavailable,
}

impl AvailabilityCode {
    /// The wire name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ModelNotFound => "model_not_found",
            Self::WrongEndpoint => "wrong_endpoint",
            Self::NoEndpoints => "no_endpoints",
            Self::PrivacyRestricted => "privacy_restricted",
            Self::ConstraintFiltered => "constraint_filtered",
            Self::ModelDeprecated => "model_deprecated",
            Self::FreeVariantEnded => "free_variant_ended",
            Self::RegionRestricted => "region_restricted",
            Self::ModelUnavailableUpstream => "model_unavailable_upstream",
            Self::CapacityExhausted => "capacity_exhausted",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
        }
    }

    /// The HTTP status that goes with it. A permanent failure is never 5xx: clients retry those.
    pub const fn status(self) -> u16 {
        match self {
            Self::ModelNotFound | Self::WrongEndpoint => 400,
            Self::RegionRestricted => 403,
            Self::NoEndpoints
            | Self::PrivacyRestricted
            | Self::ConstraintFiltered
            | Self::ModelDeprecated
            | Self::FreeVariantEnded
            | Self::ModelUnavailableUpstream => 404,
            Self::CapacityExhausted => 429,
            Self::TemporarilyUnavailable => 503,
        }
    }

    /// Whether the same request may succeed later.
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::CapacityExhausted | Self::TemporarilyUnavailable)
    }
}

impl Rule {
    /// OpenRouter's word for what this rule excludes by; it has none for what the catalogue alone
    /// decides, and lends its nearest to rules of ours.
    pub const fn excluded_by(self) -> Option<&'static str> {
        match self {
            Self::NotCallable | Self::ServiceTier | Self::ModelNotAllowed | Self::WrongApi => None,
            Self::Geo => Some("geo"),
            Self::DataRegion => Some("data_region"),
            Self::AllowedProviders | Self::Ignored => Some("allowed_providers"),
            Self::Training | Self::Publication | Self::Distillable => Some("data_policy:training"),
            Self::Zdr => Some("data_policy:zdr"),
            Self::ContextLength => Some("context_length"),
            Self::Modality | Self::RequireParameters | Self::Capability | Self::Features => {
                Some("require_parameters")
            }
            Self::Quantization => Some("quantization"),
            Self::MaxPrice => Some("max_price"),
        }
    }

    /// The vocabulary has no code for a model that an owner's rules forbid, so it shares that of
    /// forbidden providers; the status tells them apart ([`NoCandidates::status`]).
    const fn code(self) -> AvailabilityCode {
        match self {
            Self::NotCallable | Self::ModelNotAllowed | Self::AllowedProviders | Self::Ignored => {
                AvailabilityCode::NoEndpoints
            }
            Self::Geo => AvailabilityCode::RegionRestricted,
            Self::Training | Self::Publication | Self::Zdr => AvailabilityCode::PrivacyRestricted,
            Self::WrongApi => AvailabilityCode::WrongEndpoint,
            Self::ServiceTier
            | Self::DataRegion
            | Self::Capability
            | Self::Distillable
            | Self::Modality
            | Self::ContextLength
            | Self::RequireParameters
            | Self::Quantization
            | Self::MaxPrice
            | Self::Features => AvailabilityCode::ConstraintFiltered,
        }
    }
}

impl NoCandidates {
    /// The code that clients switch on.
    pub fn code(&self) -> AvailabilityCode {
        match self {
            Self::UnknownModel { .. } => AvailabilityCode::ModelNotFound,
            Self::UnknownVariant { variant, .. } if variant == "free" => {
                AvailabilityCode::FreeVariantEnded
            }
            Self::UnknownVariant { .. } | Self::WebSearchNotOffered { .. } => {
                AvailabilityCode::ModelNotFound
            }
            Self::RouterLeftNothing { field, .. } if *field == "cost_tier" => {
                AvailabilityCode::ConstraintFiltered
            }
            Self::RouterLeftNothing { .. } => AvailabilityCode::NoEndpoints,
            // An author's withdrawal explains missing endpoints, not a caller's own constraints.
            Self::RuledOut {
                last: None | Some(Rule::NotCallable),
                expired: true,
                ..
            } => AvailabilityCode::ModelDeprecated,
            Self::RuledOut { last, .. } => last.map_or(AvailabilityCode::NoEndpoints, Rule::code),
        }
    }

    /// The HTTP status: the code's, but 403 where an owner's rules forbid the models.
    pub fn status(&self) -> u16 {
        match self {
            Self::RuledOut {
                last: Some(Rule::ModelNotAllowed),
                ..
            } => 403,
            _ => self.code().status(),
        }
    }

    /// The public availability object.
    pub fn availability(&self) -> Availability {
        let code = self.code();
        let mut availability = Availability {
            code,
            retryable: code.is_retryable(),
            requested_models: Vec::new(),
            excluded_by: Vec::new(),
            affected_providers: Vec::new(),
            fallback_models: Vec::new(),
            constraint: None,
        };
        match self {
            Self::UnknownModel { model, similar } => {
                availability.requested_models.push(model.clone());
                availability.fallback_models.clone_from(similar);
            }
            Self::UnknownVariant { model, variant } => {
                availability
                    .requested_models
                    .push(format!("{model}:{variant}"));
                availability.fallback_models.push(model.clone());
            }
            Self::WebSearchNotOffered { model } => {
                availability
                    .requested_models
                    .push(format!("{model}:online"));
                availability.fallback_models.push(model.clone());
            }
            Self::RouterLeftNothing {
                router,
                field,
                detail,
            } => {
                availability.requested_models.push((*router).to_owned());
                availability.constraint = Some(Constraint {
                    field,
                    detail: detail.clone(),
                });
            }
            Self::RuledOut {
                excluded,
                last,
                record,
                fallback_models,
                ..
            } => {
                availability.fallback_models.clone_from(fallback_models);
                availability
                    .requested_models
                    .clone_from(&record.requested_models);
                availability.excluded_by = words_for(excluded, *last);
                availability.affected_providers = providers_removed_by(*last, record);
                availability.constraint = deciding_constraint(*last, record);
            }
        }
        availability
    }

    /// What happened and what to do about it, for the caller.
    pub fn message(&self) -> String {
        match self {
            Self::UnknownModel { model, similar } if similar.is_empty() => {
                format!(
                    "There is no model {}. GET /api/v1/models lists what there is.",
                    quoted(model)
                )
            }
            Self::UnknownModel { model, similar } => {
                format!(
                    "There is no model {}. Did you mean {}?",
                    quoted(model),
                    in_words(similar)
                )
            }
            Self::UnknownVariant { model, variant } if variant == "free" => format!(
                "Model {} is not offered for free, or no longer. Ask for it without `:free`, or \
                 for `switchyard/free`, which takes any free model.",
                quoted(model)
            ),
            Self::UnknownVariant { model, variant } => {
                let model = quoted(model);
                format!(
                    "Model {model} has no variant {}. Ask for {model}, which can be followed by \
                     `:nitro` (fastest first), `:floor` (cheapest first) or `:exacto` (best at \
                     calling tools first).",
                    quoted(&format!(":{variant}"))
                )
            }
            Self::WebSearchNotOffered { model } => {
                let model = quoted(model);
                format!(
                    "`:online` asks for the web plugin, which is not offered here. Ask for \
                     {model} without it, and offer the model a search tool of yours in `tools`, or \
                     put what you found into the prompt."
                )
            }
            Self::RouterLeftNothing {
                router,
                field,
                detail,
            } => format!(
                "`{router}` has no model to choose from: {detail}. {} to get an answer.",
                match *field {
                    "cost_tier" => "Raise `cost_tier`, or relax what keeps cheaper models out,",
                    "model" => "Name a model",
                    "excluded_models" => "Exclude fewer models",
                    _ => "Allow more models",
                }
            ),
            Self::RuledOut {
                available_providers,
                expired,
                relaxation,
                fallback_models,
                record,
                ..
            } => ruled_out_message(
                record,
                *expired,
                available_providers,
                relaxation.as_deref(),
                fallback_models,
            ),
        }
    }
}

/// Characters of a name that a message repeats: callers can write names of any length.
const QUOTED_MAX: usize = 100;

fn quoted(name: &str) -> String {
    match name.char_indices().nth(QUOTED_MAX) {
        Some((end, _)) => format!("`{}…`", &name[..end]),
        None => format!("`{name}`"),
    }
}

/// What was asked, what stood in its way by rule and scope, who offers the model, and the way out.
fn ruled_out_message(
    record: &DecisionRecord,
    expired: bool,
    available_providers: &[String],
    relaxation: Option<&str>,
    fallback_models: &[String],
) -> String {
    let names: Vec<String> = record
        .requested_models
        .iter()
        .map(|name| quoted(name))
        .collect();
    let mut message = format!("No endpoint can serve {}", in_words(&names));
    if expired {
        message.push_str(", which its author has withdrawn");
    }
    let removals: Vec<String> = removals(record).iter().map(Removal::line).collect();
    if removals.is_empty() {
        message.push_str(": nobody offers it at present.");
    } else {
        message.push_str(": ");
        message.push_str(&removals.join("; "));
        message.push_str(". It is offered by ");
        message.push_str(&in_words(available_providers));
        message.push('.');
    }
    if let Some(relaxation) = relaxation {
        message.push_str(" To get an answer, ");
        message.push_str(relaxation);
        message.push('.');
    }
    if !fallback_models.is_empty() {
        message.push_str(" As things are, ");
        message.push_str(&in_words(fallback_models));
        message.push_str(" can answer.");
    }
    message
}

/// What one rule of one scope removed.
struct Removal<'a> {
    first: &'a RuledOut,
    count: usize,
}

impl Removal<'_> {
    fn line(&self) -> String {
        let Self { first, count } = self;
        let endpoints = if *count == 1 { "endpoint" } else { "endpoints" };
        let who = match first.scope {
            Scope::Catalog => "",
            Scope::Account => " by account settings",
            Scope::Workspace => " by workspace settings",
            Scope::Member => " by the member's settings",
            Scope::Key => " by the API key's settings",
            Scope::Preset => " by the preset's settings",
            Scope::Request => " by the request",
        };
        format!(
            "{count} {endpoints} excluded{who}: {} ({})",
            first.rule.as_str(),
            first.detail
        )
    }
}

/// What was removed, by rule and scope. Models that only stand in after a certain failure are no
/// reason for an error.
fn removals(record: &DecisionRecord) -> Vec<Removal<'_>> {
    let mut removals: Vec<Removal<'_>> = Vec::new();
    for (_, ruled_out) in removed(record) {
        let same = |removal: &&mut Removal<'_>| {
            (removal.first.rule, removal.first.scope) == (ruled_out.rule, ruled_out.scope)
        };
        match removals.iter_mut().find(same) {
            Some(removal) => removal.count += 1,
            None => removals.push(Removal {
                first: ruled_out,
                count: 1,
            }),
        }
    }
    removals.sort_by_key(|removal| (removal.first.rule, removal.first.scope));
    removals
}

fn words_for(excluded: &[(Rule, usize)], last: Option<Rule>) -> Vec<&'static str> {
    let mut words: Vec<&'static str> = Vec::new();
    let rules = last
        .into_iter()
        .chain(excluded.iter().map(|(rule, _)| *rule));
    for word in rules.filter_map(Rule::excluded_by) {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words
}

fn removed(record: &DecisionRecord) -> impl Iterator<Item = (&CandidateRecord, &RuledOut)> {
    record
        .candidates
        .iter()
        .filter(|row| row.when == TryWhen::Always)
        .filter_map(|row| Some((row, row.ruled_out.as_ref()?)))
}

fn removed_by(
    last: Option<Rule>,
    record: &DecisionRecord,
) -> impl Iterator<Item = (&CandidateRecord, &RuledOut)> {
    removed(record).filter(move |(_, ruled_out)| Some(ruled_out.rule) == last)
}

fn providers_removed_by(last: Option<Rule>, record: &DecisionRecord) -> Vec<String> {
    let mut providers: Vec<String> = Vec::new();
    for (row, _) in removed_by(last, record) {
        if !providers.contains(&row.provider) {
            providers.push(row.provider.clone());
        }
    }
    providers
}

fn deciding_constraint(last: Option<Rule>, record: &DecisionRecord) -> Option<Constraint> {
    let (_, ruled_out) = removed_by(last, record).next()?;
    Some(Constraint {
        field: ruled_out.field,
        detail: ruled_out.detail.to_string(),
    })
}

/// The error for a request that every endpoint was ruled out of.
pub(crate) fn ruled_out(
    needs: &Needs,
    situation: &Situation<'_>,
    chosen: &[Chosen<'_>],
    record: DecisionRecord,
) -> NoCandidates {
    let ordinary = chosen.partition_point(|choice| choice.when == TryWhen::Always);
    let chosen = &chosen[..ordinary];
    let mut excluded: Vec<(Rule, usize)> = Vec::new();
    for removal in removals(&record) {
        match excluded.last_mut() {
            Some((rule, count)) if *rule == removal.first.rule => *count += removal.count,
            _ => excluded.push((removal.first.rule, removal.count)),
        }
    }
    let mut available_providers: Vec<String> = Vec::new();
    for choice in chosen {
        for endpoint in situation.catalog.endpoints_of(choice.model) {
            let slug = situation.catalog.provider_of(endpoint).slug.as_str();
            if available_providers.iter().all(|known| known != slug) {
                available_providers.push(slug.to_owned());
            }
        }
    }
    let objections = every_objection(needs, situation, chosen);
    let error = NoCandidates::RuledOut {
        model: chosen
            .first()
            .map_or_else(String::new, |choice| choice.model.id.to_string()),
        last: excluded.last().map(|(rule, _)| *rule),
        excluded,
        available_providers,
        expired: chosen
            .iter()
            .all(|choice| choice.model.is_expired(situation.now)),
        relaxation: relaxation::smallest(needs, &objections, &record),
        fallback_models: Vec::new(),
        record: Box::new(record),
    };
    siblings::suggest(error, needs, situation, chosen)
}
