//! The decision that was made about a generation, as its owner may read it.

use serde::Deserialize;
use switchyard_domain::{
    endpoint::EndpointId,
    id::{AccountId, GenerationId},
};
use switchyard_routing::record::{Rule, RuledOut};
use switchyard_store::{DirectoryError, generation::GenerationView};

use super::words;
use crate::App;

/// A generation with the endpoints that were left out, in words. The record itself is the view's
/// `decision`.
#[derive(Debug)]
pub struct DecidedView {
    pub generation: GenerationView,
    pub excluded: Vec<Exclusion>,
}

/// An endpoint that a rule removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exclusion {
    pub endpoint: EndpointId,
    /// The rule, by its stable name.
    pub rule: String,
    /// Who set it.
    pub scope: String,
    /// What it compares with.
    pub field: String,
    /// The compared values.
    pub detail: String,
    /// All of it in a sentence.
    pub text: String,
}

impl Exclusion {
    /// Whether a credential would change it.
    pub fn is_about_credentials(&self) -> bool {
        self.rule == Rule::NotCallable.as_str()
            && (self.field == "is_byok_only" || self.detail.starts_with("no credential"))
    }

    pub(crate) fn of(endpoint: &EndpointId, provider: &str, model: &str, why: &RuledOut) -> Self {
        let (rule, scope) = (why.rule.as_str(), why.scope.as_str());
        let detail = why.detail.to_string();
        Self {
            endpoint: endpoint.clone(),
            text: words::excluded(provider, model, rule, scope, &detail),
            rule: rule.to_owned(),
            scope: scope.to_owned(),
            field: why.field.to_owned(),
            detail,
        }
    }
}

#[derive(Deserialize)]
struct StoredDecision {
    #[serde(default)]
    candidates: Vec<StoredCandidate>,
}

#[derive(Deserialize)]
struct StoredCandidate {
    endpoint: EndpointId,
    #[serde(default)]
    provider: String,
    #[serde(default)]
    model: String,
    #[serde(default)]
    ruled_out: Option<StoredReason>,
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

impl App {
    /// How it was decided where one of the account's generations goes.
    pub async fn decision(
        &self,
        account: AccountId,
        id: &GenerationId,
    ) -> Result<Option<DecidedView>, DirectoryError> {
        let found = self.generation(account, id).await?;
        Ok(found.map(|generation| DecidedView {
            excluded: excluded(&generation),
            generation,
        }))
    }
}

/// Records of earlier versions may lack what is told here; then less is told.
fn excluded(generation: &GenerationView) -> Vec<Exclusion> {
    let Some(document) = &generation.decision else {
        return Vec::new();
    };
    let decision: StoredDecision = match serde_json::from_str(document.get()) {
        Ok(decision) => decision,
        Err(error) => {
            tracing::warn!(
                generation.id = %generation.generation_id,
                error = %error,
                "a decision record cannot be told in words"
            );
            return Vec::new();
        }
    };
    let told = decision.candidates.into_iter().filter_map(|row| {
        let why = row.ruled_out?;
        Some(Exclusion {
            text: words::excluded(
                &row.provider,
                &row.model,
                &why.rule,
                &why.scope,
                &why.detail,
            ),
            endpoint: row.endpoint,
            rule: why.rule,
            scope: why.scope,
            field: why.field,
            detail: why.detail,
        })
    });
    told.collect()
}
