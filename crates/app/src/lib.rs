//! The use-cases: what callers, owners and operators can do, told without HTTP and without SQL.
//!
//! Start at [`generation`], which tells the whole story of a request on one screen. [`treasury`],
//! [`journal`] and [`poster`] keep its money; [`keys`] and [`credentials`] say who may do what
//! with whose secrets, [`rotation`] and [`shredding`] change and destroy the keys around those,
//! [`policies`] what they rule out, [`explain`] why; [`receipts`] prove what was
//! done with a request; [`jobs`] is everything that happens without being asked.

pub mod accounts;
pub mod acting_caller;
pub mod activity;
pub mod api_keys;
pub mod audit;
mod budgets;
pub mod console_key;
pub mod credentials;
pub mod explain;
pub mod generation;
pub mod health;
pub mod idempotency;
pub mod inspection;
pub mod jobs;
pub mod journal;
pub mod keys;
pub mod limits;
pub mod mail;
pub mod oauth;
pub mod offer;
pub mod organizations;
pub mod own_credentials;
pub mod people;
pub mod policies;
pub mod poster;
pub mod random;
pub mod reads;
pub mod receipts;
pub mod replay;
pub mod rotation;
pub mod shredding;
pub mod tenant_keys;
pub mod treasury;
pub mod unavailable;
mod vault_health;
pub mod vault_upkeep;
pub mod workspaces;

#[cfg(test)]
mod fixture;

use std::{sync::Arc, time::Duration};

use switchyard_catalog::cell::CatalogCell;
use switchyard_coordination::Coordination;
use switchyard_domain::clock::Clock;
use switchyard_store::{Directory, api_key::ApiKeyStore, audit::AuditStore};
use switchyard_upstream::call::Upstream;
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    activity::Activity,
    budgets::{HedgeBudget, RetryBudget},
    credentials::Credentials,
    health::HealthBoard,
    idempotency::Idempotency,
    journal::Journal,
    keys::Keys,
    oauth::OAuth,
    organizations::Organizations,
    own_credentials::OwnCredentials,
    people::{People, proofs::Proofs},
    policies::Policies,
    poster::Poster,
    random::RandomSource,
    receipts::Receipts,
    treasury::Treasury,
    vault_health::VaultHealth,
    vault_upkeep::VaultUpkeep,
    workspaces::Workspaces,
};

/// What can be set without touching the parts.
#[derive(Clone)]
pub struct Settings {
    /// One attempt may take this long in all.
    pub attempt_timeout: Duration,
    /// How long a conversation stays with the endpoint that holds its prompt cache.
    pub sticky_ttl: Duration,
    /// Keys the digests that conversations are remembered by.
    pub sticky_secret: [u8; 32],
    /// Whether a generation has a signed receipt where no standing rule says so or otherwise.
    pub signed_receipts: bool,
}

/// The parts a running service is made of, each behind a port or immutable.
pub struct Parts {
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn RandomSource>,
    pub catalog: Arc<CatalogCell>,
    pub coordination: Arc<dyn Coordination>,
    pub directory: Arc<dyn Directory>,
    pub upstream: Arc<dyn Upstream>,
    pub keys: Arc<Keys>,
    pub key_store: Arc<dyn ApiKeyStore>,
    pub credentials: Arc<Credentials>,
    pub own_credentials: Arc<OwnCredentials>,
    pub policies: Arc<Policies>,
    pub treasury: Arc<Treasury>,
    pub journal: Arc<Journal>,
    pub poster: Arc<Poster>,
    pub receipts: Arc<Receipts>,
    pub idempotency: Arc<Idempotency>,
    pub workspaces: Arc<Workspaces>,
    pub vault_upkeep: Arc<VaultUpkeep>,
    pub people: Arc<People>,
    pub organizations: Arc<Organizations>,
    pub oauth: Arc<OAuth>,
    pub audit_log: Arc<dyn AuditStore>,
    pub proofs: Arc<Proofs>,
    pub activity: Arc<Activity>,
    pub settings: Settings,
}

/// The running service.
pub struct App {
    clock: Arc<dyn Clock>,
    random: Arc<dyn RandomSource>,
    catalog: Arc<CatalogCell>,
    coordination: Arc<dyn Coordination>,
    directory: Arc<dyn Directory>,
    upstream: Arc<dyn Upstream>,
    keys: Arc<Keys>,
    key_store: Arc<dyn ApiKeyStore>,
    credentials: Arc<Credentials>,
    own_credentials: Arc<OwnCredentials>,
    policies: Arc<Policies>,
    treasury: Arc<Treasury>,
    journal: Arc<Journal>,
    poster: Arc<Poster>,
    receipts: Arc<Receipts>,
    idempotency: Arc<Idempotency>,
    workspaces: Arc<Workspaces>,
    vault_upkeep: Arc<VaultUpkeep>,
    people: Arc<People>,
    organizations: Arc<Organizations>,
    oauth: Arc<OAuth>,
    audit_log: Arc<dyn AuditStore>,
    proofs: Arc<Proofs>,
    activity: Arc<Activity>,
    settings: Settings,
    health: HealthBoard,
    vault_health: VaultHealth,
    retries: RetryBudget,
    hedges: HedgeBudget,
    places: Arc<Semaphore>,
    /// Generations in flight. Whatever must finish lives here.
    tasks: TaskTracker,
    /// No new requests.
    draining: CancellationToken,
    /// The grace is over: end what is still running, cleanly.
    aborting: CancellationToken,
}

impl App {
    /// Puts the parts together.
    pub fn new(parts: Parts) -> Self {
        let health = HealthBoard::new(parts.random.u64());
        Self {
            clock: parts.clock,
            random: parts.random,
            catalog: parts.catalog,
            coordination: parts.coordination,
            directory: parts.directory,
            upstream: parts.upstream,
            keys: parts.keys,
            key_store: parts.key_store,
            credentials: parts.credentials,
            own_credentials: parts.own_credentials,
            policies: parts.policies,
            treasury: parts.treasury,
            journal: parts.journal,
            poster: parts.poster,
            receipts: parts.receipts,
            idempotency: parts.idempotency,
            workspaces: parts.workspaces,
            vault_upkeep: parts.vault_upkeep,
            people: parts.people,
            organizations: parts.organizations,
            oauth: parts.oauth,
            audit_log: parts.audit_log,
            proofs: parts.proofs,
            activity: parts.activity,
            settings: parts.settings,
            health,
            vault_health: VaultHealth::default(),
            retries: RetryBudget::default(),
            hedges: HedgeBudget::default(),
            places: Arc::new(Semaphore::new(limits::CONCURRENT_GENERATIONS_MAX)),
            tasks: TaskTracker::new(),
            draining: CancellationToken::new(),
            aborting: CancellationToken::new(),
        }
    }

    /// Stops admitting requests; those in flight go on.
    pub fn drain(&self) {
        self.draining.cancel();
        self.tasks.close();
    }

    /// Waits for the requests in flight, ends those that outlive `grace` with a clean error, and
    /// returns once every one of them is settled.
    pub async fn finish_generations(&self, grace: Duration) {
        if tokio::time::timeout(grace, self.tasks.wait())
            .await
            .is_err()
        {
            let left = self.tasks.len();
            tracing::warn!(
                left,
                "the grace is over; ending the answers still in flight"
            );
            self.aborting.cancel();
            self.tasks.wait().await;
        }
    }

    /// Whether requests can be served and charged; what is wrong otherwise.
    pub async fn readiness(&self) -> Result<(), &'static str> {
        if self.draining.is_cancelled() {
            return Err("draining");
        }
        if !self.journal.is_writable() {
            return Err("journal not writable");
        }
        if !self.poster.has_room() {
            return Err("too many settlements wait for the database");
        }
        self.vault_health
            .readiness(self.credentials.vault(), &*self.clock)
    }

    /// A name for a request that has none of its own.
    pub fn new_request_id(&self) -> String {
        format!(
            "req-{}-{:016x}",
            self.clock.now().seconds(),
            self.random.u64()
        )
    }

    /// Generations in flight.
    pub fn in_flight(&self) -> usize {
        self.tasks.len()
    }

    /// Runs something that must not stop halfway because nobody waits for it any more. `None` when
    /// it panicked.
    pub async fn see_through<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        match self.tasks.spawn(work).await {
            Ok(outcome) => Some(outcome),
            Err(error) => {
                tracing::error!(error = %error, "a change was not seen through");
                None
            }
        }
    }

    /// Changes that clients may ask for twice.
    pub fn idempotency(&self) -> &Idempotency {
        &self.idempotency
    }

    /// Customers' own provider credentials, as their owners manage them.
    pub fn own_credentials(&self) -> &OwnCredentials {
        &self.own_credentials
    }

    /// Standing policies.
    pub fn policies(&self) -> &Policies {
        &self.policies
    }

    /// Workspaces, as accounts manage them.
    pub fn workspaces(&self) -> &Workspaces {
        &self.workspaces
    }

    /// People who sign in.
    pub fn people(&self) -> &People {
        &self.people
    }

    /// How they prove to be who they say.
    pub fn proofs(&self) -> &Proofs {
        &self.proofs
    }

    /// What the traffic was.
    pub fn activity(&self) -> &Activity {
        &self.activity
    }

    /// Signed receipts of generations.
    pub fn receipts(&self) -> &Receipts {
        &self.receipts
    }

    /// The wall clock the service goes by.
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// What there is to call.
    pub fn catalog(&self) -> Arc<switchyard_catalog::snapshot::Catalog> {
        self.catalog.current()
    }
}
