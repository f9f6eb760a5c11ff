//! What an account and those under it allow, whatever a request asks for.
//!
//! Rules are stated in layers, from the account inwards. Layers combine so that a narrower one can
//! only tighten what concerns privacy and permission; of mere taste (the default sort) the
//! narrowest statement counts.
//!
//! | rule | over all layers |
//! |---|---|
//! | allowed providers, models, data regions | intersection |
//! | ignored providers, ignored models | union |
//! | zero data retention | any layer demands it, per group of models |
//! | training, publication | allowed only where no layer denies it |
//! | default sort, service tier, unsupported features, signed receipts | the narrowest layer that says something |

use serde::{Deserialize, Serialize};
use switchyard_interchange::preferences::{RequestedTier, SortKey};

use crate::record::Scope;

/// The standing rules that apply to a request, outermost layer first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Policy {
    /// The account's, then the workspace's, the member's, the key's and the preset's.
    pub layers: Vec<Layer>,
}

/// One scope's rules.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// Who set them.
    pub scope: Scope,
    /// What they say.
    pub rules: Rules,
}

/// Rules as an owner writes them. What is left out is not ruled here.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// Only these providers; an empty list is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_providers: Option<Vec<String>>,
    /// Never these providers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ignored_providers: Vec<String>,
    /// Only these models, as ids or patterns such as `author/*`; an empty list is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_models: Option<Vec<String>>,
    /// Never these models, as ids or patterns such as `author/*`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ignored_models: Vec<String>,
    /// Zero data retention, by group of models.
    #[serde(skip_serializing_if = "ZdrGroups::is_empty")]
    pub zdr: ZdrGroups,
    /// Whether paid endpoints may train on prompts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_paid_training: Option<bool>,
    /// Whether free endpoints may train on prompts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_free_training: Option<bool>,
    /// Whether free endpoints may publish prompts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_free_publication: Option<bool>,
    /// Only endpoints that serve in these regions and in no other, such as `eu`. An endpoint whose
    /// region is not known is in none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_data_regions: Option<Vec<String>>,
    /// Whether an owner's word that a credential is under zero data retention counts. Heard at
    /// the account only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trust_declared_zdr: Option<bool>,
    /// The sort where the request states none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_sort: Option<SortKey>,
    /// The service tier where the request states none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_service_tier: Option<RequestedTier>,
    /// What happens to tools and strict schemas that an endpoint does not support.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unsupported_features: Option<UnsupportedFeatures>,
    /// Whether each generation has a signed receipt of the policy it was served under. A
    /// workspace's to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_receipts: Option<bool>,
}

/// For which models zero data retention is demanded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ZdrGroups {
    /// Anthropic's models.
    pub anthropic: bool,
    /// OpenAI's models.
    pub openai: bool,
    /// Google's models.
    pub google: bool,
    /// xAI's models.
    pub xai: bool,
    /// Everybody else's models.
    pub other: bool,
}

impl ZdrGroups {
    /// For every model.
    pub const ALL: Self = Self {
        anthropic: true,
        openai: true,
        google: true,
        xai: true,
        other: true,
    };

    /// Whether it is demanded for no model.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it is demanded for the models of `author`.
    pub fn includes(&self, author: &str) -> bool {
        match author {
            "anthropic" => self.anthropic,
            "openai" => self.openai,
            "google" => self.google,
            "x-ai" => self.xai,
            _ => self.other,
        }
    }
}

/// What to do about a feature that changes the meaning of the answer (tools, a strict JSON
/// schema) where an endpoint does not declare support for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnsupportedFeatures {
    /// Never use such an endpoint; a request that no endpoint can honour fails.
    #[default]
    Refuse,
    /// Prefer endpoints that support it, but drop the feature where none does.
    Drop,
}

impl Policy {
    /// One layer.
    pub fn of(scope: Scope, rules: Rules) -> Self {
        Self {
            layers: vec![Layer { scope, rules }],
        }
    }

    /// Whether any layer demands zero data retention for the models of `author`.
    pub fn demands_zdr(&self, author: &str) -> bool {
        self.first(|rules| rules.zdr.includes(author)).is_some()
    }

    /// Whether the account trusts owners who state that nothing is kept of what is sent with their
    /// credential. Nobody under the account can decide that for it.
    pub(crate) fn trusts_declared_zdr(&self) -> bool {
        let mut account = self.layers.iter();
        account.any(|layer| {
            layer.scope == Scope::Account && layer.rules.trust_declared_zdr == Some(true)
        })
    }

    /// What the narrowest layer says that says anything.
    pub fn narrowest<T: Copy>(&self, says: impl Fn(&Rules) -> Option<T>) -> Option<T> {
        self.layers
            .iter()
            .rev()
            .find_map(|layer| says(&layer.rules))
    }

    /// The outermost layer whose rules object.
    pub(crate) fn first(&self, objects: impl Fn(&Rules) -> bool) -> Option<&Layer> {
        self.layers.iter().find(|layer| objects(&layer.rules))
    }
}
