use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use switchyard_billing::{
    fund::{FundBalance, FundId},
    settlement::Settlement,
    store::{
        CreditGrant, LeaseAsk, LeaseOutcome, LedgerReport, LedgerStore, PostOutcome, StoreError,
    },
    test_suite::books::InMemoryLedger,
};
use switchyard_domain::{
    clock::Timestamp,
    id::{AccountId, GenerationId, LeaseId, NodeId},
    money::UsdNanos,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

use super::Poster;
use crate::{
    journal::{
        Journal,
        tests::{append, settlement},
    },
    limits::POST_LINGER,
    treasury::{Treasury, tests::HandClock},
};

/// Books that cannot be reached for a while, and take their time.
struct Shaky {
    books: InMemoryLedger,
    refusals_left: AtomicU32,
    /// How many settlements came at a time.
    batches: Mutex<Vec<usize>>,
}

const POSTING: Duration = Duration::from_millis(5);

#[async_trait]
impl LedgerStore for Shaky {
    async fn post(&self, batch: &[Settlement]) -> Result<Vec<PostOutcome>, StoreError> {
        let refuse = self
            .refusals_left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                left.checked_sub(1)
            });
        if refuse.is_ok() {
            return Err(StoreError::Unavailable("down".into()));
        }
        self.batches.lock().expect("not poisoned").push(batch.len());
        tokio::time::sleep(POSTING).await;
        self.books.post(batch).await
    }
    async fn take_lease(&self, ask: &LeaseAsk) -> Result<LeaseOutcome, StoreError> {
        self.books.take_lease(ask).await
    }
    async fn return_lease(&self, lease: LeaseId, amount: UsdNanos) -> Result<(), StoreError> {
        self.books.return_lease(lease, amount).await
    }
    async fn renew_leases(&self, node: NodeId, expires_at: Timestamp) -> Result<(), StoreError> {
        self.books.renew_leases(node, expires_at).await
    }
    async fn release_node(&self, node: NodeId) -> Result<UsdNanos, StoreError> {
        self.books.release_node(node).await
    }
    async fn sweep_expired(&self, now: Timestamp) -> Result<UsdNanos, StoreError> {
        self.books.sweep_expired(now).await
    }
    async fn grant(&self, grant: &CreditGrant) -> Result<bool, StoreError> {
        self.books.grant(grant).await
    }
    async fn fund(&self, id: FundId) -> Result<FundBalance, StoreError> {
        self.books.fund(id).await
    }
    async fn is_posted(&self, id: &GenerationId) -> Result<bool, StoreError> {
        self.books.is_posted(id).await
    }
    async fn verify(&self) -> Result<LedgerReport, StoreError> {
        self.books.verify().await
    }
}

struct Scene {
    dir: PathBuf,
    ledger: Arc<Shaky>,
    journal: Arc<Journal>,
    poster: Arc<Poster>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Scene {
    fn new(name: &str, refusals: u32) -> Self {
        let dir = std::env::temp_dir().join(format!("sy-poster-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        let (journal, _) = Journal::open(&dir, Duration::from_millis(1)).expect("a journal");
        let books = InMemoryLedger::default();
        // The account of the journal's sample settlements.
        books
            .books()
            .open_account(AccountId::from_uuid(Uuid::from_u128(1)));
        let scene = Self {
            dir,
            ledger: Arc::new(Shaky {
                books,
                refusals_left: AtomicU32::new(refusals),
                batches: Mutex::default(),
            }),
            journal: Arc::new(journal),
            poster: Arc::default(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        };
        let node = NodeId::from_uuid(Uuid::from_u128(5));
        let clock: Arc<HandClock> = Arc::default();
        let treasury = Arc::new(Treasury::new(node, scene.ledger.clone(), clock));
        let (poster, journal) = (scene.poster.clone(), scene.journal.clone());
        let (ledger, stop) = (scene.ledger.clone(), scene.stop.clone());
        scene
            .tasks
            .spawn(async move { poster.run(ledger, journal, treasury, stop).await });
        scene
    }

    fn settle(&self, settlement: Settlement) -> GenerationId {
        let id = settlement.generation_id.clone();
        let position = append(&self.journal, &settlement);
        self.poster.push(Some(position), settlement);
        id
    }

    fn has(&self, id: &GenerationId) -> bool {
        self.ledger.books.books().is_posted(id)
    }

    async fn end(self) -> PathBuf {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.dir
    }
}

fn left_in_journal(dir: &PathBuf) -> usize {
    let (_, left) = Journal::open(dir, Duration::from_millis(1)).expect("a journal");
    let _ = std::fs::remove_dir_all(dir);
    left.len()
}

#[tokio::test(start_paused = true)]
async fn settlements_reach_sql_and_leave_the_journal() {
    let scene = Scene::new("reach", 0);
    let ids: Vec<_> = (1..=600)
        .map(|number| scene.settle(settlement(number)))
        .collect();
    assert!(scene.poster.flush(Duration::from_secs(30)).await);
    assert!(ids.iter().all(|id| scene.has(id)));
    assert_eq!(scene.poster.backlog(), 0);
    assert_eq!(left_in_journal(&scene.end().await), 0);
}

#[tokio::test(start_paused = true)]
async fn what_comes_while_a_batch_is_posted_waits_for_company() {
    let scene = Scene::new("company", 0);
    scene.settle(settlement(1));
    tokio::time::sleep(POST_LINGER + POSTING / 2).await;
    for number in 2..=5 {
        scene.settle(settlement(number));
        tokio::time::sleep(POSTING * 2).await;
    }
    tokio::time::sleep(POST_LINGER + POSTING).await;
    assert_eq!(scene.poster.backlog(), 0);
    assert_eq!(*scene.ledger.batches.lock().expect("not poisoned"), [1, 4]);
    assert_eq!(left_in_journal(&scene.end().await), 0);
}

#[tokio::test(start_paused = true)]
async fn an_unreachable_database_is_asked_until_it_answers() {
    let scene = Scene::new("shaky", 4);
    let id = scene.settle(settlement(1));
    assert!(
        !scene.poster.flush(Duration::from_millis(10)).await,
        "not yet"
    );
    assert!(scene.poster.flush(Duration::from_secs(60)).await);
    assert!(scene.has(&id));
    assert_eq!(left_in_journal(&scene.end().await), 0);
}

#[tokio::test(start_paused = true)]
async fn a_stop_leaves_unposted_settlements_in_the_journal() {
    let scene = Scene::new("stop", u32::MAX);
    scene.settle(settlement(1));
    scene.settle(settlement(2));
    assert_eq!(left_in_journal(&scene.end().await), 2);
}

#[tokio::test(start_paused = true)]
async fn one_refused_settlement_holds_up_nobody() {
    let scene = Scene::new("culprit", 0);
    let mut stranger = settlement(2);
    stranger.account_id = AccountId::from_uuid(Uuid::from_u128(404));
    let good: Vec<_> = [1, 3, 4]
        .map(|number| scene.settle(settlement(number)))
        .into();
    let bad = scene.settle(stranger);
    assert!(scene.poster.flush(Duration::from_secs(30)).await);
    assert!(good.iter().all(|id| scene.has(id)) && !scene.has(&bad));
    // The whole segment stays: replaying what is posted changes nothing.
    assert_eq!(left_in_journal(&scene.end().await), 4);
}
