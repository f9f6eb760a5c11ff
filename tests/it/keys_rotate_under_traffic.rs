//! Keys are rotated while requests are served: by the real command, killed and run again. No request
//! fails, nothing stays under an old key, and no secret's bytes change.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use switchyard_app::tenant_keys::DirectoryTenantKeys;
use switchyard_domain::{
    clock::{Clock, Timestamp},
    id::{AccountId, CredentialId, WorkspaceId},
    provider::ProviderSlug,
    secret::Secret,
};
use switchyard_store::{
    OpenOptions, Store,
    account::NewAccount,
    own_credential::{CredentialSettings, NewOwnCredential, SealedRecord, SecretFacts},
};
use switchyard_vault::{
    OsRandom, SealedSecret, SecretContext, Tenant, Vault, VaultSettings,
    key_provider::{LiveKeyring, SealedRows},
};
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{own::asked_with, world::*};

const ACCOUNTS: u128 = 200;
const RECORDS_EACH: u128 = 50;
const RECORDS: usize = 10_000;
/// The account that sends requests. Its credentials are among the records and always used.
const SENDER: u128 = 0;
/// Where a sealed secret's own nonce, ciphertext and tag begin: a rotation changes only what is before.
const SECRET_AT: usize = 118;
const SOON: Duration = Duration::from_secs(30);

/// Time that stands still: what is remembered is forgotten by hand.
struct StillClock;

impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(1_800_000_000)
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

/// The deployment's database and vault, as a node has them that started before anything happens.
struct Inside {
    store: Store,
    vault: Vault,
}

fn account(number: u128) -> AccountId {
    AccountId::from_uuid(Uuid::from_u128(0xacc0_0000 + number))
}

fn workspace(number: u128) -> WorkspaceId {
    WorkspaceId::from_uuid(Uuid::from_u128(0x3055_0000 + number))
}

fn record(number: u128, place: u128) -> CredentialId {
    CredentialId::from_uuid(Uuid::from_u128((number << 64) + place + 1))
}

fn secret(number: u128, place: u128) -> Vec<u8> {
    format!("sk-own-{number}-{place}-5f0c").into_bytes()
}

fn context(number: u128, place: u128) -> SecretContext {
    SecretContext {
        tenant: Tenant::Account(account(number)),
        workspace: Some(workspace(number)),
        provider: ProviderSlug::new("alder"),
        endpoint_host: None,
        record: record(number, place),
        record_version: 1,
    }
}

impl Inside {
    async fn of(deployment: &Deployment) -> Self {
        let store = switchyard_store::open(&deployment.database_url(), &OpenOptions::default())
            .await
            .expect("the database opens");
        let keyring = LiveKeyring::open_or_create(
            &deployment.keyring(),
            SealedRows::Exist,
            Arc::new(OsRandom),
        )
        .expect("the keyring opens");
        let vault = Vault::new(
            Arc::new(keyring),
            Arc::new(DirectoryTenantKeys::new(Arc::clone(&store.directory))),
            Arc::new(OsRandom),
            Arc::new(StillClock),
            VaultSettings::default(),
        );
        Self { store, vault }
    }

    async fn fill(&self) {
        for number in 0..ACCOUNTS {
            let new = NewAccount {
                account_id: account(number),
                workspace_id: workspace(number),
                email: format!("owner-{number}@example.com"),
                name: "Owner".to_owned(),
                at: StillClock.now(),
            };
            let created = self.store.directory.create_account(&new).await;
            created.expect("created");
            let mut records = Vec::new();
            for place in 0..RECORDS_EACH {
                records.push(self.sealed(number, place).await);
            }
            let stored = self.store.own_credentials.insert_many(&records).await;
            stored.expect("stored");
        }
    }

    async fn sealed(&self, number: u128, place: u128) -> NewOwnCredential {
        let sealed = self
            .vault
            .seal(&context(number, place), &Secret::new(secret(number, place)))
            .await
            .expect("it can be sealed");
        NewOwnCredential {
            id: record(number, place),
            account_id: account(number),
            workspace_id: Some(workspace(number)),
            provider: ProviderSlug::new("alder"),
            secret: SealedRecord {
                sealed: sealed.as_bytes().to_vec(),
                record_version: 1,
                tenant_key_version: 1,
            },
            facts: SecretFacts {
                kind: "api_key".to_owned(),
                label: "sk-…".to_owned(),
                endpoint_host: None,
                fingerprint: [0; 32],
            },
            settings: CredentialSettings {
                is_required: number == SENDER,
                ..CredentialSettings::default()
            },
            created_by: "operator".to_owned(),
            at: StillClock.now(),
        }
    }

    /// Reads one record and opens it, as a node does that remembers nothing.
    async fn open(&self, number: u128, place: u128) -> Result<(), String> {
        let row = self
            .store
            .own_credentials
            .own_credential(account(number), record(number, place))
            .await
            .map_err(|error| error.to_string())?;
        let sealed = row.and_then(|row| row.secret).ok_or("it is gone")?.sealed;
        let opened = self
            .vault
            .open(&context(number, place), &SealedSecret::from_bytes(sealed))
            .await
            .map_err(|error| format!("{error:?}"))?;
        self.vault.forget_everything();
        if *opened.expose() == secret(number, place) {
            Ok(())
        } else {
            Err("another secret came out".to_owned())
        }
    }

    /// Every customer's sealed secret, by its record.
    async fn secrets(&self) -> BTreeMap<String, Vec<u8>> {
        let mut secrets = BTreeMap::new();
        for number in 0..ACCOUNTS {
            let rows = self
                .store
                .sealed
                .sealed_rows_not_under(Some(account(number)), 0, None, u32::MAX)
                .await
                .expect("answered");
            secrets.extend(rows.into_iter().map(|row| (row.key, row.sealed)));
        }
        assert_eq!(secrets.len(), RECORDS);
        secrets
    }

    /// How many tenant keys each version of the keyring wraps.
    async fn by_kek(&self) -> Vec<(i32, u64)> {
        let counts = self.store.sealed.tenant_keys_by_kek().await;
        let counts = counts.expect("answered").into_iter();
        counts.map(|count| (count.version, count.count)).collect()
    }

    /// How many records are under each version of their tenant's key.
    async fn by_tenant_key(&self) -> BTreeMap<i32, u64> {
        let counts = self.store.sealed.records_by_tenant_key().await;
        let mut sums = BTreeMap::new();
        for count in counts.expect("answered") {
            *sums.entry(count.version).or_default() += count.count;
        }
        sums
    }
}

/// What goes on meanwhile, and how often it went wrong.
#[derive(Default)]
struct Traffic {
    done: AtomicU64,
    failed: AtomicU64,
}

impl Traffic {
    fn count(&self, outcome: Result<(), String>) {
        self.done.fetch_add(1, Ordering::SeqCst);
        if let Err(reason) = outcome {
            self.failed.fetch_add(1, Ordering::SeqCst);
            eprintln!("failed: {reason}");
        }
    }
}

/// Runs `step` a hundred times a second until it is stopped.
async fn steadily<F>(
    stop: CancellationToken,
    traffic: Arc<Traffic>,
    mut step: impl FnMut(u128) -> F,
) where
    F: Future<Output = Result<(), String>>,
{
    let mut ticks = interval(Duration::from_millis(10));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut number = 0;
    while !stop.is_cancelled() {
        ticks.tick().await;
        traffic.count(step(number).await);
        number += 1;
    }
}

/// Runs a command until `is_midway`, and kills it.
async fn killed_midway(
    deployment: &Deployment,
    command: &[&str],
    is_midway: impl AsyncFn() -> bool,
) {
    let mut child = deployment.start_command(command);
    wait::until(command, SOON, || async { is_midway().await.then_some(()) }).await;
    child.kill().await.expect("it still runs");
}

/// Makes a key for the account that sends. Without credit: nothing can be served but by its own.
async fn key_of_sender(deployment: &Deployment) -> String {
    let account = account(SENDER).to_string();
    let create = ["key", "create", "--account", &account, "--name", "traffic"];
    text(&deployment.run(&create).await, "key")
}

/// Whether a request was answered, and by the customer's own credential.
fn served_by_own(reply: &Reply) -> Result<(), String> {
    let is_served = reply.status == 200 && reply.json()["usage"]["is_byok"] == true;
    is_served
        .then_some(())
        .ok_or_else(|| format!("{}: {}", reply.status, reply.text()))
}

story!(t07_no_open_fails_and_no_secret_changes, |world| {
    let inside = Arc::new(Inside::of(&world.deployment).await);
    inside.fill().await;
    let before = inside.secrets().await;
    let key = key_of_sender(&world.deployment).await;

    let (stop, traffic) = (CancellationToken::new(), Arc::new(Traffic::default()));
    let mut going_on = JoinSet::new();
    let reader = Arc::clone(&inside);
    going_on.spawn(steadily(stop.clone(), Arc::clone(&traffic), move |turn| {
        let inside = Arc::clone(&reader);
        async move { inside.open(turn * 37 % ACCOUNTS, turn % RECORDS_EACH).await }
    }));
    let (api, body) = (world.api().clone(), question_to(OAK, &["alder"]));
    going_on.spawn(steadily(stop.clone(), Arc::clone(&traffic), move |_| {
        let call = api.post("/api/v1/chat/completions", &body).key(&key);
        async move { served_by_own(&call.send().await) }
    }));

    let rotate = ["vault", "rotate", "--kek"];
    killed_midway(
        &world.deployment,
        &[&rotate[..], &["--rate", "100"]].concat(),
        async || matches!(inside.by_kek().await.as_slice(), [(1, 1..), (2, 20..)]),
    )
    .await;
    let kek = world
        .deployment
        .run(&[&rotate[..], &["--rate", "0"]].concat())
        .await;
    assert_eq!(kek["kek"]["is_new"], false, "it went on: {kek}");
    assert_eq!(
        (&kek["ok"], &kek["kek"]["left"]),
        (&json!(true), &json!(0)),
        "{kek}"
    );
    let versions: Vec<_> = inside
        .by_kek()
        .await
        .iter()
        .map(|(version, _)| *version)
        .collect();
    assert_eq!(versions, [2]);
    assert_eq!(
        inside.secrets().await,
        before,
        "records are not touched by that"
    );

    let rotate = ["vault", "rotate", "--tenant-keys"];
    killed_midway(
        &world.deployment,
        &[&rotate[..], &["--rate", "2000"]].concat(),
        async || {
            let counts = inside.by_tenant_key().await;
            counts.get(&2).is_some_and(|moved| *moved > 1_000) && counts.contains_key(&1)
        },
    )
    .await;
    let keys = world
        .deployment
        .run(&[&rotate[..], &["--rate", "0"]].concat())
        .await;
    assert_eq!(
        (&keys["ok"], &keys["tenant_keys"]["left"]),
        (&json!(true), &json!(0)),
        "{keys}"
    );
    assert!(
        keys["tenant_keys"]["resumed"].as_u64() > Some(0),
        "it went on: {keys}"
    );
    assert_eq!(keys["tenant_keys"]["old_keys_deleted"], 200, "{keys}");

    stop.cancel();
    while let Some(ended) = going_on.join_next().await {
        ended.expect("it does not panic");
    }
    assert_eq!(traffic.failed.load(Ordering::SeqCst), 0);
    assert!(
        traffic.done.load(Ordering::SeqCst) > 500,
        "there was traffic"
    );
    assert!(world.asked("alder") > 100, "a part of it were requests");
    let first = String::from_utf8(secret(SENDER, 0)).expect("text");
    let with = asked_with(&world, "alder");
    assert!(!with.is_empty(), "some are remembered");
    for end in &with {
        assert!(first.ends_with(end), "{end} is another's");
    }

    let records = u64::try_from(RECORDS).expect("few");
    assert_eq!(inside.by_tenant_key().await, BTreeMap::from([(2, records)]));
    let after = inside.secrets().await;
    for (record, sealed) in &after {
        assert_eq!(sealed[SECRET_AT..], before[record][SECRET_AT..], "{record}");
        assert_ne!(sealed[..SECRET_AT], before[record][..SECRET_AT], "{record}");
    }
    let status = world.deployment.run(&["vault", "status"]).await;
    assert_eq!(status["records_under_older"], 0, "{status}");
    let verified = world.deployment.run(&["vault", "verify"]).await;
    assert_eq!(verified["ok"], true, "{verified}");
    assert!(verified["records"].as_u64() >= Some(records), "{verified}");
});
