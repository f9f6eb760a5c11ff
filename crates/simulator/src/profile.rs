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
    /// What it does with requests that show one of these credentials, whatever scripts say.
    pub by_credential: HashMap<String, Behaviour>,
    /// The models it serves; empty: whatever is asked for.
    pub models: Vec<String>,
    /// How long it takes before the status line.
    pub delay_ms: u64,
    /// How long it takes between tokens.
    pub token_delay_ms: u64,
    /// What it does with requests that no script and no directive speaks of.
    pub behaviour: Behaviour,
    /// How it caches prompts.
    pub caching: Caching,
    /// Answer everything with the same bytes, rendered once: for measuring what stands in front.
    /// Scripts, directives, credentials and records do not apply then.
    pub canned: Option<Canned>,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            credentials: Credentials::Present,
            by_credential: HashMap::new(),
            models: Vec::new(),
            delay_ms: 0,
            token_delay_ms: 0,
            behaviour: Behaviour::default(),
            caching: Caching::default(),
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

/// How a provider caches prompts. What is cached belongs to one credential and one model.
///
/// Nothing lapses by itself: the caches' clock goes on when it is told to, by
/// [`Simulator::pass_time`](crate::Simulator::pass_time) or `POST /_sim/clock`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Caching {
    /// What gets into the cache.
    pub mode: CacheMode,
    /// Shorter prefixes are not cached.
    pub tokens_min: u64,
    /// Automatic caches grow and are read in steps of so many tokens.
    pub block_tokens: u64,
    /// How long an automatic cache keeps a prefix that is not used. Marks say so themselves.
    pub idle_ms: u64,
    /// A prefix lapses so long after it was written, however often it is read.
    pub reads_do_not_renew: bool,
    /// An automatic cache reports, and so charges, what it takes in (`cache_write_tokens`).
    /// What marks put in is always reported.
    pub reports_writes: bool,
}

impl Default for Caching {
    fn default() -> Self {
        Self {
            mode: CacheMode::Usual,
            tokens_min: 1_024,
            block_tokens: 128,
            idle_ms: 300_000,
            reads_do_not_renew: false,
            reports_writes: false,
        }
    }
}

/// What gets into a prompt cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CacheMode {
    /// What the dialect's inventor does: OpenAI caches by itself, Anthropic what is marked.
    #[default]
    Usual,
    /// Every prompt that is long enough.
    Automatic,
    /// What the request marks with `cache_control` or `prompt_cache_breakpoint`.
    Marked,
    /// Nothing.
    None,
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
