//! What a generation's receipt will say, written down at settlement: the policy that applied, and
//! what the catalogue said of each endpoint when it was tried. Flags come from the vetted endpoints
//! themselves; the catalogue of today may say something else.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Value, value::RawValue};
use switchyard_billing::settlement::AttemptFacts;
use switchyard_domain::endpoint::EndpointId;
use switchyard_interchange::preferences::{DataCollection, ProviderPreferences};
use switchyard_routing::{
    policy::{Policy, Rules},
    record::Scope,
    region_includes,
    vetted::Vetted,
};

use crate::{
    App,
    generation::{
        attempt::{Outcome, Served},
        plan::Planned,
    },
    receipts::{
        canonical::{self, NotCanonical, digest, hex},
        document::{AttemptClaim, CredentialClaim, Draft, PolicyClaim, STATEMENT, VERSION},
    },
};

impl App {
    /// The receipt of a request whose workspace asked for one, still without its place in the
    /// chain.
    pub(super) fn receipt(
        &self,
        planned: &Planned,
        outcome: &Outcome,
        decision: Option<&RawValue>,
    ) -> Option<Box<RawValue>> {
        let policy = &planned.standing.policy;
        let asked = policy.narrowest(|rules| rules.signed_receipts);
        if !asked.unwrap_or(self.settings.signed_receipts) {
            return None;
        }
        let text = self.receipt_text(policy, planned, outcome, decision);
        let text = text.inspect_err(|error| {
            tracing::error!(
                generation.id = %planned.admitted.generation_id,
                error = %error,
                "a receipt cannot be written"
            );
        });
        RawValue::from_string(text.ok()?).ok()
    }

    fn receipt_text(
        &self,
        policy: &Policy,
        planned: &Planned,
        outcome: &Outcome,
        decision: Option<&RawValue>,
    ) -> Result<String, Unwritable> {
        let admitted = &planned.admitted;
        let attempts = tried(planned, &outcome.attempts)?;
        let subjects = subjects(planned, &attempts);
        let draft = Draft {
            version: VERSION,
            generation_id: &admitted.generation_id,
            workspace_id: admitted.caller.workspace_id(),
            issued_at: self.clock.now().to_rfc3339(),
            admitted_at: admitted.at.to_rfc3339(),
            catalog_version: &planned.plan.record.catalog_version,
            policy: policy_claim(policy, &admitted.needs.preferences, &subjects)?,
            attempts: claims(&attempts, outcome.served.as_ref()),
            decision_digest: decision.and_then(|decision| {
                let digest = decision_digest(decision);
                let digest = digest.inspect_err(|error| {
                    tracing::error!(
                        generation.id = %admitted.generation_id,
                        error = %error,
                        "a receipt cannot name its decision record"
                    );
                });
                digest.ok()
            }),
            statement: STATEMENT,
        };
        Ok(canonical::text_of(&draft)?)
    }
}

/// Why a receipt cannot be written. The generation is settled all the same.
#[derive(Debug, thiserror::Error)]
enum Unwritable {
    #[error(transparent)]
    NotCanonical(#[from] NotCanonical),
    /// A receipt that leaves out an attempt would be worse than none.
    #[error("nothing is known of {0} as it was when it was tried")]
    Untraceable(EndpointId),
}

/// Each try with the endpoint it went to, as it was vetted.
fn tried<'a>(
    planned: &'a Planned,
    attempts: &'a [AttemptFacts],
) -> Result<Vec<(&'a AttemptFacts, &'a Vetted)>, Unwritable> {
    let candidates = &planned.plan.candidates;
    attempts
        .iter()
        .map(|attempt| {
            candidates
                .iter()
                .find(|candidate| is_at(attempt, &candidate.vetted))
                .map(|candidate| (attempt, &candidate.vetted))
                .ok_or_else(|| Unwritable::Untraceable(attempt.endpoint_id.clone()))
        })
        .collect()
}

/// Of an endpoint's several credentials it does not matter which: the flags are the endpoint's.
fn is_at(attempt: &AttemptFacts, vetted: &Vetted) -> bool {
    vetted.endpoint().id == attempt.endpoint_id
        && vetted.credential().is_shared() != attempt.is_byok
}

/// The endpoints that the policy is told for: those that were tried, or all that might have been
/// when none was.
fn subjects<'a>(
    planned: &'a Planned,
    attempts: &[(&'a AttemptFacts, &'a Vetted)],
) -> Vec<Subject<'a>> {
    let tried: Vec<_> = attempts.iter().map(|(_, vetted)| *vetted).collect();
    let vetted = if tried.is_empty() {
        let candidates = planned.plan.candidates.iter();
        candidates.map(|candidate| &candidate.vetted).collect()
    } else {
        tried
    };
    vetted.into_iter().map(Subject::of).collect()
}

fn claims(attempts: &[(&AttemptFacts, &Vetted)], served: Option<&Served>) -> Vec<AttemptClaim> {
    // An endpoint may be tried again after others; the last time is the one that counts.
    let served = served.and_then(|served| {
        attempts
            .iter()
            .rposition(|(attempt, _)| is_at(attempt, &served.endpoint))
    });
    attempts
        .iter()
        .enumerate()
        .map(|(index, (attempt, vetted))| {
            let endpoint = vetted.endpoint();
            AttemptClaim {
                number: attempt.number,
                endpoint: endpoint.id.to_string(),
                provider: attempt.provider.to_string(),
                credential: if attempt.is_byok {
                    CredentialClaim::Own
                } else {
                    CredentialClaim::Shared
                },
                zero_data_retention: endpoint.zero_data_retention,
                may_train: endpoint.data_policy.may_train(),
                retains_prompts: endpoint.data_policy.retains_prompts,
                regions: endpoint.regions.clone(),
                served: served == Some(index),
            }
        })
        .collect()
}

/// What of an endpoint decides which rules concern it.
struct Subject<'a> {
    author: &'a str,
    free: bool,
}

impl<'a> Subject<'a> {
    fn of(vetted: &'a Vetted) -> Self {
        Self {
            author: &vetted.model().author,
            free: vetted.endpoint().free,
        }
    }
}

/// The rules as they are digested.
#[derive(Serialize)]
struct DigestedPolicy<'a> {
    layers: Vec<DigestedLayer<'a>>,
    request: DigestedRequest,
}

#[derive(Serialize)]
struct DigestedLayer<'a> {
    scope: Scope,
    rules: &'a Rules,
}

#[derive(Serialize)]
struct DigestedRequest {
    data_collection: Option<DataCollection>,
    zdr: bool,
}

fn policy_claim(
    policy: &Policy,
    request: &ProviderPreferences,
    subjects: &[Subject<'_>],
) -> Result<PolicyClaim, NotCanonical> {
    let digested = canonical::text_of(&DigestedPolicy {
        layers: policy
            .layers
            .iter()
            .map(|layer| DigestedLayer {
                scope: layer.scope,
                rules: &layer.rules,
            })
            .collect(),
        request: DigestedRequest {
            data_collection: request.data_collection,
            zdr: request.zdr,
        },
    })?;
    let any = |demands: &dyn Fn(&Rules) -> bool| {
        let mut layers = policy.layers.iter();
        layers.any(|layer| demands(&layer.rules))
    };
    let zdr = |subject: &Subject<'_>| {
        request.zdr || any(&|rules: &Rules| rules.zdr.includes(subject.author))
    };
    let deny_training = |subject: &Subject<'_>| {
        request.data_collection == Some(DataCollection::Deny)
            || any(&|rules: &Rules| {
                let allows = if subject.free {
                    rules.allow_free_training
                } else {
                    rules.allow_paid_training
                };
                allows == Some(false)
            })
    };
    Ok(PolicyClaim {
        digest: hex(&digest(&digested)),
        zdr: subjects.iter().all(zdr),
        deny_training: subjects.iter().all(deny_training),
        allowed_data_regions: allowed_data_regions(policy),
    })
}

/// Of all the regions that layers name, those that every layer allows that says anything.
fn allowed_data_regions(policy: &Policy) -> Option<Vec<String>> {
    let layers = policy.layers.iter();
    let stated: Vec<&Vec<String>> = layers
        .filter_map(|layer| layer.rules.allowed_data_regions.as_ref())
        .collect();
    if stated.is_empty() {
        return None;
    }
    let allows = |allowed: &[String], region: &str| {
        let mut names = allowed.iter();
        names.any(|name| region_includes(name, region))
    };
    let common: BTreeSet<String> = stated
        .iter()
        .flat_map(|names| names.iter())
        .filter(|region| stated.iter().all(|allowed| allows(allowed, region)))
        .map(|region| region.to_ascii_lowercase())
        .collect();
    Some(common.into_iter().collect())
}

/// The digest of a decision record as it is read back: the database holds no NUL characters, and
/// keeps others in their place.
fn decision_digest(decision: &RawValue) -> Result<String, NotCanonical> {
    let mut document: Value = serde_json::from_str(decision.get())
        .map_err(|error| NotCanonical::NotJson(error.to_string()))?;
    replace_nul(&mut document);
    Ok(hex(&digest(&canonical::text(&document)?)))
}

fn replace_nul(value: &mut Value) {
    let replaced = |text: &str| text.replace('\0', "\u{fffd}");
    match value {
        Value::String(text) if text.contains('\0') => *text = replaced(text),
        Value::Array(items) => items.iter_mut().for_each(replace_nul),
        Value::Object(members) => {
            members.values_mut().for_each(replace_nul);
            if members.keys().any(|name| name.contains('\0')) {
                let named = std::mem::take(members).into_iter();
                *members = named
                    .map(|(name, member)| (replaced(&name), member))
                    .collect();
            }
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests;
