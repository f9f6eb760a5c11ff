//! What several nouns need: changes with a number, and statements over many rows.

use sqlx::{Database, Executor, FromRow, QueryBuilder, query_builder::Separated};

use super::{
    super::{Db, Script},
    Engine,
};
use crate::failure::Failure;

/// Counts changes of API keys.
pub(super) const API_KEYS: &str = "api_keys";
/// Counts changes of provider credentials.
pub(super) const PROVIDER_CREDENTIALS: &str = "provider_credentials";

const NEXT_REVISION: &str =
    "UPDATE revisions SET revision = revision + 1 WHERE subject = $1 RETURNING revision";

const REVISION: &str = "SELECT revision FROM revisions WHERE subject = $1";

/// Takes the next number of a kind of change. Whoever has it keeps others from taking one until it
/// commits.
pub(super) async fn next_revision(
    connection: &mut <Db as Database>::Connection,
    subject: &'static str,
) -> Result<i64, Failure> {
    Ok(sqlx::query_scalar(NEXT_REVISION)
        .bind(subject)
        .fetch_one(connection)
        .await?)
}

impl Engine {
    pub(super) async fn select_revision(&self, subject: &'static str) -> Result<i64, Failure> {
        Ok(sqlx::query_scalar(REVISION)
            .bind(subject)
            .fetch_one(&self.reader)
            .await?)
    }
}

/// Rows in one statement at most: the widest table times this stays below the 32,766 values that
/// SQLite binds.
pub(in super::super) const ROWS_MAX: usize = 256;

/// A row being bound, one value after the other.
pub(super) type Bindings<'b> = Separated<'b, Db, &'static str>;

/// Adds `head VALUES (…), (…) tail` over all rows to a script.
pub(super) fn push_rows<T>(
    script: &mut Script,
    head: &'static str,
    rows: impl IntoIterator<Item = T, IntoIter: ExactSizeIterator>,
    bind: impl Fn(&mut Bindings<'_>, T),
    tail: &'static str,
) {
    let mut rows = rows.into_iter();
    while rows.len() > 0 {
        let size = super::super::rows_per_statement(rows.len());
        let statement = script.begin(head);
        let chunk = rows.by_ref().take(size);
        statement.push_values(chunk, |mut bindings, row| bind(&mut bindings, row));
        statement.push(tail);
    }
}

/// Selects `head VALUES (…), (…) tail` over all rows.
pub(super) async fn fetch_rows<'e, T, R>(
    executor: impl Executor<'e, Database = Db> + Copy,
    head: &'static str,
    rows: &[T],
    bind: impl Fn(&mut Bindings<'_>, &T),
    tail: &'static str,
) -> Result<Vec<R>, Failure>
where
    R: for<'r> FromRow<'r, <Db as Database>::Row> + Send + Unpin,
{
    let mut found = Vec::new();
    for chunk in rows.chunks(ROWS_MAX) {
        let mut statement = QueryBuilder::<Db>::new(head);
        statement.push_values(chunk, |mut bindings, row| bind(&mut bindings, row));
        statement.push(tail);
        let query = statement.build_query_as().persistent(false);
        found.append(&mut query.fetch_all(executor).await?);
    }
    Ok(found)
}
