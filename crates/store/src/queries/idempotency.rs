//! Changes that may be asked for twice.

use async_trait::async_trait;
use sqlx::{FromRow, types::Uuid};
use switchyard_domain::{clock::Timestamp, id::CredentialId};

use super::{Engine, TRIES_MAX};
use crate::{
    directory::DirectoryError,
    failure::Failure,
    idempotency::{IdempotencyClaim, IdempotencyStore, IdempotentRequest},
    portable::{At, without_nul},
};

/// Takes the row where there is none, where it expired, or where its claimer died over the same
/// asking.
const CLAIM: &str = "
    INSERT INTO idempotent_requests AS r (
        account_id, route, idempotency_key, request_digest, claimed_until, record_id, expires_at
    )
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (account_id, route, idempotency_key) DO UPDATE SET
        request_digest = excluded.request_digest, claimed_until = excluded.claimed_until,
        record_id = excluded.record_id, expires_at = excluded.expires_at,
        status = NULL, sealed = NULL
    WHERE r.expires_at <= $8
        OR (r.status IS NULL AND r.claimed_until <= $8
            AND r.request_digest = excluded.request_digest)";

const FOUND: &str = "
    SELECT request_digest, status, sealed, record_id FROM idempotent_requests
    WHERE account_id = $1 AND route = $2 AND idempotency_key = $3";

const FINISH: &str = "
    UPDATE idempotent_requests SET status = $5, sealed = $6
    WHERE account_id = $1 AND route = $2 AND idempotency_key = $3 AND record_id = $4";

const ABANDON: &str = "
    DELETE FROM idempotent_requests
    WHERE account_id = $1 AND route = $2 AND idempotency_key = $3 AND record_id = $4
        AND status IS NULL";

const FORGET: &str = "DELETE FROM idempotent_requests WHERE expires_at <= $1";

#[derive(FromRow)]
struct Row {
    request_digest: Vec<u8>,
    status: Option<i32>,
    sealed: Option<Vec<u8>>,
    record_id: Uuid,
}

impl Engine {
    async fn claim_request(&self, asked: &IdempotentRequest) -> Result<IdempotencyClaim, Failure> {
        let mut transaction = self.begin().await?;
        let claimed = sqlx::query(CLAIM)
            .bind(asked.account_id.as_uuid())
            .bind(&asked.route)
            .bind(without_nul(&asked.key))
            .bind(asked.digest.as_slice())
            .bind(At(asked.claimed_until))
            .bind(asked.record.as_uuid())
            .bind(At(asked.expires_at))
            .bind(At(asked.at))
            .execute(&mut *transaction)
            .await?
            .rows_affected();
        if claimed > 0 {
            transaction.commit().await?;
            return Ok(IdempotencyClaim::Claimed);
        }
        let row: Row = sqlx::query_as(FOUND)
            .bind(asked.account_id.as_uuid())
            .bind(&asked.route)
            .bind(without_nul(&asked.key))
            .fetch_one(&mut *transaction)
            .await?;
        if row.request_digest != asked.digest {
            return Ok(IdempotencyClaim::Mismatch);
        }
        Ok(match (row.status, row.sealed) {
            (Some(status), Some(sealed)) => IdempotencyClaim::Done {
                status: u16::try_from(status)
                    .map_err(|_| Failure::Inconsistent(format!("a status of {status}")))?,
                sealed,
                record: CredentialId::from_uuid(row.record_id),
            },
            _ => IdempotencyClaim::InFlight,
        })
    }

    async fn finish_request(
        &self,
        asked: &IdempotentRequest,
        status: u16,
        sealed: &[u8],
    ) -> Result<(), Failure> {
        sqlx::query(FINISH)
            .bind(asked.account_id.as_uuid())
            .bind(&asked.route)
            .bind(without_nul(&asked.key))
            .bind(asked.record.as_uuid())
            .bind(i32::from(status))
            .bind(sealed)
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    async fn abandon_request(&self, asked: &IdempotentRequest) -> Result<(), Failure> {
        sqlx::query(ABANDON)
            .bind(asked.account_id.as_uuid())
            .bind(&asked.route)
            .bind(without_nul(&asked.key))
            .bind(asked.record.as_uuid())
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    async fn forget_requests(&self, now: Timestamp) -> Result<u64, Failure> {
        let forgotten = sqlx::query(FORGET)
            .bind(At(now))
            .execute(&self.writer)
            .await?;
        Ok(forgotten.rows_affected())
    }
}

#[async_trait]
impl IdempotencyStore for Engine {
    async fn claim(&self, request: &IdempotentRequest) -> Result<IdempotencyClaim, DirectoryError> {
        retried!(self.claim_request(request))
    }

    async fn finish(
        &self,
        request: &IdempotentRequest,
        status: u16,
        sealed: &[u8],
    ) -> Result<(), DirectoryError> {
        retried!(self.finish_request(request, status, sealed))
    }

    async fn abandon(&self, request: &IdempotentRequest) -> Result<(), DirectoryError> {
        retried!(self.abandon_request(request))
    }

    async fn forget_expired(&self, now: Timestamp) -> Result<u64, DirectoryError> {
        retried!(self.forget_requests(now))
    }
}
