//! What posting a generation costs in CPU time, over all threads of the process:
//! `cargo run --release -p switchyard-store --example posting_cost -- sqlite:/tmp/posting.db`
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::{fs, sync::Arc};

use switchyard_billing::{
    fund::{FundId, FundRef},
    settlement::{ConsumedHold, Settlement},
    store::{LeaseAsk, LedgerStore},
    test_suite::{
        Tenant,
        scene::{START, json, sample_settlement},
    },
};
use switchyard_domain::{
    id::{AccountId, ApiKeyId, GenerationId, LeaseId, NodeId, WorkspaceId},
    money::UsdNanos,
};
use switchyard_store::{OpenOptions, account::NewAccount};
use uuid::Uuid;

const GENERATIONS: usize = 50_000;
const TENANTS: usize = 20;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let url = std::env::args().nth(1).expect("a database URL");
    let store = switchyard_store::open(&url, &OpenOptions::default())
        .await
        .expect("opened");
    store.migrate().await.expect("migrated");
    store
        .directory
        .ensure_partitions(START)
        .await
        .expect("made");
    let mut tenants = Vec::new();
    for number in 0..TENANTS {
        tenants.push(tenant(&store, number as u64).await);
    }
    let mut posted = 0;
    for batch_size in [1, 10, 100, 500] {
        let batches = batches(&tenants, posted, batch_size);
        posted += GENERATIONS;
        let ledger: Arc<dyn LedgerStore> = store.ledger.clone();
        let before = cpu_nanos();
        for batch in &batches {
            ledger.post(batch).await.expect("posted");
        }
        let spent = cpu_nanos() - before;
        let count = batches.len() * batch_size;
        println!(
            "batches of {batch_size}: {} ns of CPU per generation",
            spent / count as u64
        );
    }
    let report = store.ledger.verify().await.expect("read");
    assert!(report.faults.is_empty(), "{:?}", report.faults);
    println!("{} generations verified", report.generations);
}

async fn tenant(store: &switchyard_store::Store, number: u64) -> (Tenant, Vec<ConsumedHold>) {
    let id = |kind| Uuid::from_u64_pair(kind, number);
    let account = NewAccount {
        account_id: AccountId::from_uuid(id(1)),
        workspace_id: WorkspaceId::from_uuid(id(2)),
        email: format!("{number}@example.com"),
        name: "measured".to_owned(),
        at: START,
    };
    store
        .directory
        .create_account(&account)
        .await
        .expect("created");
    let tenant = Tenant {
        account_id: account.account_id,
        workspace_id: account.workspace_id,
        api_key_id: ApiKeyId::from_uuid(id(3)),
    };
    let limit = FundId::KeyLimit {
        key: tenant.api_key_id,
        window_start: None,
    };
    // Every other key has a limit, which is a second fund for each of its charges.
    let fund = if number.is_multiple_of(2) {
        limit
    } else {
        FundId::Credits(tenant.account_id)
    };
    let capacity = number
        .is_multiple_of(2)
        .then_some(UsdNanos::new(1_000_000_000_000));
    let ask = LeaseAsk {
        fund: FundRef { id: fund, capacity },
        lease: LeaseId::from_uuid(id(4)),
        node: NodeId::from_uuid(id(5)),
        needed: UsdNanos::ZERO,
        wanted: UsdNanos::new(100_000_000_000),
        expires_at: START,
        now: START,
    };
    store.ledger.take_lease(&ask).await.expect("answered");
    (tenant, vec![ConsumedHold::new(fund, ask.lease)])
}

/// Generations as agents make them, with the decision record of twenty candidates.
fn batches(
    tenants: &[(Tenant, Vec<ConsumedHold>)],
    from: usize,
    batch_size: usize,
) -> Vec<Vec<Settlement>> {
    let candidates: Vec<_> = (0..20)
        .map(|n| {
            format!(r#"{{"endpoint":"acme/fast|provider-{n}","price":0.00000{n},"rank":{n}}}"#)
        })
        .collect();
    let decision = format!(
        r#"{{"seed":7,"candidates":[{}],"ruled_out":[]}}"#,
        candidates.join(",")
    );
    let settlement = |number: usize| {
        let (tenant, holds) = &tenants[number % tenants.len()];
        let at = START.plus(std::time::Duration::from_millis(number as u64));
        // The middle of the id is as random as an id is.
        let random = (number as u128).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        let id = GenerationId::new(at.seconds(), random);
        let mut settlement =
            sample_settlement(*tenant, id, at, UsdNanos::new(225_000), holds.clone());
        settlement.decision = Some(json(&decision));
        settlement
    };
    let count = if batch_size == 1 {
        GENERATIONS / 10
    } else {
        GENERATIONS
    };
    let all: Vec<_> = (from..from + count).map(settlement).collect();
    all.chunks(batch_size).map(<[_]>::to_vec).collect()
}

/// Nanoseconds on a processor, of all threads of this process.
fn cpu_nanos() -> u64 {
    let threads = fs::read_dir("/proc/self/task").expect("Linux tells about threads");
    let of_thread = |thread: std::io::Result<fs::DirEntry>| -> u64 {
        let path = thread.expect("a thread").path().join("schedstat");
        let text = fs::read_to_string(path).expect("its times");
        text.split(' ')
            .next()
            .and_then(|nanos| nanos.parse().ok())
            .expect("a number")
    };
    threads.map(of_thread).sum()
}
