//! Sessions: generations that a caller gave one name. There is no row per session; the index over
//! sessions' generations has what is told of them.

use std::collections::{BTreeSet, HashMap};

use sqlx::FromRow;
use switchyard_domain::{
    id::{AccountId, WorkspaceId},
    money::UsdNanos,
};

use super::{
    super::{Engine, activity::Composed, rows::fetch_rows},
    COLUMNS, GENERATIONS, push_place,
};
use crate::{
    activity::{Cursor, LogRow, SessionQuery, SessionRow, foreign_id},
    failure::Failure,
    portable::At,
};

/// The last generation of each session, the newest first: the account's generations are walked from the
/// newest on, and one stands for its session when none of it came after.
const LAST_ONES: &str = "
    SELECT g.session_id, g.admitted_at, g.generation_id
    FROM generations AS g
    WHERE g.session_id IS NOT NULL
        AND NOT EXISTS (
            SELECT 1 FROM generations AS n
            WHERE n.workspace_id = g.workspace_id AND n.session_id = g.session_id
                AND (n.admitted_at, n.generation_id) > (g.admitted_at, g.generation_id)
        )
        AND g.account_id = ";

/// What a session used at one endpoint.
#[derive(FromRow)]
struct Part {
    session_id: String,
    model: Option<String>,
    endpoint_id: Option<String>,
    turns: i64,
    errors: i64,
    charge: i64,
    prompt_tokens: i64,
    cached_tokens: i64,
    completion_tokens: i64,
    first_at: At,
}

impl Engine {
    pub(super) async fn select_log_sessions(
        &self,
        asked: &SessionQuery,
    ) -> Result<Vec<SessionRow>, Failure> {
        let mut query = Composed::new(LAST_ONES);
        query
            .bind(asked.account.as_uuid())
            .push(" AND g.workspace_id = ")
            .bind(asked.workspace.as_uuid());
        if let Some(cursor) = &asked.before {
            push_place(&mut query, " < ", cursor);
        }
        query
            .push(" ORDER BY g.admitted_at DESC, g.generation_id DESC LIMIT ")
            .bind(i64::from(asked.limit));
        let (sql, arguments) = query.finish()?;
        let last_ones: Vec<(String, At, String)> = sqlx::query_as_with(sql, arguments)
            .persistent(false)
            .fetch_all(&self.reader)
            .await?;
        let mut parts = self.select_parts(asked.workspace, &last_ones).await?;
        let mut sessions = Vec::with_capacity(last_ones.len());
        for (session_id, admitted_at, last) in last_ones {
            let generation_id = last
                .parse()
                .map_err(|_| Failure::Inconsistent(format!("{last} is no generation's id")))?;
            let last = Cursor {
                admitted_at: admitted_at.0,
                generation_id,
            };
            let parts = parts.remove(&session_id).unwrap_or_default();
            sessions.push(session(session_id, last, &parts));
        }
        Ok(sessions)
    }

    async fn select_parts(
        &self,
        workspace: WorkspaceId,
        sessions: &[(String, At, String)],
    ) -> Result<HashMap<String, Vec<Part>>, Failure> {
        let rows: Vec<Part> = fetch_rows(
            &self.reader,
            "WITH asked (workspace_id, session_id) AS (",
            sessions,
            |row, (session_id, ..)| {
                row.push_bind(workspace.as_uuid())
                    .push_bind(session_id.clone());
            },
            ") SELECT
                g.session_id, s.model, s.endpoint_id, COUNT(*) AS turns,
                CAST(SUM(CASE WHEN s.status = 'error' THEN 1 ELSE 0 END) AS BIGINT) AS errors,
                CAST(SUM(g.charge) AS BIGINT) AS charge,
                CAST(SUM(g.prompt_tokens) AS BIGINT) AS prompt_tokens,
                CAST(SUM(g.cached_tokens) AS BIGINT) AS cached_tokens,
                CAST(SUM(g.completion_tokens) AS BIGINT) AS completion_tokens,
                MIN(g.admitted_at) AS first_at
            FROM asked CROSS JOIN generations AS g CROSS JOIN activity_series AS s
            WHERE g.workspace_id = asked.workspace_id AND g.session_id = asked.session_id
                AND s.account_id = g.account_id AND s.series_id = g.series_id
            GROUP BY g.session_id, s.model, s.endpoint_id",
        )
        .await?;
        let mut by_session = HashMap::<String, Vec<Part>>::new();
        for row in rows {
            by_session
                .entry(row.session_id.clone())
                .or_default()
                .push(row);
        }
        Ok(by_session)
    }

    pub(super) async fn select_session_log(
        &self,
        (account, workspace): (AccountId, WorkspaceId),
        session_id: &str,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Vec<LogRow>, Failure> {
        let mut query = Composed::new(COLUMNS);
        query
            .push(GENERATIONS)
            .push("g.workspace_id = ")
            .bind(workspace.as_uuid())
            .push(" AND g.session_id = ")
            .bind(foreign_id(session_id).into_owned())
            .push(" AND g.account_id = ")
            .bind(account.as_uuid());
        if let Some(cursor) = after {
            push_place(&mut query, " > ", cursor);
        }
        query
            .push(" ORDER BY g.admitted_at, g.generation_id LIMIT ")
            .bind(i64::from(limit));
        self.fetch_log(query).await
    }
}

fn session(session_id: String, last: Cursor, parts: &[Part]) -> SessionRow {
    let count = |of: fn(&Part) -> i64| -> u64 {
        let counts = parts
            .iter()
            .map(|part| u64::try_from(of(part)).unwrap_or(0));
        counts.sum()
    };
    let names = |of: fn(&Part) -> &Option<String>| -> Vec<String> {
        let names: BTreeSet<_> = parts.iter().filter_map(|part| of(part).clone()).collect();
        names.into_iter().collect()
    };
    let charges = parts.iter().map(|part| UsdNanos::new(part.charge));
    let first_at = parts.iter().map(|part| part.first_at.0).min();
    SessionRow {
        session_id,
        turns: count(|part| part.turns),
        errors: count(|part| part.errors),
        models: names(|part| &part.model),
        endpoints: names(|part| &part.endpoint_id),
        charge: charges.fold(UsdNanos::ZERO, UsdNanos::saturating_add),
        prompt_tokens: count(|part| part.prompt_tokens),
        cached_tokens: count(|part| part.cached_tokens),
        completion_tokens: count(|part| part.completion_tokens),
        first_at: first_at.unwrap_or(last.admitted_at),
        last,
    }
}
