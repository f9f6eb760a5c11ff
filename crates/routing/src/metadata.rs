//! OpenRouter's `openrouter_metadata` object: the router's own account of a request, for callers
//! that ask. Discloses no price, no credential and nothing an upstream said.

use std::collections::HashSet;

use serde::Serialize;
use switchyard_domain::endpoint::EndpointId;

use crate::record::{CandidateRecord, DecisionRecord, Route};

/// One attempt, as far as callers may know.
#[derive(Debug, Clone, PartialEq)]
pub struct AttemptOutcome {
    /// Where.
    pub endpoint: EndpointId,
    /// The HTTP status it came to.
    pub status: u16,
    /// Whether the customer's own credential was used.
    pub is_byok: bool,
}

/// The object, ready for `serde_json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RouterMetadata<'a> {
    /// The model as asked for.
    pub requested: &'a str,
    /// How it was named.
    pub strategy: Route,
    /// The region that routing was bound to; null is none.
    pub region: Option<&'a str>,
    /// One line for people.
    pub summary: String,
    /// The attempt that answered, from 1; 0: nothing was dispatched.
    pub attempt: usize,
    /// Whether the customer's own credential answered.
    pub is_byok: bool,
    /// What there was to choose from.
    pub endpoints: EndpointsMetadata<'a>,
    /// Every attempt, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<AttemptMetadata<'a>>,
}

/// The endpoints of the requested models.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EndpointsMetadata<'a> {
    /// All of them.
    pub total: usize,
    /// Those that were not ruled out, in the plan's order.
    pub available: Vec<EndpointMetadata<'a>>,
}

/// One endpoint.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EndpointMetadata<'a> {
    /// Its provider's display name.
    pub provider: &'a str,
    /// Its model.
    pub model: &'a str,
    /// Whether it answered, or was the last to be tried.
    pub selected: bool,
}

/// One attempt.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AttemptMetadata<'a> {
    /// Its provider's display name.
    pub provider: &'a str,
    /// Its model.
    pub model: &'a str,
    /// Its HTTP status.
    pub status: u16,
}

impl<'a> RouterMetadata<'a> {
    /// Tells the story of a decision and the attempts that followed from it.
    pub fn new(record: &'a DecisionRecord, attempts: &[AttemptOutcome]) -> Self {
        let row_of = |endpoint: &EndpointId| {
            record
                .candidates
                .iter()
                .find(|row| row.endpoint == *endpoint)
        };
        let last = attempts.last();
        let mut available: Vec<&CandidateRecord> = record
            .candidates
            .iter()
            .filter(|row| row.ruled_out.is_none())
            .collect();
        available.sort_by_key(|row| row.rank.unwrap_or(usize::MAX));
        // Whose credentials there are is nobody's business: an endpoint counts once.
        let mut seen = HashSet::new();
        available.retain(|row| seen.insert(&row.endpoint));
        let total = record.candidates.iter().map(|row| &row.endpoint);
        let total = total.collect::<HashSet<_>>().len();
        let selected = last.and_then(|attempt| row_of(&attempt.endpoint));
        Self {
            requested: record.requested_models.first().map_or("", String::as_str),
            strategy: record.route,
            region: None,
            summary: summary(available.len(), total, selected),
            attempt: attempts.len(),
            is_byok: last.is_some_and(|attempt| attempt.is_byok),
            endpoints: EndpointsMetadata {
                total,
                available: available
                    .into_iter()
                    .map(|row| EndpointMetadata {
                        provider: &row.provider,
                        model: row.model.as_str(),
                        selected: selected.is_some_and(|one| one.endpoint == row.endpoint),
                    })
                    .collect(),
            },
            attempts: attempts
                .iter()
                .filter_map(|attempt| {
                    let row = row_of(&attempt.endpoint)?;
                    Some(AttemptMetadata {
                        provider: &row.provider,
                        model: row.model.as_str(),
                        status: attempt.status,
                    })
                })
                .collect(),
        }
    }
}

fn summary(available: usize, total: usize, selected: Option<&CandidateRecord>) -> String {
    match selected {
        Some(row) => format!(
            "available={available} of {total}, selected={}",
            row.provider
        ),
        None => format!("available={available} of {total}, nothing dispatched"),
    }
}
