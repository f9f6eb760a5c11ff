//! The schema itself: what both engines must have alike, and what nothing may get around.

use std::collections::BTreeSet;

use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use switchyard_billing::{
    fund::{FundId, FundRef},
    settlement::{ConsumedHold, Settlement},
    store::{CreditGrant, LeaseAsk, LeaseOutcome},
    test_suite::{Fixture, scene::sample_settlement},
};
use switchyard_domain::{
    id::{GenerationId, LeaseId, LedgerTransactionId},
    money::UsdNanos,
};
use switchyard_store::{
    OpenOptions,
    audit::{AuditEvent, AuditOrigin},
};
use tokio::task::JoinSet;

use crate::engine::{Engine, NOW};

/// A connection past the store, to look and to tamper.
pub(crate) enum Backdoor {
    Postgres(PgConnection),
    Sqlite(SqliteConnection),
}

impl Backdoor {
    pub(crate) async fn open(engine: &Engine) -> Self {
        if engine.url.starts_with("sqlite:") {
            let connection = SqliteConnection::connect(&engine.url)
                .await
                .expect("opened");
            return Self::Sqlite(connection);
        }
        Self::Postgres(PgConnection::connect(&engine.url).await.expect("opened"))
    }

    /// Runs a statement; the answer is how many rows it changed, or what the database objects to.
    pub(crate) async fn run(&mut self, sql: &str) -> Result<u64, String> {
        let rows = match self {
            Self::Postgres(connection) => sqlx::raw_sql(AssertSqlSafe(sql))
                .execute(connection)
                .await
                .map(|done| done.rows_affected()),
            Self::Sqlite(connection) => sqlx::raw_sql(AssertSqlSafe(sql))
                .execute(connection)
                .await
                .map(|done| done.rows_affected()),
        };
        rows.map_err(|error| error.to_string())
    }

    /// The first column of every row.
    pub(crate) async fn texts(&mut self, sql: &str) -> Vec<String> {
        let texts = match self {
            Self::Postgres(connection) => {
                sqlx::query_scalar(AssertSqlSafe(sql))
                    .fetch_all(connection)
                    .await
            }
            Self::Sqlite(connection) => {
                sqlx::query_scalar(AssertSqlSafe(sql))
                    .fetch_all(connection)
                    .await
            }
        };
        texts.expect("the database answers")
    }

    fn pick(&self, postgres: &'static str, sqlite: &'static str) -> &'static str {
        match self {
            Self::Postgres(_) => postgres,
            Self::Sqlite(_) => sqlite,
        }
    }

    /// `table.column` of every table of ours, with ` null` where it may be. Without the one table
    /// that the other engine has as a view.
    async fn columns(&mut self) -> BTreeSet<String> {
        let sql = self.pick(
            "SELECT c.table_name || '.' || c.column_name
                || CASE c.is_nullable WHEN 'YES' THEN ' null' ELSE '' END
            FROM information_schema.columns AS c
            JOIN information_schema.tables AS t USING (table_schema, table_name)
            WHERE c.table_schema = 'public' AND c.table_name <> 'generation_ids'
                AND t.table_type = 'BASE TABLE'
                AND c.table_name NOT LIKE 'generations\\_%' AND c.table_name NOT LIKE '\\_sqlx%'",
            "SELECT t.name || '.' || c.name || CASE c.\"notnull\" WHEN 0 THEN ' null' ELSE '' END
            FROM sqlite_schema AS t, pragma_table_info(t.name) AS c
            WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
                AND t.name NOT LIKE '\\_sqlx%' ESCAPE '\\'",
        );
        self.texts(sql).await.into_iter().collect()
    }

    async fn foreign_keys(&mut self) -> BTreeSet<String> {
        let sql = self.pick(
            "SELECT conrelid::regclass || ' -> ' || confrelid::regclass
            FROM pg_constraint WHERE contype = 'f'",
            "SELECT DISTINCT t.name || ' -> ' || f.\"table\"
            FROM sqlite_schema AS t, pragma_foreign_key_list(t.name) AS f WHERE t.type = 'table'",
        );
        self.texts(sql).await.into_iter().collect()
    }
}

/// Something in every table that money is in: a grant, two leases, a charge on two funds.
pub(crate) async fn fill(engine: &Engine) -> Settlement {
    let tenant = engine.new_account().await;
    let node = engine.new_node().await;
    let grant = CreditGrant {
        transaction_id: LedgerTransactionId::from_uuid(engine.fresh_uuid()),
        idempotency_key: "welcome".to_owned(),
        account_id: tenant.account_id,
        amount: UsdNanos::new(10_000),
        reason: "welcome".to_owned(),
        at: NOW,
    };
    engine.ledger().grant(&grant).await.expect("granted");
    let limit = FundId::KeyLimit {
        key: tenant.api_key_id,
        window_start: None,
    };
    let funds = [
        FundRef {
            id: FundId::Credits(tenant.account_id),
            capacity: None,
        },
        FundRef {
            id: limit,
            capacity: Some(UsdNanos::new(5_000)),
        },
    ];
    let mut holds = Vec::new();
    for fund in funds {
        let ask = LeaseAsk {
            fund,
            lease: LeaseId::from_uuid(engine.fresh_uuid()),
            node,
            needed: UsdNanos::new(500),
            wanted: UsdNanos::new(500),
            expires_at: NOW,
            now: NOW,
        };
        let outcome = engine.ledger().take_lease(&ask).await.expect("answered");
        assert_eq!(outcome, LeaseOutcome::Granted(UsdNanos::new(500)));
        holds.push(ConsumedHold::new(fund.id, ask.lease));
    }
    let id = GenerationId::new(NOW.seconds(), 1);
    let settlement = sample_settlement(tenant, id, NOW, UsdNanos::new(225), holds);
    engine
        .ledger()
        .post(std::slice::from_ref(&settlement))
        .await
        .expect("posted");
    let event = AuditEvent {
        at: NOW,
        actor: "operator".to_owned(),
        action: "credit.grant".to_owned(),
        subject: tenant.account_id.to_string(),
        detail: serde_json::json!({}),
        origin: AuditOrigin::default(),
    };
    engine
        .directory()
        .append_audit(&event)
        .await
        .expect("appended");
    settlement
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_engines_have_the_same_columns() {
    let (postgres, sqlite) = (Engine::postgres().await, Engine::sqlite().await);
    let of_postgres = Backdoor::open(&postgres).await.columns().await;
    let of_sqlite = Backdoor::open(&sqlite).await.columns().await;
    assert!(
        of_postgres.len() > 100,
        "the question finds columns: {of_postgres:?}"
    );
    assert_eq!(of_postgres, of_sqlite);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn money_is_never_null() {
    for engine in [Engine::postgres().await, Engine::sqlite().await] {
        let columns = Backdoor::open(&engine).await.columns().await;
        for money in [
            "api_key_limits.limit_nanos",
            "fund_charges.amount",
            "funds.capacity",
            "funds.held",
            "funds.spent",
            "generations.charge",
            "generations.list_price",
            "key_spend.byok_list_price",
            "key_spend.charge",
            "leases.amount",
            "ledger_balances.balance",
            "ledger_transactions.postings",
        ] {
            assert!(columns.contains(money), "{money} on {}", engine.url);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_refer_to_rows_that_exist() {
    let expected: BTreeSet<_> = [
        "api_key_limits -> api_keys",
        "api_keys -> workspaces",
        "fund_charges -> funds",
        "invitations -> accounts",
        "invitations -> people",
        "leases -> funds",
        "memberships -> accounts",
        "memberships -> people",
        "oauth_codes -> oauth_apps",
        "oauth_codes -> workspaces",
        "own_credentials -> accounts",
        "own_credentials -> workspaces",
        "person_authenticators -> people",
        "person_links -> people",
        "person_passkeys -> people",
        "person_passwords -> people",
        "person_recovery_codes -> people",
        "person_sessions -> people",
        "policies -> accounts",
        "workspace_members -> people",
        "workspace_members -> workspaces",
        "workspaces -> accounts",
    ]
    .into_iter()
    .map(str::to_owned)
    .collect();
    for engine in [Engine::postgres().await, Engine::sqlite().await] {
        assert_eq!(
            Backdoor::open(&engine).await.foreign_keys().await,
            expected,
            "{}",
            engine.url
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn evidence_cannot_be_changed() {
    for engine in [Engine::postgres().await, Engine::sqlite().await] {
        fill(&engine).await;
        let mut backdoor = Backdoor::open(&engine).await;
        for (table, column) in [
            ("ledger_transactions", "kind"),
            ("fund_charges", "generation_id"),
            ("audit_log", "actor"),
        ] {
            let mut attempts = vec![
                format!("UPDATE {table} SET {column} = 'other'"),
                format!("DELETE FROM {table}"),
            ];
            if let Backdoor::Postgres(_) = backdoor {
                attempts.push(format!("TRUNCATE {table} CASCADE"));
            }
            for attempt in attempts {
                let refused = backdoor.run(&attempt).await.expect_err(&attempt);
                assert!(refused.contains("append-only"), "{attempt}: {refused}");
            }
        }
        assert_eq!(
            engine.ledger().verify().await.expect("read").faults,
            Vec::<String>::new()
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn impossible_amounts_are_refused() {
    for engine in [Engine::postgres().await, Engine::sqlite().await] {
        fill(&engine).await;
        let mut backdoor = Backdoor::open(&engine).await;
        for attempt in [
            "UPDATE funds SET held = -1",
            "UPDATE funds SET spent = NULL",
            "UPDATE leases SET amount = -1",
            "UPDATE leases SET fund_id = 'credits:nobody'",
            "INSERT INTO funds (fund_id, capacity, spent, held) VALUES ('x', 'much', 0, 0)",
        ] {
            backdoor.run(attempt).await.expect_err(attempt);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attempts_can_be_queried_one_by_one() {
    for engine in [Engine::postgres().await, Engine::sqlite().await] {
        let settlement = fill(&engine).await;
        let mut backdoor = Backdoor::open(&engine).await;
        let rows = backdoor
            .texts(
                "SELECT generation_id || ' ' || CAST(number AS TEXT) || ' ' || endpoint_id || ' '
                    || provider || ' ' || CAST(duration_ms AS TEXT) || ' '
                    || COALESCE(CAST(first_token_ms AS TEXT), 'none') || ' '
                    || CAST(status AS TEXT) || ' ' || COALESCE(failure, 'none')
                FROM attempts WHERE NOT CAST(is_byok AS BOOLEAN) ORDER BY number",
            )
            .await;
        let id = settlement.generation_id.as_str();
        let expected = [
            format!("{id} 1 acme/fast|bolt bolt 600 none 429 rate_limited"),
            format!("{id} 2 acme/fast|bolt bolt 600 180 200 none"),
        ];
        assert_eq!(rows, expected, "{}", engine.url);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postings_can_be_queried_one_by_one() {
    for engine in [Engine::postgres().await, Engine::sqlite().await] {
        let settlement = fill(&engine).await;
        let mut backdoor = Backdoor::open(&engine).await;
        let rows = backdoor
            .texts(
                "SELECT idempotency_key || ' ' || kind || ' ' || CAST(sequence AS TEXT) || ' '
                    || ledger_account || ' ' || CAST(amount AS TEXT)
                FROM postings ORDER BY effective_at, idempotency_key, sequence",
            )
            .await;
        let (account, id) = (settlement.account_id, &settlement.generation_id);
        let expected = [
            format!("gen:{id}:settle settlement 0 cust:{account}:credits -225"),
            format!("gen:{id}:settle settlement 1 rev:inference 225"),
            "welcome grant 0 promo:grants -10000".to_owned(),
            format!("welcome grant 1 cust:{account}:credits 10000"),
        ];
        assert_eq!(rows, expected, "{}", engine.url);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn migrating_again_changes_nothing_even_in_parallel() {
    for engine in [Engine::postgres().await, Engine::sqlite().await] {
        fill(&engine).await;
        let mut tasks = JoinSet::new();
        for _ in 0..4 {
            let store = engine.store.clone();
            tasks.spawn(async move { store.migrate().await.expect("nothing to do") });
        }
        tasks.join_all().await;
        assert_eq!(engine.ledger().verify().await.expect("read").generations, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_first_starts_make_one_schema() {
    let url = switchyard_testkit::PostgresServer::shared().fresh_database();
    let mut tasks = JoinSet::new();
    for _ in 0..4 {
        let url = url.clone();
        tasks.spawn(async move {
            let store = switchyard_store::open(&url, &OpenOptions::default())
                .await
                .expect("open");
            store.migrate().await.expect("migrated");
            store
                .directory
                .key_revision()
                .await
                .expect("the schema is there")
        });
    }
    assert_eq!(tasks.join_all().await, [0; 4]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_month_has_its_partition() {
    let engine = Engine::postgres().await;
    engine
        .directory()
        .ensure_partitions(NOW)
        .await
        .expect("made");
    fill(&engine).await;
    let mut backdoor = Backdoor::open(&engine).await;
    let where_it_is = backdoor
        .texts("SELECT tableoid::regclass::text FROM generations")
        .await;
    assert_eq!(where_it_is, ["generations_2026_11"]);
    let partitions = backdoor
        .texts("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'generations'::regclass ORDER BY 1")
        .await;
    let expected = [
        "generations_2026_11",
        "generations_2026_12",
        "generations_2027_01",
        "generations_default",
    ];
    assert_eq!(partitions, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn urls_that_cannot_hold_the_books_are_refused() {
    for url in [
        "mysql://localhost/x",
        "",
        "sqlite::memory:",
        "sqlite:x?mode=memory",
    ] {
        let refused = switchyard_store::open(url, &OpenOptions::default()).await;
        assert!(refused.is_err(), "{url}");
    }
}
