//! The double-entry ledger: transactions, their postings, and the balances that are their fold.

use std::collections::BTreeMap;

use switchyard_billing::{
    fund::FundId,
    ledger::{LedgerAccount, LedgerTransaction, Posting, postings_for_grant},
    store::CreditGrant,
};
use switchyard_domain::{id::LedgerTransactionId, money::UsdNanos};

use super::{Engine, generations::json, rows::Script};
use crate::{
    failure::Failure,
    portable::{At, JsonText, without_nul},
};

const ACCOUNT_EXISTS: &str = "SELECT 1 FROM accounts WHERE account_id = $1";

const CLAIM_GRANT: &str = "
    INSERT INTO ledger_transactions
        (transaction_id, idempotency_key, kind, effective_at, reason, postings)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (idempotency_key) WHERE kind <> 'settlement' DO NOTHING";

const ADD_CAPACITY: &str = "
    INSERT INTO funds (fund_id, capacity, spent, held) VALUES ($1, $2, 0, 0)
    ON CONFLICT (fund_id) DO UPDATE SET capacity = funds.capacity + excluded.capacity";

const SELECT_POSTINGS: &str = "
    SELECT ledger_account, amount FROM postings WHERE transaction_id = $1 ORDER BY sequence";

impl Engine {
    pub(super) async fn select_postings(
        &self,
        transaction: LedgerTransactionId,
    ) -> Result<Vec<Posting>, Failure> {
        let rows: Vec<(String, i64)> = sqlx::query_as(SELECT_POSTINGS)
            .bind(transaction.as_uuid())
            .fetch_all(&self.reader)
            .await?;
        let posting = |(account, amount): (String, i64)| {
            let account = account.parse();
            let account = account.map_err(|error| Failure::Inconsistent(format!("{error}")))?;
            let amount = UsdNanos::new(amount);
            Ok(Posting { account, amount })
        };
        rows.into_iter().map(posting).collect()
    }

    pub(super) async fn grant_once(&self, grant: &CreditGrant) -> Result<bool, Failure> {
        let booked = postings_for_grant(grant).filter(|_| grant.amount.is_positive());
        let Some(booked) = booked else {
            return Err(Failure::Inconsistent(format!(
                "a grant of {}",
                grant.amount
            )));
        };
        let mut transaction = self.begin().await?;
        let account: Option<i32> = sqlx::query_scalar(ACCOUNT_EXISTS)
            .bind(grant.account_id.as_uuid())
            .fetch_optional(&mut *transaction)
            .await?;
        if account.is_none() {
            return Err(Failure::Missing(grant.account_id.to_string()));
        }
        let claimed = sqlx::query(CLAIM_GRANT)
            .bind(booked.id().as_uuid())
            .bind(booked.idempotency_key())
            .bind(booked.kind().as_str())
            .bind(At(booked.effective_at()))
            .bind(without_nul(&grant.reason))
            .bind(postings(&booked)?)
            .execute(&mut *transaction)
            .await?
            .rows_affected();
        if claimed == 0 {
            return Ok(false);
        }
        sqlx::query(ADD_CAPACITY)
            .bind(FundId::Credits(grant.account_id).to_string())
            .bind(grant.amount.get())
            .execute(&mut *transaction)
            .await?;
        let booked = [booked];
        let mut script = Script::default();
        push_balances(&mut script, &booked)?;
        script.run(&mut transaction).await?;
        transaction.commit().await?;
        Ok(true)
    }
}

/// Writes settlements' transactions, whose names nobody can have taken, because their generations
/// are claimed.
pub(super) fn push_transactions(
    script: &mut Script,
    transactions: &[LedgerTransaction],
) -> Result<(), Failure> {
    let mut rows = Vec::with_capacity(transactions.len());
    for transaction in transactions {
        rows.push((transaction, postings(transaction)?));
    }
    script.push_rows(
        "INSERT INTO ledger_transactions
            (transaction_id, idempotency_key, kind, effective_at, postings)",
        rows,
        |row, (transaction, postings)| {
            row.push_bind(transaction.id().as_uuid())
                .push_bind(transaction.idempotency_key().to_owned())
                .push_bind(transaction.kind().as_str())
                .push_bind(At(transaction.effective_at()))
                .push_bind(postings);
        },
        "",
    );
    Ok(())
}

/// A transaction's postings as its row holds them; the view `postings` takes them apart.
fn postings(transaction: &LedgerTransaction) -> Result<JsonText, Failure> {
    let pair = |posting: &Posting| (posting.account, posting.amount.get());
    json(&transaction.postings().iter().map(pair).collect::<Vec<_>>())
}

/// Last in its transaction: the accounts of our revenue are every node's, and are locked until the
/// commit.
pub(super) fn push_balances(
    script: &mut Script,
    transactions: &[LedgerTransaction],
) -> Result<(), Failure> {
    let mut sums = BTreeMap::<LedgerAccount, i64>::new();
    for posting in transactions.iter().flat_map(LedgerTransaction::postings) {
        let sum = sums.entry(posting.account).or_default();
        *sum = sum
            .checked_add(posting.amount.get())
            .ok_or_else(|| Failure::Inconsistent("postings leave the range of money".to_owned()))?;
    }
    script.push_rows(
        "INSERT INTO ledger_balances (ledger_account, balance)",
        sums,
        |row, (ledger_account, sum)| {
            row.push_bind(ledger_account.to_string()).push_bind(sum);
        },
        " ON CONFLICT (ledger_account) DO UPDATE SET
            balance = ledger_balances.balance + excluded.balance",
    );
    Ok(())
}
