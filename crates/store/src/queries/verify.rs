//! The ledger check: every invariant, over one state of the database.

use std::collections::HashMap;

use sqlx::{Database, FromRow, types::Uuid};
use switchyard_billing::{fund::FundId, ledger::LedgerAccount, store::LedgerReport};
use switchyard_domain::{id::AccountId, money::UsdNanos};

use super::{super::Db, Engine};
use crate::failure::Failure;

/// Faults named of each kind; more of the same would only bury the others.
const FAULTS_MAX: i64 = 20;

const TOTALS: &str = "
    SELECT
        (SELECT COUNT(*) FROM ledger_transactions) AS transactions,
        (SELECT COUNT(*) FROM ledger_transactions WHERE kind = 'settlement') AS settlements,
        (SELECT COUNT(*) FROM generation_ids) AS generation_ids,
        (SELECT COUNT(*) FROM generations) AS generations,
        (SELECT COUNT(*) FROM generations WHERE charge <> 0) AS charged,
        (SELECT CAST(COALESCE(SUM(charge), 0) AS BIGINT) FROM generations) AS charges,
        (SELECT CAST(COALESCE(SUM(charge), 0) AS BIGINT) FROM key_spend) AS key_charges,
        (SELECT CAST(COALESCE(SUM(requests), 0) AS BIGINT) FROM key_spend) AS key_requests,
        (SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM postings) AS postings_sum,
        (SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM leases) AS held,
        (SELECT COUNT(*) FROM leases) AS leases";

/// Each check selects what is wrong, in words of up to three columns; no row is no fault.
const CHECKS: [(&str, &str); 9] = [
    (
        "transaction does not balance",
        "SELECT idempotency_key AS subject, CAST(SUM(amount) AS BIGINT) AS found,
            CAST(0 AS BIGINT) AS expected
        FROM postings
        GROUP BY transaction_id, idempotency_key
        HAVING SUM(amount) <> 0
        LIMIT $1",
    ),
    (
        "transaction has no postings",
        "SELECT t.idempotency_key AS subject, CAST(0 AS BIGINT) AS found,
            CAST(2 AS BIGINT) AS expected
        FROM ledger_transactions AS t
        WHERE NOT EXISTS (
            SELECT 1 FROM postings AS p WHERE p.transaction_id = t.transaction_id
        )
        LIMIT $1",
    ),
    (
        "balance is not the fold of its postings",
        "SELECT b.ledger_account AS subject, b.balance AS found,
            CAST(COALESCE(p.total, 0) AS BIGINT) AS expected
        FROM ledger_balances AS b
        LEFT JOIN (
            SELECT ledger_account, SUM(amount) AS total FROM postings GROUP BY ledger_account
        ) AS p ON p.ledger_account = b.ledger_account
        WHERE b.balance <> COALESCE(p.total, 0)
        LIMIT $1",
    ),
    (
        "postings have no balance",
        "SELECT p.ledger_account AS subject, CAST(0 AS BIGINT) AS found,
            CAST(SUM(p.amount) AS BIGINT) AS expected
        FROM postings AS p
        WHERE NOT EXISTS (
            SELECT 1 FROM ledger_balances AS b WHERE b.ledger_account = p.ledger_account
        )
        GROUP BY p.ledger_account
        LIMIT $1",
    ),
    (
        "fund does not hold what its leases hold",
        "SELECT f.fund_id AS subject, f.held AS found,
            CAST(COALESCE(SUM(l.amount), 0) AS BIGINT) AS expected
        FROM funds AS f
        LEFT JOIN leases AS l ON l.fund_id = f.fund_id
        GROUP BY f.fund_id, f.held
        HAVING f.held <> COALESCE(SUM(l.amount), 0)
        LIMIT $1",
    ),
    (
        "fund has not spent what it was charged",
        "SELECT f.fund_id AS subject, f.spent AS found,
            CAST(COALESCE(SUM(c.amount), 0) AS BIGINT) AS expected
        FROM funds AS f
        LEFT JOIN fund_charges AS c ON c.fund_id = f.fund_id
        WHERE f.fund_id NOT LIKE 'credits:%'
        GROUP BY f.fund_id, f.spent
        HAVING f.spent <> COALESCE(SUM(c.amount), 0)
        LIMIT $1",
    ),
    (
        "fund was charged other than its generation",
        "SELECT c.generation_id AS subject, c.amount AS found,
            COALESCE(g.charge, 0) AS expected
        FROM fund_charges AS c
        LEFT JOIN generations AS g ON g.generation_id = c.generation_id
        WHERE c.amount <> COALESCE(g.charge, 0) AND c.generation_id NOT LIKE 'opening:%'
            -- Limits may count what customers' own credentials would have cost.
            AND NOT (
                (g.byok_credential_id IS NOT NULL OR g.charge < g.list_price)
                AND c.amount = g.charge + g.list_price
            )
        LIMIT $1",
    ),
    (
        "generation is not booked at its charge",
        "SELECT g.generation_id AS subject,
            CAST(COALESCE(b.paid, 0) AS BIGINT) AS found, -g.charge AS expected
        FROM generations AS g
        LEFT JOIN (
            SELECT idempotency_key, SUM(amount) AS paid, COUNT(DISTINCT transaction_id) AS times
            FROM postings WHERE ledger_account LIKE 'cust:%'
            GROUP BY idempotency_key
        ) AS b ON b.idempotency_key = 'gen:' || g.generation_id || ':settle'
        WHERE COALESCE(b.paid, 0) <> -g.charge
            OR COALESCE(b.times, 0) <> CASE WHEN g.charge = 0 THEN 0 ELSE 1 END
        LIMIT $1",
    ),
    (
        "generation is not what was claimed",
        "SELECT i.generation_id AS subject, COUNT(g.generation_id) AS found,
            CAST(1 AS BIGINT) AS expected
        FROM generation_ids AS i
        LEFT JOIN generations AS g
            ON g.generation_id = i.generation_id AND g.admitted_at = i.admitted_at
        GROUP BY i.generation_id
        HAVING COUNT(g.generation_id) <> 1
        LIMIT $1",
    ),
];

const CREDITS: &str = "SELECT fund_id, capacity, spent FROM funds WHERE fund_id LIKE 'credits:%'";

const CUSTOMER_BALANCES: &str =
    "SELECT ledger_account, balance FROM ledger_balances WHERE ledger_account LIKE 'cust:%'";

const CHARGES_BY_ACCOUNT: &str = "
    SELECT account_id, CAST(SUM(charge) AS BIGINT) AS charged FROM generations
    GROUP BY account_id";

#[derive(FromRow)]
struct Totals {
    transactions: i64,
    settlements: i64,
    generation_ids: i64,
    generations: i64,
    charged: i64,
    charges: i64,
    key_charges: i64,
    key_requests: i64,
    postings_sum: i64,
    held: i64,
    leases: i64,
}

impl Engine {
    pub(super) async fn verify_ledger(&self) -> Result<LedgerReport, Failure> {
        let mut transaction = self.reader.begin_with(super::super::BEGIN_REPORT).await?;
        super::super::unhurried(&mut transaction).await?;
        let totals: Totals = sqlx::query_as(TOTALS).fetch_one(&mut *transaction).await?;
        let mut faults = totals.faults();
        for (what, check) in CHECKS {
            let rows: Vec<(String, i64, i64)> = sqlx::query_as(check)
                .bind(FAULTS_MAX)
                .fetch_all(&mut *transaction)
                .await?;
            let fault = |(subject, found, expected)| {
                format!("{subject}: {what}: {found}, expected {expected}")
            };
            faults.extend(rows.into_iter().map(fault));
        }
        faults.extend(credits_faults(&mut transaction).await?);
        transaction.rollback().await?;
        let unsigned = |count: i64| u64::try_from(count).unwrap_or_default();
        Ok(LedgerReport {
            transactions: unsigned(totals.transactions),
            generations: unsigned(totals.generations),
            postings_sum: i128::from(totals.postings_sum),
            held: UsdNanos::new(totals.held),
            leases: unsigned(totals.leases),
            faults,
        })
    }
}

impl Totals {
    fn faults(&self) -> Vec<String> {
        let pairs = [
            ("the sum of all postings", self.postings_sum, "nothing", 0),
            (
                "transactions that settle",
                self.settlements,
                "charged generations",
                self.charged,
            ),
            (
                "claimed generations",
                self.generation_ids,
                "generations",
                self.generations,
            ),
            (
                "charges rolled up by key",
                self.key_charges,
                "charges",
                self.charges,
            ),
            (
                "requests rolled up by key",
                self.key_requests,
                "generations",
                self.generations,
            ),
        ];
        let differing = pairs
            .into_iter()
            .filter(|(_, found, _, expected)| found != expected);
        differing
            .map(|(what, found, other, expected)| format!("{what}: {found}, {other}: {expected}"))
            .collect()
    }
}

/// An account's credits are told three times: as a fund, as a balance of the ledger, and by its
/// generations. In Rust, because the three name the account differently.
async fn credits_faults(
    connection: &mut <Db as Database>::Connection,
) -> Result<Vec<String>, Failure> {
    let funds: Vec<(String, i64, i64)> =
        sqlx::query_as(CREDITS).fetch_all(&mut *connection).await?;
    let balances: Vec<(String, i64)> = sqlx::query_as(CUSTOMER_BALANCES)
        .fetch_all(&mut *connection)
        .await?;
    let charges: Vec<(Uuid, i64)> = sqlx::query_as(CHARGES_BY_ACCOUNT)
        .fetch_all(connection)
        .await?;
    let mut balances: HashMap<_, _> = balances.into_iter().collect();
    let mut charges: HashMap<_, _> = charges
        .into_iter()
        .map(|(id, charged)| (AccountId::from_uuid(id), charged))
        .collect();
    let mut faults = Vec::new();
    for (fund_id, capacity, spent) in funds {
        let Ok(FundId::Credits(account)) = fund_id.parse() else {
            faults.push(format!("{fund_id}: names no account"));
            continue;
        };
        let name = LedgerAccount::CustomerCredits(account).to_string();
        let balance = balances.remove(&name).unwrap_or_default();
        if capacity.checked_sub(spent) != Some(balance) {
            faults.push(format!(
                "{fund_id}: has {capacity} less {spent}, the ledger has {balance}"
            ));
        }
        let charged = charges.remove(&account).unwrap_or_default();
        if spent != charged {
            faults.push(format!(
                "{fund_id}: spent {spent}, its generations cost {charged}"
            ));
        }
    }
    faults.extend(
        balances
            .into_keys()
            .map(|name| format!("{name}: has no fund")),
    );
    let unpaid = charges.into_iter().filter(|(_, charged)| *charged != 0);
    faults.extend(unpaid.map(|(account, charged)| format!("{account}: {charged} not from a fund")));
    Ok(faults)
}
