//! From what is asked and what is known to an ordered plan.

use std::{sync::Arc, time::Duration};

use serde::Serialize;
use switchyard_catalog::snapshot::Catalog;
use switchyard_domain::clock::Timestamp;
use switchyard_interchange::needs::Needs;

use crate::{
    credentials::Credentials,
    explain,
    health::HealthSnapshot,
    policy::Policy,
    rank::{Ranking, rank},
    record::{DecisionRecord, Rule},
    resolve::resolve,
    rule_out::{rule_out, vetted::Vetted},
    stickiness::WarmCache,
};

/// What a decision depends on beside the request.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// What there is to call.
    pub catalog: &'a Arc<Catalog>,
    /// Whom there is a credential for.
    pub credentials: Credentials<'a>,
    /// How it has been doing.
    pub health: &'a HealthSnapshot,
    /// What the account and those under it allow.
    pub policy: &'a Policy,
    /// Where this conversation's prompt cache is warm.
    pub pin: Option<&'a WarmCache>,
    /// The country the request comes from, in two letters, where a trusted front says so.
    pub country: Option<&'a str>,
    /// Now: price windows, benches and expiry depend on it.
    pub now: Timestamp,
    /// Decides the random draw.
    pub seed: u64,
}

/// Endpoints to try, in order, and the reasons.
#[derive(Debug, Clone)]
pub struct Plan {
    /// At least one.
    pub candidates: Vec<Candidate>,
    /// Why these, in this order.
    pub record: DecisionRecord,
}

/// An endpoint to try.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Where, and with whose credential.
    pub vetted: Vetted,
    /// What must have happened before.
    pub when: TryWhen,
    /// How long the caller lets it take to its first token.
    pub first_token_timeout: Option<Duration>,
}

/// What must have happened before a candidate is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TryWhen {
    /// Nothing beside the failure of those before it.
    #[default]
    Always,
    /// A provider found the prompt too long.
    AfterContextLength,
    /// A provider refused the prompt for its content.
    AfterContentPolicy,
}

/// Nothing can serve the request. What to tell the caller: [`NoCandidates::message`] and
/// [`NoCandidates::availability`].
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NoCandidates {
    /// No such model.
    #[error("unknown model `{model}`")]
    UnknownModel {
        /// As written.
        model: String,
        /// Models with similar names, best first, at most three.
        similar: Vec<String>,
    },
    /// The model exists, but not in this variant.
    #[error("model `{model}` has no variant `{variant}`")]
    UnknownVariant {
        /// The model without the variant.
        model: String,
        /// The variant's name, without its colon.
        variant: String,
    },
    /// `:online` asks for the web plugin, and there is none.
    #[error("`{model}:online` asks for web search, which is not offered")]
    WebSearchNotOffered {
        /// The model without the variant.
        model: String,
    },
    /// A router model has nothing to choose from within the caller's options.
    #[error("`{router}` is left with no model: {detail}")]
    RouterLeftNothing {
        /// The router model.
        router: &'static str,
        /// The option that leaves nothing.
        field: &'static str,
        /// How, in words.
        detail: String,
    },
    /// The models exist but every endpoint was ruled out (or there is none).
    #[error("no endpoint can serve `{model}`")]
    RuledOut {
        /// The first model asked for.
        model: String,
        /// The rules that removed endpoints, in order of application, with how many each removed.
        excluded: Box<[(Rule, usize)]>,
        /// The rule that removed the last survivors; `None`: the model has no endpoints at all.
        last: Option<Rule>,
        /// Providers that serve the models, by slug.
        available_providers: Vec<String>,
        /// All models asked for were withdrawn by their authors.
        expired: bool,
        /// The least the caller would have to change, in words; `None` where nothing helps.
        relaxation: Option<String>,
        /// Models of the same author that could serve the request, newest first, at most three.
        fallback_models: Box<[String]>,
        /// The full record.
        record: Box<DecisionRecord>,
    },
}

/// Chooses the endpoints that may serve a request and the order to try them in.
///
/// The same arguments give the same plan, so a stored seed replays a decision.
pub fn select(needs: &Needs, situation: &Situation<'_>) -> Result<Plan, NoCandidates> {
    let resolved = resolve(needs, situation)?;
    let mut sieved = rule_out(needs, situation, &resolved.models);
    sieved.settle_fallbacks();
    let ranking = if sieved.survivors.is_empty() {
        Ranking {
            candidates: Vec::new(),
            strategy: "none",
            pin_verdict: None,
        }
    } else {
        rank(
            needs,
            situation,
            &resolved.models,
            sieved.survivors,
            &mut sieved.rows,
        )
    };
    let record = DecisionRecord {
        requested_models: needs.models.clone(),
        route: resolved.route,
        strategy: ranking.strategy,
        catalog_version: situation.catalog.version.clone(),
        seed: situation.seed,
        pin: situation.pin.map(|pin| pin.endpoint.clone()),
        hedge: None,
        pin_verdict: ranking.pin_verdict,
        warm: None,
        country: None,
        policy: None,
        needs: None,
        own_only: false,
        candidates: sieved.rows,
    };
    if ranking.candidates.is_empty() {
        return Err(explain::ruled_out(
            needs,
            situation,
            &resolved.models,
            record,
        ));
    }
    Ok(Plan {
        candidates: ranking.candidates,
        record,
    })
}
