//! What browsers are in the middle of.

use serde_json::Value;
use sqlx::types::{Json, Uuid};
use switchyard_domain::{clock::Timestamp, id::PersonId};

use super::super::Engine;
use crate::{
    failure::Failure,
    portable::{At, JsonText},
    proof::{NewUnfinished, Unfinished},
};

const INSERT: &str = "
    INSERT INTO unfinished_proofs (token_hash, purpose, person_id, state, created_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6)";

const FIND: &str = "
    SELECT person_id, state FROM unfinished_proofs
    WHERE token_hash = $1 AND purpose = $2 AND expires_at > $3";

const TAKE: &str = "
    DELETE FROM unfinished_proofs WHERE token_hash = $1 AND purpose = $2 AND expires_at > $3
    RETURNING person_id, state";

type Row = (Option<Uuid>, Json<Value>);

impl Engine {
    pub(super) async fn insert_unfinished_proof(
        &self,
        unfinished: &NewUnfinished,
    ) -> Result<(), Failure> {
        let state = JsonText::of(&unfinished.state)
            .map_err(|error| Failure::Inconsistent(error.to_string()))?;
        sqlx::query(INSERT)
            .bind(&unfinished.token_hash[..])
            .bind(unfinished.purpose)
            .bind(unfinished.person_id.map(PersonId::as_uuid))
            .bind(state)
            .bind(At(unfinished.at))
            .bind(At(unfinished.expires_at))
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    pub(super) async fn select_unfinished(
        &self,
        token_hash: &[u8; 32],
        purpose: &str,
        now: Timestamp,
    ) -> Result<Option<Unfinished>, Failure> {
        let row: Option<Row> = sqlx::query_as(FIND)
            .bind(&token_hash[..])
            .bind(purpose)
            .bind(At(now))
            .fetch_optional(&self.reader)
            .await?;
        Ok(row.map(found))
    }

    pub(super) async fn delete_unfinished(
        &self,
        token_hash: &[u8; 32],
        purpose: &str,
        now: Timestamp,
    ) -> Result<Option<Unfinished>, Failure> {
        let row: Option<Row> = sqlx::query_as(TAKE)
            .bind(&token_hash[..])
            .bind(purpose)
            .bind(At(now))
            .fetch_optional(&self.writer)
            .await?;
        Ok(row.map(found))
    }
}

fn found((person_id, state): Row) -> Unfinished {
    Unfinished {
        person_id: person_id.map(PersonId::from_uuid),
        state: state.0,
    }
}
