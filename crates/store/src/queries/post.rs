//! Posting a batch of settlements: few statements over many rows, everything or nothing.
//!
//! A generation is claimed by inserting its id. The common case is that all of a batch is new, so
//! the claim is tried first and nothing is read; only when some ids were taken is the attempt rolled
//! back, what is known looked up, and the rest posted.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

use sqlx::types::Uuid;
use switchyard_billing::{
    ledger::{LedgerTransaction, content_digest, postings_for},
    settlement::Settlement,
    store::PostOutcome,
};
use switchyard_domain::id::{AccountId, GenerationId};

use super::{
    Engine,
    activity::{SeriesName, Told},
    generations, ledger, limits, receipts,
    rows::{Script, fetch_rows},
    spending,
};
use crate::{failure::Failure, portable::At};

/// Generations written out before others on the same thread get their turn: a request must not wait
/// for a whole batch.
const ROWS_AT_A_STRETCH: usize = 128;
/// Things remembered of a kind; then all are forgotten and learnt again.
const KNOWN_MAX: usize = 100_000;

const IS_POSTED: &str = "SELECT 1 FROM generation_ids WHERE generation_id = $1";

/// What this process has seen in the database and what is never taken away there, so that it need
/// not be asked for with every batch.
#[derive(Default)]
pub(super) struct Known {
    accounts: Seen<AccountId>,
    price_snapshots: Seen<Arc<str>>,
    pub(super) series: Seen<SeriesName>,
}

pub(super) struct Seen<T>(Mutex<HashSet<T>>);

impl<T> Default for Seen<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Hash + Eq> Seen<T> {
    pub(super) fn retain_unseen<V>(&self, candidates: &mut BTreeMap<T, V>)
    where
        T: Ord,
    {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        candidates.retain(|candidate, _| !seen.contains(candidate));
    }

    pub(super) fn extend(&self, items: impl IntoIterator<Item = T>) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() > KNOWN_MAX {
            seen.clear();
        }
        seen.extend(items);
    }
}

/// A settlement on its way into the database.
pub(super) struct Entry<'a> {
    pub(super) told: Told<'a>,
    pub(super) digest: [u8; 32],
}

impl Engine {
    pub(super) async fn generation_is_posted(&self, id: &GenerationId) -> Result<bool, Failure> {
        let row: Option<i32> = sqlx::query_scalar(IS_POSTED)
            .bind(id.as_str())
            .fetch_optional(&self.reader)
            .await?;
        Ok(row.is_some())
    }

    pub(super) async fn post_once(
        &self,
        batch: &[Settlement],
    ) -> Result<Vec<PostOutcome>, Failure> {
        self.require_accounts(batch).await?;
        let mut digests = Vec::with_capacity(batch.len());
        for some in batch.chunks(ROWS_AT_A_STRETCH) {
            digests.extend(some.iter().map(content_digest));
            tokio::task::yield_now().await;
        }
        // Sorted, so that two posters of the same generations wait for each other in one order; of
        // repeats the first stands.
        let mut entries = BTreeMap::<&GenerationId, Entry<'_>>::new();
        for (settlement, digest) in batch.iter().zip(&digests) {
            entries
                .entry(&settlement.generation_id)
                .or_insert_with(|| Entry {
                    told: Told::of(settlement),
                    digest: *digest,
                });
        }
        let mut before = HashMap::<String, Vec<u8>>::new();
        loop {
            let fresh: Vec<_> = entries
                .values()
                .filter(|entry| !before.contains_key(entry.told.settlement.generation_id.as_str()))
                .collect();
            if fresh.is_empty() || self.post_fresh(&fresh).await? {
                return Ok(outcomes(batch, &digests, &before));
            }
            let known = self.posted_digests(&entries).await?;
            // What was refused as taken is committed, so it is found now; or else it was no
            // generation, and asking again will not help.
            if known.len() == before.len() {
                let what = "the ledger has a transaction for a generation that is not posted";
                return Err(Failure::Inconsistent(what.to_owned()));
            }
            before = known;
        }
    }

    /// Posts settlements that are believed to be new; `false`, and nothing done, when some are not.
    async fn post_fresh(&self, entries: &[&Entry<'_>]) -> Result<bool, Failure> {
        let settlements: Vec<_> = entries.iter().map(|entry| entry.told.settlement).collect();
        let mut booked = Vec::<LedgerTransaction>::with_capacity(entries.len());
        let mut script = Script::default();
        if super::super::CLAIMS_APART {
            push_claims(&mut script, entries);
        }
        let snapshots = self.push_price_snapshots(&mut script, &settlements)?;
        for some in entries.chunks(ROWS_AT_A_STRETCH) {
            generations::push(&mut script, some)?;
            let transactions = some.iter().map(|entry| postings_for(entry.told.settlement));
            let before = booked.len();
            booked.extend(transactions.flatten());
            ledger::push_transactions(&mut script, &booked[before..])?;
            tokio::task::yield_now().await;
        }
        receipts::push(&mut script, &settlements);
        spending::push_spending(&mut script, &settlements)?;
        spending::push_roll_up(&mut script, &settlements);
        let series = self.push_activity(&mut script, entries.iter().map(|entry| &entry.told));
        ledger::push_balances(&mut script, &booked)?;
        let mut transaction = self.begin().await?;
        match script.run(&mut transaction).await {
            Err(failure) if failure.is_unique_violation() => {
                transaction.rollback().await?;
                return Ok(false);
            }
            outcome => outcome?,
        }
        limits::charge_present_windows(&mut transaction, &settlements).await?;
        transaction.commit().await?;
        self.known.price_snapshots.extend(snapshots);
        self.known.series.extend(series);
        Ok(true)
    }

    /// A charge must have somebody to pay it.
    async fn require_accounts(&self, batch: &[Settlement]) -> Result<(), Failure> {
        let mut accounts: BTreeMap<AccountId, ()> = batch
            .iter()
            .map(|settlement| (settlement.account_id, ()))
            .collect();
        self.known.accounts.retain_unseen(&mut accounts);
        let asked: Vec<_> = accounts.into_keys().collect();
        let rows: Vec<(Uuid,)> = fetch_rows(
            &self.reader,
            "WITH asked (account_id) AS (",
            &asked,
            |row, account| {
                row.push_bind(account.as_uuid());
            },
            ") SELECT a.account_id
            FROM asked JOIN accounts AS a ON a.account_id = asked.account_id",
        )
        .await?;
        let found: HashSet<_> = rows
            .into_iter()
            .map(|(id,)| AccountId::from_uuid(id))
            .collect();
        if let Some(nobody) = asked.iter().find(|account| !found.contains(*account)) {
            return Err(Failure::Missing(nobody.to_string()));
        }
        self.known.accounts.extend(found);
        Ok(())
    }

    async fn posted_digests(
        &self,
        entries: &BTreeMap<&GenerationId, Entry<'_>>,
    ) -> Result<HashMap<String, Vec<u8>>, Failure> {
        let ids: Vec<_> = entries.keys().map(|id| id.as_str()).collect();
        let rows: Vec<(String, Vec<u8>)> = fetch_rows(
            &self.reader,
            "WITH asked (generation_id) AS (",
            &ids,
            |row, id| {
                row.push_bind((*id).to_owned());
            },
            ") SELECT g.generation_id, g.content_digest
            FROM asked
            JOIN generation_ids AS i ON i.generation_id = asked.generation_id
            JOIN generations AS g
                ON g.generation_id = i.generation_id AND g.admitted_at = i.admitted_at",
        )
        .await?;
        Ok(rows.into_iter().collect())
    }

    /// Writes the price lists that this process has not seen stored; returns their ids.
    fn push_price_snapshots(
        &self,
        script: &mut Script,
        settlements: &[&Settlement],
    ) -> Result<Vec<Arc<str>>, Failure> {
        let mut snapshots = BTreeMap::new();
        for served in settlements
            .iter()
            .filter_map(|settlement| settlement.served.as_ref())
        {
            if !snapshots.contains_key(&served.price_snapshot_id) {
                snapshots.insert(served.price_snapshot_id.clone(), &served.prices);
            }
        }
        self.known.price_snapshots.retain_unseen(&mut snapshots);
        let mut rows = Vec::with_capacity(snapshots.len());
        for (id, prices) in snapshots {
            rows.push((id, generations::json(prices)?));
        }
        let ids = rows.iter().map(|(id, _)| Arc::clone(id)).collect();
        script.push_rows(
            "INSERT INTO price_snapshots (price_snapshot_id, prices)",
            rows,
            |row, (id, prices)| {
                row.push_bind(id).push_bind(prices);
            },
            " ON CONFLICT (price_snapshot_id) DO NOTHING",
        );
        Ok(ids)
    }
}

/// Inserts the ids, which fails where one is taken, and waits for a poster who has inserted one and
/// not yet committed.
fn push_claims(script: &mut Script, entries: &[&Entry<'_>]) {
    script.push_rows(
        "INSERT INTO generation_ids (generation_id, admitted_at)",
        entries,
        |row, entry| {
            row.push_bind(entry.told.settlement.generation_id.as_str().to_owned())
                .push_bind(At(entry.told.settlement.admitted_at));
        },
        "",
    );
}

/// What became of each settlement, given what had been posted before the batch was.
fn outcomes(
    batch: &[Settlement],
    digests: &[[u8; 32]],
    before: &HashMap<String, Vec<u8>>,
) -> Vec<PostOutcome> {
    let mut first = HashMap::<&str, &[u8; 32]>::new();
    let mut outcomes = Vec::with_capacity(batch.len());
    for (settlement, digest) in batch.iter().zip(digests) {
        let id = settlement.generation_id.as_str();
        let known = before.get(id).map(Vec::as_slice);
        outcomes.push(
            match known.or_else(|| first.get(id).map(|digest| digest.as_slice())) {
                None => PostOutcome::Posted,
                Some(known) if known == digest => PostOutcome::AlreadyPosted,
                Some(_) => PostOutcome::Conflict,
            },
        );
        first.entry(id).or_insert(digest);
    }
    outcomes
}
