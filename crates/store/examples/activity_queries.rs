//! What the log's and the charts' queries take with many generations, in milliseconds as a caller waits:
//! `cargo run --release -p switchyard-store --example activity_queries -- sqlite:/tmp/activity.db 1000000`
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::time::Duration;

use switchyard_billing::{
    settlement::Settlement,
    test_suite::{Tenant, scene::sample_settlement},
};
use switchyard_domain::{
    clock::Timestamp,
    endpoint::EndpointId,
    id::{AccountId, ApiKeyId, CredentialId, GenerationId, WorkspaceId},
    money::UsdNanos,
    provider::ProviderSlug,
};
use switchyard_store::{
    OpenOptions, Store,
    account::NewAccount,
    activity::{
        Bound, Breakdown, Condition, Cursor, Detail, Dimension, Filter, Interval, LogQuery, Range,
        RowMeasure, Scope, SessionQuery, Step, Turn, Value,
    },
};
use tokio::time::Instant;
use uuid::Uuid;

/// 2026-11-24T06:10:00Z.
const END: Timestamp = Timestamp::from_seconds(1_795_500_600);
/// When its day began.
const MIDNIGHT: Timestamp = Timestamp::from_seconds(1_795_478_400);
const DAYS: u64 = 30;
const BATCH: usize = 500;
const KEYS: u64 = 20;
const MODELS: u64 = 12;
const RUNS: usize = 40;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().expect("a database URL");
    let count = arguments.next().map_or(1_000_000, |count| {
        count.parse::<u64>().expect("how many generations")
    });
    let options = OpenOptions {
        statement_timeout: Duration::from_secs(60),
        ..OpenOptions::default()
    };
    let store = switchyard_store::open(&url, &options)
        .await
        .expect("opened");
    store.migrate().await.expect("migrated");
    let account = account(&store).await;
    fill(&store, account, count).await;
    measure(&store, account).await;
}

async fn account(store: &Store) -> AccountId {
    let account = NewAccount {
        account_id: AccountId::from_uuid(Uuid::from_u128(1)),
        workspace_id: workspace(0),
        email: "measured@example.com".to_owned(),
        name: "measured".to_owned(),
        at: END,
    };
    // It is there when the program runs a second time.
    let _ = store.directory.create_account(&account).await;
    store.directory.ensure_partitions(END).await.expect("made");
    account.account_id
}

fn workspace(number: u64) -> WorkspaceId {
    WorkspaceId::from_uuid(Uuid::from_u64_pair(2, number))
}

async fn fill(store: &Store, account: AccountId, count: u64) {
    let began = Instant::now();
    let mut batch = Vec::with_capacity(BATCH);
    for number in 0..count {
        batch.push(settlement(account, number, count));
        if batch.len() == BATCH || number + 1 == count {
            store.ledger.post(&batch).await.expect("posted");
            batch.clear();
        }
    }
    println!("{count} generations posted in {:?}", began.elapsed());
}

/// As agents and chats make them: each key is one app's, which uses a few models, each mostly at the same
/// endpoint; sessions of thirty turns, most prompts cached, a few failures.
fn settlement(account: AccountId, number: u64, count: u64) -> Settlement {
    let mixed = mix(number);
    let key = mixed % KEYS;
    let tenant = Tenant {
        account_id: account,
        workspace_id: workspace(key % 3),
        api_key_id: ApiKeyId::from_uuid(Uuid::from_u64_pair(3, key)),
    };
    let step = DAYS * 86_400_000_000 / count;
    let at = END.minus(Duration::from_micros((count - number) * step));
    let id = GenerationId::new(at.seconds(), u128::from(mixed) << 64 | u128::from(number));
    let charge = UsdNanos::new(i64::try_from(mixed % 50_000_000).expect("small"));
    let mut settlement = sample_settlement(tenant, id, at, charge, Vec::new());
    let model = (key + ((mixed >> 8) % 3)) % MODELS;
    let provider = (model + u64::from((mixed >> 16).is_multiple_of(10))) % 3;
    let request = &mut settlement.request;
    request.requested_model = format!("maker-{}/model-{model}", model % 5);
    let session = number / (30 * KEYS) * KEYS + key;
    request.session_id = (mixed % 10 < 6).then(|| format!("session-{session:016x}"));
    request.http_referer = Some(format!("https://app-{}.example", key % 8));
    request.external_user = None;
    settlement.usage.input_uncached = mixed % 4_000;
    settlement.usage.cache_read = (mixed >> 4) % 60_000;
    settlement.usage.output_text = (mixed >> 12) % 2_000;
    let outcome = (mixed >> 32) % 100;
    if let Some(served) = settlement.served.as_mut() {
        served.model.clone_from(&request.requested_model);
        served.provider = ProviderSlug::new(format!("provider-{provider}"));
        served.endpoint_id =
            EndpointId::new(format!("{}|provider-{provider}", request.requested_model));
        served.byok_credential_id =
            (key < 4).then(|| CredentialId::from_uuid(Uuid::from_u64_pair(4, key)));
        served.latency_ms = Some(120 + (mixed >> 20) % 3_000);
        served.generation_time_ms = Some(3_200 + (mixed >> 24) % 20_000);
        served.cancelled = outcome == 0;
        let reason = match outcome {
            1..3 => "error",
            3..40 => "tool_calls",
            _ => "stop",
        };
        served.finish_reason = Some(reason.to_owned());
    }
    settlement
}

/// Spreads consecutive numbers.
const fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Times something and prints what most runs stayed within.
macro_rules! timed {
    ($name:expr, $call:expr) => {{
        let mut took = Vec::with_capacity(RUNS);
        let mut rows = 0;
        for _ in 0..RUNS {
            let began = Instant::now();
            rows = $call.await.expect("answered").len();
            took.push(began.elapsed());
        }
        took.sort();
        let (half, most) = (
            took[RUNS / 2].as_micros(),
            took[RUNS * 95 / 100].as_micros(),
        );
        println!(
            "{:<58} p50 {:>5}.{} ms, p95 {:>5}.{} ms ({rows} rows)",
            $name,
            half / 1_000,
            half / 100 % 10,
            most / 1_000,
            most / 100 % 10
        );
    }};
}

const FACETS: [Dimension; 7] = [
    Dimension::Workspace,
    Dimension::ApiKey,
    Dimension::Model,
    Dimension::Provider,
    Dimension::Status,
    Dimension::FinishReason,
    Dimension::App,
];

async fn measure(store: &Store, account: AccountId) {
    let text = |text: &str| Some(Value::from(text));
    let model = Condition::AnyOf(Dimension::Model, vec![text("maker-1/model-1")]);
    let failed = Condition::AnyOf(Dimension::Status, vec![text("error")]);
    let others = Condition::NoneOf(
        Dimension::ApiKey,
        vec![Some(Value::Id(Uuid::from_u64_pair(3, 1)))],
    );
    let dear = Condition::Bounded(RowMeasure::Charge, Bound::Above, 49_900_000);
    let session = Condition::AnyOf(Dimension::Session, vec![text("session-0000000000000005")]);
    for days in [1, 7, 30] {
        // As a page would choose them: some dozens of pieces, of whole days where there are many.
        let hours = match days {
            1 => 1,
            7 => 6,
            _ => 24,
        };
        for (name, conditions) in [
            ("no filter", vec![]),
            ("one model", vec![model.clone()]),
            ("failed, not one key", vec![failed.clone(), others.clone()]),
            ("dear (from rows)", vec![dear.clone()]),
        ] {
            let scope = Scope {
                account,
                range: Range {
                    from: MIDNIGHT.minus(Duration::from_secs((days - 1) * 86_400)),
                    until: END,
                },
                filter: Filter { conditions },
            };
            logs(store, &scope, &format!("{days} d, {name}"), hours).await;
        }
    }
    let month = Scope {
        account,
        range: Range {
            from: END.minus(Duration::from_secs(DAYS * 86_400)),
            until: END,
        },
        filter: Filter::default(),
    };
    charts(store, &month).await;
    sessions(store, &month.clone(), session).await;
}

async fn logs(store: &Store, scope: &Scope, name: &str, hours: u32) {
    let activity = &store.activity;
    let mut page = LogQuery {
        scope: scope.clone(),
        turn: Turn::Newest,
        limit: 50,
    };
    timed!(format!("{name}: page"), activity.log_page(&page));
    if let Ok(rows) = activity.log_page(&page).await
        && let Some(last) = rows.last()
    {
        page.turn = Turn::Before(Cursor::of(last));
        timed!(format!("{name}: page 2"), activity.log_page(&page));
    }
    let course = Breakdown {
        scope: scope.clone(),
        step: Step::Hours(hours),
        dimensions: Vec::new(),
        detail: Detail::Outline,
        limit: 1_000,
    };
    timed!(format!("{name}: totals"), async {
        activity
            .totals(scope, Detail::Counts)
            .await
            .map(|sums| vec![sums])
    });
    timed!(format!("{name}: histogram"), activity.breakdown(&course));
    timed!(
        format!("{name}: facets"),
        activity.facets(scope, &FACETS, 20)
    );
    timed!(format!("{name}: all of it together"), async {
        tokio::try_join!(
            activity.log_page(&page),
            activity.totals(scope, Detail::Counts),
            activity.breakdown(&course),
            activity.facets(scope, &FACETS, 20),
        )
        .map(|(rows, ..)| rows)
    });
    timed!(format!("{name}: count to 10,001"), async {
        activity
            .log_count(scope, 10_001)
            .await
            .map(|count| vec![count])
    });
}

async fn charts(store: &Store, scope: &Scope) {
    let by = |step, dimensions: &[Dimension], detail| Breakdown {
        scope: scope.clone(),
        step,
        dimensions: dimensions.to_vec(),
        detail,
        limit: 100_000,
    };
    for (name, asked) in [
        (
            "30 d by day and model",
            by(
                Step::Calendar(Interval::Day),
                &[Dimension::Model],
                Detail::Counts,
            ),
        ),
        (
            "30 d by day, model and endpoint: /activity",
            by(
                Step::Calendar(Interval::Day),
                &[Dimension::Model, Dimension::Endpoint],
                Detail::Counts,
            ),
        ),
        (
            "30 d by day with times",
            by(Step::Calendar(Interval::Day), &[], Detail::Timed),
        ),
        (
            "30 d by hour with times",
            by(Step::Calendar(Interval::Hour), &[], Detail::Timed),
        ),
        (
            "30 d by prompt length (from rows)",
            by(Step::Whole, &[Dimension::ContextLength], Detail::Counts),
        ),
    ] {
        timed!(name, store.activity.breakdown(&asked));
    }
}

async fn sessions(store: &Store, scope: &Scope, one: Condition) {
    let asked = SessionQuery {
        account: scope.account,
        workspace: workspace(1),
        before: None,
        limit: 25,
    };
    timed!("25 sessions", store.activity.sessions(&asked));
    timed!(
        "one session",
        store.activity.session_log(
            scope.account,
            workspace(2),
            "session-0000000000000005",
            None,
            100
        )
    );
    let mut filtered = scope.clone();
    filtered.filter.conditions.push(one);
    timed!("totals of one session in 30 d", async {
        store
            .activity
            .totals(&filtered, Detail::Counts)
            .await
            .map(|sums| vec![sums])
    });
}
