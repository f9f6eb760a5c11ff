//! Walks through settled generations and their routing decisions, page by page.

use serde_json::value::RawValue;
use sqlx::{
    FromRow,
    types::{Json, Uuid},
};
use switchyard_domain::{
    clock::Timestamp,
    endpoint::EndpointId,
    id::{AccountId, ApiKeyId, CredentialId, WorkspaceId},
    money::UsdNanos,
};

use super::Engine;
use crate::{
    failure::Failure,
    generation::{DecidedGeneration, Walk},
    portable::At,
};

/// By id: ids begin with the second of admission, and the primary key has them in order on both
/// engines, whole or by partition. The bounds on `admitted_at` spare PostgreSQL the other months.
const EVERYBODYS: &str = "
    SELECT
        generation_id, admitted_at, account_id, workspace_id, api_key_id, endpoint_id,
        byok_credential_id, charge, decision
    FROM generations
    WHERE generation_id > $1 AND admitted_at >= $2 AND admitted_at < $3
    ORDER BY generation_id LIMIT $4";

/// By time, as the index over an account's generations has them.
const OF_ACCOUNT: &str = "
    SELECT
        generation_id, admitted_at, account_id, workspace_id, api_key_id, endpoint_id,
        byok_credential_id, charge, decision
    FROM generations
    WHERE account_id = $1 AND admitted_at >= $2 AND admitted_at < $3
        AND (admitted_at > $2 OR generation_id > $4)
    ORDER BY admitted_at, generation_id LIMIT $5";

#[derive(FromRow)]
struct DecidedRow {
    generation_id: String,
    admitted_at: At,
    account_id: Uuid,
    workspace_id: Uuid,
    api_key_id: Uuid,
    endpoint_id: Option<String>,
    byok_credential_id: Option<Uuid>,
    charge: i64,
    decision: Option<Json<Box<RawValue>>>,
}

impl DecidedRow {
    fn into_decided(self) -> Result<DecidedGeneration, Failure> {
        let generation_id = self.generation_id.parse().map_err(|_| {
            Failure::Inconsistent(format!("{} is no generation's id", self.generation_id))
        })?;
        Ok(DecidedGeneration {
            generation_id,
            account_id: AccountId::from_uuid(self.account_id),
            workspace_id: WorkspaceId::from_uuid(self.workspace_id),
            api_key_id: ApiKeyId::from_uuid(self.api_key_id),
            admitted_at: self.admitted_at.0,
            endpoint_id: self.endpoint_id.map(EndpointId::new),
            byok_credential_id: self.byok_credential_id.map(CredentialId::from_uuid),
            charge: UsdNanos::new(self.charge),
            decision: self.decision.map(|Json(decision)| decision),
        })
    }
}

impl Engine {
    pub(super) async fn select_decided_generations(
        &self,
        walk: &Walk,
    ) -> Result<Vec<DecidedGeneration>, Failure> {
        let (limit, until) = (i64::from(walk.limit), At(walk.until));
        let rows: Vec<DecidedRow> = match walk.account {
            None => {
                let from = match &walk.after {
                    Some((_, last)) => last.to_string(),
                    None => first_id_of(walk.since),
                };
                sqlx::query_as(EVERYBODYS)
                    .bind(from)
                    .bind(At(walk.since))
                    .bind(until)
                    .bind(limit)
                    .fetch_all(&self.reader)
                    .await?
            }
            Some(account) => {
                let (at, last) = match &walk.after {
                    Some((at, last)) => (*at, last.to_string()),
                    None => (walk.since, String::new()),
                };
                sqlx::query_as(OF_ACCOUNT)
                    .bind(account.as_uuid())
                    .bind(At(at))
                    .bind(until)
                    .bind(last)
                    .bind(limit)
                    .fetch_all(&self.reader)
                    .await?
            }
        };
        rows.into_iter().map(DecidedRow::into_decided).collect()
    }
}

/// Smaller than every id of that second.
fn first_id_of(at: Timestamp) -> String {
    format!("gen-{}", at.seconds())
}
