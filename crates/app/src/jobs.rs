//! What happens without being asked. Every job is idempotent: missing a turn, or two nodes taking
//! the same one, changes nothing.

use std::{sync::Arc, time::Duration};

use switchyard_billing::{
    settlement::Settlement,
    store::{LedgerStore, PostOutcome, StoreError},
};
use switchyard_coordination::Invalidation;
use switchyard_domain::id::NodeId;
use switchyard_store::DirectoryError;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    App,
    journal::Position,
    limits::{
        CREDENTIAL_NOTES_WRITING, CREDENTIAL_POLL, HEALTH_EXCHANGE, HEALTH_TURN,
        IDEMPOTENCY_UPKEEP, KEY_POLL, KEY_USES_NOTING, LEASE_TENDING, OWN_CREDENTIAL_POLL,
        POLICY_POLL, PROOF_UPKEEP, RECEIPT_SIGNING, ROLL_UP_UPKEEP, VAULT_CHECK, VAULT_COUNT,
        VAULT_UPKEEP, VERIFIER_RENEWAL,
    },
    poster::post,
};

/// Ensures partitions this often.
const PARTITION_UPKEEP: Duration = Duration::from_secs(6 * 3_600);

impl App {
    /// Starts every job; they end when `stop` is cancelled.
    pub fn start_jobs(self: &Arc<Self>, jobs: &TaskTracker, stop: &CancellationToken) {
        self.follow_changes(jobs, stop);
        self.look_after_keys(jobs, stop);
        self.spawn_every(jobs, stop, LEASE_TENDING, |app| async move {
            app.treasury.tend().await
        });
        self.spawn_every(jobs, stop, RECEIPT_SIGNING, |app| async move {
            if let Err(error) = app.receipts.sign_pending().await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "cannot sign receipts"
                );
            }
        });
        self.spawn_every(jobs, stop, CREDENTIAL_NOTES_WRITING, |app| async move {
            app.write_credential_notes().await;
            app.own_credentials.sweep();
        });
        self.spawn_every(jobs, stop, PARTITION_UPKEEP, |app| async move {
            if let Err(error) = app.directory.ensure_partitions(app.clock.now()).await {
                tracing::warn!(error = %error, "cannot prepare room for coming months");
            }
        });
        self.spawn_every(jobs, stop, KEY_USES_NOTING, |app| async move {
            app.note_key_uses().await;
        });
        self.spawn_every(jobs, stop, IDEMPOTENCY_UPKEEP, |app| async move {
            if let Err(error) = app.idempotency.forget_expired().await {
                tracing::warn!(error = %error, "cannot forget answers that are past their time");
            }
        });
        self.spawn_every(jobs, stop, PROOF_UPKEEP, |app| async move {
            if let Err(error) = app.proofs.forget_old().await {
                tracing::warn!(error = %error, "cannot forget what people did not finish");
            }
        });
        self.spawn_every(jobs, stop, ROLL_UP_UPKEEP, |app| async move {
            match app.activity.roll_up_missing().await {
                Ok(0) => {}
                Ok(generations) => tracing::info!(generations, "rolled up what had not been"),
                Err(error) => tracing::warn!(error = %error, "cannot roll up what has not been"),
            }
        });
        self.spawn_every(jobs, stop, HEALTH_TURN, |app| async move {
            app.health.take_turn(app.clock.now());
        });
        self.spawn_every(jobs, stop, HEALTH_EXCHANGE, |app| async move {
            app.exchange_health().await;
        });
    }

    /// What other nodes and commands change: at once by their news, and by asking the database.
    fn follow_changes(self: &Arc<Self>, jobs: &TaskTracker, stop: &CancellationToken) {
        self.spawn_every(jobs, stop, KEY_POLL, |app| async move {
            if let Err(error) = app.keys.follow().await {
                tracing::warn!(error = %error, "cannot ask for changed API keys");
            }
        });
        self.spawn_every(jobs, stop, CREDENTIAL_POLL, |app| async move {
            if let Err(error) = app.credentials.follow().await {
                tracing::warn!(error = %error, "cannot ask for changed provider credentials");
            }
        });
        self.spawn_every(jobs, stop, OWN_CREDENTIAL_POLL, |app| async move {
            match app.own_credentials.follow().await {
                Ok(changed) => {
                    for credential in changed {
                        app.health.forget_own(credential);
                    }
                }
                Err(error) => {
                    tracing::warn!(error = %error, "cannot ask for customers' changed credentials");
                }
            }
        });
        self.spawn_every(jobs, stop, POLICY_POLL, |app| async move {
            if let Err(error) = app.policies.follow().await {
                tracing::warn!(error = %error, "cannot ask for changed standing policies");
            }
        });
        let (app, stop) = (Arc::clone(self), stop.clone());
        jobs.spawn(async move { app.follow_invalidations(&stop).await });
    }

    /// What the vault's keys need.
    fn look_after_keys(self: &Arc<Self>, jobs: &TaskTracker, stop: &CancellationToken) {
        self.spawn_every(jobs, stop, VERIFIER_RENEWAL, |app| async move {
            if let Err(error) = app.keys.store_renewals().await {
                tracing::warn!(error = %error, "cannot move API keys to a newer pepper");
            }
        });
        self.spawn_every(jobs, stop, VAULT_UPKEEP, |app| async move {
            app.vault_upkeep.turn().await
        });
        self.spawn_every(jobs, stop, VAULT_COUNT, |app| async move {
            app.vault_upkeep.count().await
        });
        self.spawn_every(jobs, stop, VAULT_CHECK, |app| async move {
            let vault = app.credentials.vault();
            app.vault_health.ask(vault, &*app.clock).await;
        });
    }

    fn spawn_every<F, Turn>(
        self: &Arc<Self>,
        jobs: &TaskTracker,
        stop: &CancellationToken,
        interval: Duration,
        turn: F,
    ) where
        F: Fn(Arc<Self>) -> Turn + Send + Sync + 'static,
        Turn: Future<Output = ()> + Send,
    {
        let (app, stop) = (Arc::clone(self), stop.clone());
        jobs.spawn(async move {
            let mut ticks = tokio::time::interval(interval);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    _ = ticks.tick() => turn(Arc::clone(&app)).await,
                    () = stop.cancelled() => return,
                }
            }
        });
    }

    /// Writes down when API keys were presented last; also at the end, for the last minute.
    pub async fn note_key_uses(&self) {
        let uses = self.keys.take_uses();
        if uses.is_empty() {
            return;
        }
        if let Err(error) = self.key_store.note_key_uses(&uses).await {
            tracing::warn!(error = %error, "cannot note when API keys were used");
        }
    }

    async fn follow_invalidations(&self, stop: &CancellationToken) {
        let mut news = self.coordination.subscribe();
        loop {
            let item = tokio::select! {
                item = news.next() => item,
                () = stop.cancelled() => return,
            };
            match item {
                None => return,
                Some(Invalidation::ApiKey { lookup_id }) => self.keys.forget(&lookup_id),
                Some(Invalidation::ProviderCredential { .. }) => {
                    self.credentials.forget_plaintext()
                }
                Some(Invalidation::OwnCredential {
                    account_id,
                    credential_id,
                }) => {
                    self.own_credentials.forget(account_id, credential_id);
                    self.health.forget_own(credential_id);
                }
                Some(Invalidation::Policy { account_id }) => self.policies.forget(account_id),
                // Files are local to a node; each operator reloads theirs.
                Some(Invalidation::Catalog) => {}
                Some(Invalidation::Everything) => {
                    self.keys.forget_all();
                    self.policies.forget_all();
                    self.own_credentials.forget_all();
                    self.credentials.forget_plaintext();
                }
            }
        }
    }

    /// Writes down what was seen of customers' credentials. What cannot be written waits for the
    /// next turn; at a stop this is the last one.
    pub async fn write_credential_notes(&self) {
        if let Err(error) = self.own_credentials.write_openings().await {
            tracing::warn!(error = %error, "cannot count openings of credentials");
        }
        if let Err(error) = self.own_credentials.write_states().await {
            tracing::warn!(error = %error, "cannot note how credentials are doing");
        }
    }

    /// Takes up where an earlier run of this node stopped: brings what it left in the journal to
    /// SQL, gives its leases back, and starts to follow changes. Called before the first request
    /// is admitted.
    pub async fn start(
        &self,
        node: NodeId,
        ledger: &dyn LedgerStore,
        left: Vec<(Position, Settlement)>,
    ) -> Result<(), StartError> {
        if !left.is_empty() {
            tracing::info!(settlements = left.len(), "posting what the journal holds");
        }
        let (positions, settlements): (Vec<_>, Vec<_>) = left.into_iter().unzip();
        let outcomes = post(ledger, &settlements).await?;
        for (position, outcome) in positions.into_iter().zip(outcomes) {
            // What the books refuse stays in the journal, and must not keep the node from starting.
            if outcome != PostOutcome::Conflict {
                self.journal.posted(position, 1);
            }
        }
        let released = self.treasury.release_all().await?;
        if released.is_positive() {
            tracing::info!(released_usd = %released, "gave back what an earlier run had held");
        }
        let now = self.clock.now();
        self.directory.register_node(node, now).await?;
        self.directory.ensure_partitions(now).await?;
        self.keys.start_following().await?;
        self.policies.start_following().await?;
        self.own_credentials.start_following().await?;
        self.credentials.follow().await?;
        self.vault_upkeep.start().await?;
        let vault = self.credentials.vault();
        self.vault_health.ask(vault, &*self.clock).await;
        Ok(())
    }
}

/// Why a node cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Ledger(#[from] StoreError),
    #[error(transparent)]
    Directory(#[from] DirectoryError),
}
