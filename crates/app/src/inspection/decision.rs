//! A stored decision record, told. Records of other versions may lack what is told here; then less is
//! told.

use serde::Deserialize;
use serde_json::Value;
use switchyard_domain::{id::CredentialId, money::UsdNanos};
use switchyard_routing::{credentials::CredentialUse, health::HealthRank};
use switchyard_store::generation::GenerationView;

use super::words;
use crate::explain::{Verdict, strategy_in_words};

/// Why a request went where it went.
#[derive(Debug, Clone, PartialEq)]
pub struct DecisionStory {
    /// The models as asked for.
    pub requested: Vec<String>,
    /// How they were named, in words.
    pub route: &'static str,
    /// How the order came about, in words.
    pub strategy: String,
    /// Which catalogue was read.
    pub catalog_version: String,
    /// What the draw can be repeated with.
    pub seed: u64,
    /// Who had set standing rules, outermost first.
    pub policy_scopes: Vec<&'static str>,
    /// The country that the request came from.
    pub country: Option<String>,
    /// Where a warm prompt cache pointed to.
    pub pin: Option<String>,
    /// What became of that.
    pub pin_story: Option<MoveStory>,
    /// The attempt beside a slow one, in words.
    pub hedge: Option<String>,
    /// Credits did not cover the operator's credentials.
    pub own_only: bool,
    /// Every endpoint of every requested model: those of the plan in its order, then the others.
    pub candidates: Vec<CandidateStory>,
    /// What the request asked of an endpoint.
    pub needs: Option<NeedsStory>,
}

/// One endpoint's fate.
#[derive(Debug, Clone, PartialEq)]
pub struct CandidateStory {
    pub endpoint: String,
    pub provider: String,
    pub model: String,
    pub credential: CredentialStory,
    pub verdict: Verdict,
    /// Its place in the plan, from 1.
    pub place: Option<usize>,
    /// Its chance in the draw, in parts per million.
    pub draw_ppm: Option<u64>,
    pub expected_cost: Option<UsdNanos>,
    /// What its health was, in words; `None` where there was no trouble.
    pub health: Option<&'static str>,
    /// The rule that removed it, in words, and by its name.
    pub rule: Option<(&'static str, String)>,
    /// Who set that rule, in words, and by its name.
    pub scope: Option<(&'static str, String)>,
    /// What the rule compares with.
    pub field: String,
    /// The compared values.
    pub detail: String,
    /// What had to happen before it was tried.
    pub when: Option<&'static str>,
}

/// Whose credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialStory {
    Shared,
    Own(CredentialId),
    /// From the request, by place, from 1.
    Supplied(u32),
}

/// What a conversation did: stay, or move and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MoveStory {
    /// Its first turn, or nothing was warm.
    Began,
    Stayed,
    Moved {
        from: String,
        to: String,
        /// In words.
        why: &'static str,
        /// What going elsewhere was expected to cost more; negative saves.
        extra_cost: Option<UsdNanos>,
    },
}

/// What the request asked of an endpoint.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NeedsStory {
    /// Names of parameters it carried.
    pub parameters: Vec<String>,
    pub max_output_tokens: Option<u64>,
    pub prompt_tokens_estimate: Option<u64>,
    pub uses_tools: bool,
    pub service_tier: Option<String>,
    /// The `provider` object as it was understood; `None` where there was none.
    pub preferences: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Stored {
    requested_models: Vec<String>,
    route: String,
    strategy: String,
    catalog_version: String,
    seed: u64,
    pin: Option<String>,
    pin_verdict: Option<Value>,
    hedge: Option<Value>,
    country: Option<String>,
    policy: Option<StoredPolicy>,
    needs: Option<Value>,
    own_only: bool,
    candidates: Vec<StoredCandidate>,
}

#[derive(Deserialize)]
struct StoredPolicy {
    #[serde(default)]
    scopes: Vec<String>,
}

#[derive(Deserialize)]
struct StoredCandidate {
    endpoint: String,
    #[serde(default)]
    provider: String,
    #[serde(default)]
    model: String,
    #[serde(default)]
    credential: CredentialUse,
    #[serde(default)]
    when: Option<String>,
    #[serde(default)]
    rank: Option<usize>,
    #[serde(default)]
    ruled_out: Option<StoredReason>,
    #[serde(default)]
    expected_cost_nanos: Option<i64>,
    #[serde(default)]
    draw_ppm: Option<u64>,
    #[serde(default)]
    health: HealthRank,
}

#[derive(Deserialize)]
struct StoredReason {
    rule: String,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    field: String,
    #[serde(default)]
    detail: String,
}

pub(super) fn story(generation: &GenerationView) -> Option<DecisionStory> {
    let document = generation.decision.as_ref()?;
    let stored: Stored = match serde_json::from_str(document.get()) {
        Ok(stored) => stored,
        Err(error) => {
            let id = &generation.generation_id;
            tracing::warn!(generation.id = %id, error = %error, "a decision record cannot be told");
            return None;
        }
    };
    let mut candidates: Vec<_> = stored.candidates.into_iter().map(candidate).collect();
    candidates.sort_by_key(|one| (one.place.is_none(), one.place, one.verdict.as_str()));
    Some(DecisionStory {
        route: words::route(&stored.route),
        strategy: strategy_in_words(&stored.strategy),
        requested: stored.requested_models,
        catalog_version: stored.catalog_version,
        seed: stored.seed,
        policy_scopes: stored.policy.map_or_else(Vec::new, |policy| {
            policy
                .scopes
                .iter()
                .map(|name| words::scope(name))
                .collect()
        }),
        country: stored.country,
        pin: stored.pin,
        pin_story: stored.pin_verdict.as_ref().and_then(moved),
        hedge: stored.hedge.as_ref().and_then(hedge),
        own_only: stored.own_only,
        candidates,
        needs: stored.needs.as_ref().map(needs),
    })
}

/// What a stored decision says of its conversation: whether it stayed.
pub fn pin_story(decision: &str) -> Option<MoveStory> {
    #[derive(Deserialize)]
    struct OnlyPin {
        #[serde(default)]
        pin_verdict: Option<Value>,
    }
    let stored: OnlyPin = serde_json::from_str(decision).ok()?;
    moved(&stored.pin_verdict?)
}

fn candidate(row: StoredCandidate) -> CandidateStory {
    let verdict = match (&row.ruled_out, row.rank) {
        (Some(_), _) => Verdict::RuledOut,
        (None, None) => Verdict::CutOff,
        (None, Some(0)) => Verdict::Selected,
        (None, Some(_)) => Verdict::Planned,
    };
    let why = row.ruled_out;
    let named = |word: &'static str, name: &str| (word, name.to_owned());
    CandidateStory {
        endpoint: row.endpoint,
        provider: row.provider,
        model: row.model,
        credential: match row.credential {
            CredentialUse::Shared => CredentialStory::Shared,
            CredentialUse::Own(id) => CredentialStory::Own(id),
            CredentialUse::Supplied(place) => CredentialStory::Supplied(place.saturating_add(1)),
        },
        verdict,
        place: row.rank.map(|rank| rank + 1),
        draw_ppm: row.draw_ppm,
        expected_cost: row.expected_cost_nanos.map(UsdNanos::new),
        health: match row.health {
            HealthRank::Stable => None,
            HealthRank::Outage => Some("failing at the moment"),
            HealthRank::Degraded => Some("failing too often"),
            HealthRank::Down => Some("not to be tried for a while"),
        },
        rule: why
            .as_ref()
            .map(|why| named(words::rule(&why.rule), &why.rule)),
        scope: why
            .as_ref()
            .map(|why| named(words::scope(&why.scope), &why.scope)),
        field: why
            .as_ref()
            .map_or_else(String::new, |why| why.field.clone()),
        detail: why.map_or_else(String::new, |why| why.detail),
        when: match row.when.as_deref() {
            Some("after_context_length") => Some("only once a prompt turned out too long"),
            Some("after_content_policy") => Some("only once a provider refused the content"),
            _ => None,
        },
    }
}

fn moved(verdict: &Value) -> Option<MoveStory> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    match verdict.get("verdict")?.as_str()? {
        "initialize" => Some(MoveStory::Began),
        "retain" => Some(MoveStory::Stayed),
        "switch" => Some(MoveStory::Moved {
            from: verdict.pointer("/from/endpoint").and_then(text)?,
            to: verdict.pointer("/to/endpoint").and_then(text)?,
            why: words::moved(verdict.get("reason")?.as_str()?),
            extra_cost: verdict
                .get("extra_cost_nanos")
                .and_then(Value::as_i64)
                .map(UsdNanos::new),
        }),
        _ => None,
    }
}

fn hedge(record: &Value) -> Option<String> {
    let endpoint = record.get("endpoint")?.as_str()?;
    let after_ms = record.get("after_ms")?.as_u64()?;
    let won = record.get("won")?.as_bool()?;
    let end = if won {
        "answered first"
    } else {
        "was not needed"
    };
    Some(format!(
        "A second attempt at {endpoint} began after {after_ms} ms and {end}."
    ))
}

fn needs(document: &Value) -> NeedsStory {
    let number = |name: &str| document.get(name).and_then(Value::as_u64);
    let names = |value: &Value| match value {
        Value::Array(names) => names
            .iter()
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect(),
        Value::String(name) => vec![name.clone()],
        _ => Vec::new(),
    };
    let preferences = document.get("preferences").filter(|value| {
        let fields = value.as_object();
        fields.is_some_and(|fields| fields.values().any(|field| !is_unset(field)))
    });
    NeedsStory {
        parameters: document.get("parameters").map(names).unwrap_or_default(),
        max_output_tokens: number("max_output_tokens"),
        prompt_tokens_estimate: number("prompt_tokens_estimate"),
        uses_tools: document.get("uses_tools").and_then(Value::as_bool) == Some(true),
        service_tier: document
            .get("service_tier")
            .and_then(Value::as_str)
            .map(str::to_owned),
        preferences: preferences.map(|value| stated(value).to_string()),
    }
}

fn is_unset(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(values) => values.is_empty(),
        Value::Object(fields) => fields.values().all(is_unset),
        Value::Bool(flag) => !flag,
        _ => false,
    }
}

/// Without what was not stated.
fn stated(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(_, field)| !is_unset(field));
            Value::Object(
                kept.map(|(name, field)| (name.clone(), stated(field)))
                    .collect(),
            )
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests;
