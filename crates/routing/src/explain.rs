//! Tells a caller why nothing can serve a request, and what would help.
//!
//! Codes and words are OpenRouter's where it has any, so that its clients' handling applies.

mod availability;
mod message;
mod relaxation;
mod siblings;

use switchyard_interchange::needs::Needs;

use crate::{
    record::{CandidateRecord, DecisionRecord, Rule, RuledOut},
    resolve::Chosen,
    rule_out::every_objection,
    select::{NoCandidates, Situation, TryWhen},
};

pub use self::availability::{Availability, AvailabilityCode, Constraint};

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
                availability.fallback_models = fallback_models.to_vec();
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
}

/// What one rule of one scope removed.
struct Removal<'a> {
    first: &'a RuledOut,
    count: usize,
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
        if providers.iter().all(|known| **known != *row.provider) {
            providers.push(row.provider.to_string());
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
        excluded: excluded.into(),
        available_providers,
        expired: chosen
            .iter()
            .all(|choice| choice.model.is_expired(situation.now)),
        relaxation: relaxation::smallest(needs, &objections, &record),
        fallback_models: Box::default(),
        record: Box::new(record),
    };
    siblings::suggest(error, needs, situation, chosen)
}
