//! The log: an account's generations in the order of their admission, through the index that has them
//! so, page by page from a place in it.

mod sessions;

use serde::Deserialize;
use serde_json::value::RawValue;
use sqlx::{
    FromRow,
    types::{Json, Uuid},
};
use switchyard_domain::{
    clock::Timestamp,
    endpoint::EndpointId,
    id::{AccountId, ApiKeyId, CredentialId, WorkspaceId},
    provider::ProviderSlug,
};

use async_trait::async_trait;

use super::{
    Engine, TRIES_MAX,
    activity::{Composed, Source, asks_series, model_of},
    generations::{Facts, read},
};
use crate::{
    activity::{
        ActivityStore, AppName, Breakdown, Cursor, Detail, Dimension, Facet, LogQuery, LogRow,
        LogStatus, Names, Range, Scope, SessionQuery, SessionRow, Slice, Sums, Turn,
    },
    directory::DirectoryError,
    failure::Failure,
    portable::At,
};

const COLUMNS: &str = "
    SELECT
        g.generation_id, g.admitted_at, g.finished_at, g.workspace_id, g.api_key_id, g.model,
        g.endpoint_id, g.provider, g.byok_credential_id, g.facts, g.attempts";
/// What is said of generations alone.
const GENERATIONS: &str = " FROM generations AS g WHERE ";

#[async_trait]
impl ActivityStore for Engine {
    async fn log_page(&self, asked: &LogQuery) -> Result<Vec<LogRow>, DirectoryError> {
        retried!(self.select_log_page(asked))
    }

    async fn log_count(&self, scope: &Scope, cap: u32) -> Result<u64, DirectoryError> {
        retried!(self.select_log_count(scope, cap))
    }

    async fn log_finished_since(
        &self,
        scope: &Scope,
        finished_at: Timestamp,
        limit: u32,
    ) -> Result<Vec<LogRow>, DirectoryError> {
        retried!(self.select_finished_since(scope, finished_at, limit))
    }

    async fn totals(&self, scope: &Scope, detail: Detail) -> Result<Sums, DirectoryError> {
        retried!(self.select_totals(scope, detail))
    }

    async fn breakdown(&self, asked: &Breakdown) -> Result<Vec<Slice>, DirectoryError> {
        retried!(self.select_breakdown(asked))
    }

    async fn facets(
        &self,
        scope: &Scope,
        dimensions: &[Dimension],
        values_max: u32,
    ) -> Result<Vec<Facet>, DirectoryError> {
        retried!(self.select_facets(scope, dimensions, values_max))
    }

    async fn sessions(&self, asked: &SessionQuery) -> Result<Vec<SessionRow>, DirectoryError> {
        retried!(self.select_log_sessions(asked))
    }

    async fn session_log(
        &self,
        account: AccountId,
        workspace: WorkspaceId,
        session_id: &str,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Vec<LogRow>, DirectoryError> {
        retried!(self.select_session_log((account, workspace), session_id, after, limit))
    }

    async fn names(&self, account: AccountId, keys: &[ApiKeyId]) -> Result<Names, DirectoryError> {
        retried!(self.select_names(account, keys))
    }

    async fn roll_up_missing(&self, limit: u32) -> Result<u64, DirectoryError> {
        retried!(self.roll_up_missing_once(limit))
    }

    async fn roll_up_faults(
        &self,
        account: AccountId,
        range: Range,
    ) -> Result<Vec<Timestamp>, DirectoryError> {
        retried!(self.select_roll_up_faults(account, range))
    }
}

impl Engine {
    async fn select_log_page(&self, asked: &LogQuery) -> Result<Vec<LogRow>, Failure> {
        let mut query = Composed::new(COLUMNS);
        push_scope(&mut query, &asked.scope)?;
        let is_backward = match &asked.turn {
            Turn::Newest => true,
            Turn::Oldest => false,
            Turn::Before(cursor) => {
                push_place(&mut query, " < ", cursor);
                true
            }
            Turn::After(cursor) => {
                push_place(&mut query, " > ", cursor);
                false
            }
        };
        query
            .push(if is_backward {
                " ORDER BY g.admitted_at DESC, g.generation_id DESC LIMIT "
            } else {
                " ORDER BY g.admitted_at, g.generation_id LIMIT "
            })
            .bind(i64::from(asked.limit));
        self.fetch_log(query).await
    }

    async fn select_log_count(&self, scope: &Scope, cap: u32) -> Result<u64, Failure> {
        if asks_series(&scope.filter) && scope.filter.is_rolled_up() {
            // Those that fit may be few among many, and roll-ups know.
            let sums = self.select_totals(scope, Detail::Outline).await?;
            return Ok(sums.requests.min(u64::from(cap)));
        }
        let mut query = Composed::new("SELECT COUNT(*) FROM (SELECT 1");
        push_scope(&mut query, scope)?;
        query
            .push(" LIMIT ")
            .bind(i64::from(cap))
            .push(") AS counted");
        let (sql, arguments) = query.finish()?;
        let count: i64 = sqlx::query_scalar_with(sql, arguments)
            .persistent(false)
            .fetch_one(&self.reader)
            .await?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    async fn select_finished_since(
        &self,
        scope: &Scope,
        finished_at: Timestamp,
        limit: u32,
    ) -> Result<Vec<LogRow>, Failure> {
        let mut query = Composed::new(COLUMNS);
        push_scope(&mut query, scope)?;
        query
            .push(" AND g.finished_at >= ")
            .bind(At(finished_at))
            .push(" ORDER BY g.finished_at, g.generation_id LIMIT ")
            .bind(i64::from(limit));
        self.fetch_log(query).await
    }

    async fn fetch_log(&self, query: Composed) -> Result<Vec<LogRow>, Failure> {
        let (sql, arguments) = query.finish()?;
        let rows: Vec<Row> = sqlx::query_as_with(sql, arguments)
            .persistent(false)
            .fetch_all(&self.reader)
            .await?;
        rows.into_iter().map(Row::into_log_row).collect()
    }
}

fn push_scope(query: &mut Composed, scope: &Scope) -> Result<(), Failure> {
    let tables = if asks_series(&scope.filter) {
        Source::Rows.tables()
    } else {
        GENERATIONS
    };
    query
        .push(tables)
        .push("g.account_id = ")
        .bind(scope.account.as_uuid())
        .push(" AND g.admitted_at >= ")
        .bind(At(scope.range.from))
        .push(" AND g.admitted_at < ")
        .bind(At(scope.range.until))
        .filter(Source::Rows, &scope.filter)?;
    Ok(())
}

/// On one side of a place. Both columns compared at once, which engines find in an index.
fn push_place(query: &mut Composed, side: &'static str, cursor: &Cursor) {
    query
        .push(" AND (g.admitted_at, g.generation_id)")
        .push(side)
        .push("(")
        .bind(At(cursor.admitted_at))
        .push(", ")
        .bind(cursor.generation_id.as_str().to_owned())
        .push(")");
}

#[derive(FromRow)]
struct Row {
    generation_id: String,
    admitted_at: At,
    finished_at: At,
    workspace_id: Uuid,
    api_key_id: Uuid,
    model: Option<String>,
    endpoint_id: Option<String>,
    provider: Option<String>,
    byok_credential_id: Option<Uuid>,
    facts: Json<Box<RawValue>>,
    attempts: Json<Box<RawValue>>,
}

/// What the log tells of an attempt.
#[derive(Deserialize)]
struct Attempt {
    endpoint_id: EndpointId,
    provider: ProviderSlug,
    #[serde(default)]
    is_byok: bool,
    #[serde(default)]
    failure: Option<String>,
}

impl Row {
    fn into_log_row(self) -> Result<LogRow, Failure> {
        let broken = |what: &str| {
            Failure::Inconsistent(format!("{} has an unreadable {what}", self.generation_id))
        };
        let facts: Facts<'_> = read(&self.facts).ok_or_else(|| broken("record of its facts"))?;
        let mut attempts: Vec<Attempt> = read(&self.attempts).ok_or_else(|| broken("attempts"))?;
        let (tries, last) = (attempts.len(), attempts.pop());
        let (request, served) = (facts.request.into_owned(), facts.served);
        let told = served.as_ref();
        let is_byok = told.is_some()
            && (self.byok_credential_id.is_some() || last.as_ref().is_some_and(|one| one.is_byok));
        let status =
            LogStatus::of_served(told.map(|one| (one.cancelled, one.finish_reason.as_deref())));
        Ok(LogRow {
            generation_id: self.generation_id.parse().map_err(|_| broken("id"))?,
            admitted_at: self.admitted_at.0,
            finished_at: self.finished_at.0,
            workspace_id: WorkspaceId::from_uuid(self.workspace_id),
            api_key_id: ApiKeyId::from_uuid(self.api_key_id),
            status,
            model: self.model.unwrap_or_else(|| {
                let tried = last.as_ref().map(|one| model_of(&one.endpoint_id));
                tried.unwrap_or(&request.requested_model).to_owned()
            }),
            endpoint_id: self.endpoint_id.map(EndpointId::new),
            provider: match self.provider {
                Some(served) => Some(ProviderSlug::new(served)),
                None => last.as_ref().map(|one| one.provider.clone()),
            },
            provider_name: told.map(|one| one.provider_name.clone().into_owned()),
            is_byok,
            byok_credential_id: self.byok_credential_id.map(CredentialId::from_uuid),
            first_token_ms: told.and_then(|one| one.latency_ms),
            generation_time_ms: told.and_then(|one| one.generation_time_ms),
            finish_reason: served
                .and_then(|one| one.finish_reason)
                .map(std::borrow::Cow::into_owned),
            attempts: u32::try_from(tries).unwrap_or(u32::MAX),
            failure: last.and_then(|one| one.failure),
            usage: facts.usage,
            charge: facts.charge,
            app: AppName::of(&request),
            request,
        })
    }
}
