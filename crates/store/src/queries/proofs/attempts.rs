//! How often was tried what must not be tried often.

use switchyard_domain::clock::Timestamp;

use super::super::Engine;
use crate::{failure::Failure, portable::At, proof::Attempts};

const FIND: &str = "SELECT attempts, last_at, locked_until FROM proof_attempts WHERE subject = $1";

const INSERT: &str = "
    INSERT INTO proof_attempts (subject, attempts, last_at, locked_until) VALUES ($1, $2, $3, $4)
    ON CONFLICT (subject) DO NOTHING RETURNING 1";

const UPDATE: &str = "
    UPDATE proof_attempts SET attempts = $2, last_at = $3, locked_until = $4
    WHERE subject = $1 AND attempts = $5 AND last_at = $6 RETURNING 1";

const FORGET: &str = "DELETE FROM proof_attempts WHERE subject = $1";

const FORGET_QUIET: &str = "DELETE FROM proof_attempts WHERE last_at < $1";

const FORGET_EXPIRED: &str = "DELETE FROM unfinished_proofs WHERE expires_at <= $1";

impl Engine {
    pub(super) async fn select_attempts(
        &self,
        subject: &[u8; 32],
    ) -> Result<Option<Attempts>, Failure> {
        let row: Option<(i32, At, Option<At>)> = sqlx::query_as(FIND)
            .bind(&subject[..])
            .fetch_optional(&self.reader)
            .await?;
        Ok(row.map(|(count, last_at, locked_until)| Attempts {
            count: u32::try_from(count).unwrap_or(0),
            last_at: last_at.0,
            locked_until: locked_until.map(|at| at.0),
        }))
    }

    pub(super) async fn write_attempts(
        &self,
        subject: &[u8; 32],
        expected: Option<Attempts>,
        now: Attempts,
    ) -> Result<bool, Failure> {
        let statement = if expected.is_some() { UPDATE } else { INSERT };
        let query = sqlx::query_scalar(statement)
            .bind(&subject[..])
            .bind(signed(now.count))
            .bind(At(now.last_at))
            .bind(now.locked_until.map(At));
        let query = match expected {
            Some(expected) => query
                .bind(signed(expected.count))
                .bind(At(expected.last_at)),
            None => query,
        };
        let written: Option<i32> = query.fetch_optional(&self.writer).await?;
        Ok(written.is_some())
    }

    pub(super) async fn delete_attempts(&self, subject: &[u8; 32]) -> Result<(), Failure> {
        sqlx::query(FORGET)
            .bind(&subject[..])
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    pub(super) async fn delete_old_proofs(
        &self,
        now: Timestamp,
        quiet_since: Timestamp,
    ) -> Result<u64, Failure> {
        let quiet = sqlx::query(FORGET_QUIET)
            .bind(At(quiet_since))
            .execute(&self.writer)
            .await?
            .rows_affected();
        let expired = sqlx::query(FORGET_EXPIRED)
            .bind(At(now))
            .execute(&self.writer)
            .await?
            .rows_affected();
        Ok(quiet + expired)
    }
}

fn signed(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
