//! Receipts: written with their generations, then moved into their workspace's chain. The end of a
//! chain is a row of its own, moved only from where it was read: of two who append, one waits for
//! the other and finds that it came too late.

use sqlx::{FromRow, types::Uuid};
use switchyard_billing::settlement::Settlement;
use switchyard_domain::id::{GenerationId, WorkspaceId};

use super::{Engine, rows::Script, spending::count};
use crate::{
    failure::Failure,
    portable::At,
    receipts::{ChainHead, Pending, SignedReceipt, SigningKeyRow, StoredReceipt, UnsignedReceipt},
};

/// A receipt must never be what keeps a charge from being posted.
const INSERT_TAIL: &str = " ON CONFLICT (generation_id) DO NOTHING";

const UNSIGNED_WORKSPACES: &str =
    "SELECT DISTINCT workspace_id FROM receipts WHERE sequence IS NULL LIMIT $1";

const CHAIN_HEAD: &str = "SELECT sequence, hash FROM receipt_chains WHERE workspace_id = $1";

const UNSIGNED: &str = "
    SELECT generation_id, document FROM receipts
    WHERE workspace_id = $1 AND sequence IS NULL
    ORDER BY settled_at, generation_id LIMIT $2";

const BEGIN_CHAIN: &str = "
    INSERT INTO receipt_chains (workspace_id, sequence, hash) VALUES ($1, $2, $3)
    ON CONFLICT (workspace_id) DO NOTHING";

const MOVE_CHAIN: &str = "
    UPDATE receipt_chains SET sequence = $2, hash = $3
    WHERE workspace_id = $1 AND sequence = $4 AND hash = $5";

const SIGN: &str = "
    UPDATE receipts SET sequence = $3, document = $4
    WHERE generation_id = $2 AND workspace_id = $1 AND sequence IS NULL";

const RECEIPT: &str = "
    SELECT sequence, document FROM receipts WHERE generation_id = $2 AND workspace_id = $1";

const SIGNING_KEYS: &str = "
    SELECT key_id, public_key, sealed, created_at, retired_at
    FROM signing_keys ORDER BY created_at, key_id";

const ACTIVE_SIGNING_KEY: &str = "
    SELECT key_id, public_key, sealed, created_at, retired_at
    FROM signing_keys WHERE retired_at IS NULL";

/// Stopped by the name and by the index that lets one key be active alike.
const INSERT_SIGNING_KEY: &str = "
    INSERT INTO signing_keys (key_id, public_key, sealed, created_at, retired_at)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT DO NOTHING";

/// Writes the receipts of settlements that have one.
pub(super) fn push(script: &mut Script, settlements: &[&Settlement]) {
    let asked: Vec<_> = settlements
        .iter()
        .filter_map(|settlement| Some((*settlement, settlement.receipt.as_deref()?)))
        .collect();
    script.push_rows(
        "INSERT INTO receipts (generation_id, workspace_id, settled_at, document)",
        asked,
        |row, (settlement, receipt)| {
            row.push_bind(settlement.generation_id.as_str().to_owned())
                .push_bind(settlement.workspace_id.as_uuid())
                .push_bind(At(settlement.finished_at))
                .push_bind(receipt.get().to_owned());
        },
        INSERT_TAIL,
    );
}

#[derive(FromRow)]
struct KeyRow {
    key_id: String,
    public_key: Vec<u8>,
    sealed: Vec<u8>,
    created_at: At,
    retired_at: Option<At>,
}

impl KeyRow {
    fn into_key(self) -> Result<SigningKeyRow, Failure> {
        let public_key = digest(self.public_key, "public key", &self.key_id)?;
        Ok(SigningKeyRow {
            key_id: self.key_id,
            public_key,
            sealed: self.sealed,
            created_at: self.created_at.0,
            retired_at: self.retired_at.map(|at| at.0),
        })
    }
}

fn digest(bytes: Vec<u8>, what: &str, whose: &str) -> Result<[u8; 32], Failure> {
    bytes
        .try_into()
        .map_err(|_| Failure::Inconsistent(format!("{whose} has a {what} that is no 32 bytes")))
}

impl Engine {
    pub(super) async fn select_unsigned_workspaces(
        &self,
        limit: u32,
    ) -> Result<Vec<WorkspaceId>, Failure> {
        let ids: Vec<Uuid> = sqlx::query_scalar(UNSIGNED_WORKSPACES)
            .bind(i64::from(limit))
            .fetch_all(&self.reader)
            .await?;
        Ok(ids.into_iter().map(WorkspaceId::from_uuid).collect())
    }

    pub(super) async fn select_unsigned_receipts(
        &self,
        workspace: WorkspaceId,
        limit: u32,
    ) -> Result<Pending, Failure> {
        // Read one after the other: when somebody appends in between, `head` is out of date and
        // nothing can be appended behind it.
        let head: Option<(i64, Vec<u8>)> = sqlx::query_as(CHAIN_HEAD)
            .bind(workspace.as_uuid())
            .fetch_optional(&self.reader)
            .await?;
        let rows: Vec<(String, String)> = sqlx::query_as(UNSIGNED)
            .bind(workspace.as_uuid())
            .bind(i64::from(limit))
            .fetch_all(&self.reader)
            .await?;
        let broken = |what: &str| Failure::Inconsistent(format!("{workspace} has {what}"));
        let head = match head {
            None => None,
            Some((sequence, hash)) => Some(ChainHead {
                sequence: u64::try_from(sequence).map_err(|_| broken("a negative chain"))?,
                hash: digest(hash, "chain hash", &workspace.to_string())?,
            }),
        };
        let mut receipts = Vec::with_capacity(rows.len());
        for (id, document) in rows {
            receipts.push(UnsignedReceipt {
                generation_id: id
                    .parse()
                    .map_err(|_| broken("a receipt of no generation"))?,
                document,
            });
        }
        Ok(Pending { head, receipts })
    }

    pub(super) async fn extend_chain(
        &self,
        workspace: WorkspaceId,
        head: Option<ChainHead>,
        receipts: &[SignedReceipt],
    ) -> Result<bool, Failure> {
        let Some(last) = receipts.last() else {
            return Ok(true);
        };
        let first = head.map_or(1, |head| head.sequence + 1);
        let end = ChainHead {
            sequence: first + receipts.len() as u64 - 1,
            hash: last.hash,
        };
        let mut transaction = self.begin().await?;
        let statement = match head {
            None => sqlx::query(BEGIN_CHAIN),
            Some(_) => sqlx::query(MOVE_CHAIN),
        };
        let mut statement = statement
            .bind(workspace.as_uuid())
            .bind(count(end.sequence))
            .bind(end.hash.to_vec());
        if let Some(head) = head {
            statement = statement
                .bind(count(head.sequence))
                .bind(head.hash.to_vec());
        }
        let moved = statement.execute(&mut *transaction).await?.rows_affected();
        if moved != 1 {
            transaction.rollback().await?;
            return Ok(false);
        }
        for (sequence, receipt) in (first..).zip(receipts) {
            let signed = sqlx::query(SIGN)
                .bind(workspace.as_uuid())
                .bind(receipt.generation_id.as_str())
                .bind(count(sequence))
                .bind(receipt.document.as_str())
                .execute(&mut *transaction)
                .await?
                .rows_affected();
            if signed != 1 {
                transaction.rollback().await?;
                return Ok(false);
            }
        }
        transaction.commit().await?;
        Ok(true)
    }

    pub(super) async fn select_receipt(
        &self,
        workspace: WorkspaceId,
        id: &GenerationId,
    ) -> Result<Option<StoredReceipt>, Failure> {
        let row: Option<(Option<i64>, String)> = sqlx::query_as(RECEIPT)
            .bind(workspace.as_uuid())
            .bind(id.as_str())
            .fetch_optional(&self.reader)
            .await?;
        Ok(row.map(|(sequence, document)| match sequence {
            None => StoredReceipt::Unsigned,
            Some(_) => StoredReceipt::Signed(document),
        }))
    }

    pub(super) async fn select_signing_keys(&self) -> Result<Vec<SigningKeyRow>, Failure> {
        let rows: Vec<KeyRow> = sqlx::query_as(SIGNING_KEYS).fetch_all(&self.reader).await?;
        rows.into_iter().map(KeyRow::into_key).collect()
    }

    pub(super) async fn insert_signing_key(
        &self,
        key: &SigningKeyRow,
    ) -> Result<SigningKeyRow, Failure> {
        let mut transaction = self.begin().await?;
        sqlx::query(INSERT_SIGNING_KEY)
            .bind(&key.key_id)
            .bind(key.public_key.to_vec())
            .bind(key.sealed.as_slice())
            .bind(At(key.created_at))
            .bind(key.retired_at.map(At))
            .execute(&mut *transaction)
            .await?;
        let there: KeyRow = sqlx::query_as(ACTIVE_SIGNING_KEY)
            .fetch_one(&mut *transaction)
            .await?;
        transaction.commit().await?;
        there.into_key()
    }
}
