//! Nodes, and the upkeep that any of them may do.

use switchyard_domain::{clock::Timestamp, id::NodeId};

use super::Engine;
use crate::{failure::Failure, portable::At};

const REGISTER: &str = "
    INSERT INTO nodes (node_id, first_started_at, last_started_at) VALUES ($1, $2, $2)
    ON CONFLICT (node_id) DO UPDATE SET last_started_at = excluded.last_started_at";

const PING: &str = "SELECT 1";

impl Engine {
    pub(super) async fn upsert_node(&self, node: NodeId, at: Timestamp) -> Result<(), Failure> {
        sqlx::query(REGISTER)
            .bind(node.as_uuid())
            .bind(At(at))
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    pub(super) async fn make_partitions(&self, now: Timestamp) -> Result<(), Failure> {
        let mut transaction = self.begin().await?;
        super::super::ensure_partitions(&mut transaction, now).await?;
        Ok(transaction.commit().await?)
    }

    pub(super) async fn select_one(&self) -> Result<(), Failure> {
        let _: i32 = sqlx::query_scalar(PING).fetch_one(&self.reader).await?;
        Ok(())
    }
}
