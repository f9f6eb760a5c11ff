//! One model served by one provider at one price.

use std::{borrow::Borrow, fmt, sync::Arc};

use serde::{Deserialize, Serialize};

/// An endpoint's id: `model_id|tag`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EndpointId(Arc<str>);

impl EndpointId {
    /// Wraps an id. Whether such an endpoint exists is the catalogue's to say.
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self(id.into())
    }

    /// The text form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for EndpointId {
    /// Lets maps keyed by the id be asked with a plain text.
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EndpointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for EndpointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A service tier. A tier is an endpoint of its own with its own prices.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum ServiceTier {
    /// The ordinary tier.
    #[default]
    Default,
    /// Cheaper, may wait or be refused.
    Flex,
    /// Dearer, served first.
    Priority,
}

impl ServiceTier {
    /// The public name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Flex => "flex",
            Self::Priority => "priority",
        }
    }
}

/// What a provider does with prompts. `None` is unknown, and unknown counts as the worst:
/// it trains on them and keeps them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DataPolicy {
    /// Trains on paid traffic.
    pub trains_on_data: Option<bool>,
    /// Keeps prompts at rest.
    pub retains_prompts: Option<bool>,
    /// For how many days; 0 is not at all.
    pub retention_days: Option<u32>,
    /// May publish prompts.
    pub can_publish: Option<bool>,
    /// Wants an end-user id with each request.
    pub requires_user_ids: Option<bool>,
}

impl DataPolicy {
    /// Whether the provider may train on what it receives (unknown: yes).
    pub fn may_train(&self) -> bool {
        self.trains_on_data != Some(false)
    }

    /// Whether the provider may keep what it receives (unknown: yes).
    pub fn may_retain(&self) -> bool {
        self.retains_prompts != Some(false)
    }

    /// Whether the policy, as stated, amounts to zero data retention.
    pub fn is_zero_retention(&self) -> bool {
        !self.may_retain() && !self.may_train()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_policy_is_the_worst_policy() {
        assert!(!DataPolicy::default().is_zero_retention());
        assert!(DataPolicy::default().may_train());
        let silent_about_training = DataPolicy {
            retains_prompts: Some(false),
            ..DataPolicy::default()
        };
        assert!(!silent_about_training.is_zero_retention());
    }
}
