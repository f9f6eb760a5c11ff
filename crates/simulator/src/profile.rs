//! How a provider is set up: whom it lets in, how fast it is, what it does when nothing else is
//! said.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::behaviour::Behaviour;

/// How a simulator is set up.
#[derive(Debug, Clone)]
pub struct Config {
    /// What answers carry as their time of creation, in Unix seconds.
    pub created_seconds: i64,
    /// The profile of a provider that has none of its own.
    pub profile: Profile,
    /// Profiles by provider.
    pub profiles: HashMap<String, Profile>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            created_seconds: 1_790_000_000,
            profile: Profile::default(),
            profiles: HashMap::new(),
        }
    }
}

/// How one provider is set up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Profile {
    /// Whom the provider lets in.
    pub credentials: Credentials,
    /// The models it serves; empty: whatever is asked for.
    pub models: Vec<String>,
    /// How long it takes before the status line.
    pub delay_ms: u64,
    /// How long it takes between tokens.
    pub token_delay_ms: u64,
    /// What it does with requests that no script and no directive speaks of.
    pub behaviour: Behaviour,
    /// Prompts shorter than this are not cached.
    pub cache_tokens_min: u64,
    /// Answer everything with the same bytes, rendered once: for measuring what stands in front.
    /// Scripts, directives, credentials and records do not apply then.
    pub canned: Option<Canned>,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            credentials: Credentials::Present,
            models: Vec::new(),
            delay_ms: 0,
            token_delay_ms: 0,
            behaviour: Behaviour::default(),
            cache_tokens_min: 1_024,
            canned: None,
        }
    }
}

/// Whom a provider lets in.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Credentials {
    /// Anyone, with or without a credential.
    Anyone,
    /// Anyone who shows a credential.
    #[default]
    Present,
    /// Only these credentials.
    Exactly(Vec<String>),
}

/// The one answer of a canned profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Canned {
    /// Content events per stream. One token each.
    pub chunks: usize,
    /// How long it takes between events.
    pub token_delay_ms: u64,
    /// The model named.
    pub model: String,
}

impl Default for Canned {
    fn default() -> Self {
        Self {
            chunks: 200,
            token_delay_ms: 0,
            model: "bench-model".to_owned(),
        }
    }
}
