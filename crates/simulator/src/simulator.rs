//! The simulator's state, and the handle that tests hold.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::{
    behaviour::Behaviour,
    canned::CannedBytes,
    observation::{Counters, Observations, SeenRequest},
    profile::{Config, Profile},
    prompt_cache::PromptCache,
};

/// Providers that one simulator can play.
pub const PROVIDERS_MAX: usize = 1_024;
/// Behaviours that can wait in one provider's script.
pub const SCRIPT_LENGTH_MAX: usize = 10_000;

/// A simulator. Clones share everything.
#[derive(Debug, Clone)]
pub struct Simulator {
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    created_seconds: i64,
    profile: Profile,
    providers: RwLock<HashMap<String, Arc<Provider>>>,
}

impl Simulator {
    /// A simulator that has seen nothing yet.
    pub fn new(config: Config) -> Self {
        let providers = config
            .profiles
            .into_iter()
            .map(|(name, profile)| (name.clone(), Arc::new(Provider::new(name, profile))))
            .collect();
        Self {
            state: Arc::new(State {
                created_seconds: config.created_seconds,
                profile: config.profile,
                providers: RwLock::new(providers),
            }),
        }
    }

    /// Queues behaviours; each request to the provider takes one, first come, first served.
    pub fn script(&self, provider: &str, behaviours: impl IntoIterator<Item = Behaviour>) {
        if let Some(provider) = self.provider(provider) {
            provider.enqueue(behaviours);
        }
    }

    /// Drops what is still queued.
    pub fn clear_script(&self, provider: &str) {
        if let Some(provider) = self.provider(provider) {
            lock(&provider.script).clear();
        }
    }

    /// Behaviours that no request has taken yet.
    pub fn script_length(&self, provider: &str) -> usize {
        self.provider(provider)
            .map_or(0, |provider| lock(&provider.script).len())
    }

    /// Replaces the provider's profile; requests in progress keep the old one.
    pub fn set_profile(&self, provider: &str, profile: Profile) {
        if let Some(provider) = self.provider(provider) {
            provider.set_profile(profile);
        }
    }

    /// The last requests seen, oldest first.
    pub fn requests(&self, provider: &str) -> Vec<SeenRequest> {
        self.provider(provider)
            .map_or_else(Vec::new, |provider| provider.observations.seen())
    }

    /// How many requests there were, by outcome.
    pub fn counters(&self, provider: &str) -> Counters {
        self.provider(provider)
            .map_or_else(Counters::default, |provider| {
                *provider.observations.counters().borrow()
            })
    }

    /// Waits until the counters satisfy `condition`. Has no deadline of its own.
    pub async fn wait_for(
        &self,
        provider: &str,
        condition: impl FnMut(&Counters) -> bool,
    ) -> Counters {
        let Some(provider) = self.provider(provider) else {
            return Counters::default();
        };
        let mut counters = provider.observations.counters();
        // The sender lives in `provider`, so waiting cannot fail before the condition holds.
        counters
            .wait_for(condition)
            .await
            .map_or_else(|_| Counters::default(), |found| *found)
    }

    /// Empties the provider's prompt caches, as providers do without notice.
    pub fn evict(&self, provider: &str) {
        if let Some(provider) = self.provider(provider) {
            lock(&provider.cache).evict();
        }
    }

    /// Lets time go by for every provider's prompt caches: entries that are not used lapse.
    pub fn pass_time(&self, time: Duration) {
        let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let providers = self
            .state
            .providers
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        for provider in providers.values() {
            lock(&provider.cache).pass(millis);
        }
    }

    /// Forgets the provider's requests, counts, script and prompt cache; the profile stays.
    pub fn forget(&self, provider: &str) {
        if let Some(provider) = self.provider(provider) {
            provider.observations.clear();
            lock(&provider.script).clear();
            lock(&provider.cache).evict();
        }
    }

    pub(crate) fn created_seconds(&self) -> i64 {
        self.state.created_seconds
    }

    /// Every provider's counters, by name.
    pub(crate) fn all_counters(&self) -> Vec<(String, Counters)> {
        let providers = self
            .state
            .providers
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let mut counters: Vec<_> = providers
            .iter()
            .map(|(name, provider)| (name.clone(), *provider.observations.counters().borrow()))
            .collect();
        counters.sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
        counters
    }

    /// The provider of that name, opened at first sight; `None` when there are too many.
    pub(crate) fn provider(&self, name: &str) -> Option<Arc<Provider>> {
        let providers = &self.state.providers;
        if let Some(known) = providers
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
        {
            return Some(Arc::clone(known));
        }
        let mut providers = providers.write().unwrap_or_else(PoisonError::into_inner);
        if providers.len() >= PROVIDERS_MAX && !providers.contains_key(name) {
            return None;
        }
        let provider = providers.entry(name.to_owned()).or_insert_with(|| {
            Arc::new(Provider::new(name.to_owned(), self.state.profile.clone()))
        });
        Some(Arc::clone(provider))
    }
}

/// A profile and what was rendered from it.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) profile: Profile,
    pub(crate) canned: Option<CannedBytes>,
}

impl Setup {
    fn new(profile: Profile) -> Arc<Self> {
        let canned = profile.canned.as_ref().map(CannedBytes::render);
        Arc::new(Self { profile, canned })
    }
}

/// One provider that the simulator plays.
#[derive(Debug)]
pub(crate) struct Provider {
    pub(crate) name: String,
    pub(crate) observations: Arc<Observations>,
    pub(crate) cache: Mutex<PromptCache>,
    setup: RwLock<Arc<Setup>>,
    script: Mutex<VecDeque<Behaviour>>,
    answered: AtomicU64,
}

impl Provider {
    fn new(name: String, profile: Profile) -> Self {
        Self {
            name,
            observations: Arc::new(Observations::new()),
            cache: Mutex::new(PromptCache::default()),
            setup: RwLock::new(Setup::new(profile)),
            script: Mutex::new(VecDeque::new()),
            answered: AtomicU64::new(0),
        }
    }

    pub(crate) fn setup(&self) -> Arc<Setup> {
        Arc::clone(&self.setup.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn set_profile(&self, profile: Profile) {
        *self.setup.write().unwrap_or_else(PoisonError::into_inner) = Setup::new(profile);
    }

    pub(crate) fn enqueue(&self, behaviours: impl IntoIterator<Item = Behaviour>) {
        let mut script = lock(&self.script);
        let room = SCRIPT_LENGTH_MAX.saturating_sub(script.len());
        script.extend(behaviours.into_iter().take(room));
    }

    pub(crate) fn next_scripted(&self) -> Option<Behaviour> {
        lock(&self.script).pop_front()
    }

    /// A number for the next answer's ids.
    pub(crate) fn next_number(&self) -> u64 {
        self.answered.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// State stays consistent between statements here, so a panic elsewhere does not spoil it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
