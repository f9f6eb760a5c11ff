//! What several nouns need: changes with a number, and statements over many rows.

use sqlx::{
    Arguments as _, AssertSqlSafe, Database, Encode, FromRow, Pool, Type, error::BoxDynError,
};

use super::{super::Db, Engine};
use crate::failure::Failure;

/// Counts changes of API keys.
pub(super) const API_KEYS: &str = "api_keys";
/// Counts changes of provider credentials.
pub(super) const PROVIDER_CREDENTIALS: &str = "provider_credentials";
/// Counts changes of customers' credentials.
pub(super) const OWN_CREDENTIALS: &str = "own_credentials";
/// Counts accounts whose keys were destroyed.
pub(super) const SHREDDED: &str = "shredded_accounts";
/// Counts changes of standing policies.
pub(super) const POLICIES: &str = "policies";

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

const NEXT_REVISIONS: &str =
    "UPDATE revisions SET revision = revision + $2 WHERE subject = $1 RETURNING revision";

/// Takes as many numbers as there are rows; the first of them.
pub(super) async fn next_revisions(
    connection: &mut <Db as Database>::Connection,
    subject: &'static str,
    rows: usize,
) -> Result<i64, Failure> {
    let rows = i64::try_from(rows)
        .map_err(|_| Failure::Inconsistent("far too many rows at once".to_owned()))?;
    let last: i64 = sqlx::query_scalar(NEXT_REVISIONS)
        .bind(subject)
        .bind(rows)
        .fetch_one(connection)
        .await?;
    Ok(last - rows + 1)
}

impl Engine {
    pub(super) async fn select_revision(&self, subject: &'static str) -> Result<i64, Failure> {
        Ok(sqlx::query_scalar(REVISION)
            .bind(subject)
            .fetch_one(&self.reader)
            .await?)
    }
}

/// Statements that need no answer, run one after the other.
#[derive(Default)]
pub(super) struct Script(Vec<Statement>);

impl Script {
    /// Adds `head VALUES (…), (…) tail` over all rows.
    pub(super) fn push_rows<T>(
        &mut self,
        head: &'static str,
        rows: impl IntoIterator<Item = T, IntoIter: ExactSizeIterator>,
        bind: impl Fn(&mut Statement, T),
        tail: &'static str,
    ) {
        let mut rows = rows.into_iter();
        for size in super::super::ROWS_PER_STATEMENT {
            while rows.len() >= size {
                self.0
                    .push(Statement::over(head, rows.by_ref().take(size), &bind, tail));
            }
        }
    }

    pub(super) async fn run(
        self,
        connection: &mut <Db as Database>::Connection,
    ) -> Result<(), Failure> {
        for statement in self.0 {
            let (sql, arguments) = statement.finish()?;
            sqlx::query_with(sql, arguments)
                .execute(&mut *connection)
                .await?;
        }
        Ok(())
    }
}

/// Selects `head VALUES (…), (…) tail` over all rows.
pub(super) async fn fetch_rows<T, R>(
    pool: &Pool<Db>,
    head: &'static str,
    rows: &[T],
    bind: impl Fn(&mut Statement, &T),
    tail: &'static str,
) -> Result<Vec<R>, Failure>
where
    R: for<'r> FromRow<'r, <Db as Database>::Row> + Send + Unpin,
{
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let mut connection = pool.acquire().await?;
    fetch_rows_on(&mut connection, head, rows, bind, tail).await
}

/// The same within a transaction.
pub(super) async fn fetch_rows_on<T, R>(
    connection: &mut <Db as Database>::Connection,
    head: &'static str,
    rows: &[T],
    bind: impl Fn(&mut Statement, &T),
    tail: &'static str,
) -> Result<Vec<R>, Failure>
where
    R: for<'r> FromRow<'r, <Db as Database>::Row> + Send + Unpin,
{
    let mut found = Vec::new();
    for chunk in rows.chunks(super::super::ROWS_PER_STATEMENT[0]) {
        let (sql, arguments) = Statement::over(head, chunk.iter(), &bind, tail).finish()?;
        let query = sqlx::query_as_with(sql, arguments).persistent(false);
        found.append(&mut query.fetch_all(&mut *connection).await?);
    }
    Ok(found)
}

type Arguments = <Db as Database>::Arguments;

/// A statement over rows, being written. Its text is made of constants and placeholders only.
/// (sqlx's own builder formats each comma, which for rows as wide as ours costs more than the
/// database takes to write them.)
pub(super) struct Statement {
    sql: String,
    arguments: Arguments,
    is_first_in_row: bool,
    error: Option<BoxDynError>,
}

impl Statement {
    fn over<T>(
        head: &'static str,
        rows: impl ExactSizeIterator<Item = T>,
        bind: &impl Fn(&mut Self, T),
        tail: &'static str,
    ) -> Self {
        let mut statement = Self {
            sql: String::from(head),
            arguments: Arguments::default(),
            is_first_in_row: true,
            error: None,
        };
        let mut separator = " VALUES (";
        let mut rows_left = rows.len();
        for row in rows {
            statement.sql.push_str(separator);
            separator = "), (";
            statement.is_first_in_row = true;
            let (text, values) = (statement.sql.len(), statement.arguments.len());
            bind(&mut statement, row);
            // The first row tells how much the others need.
            if values == 0 {
                rows_left -= 1;
                statement
                    .sql
                    .reserve((statement.sql.len() - text + 8) * rows_left + tail.len());
                statement
                    .arguments
                    .reserve(statement.arguments.len() * rows_left, 0);
            }
        }
        statement.sql.push(')');
        statement.sql.push_str(tail);
        statement
    }

    /// Binds the next value of the row.
    pub(super) fn push_bind<'v>(&mut self, value: impl Encode<'v, Db> + Type<Db>) -> &mut Self {
        if !self.is_first_in_row {
            self.sql.push(',');
        }
        self.is_first_in_row = false;
        if let Err(error) = self.arguments.add(value) {
            self.error.get_or_insert(error);
        }
        self.arguments
            .format_placeholder(&mut self.sql)
            .expect("a string can always be written to");
        self
    }

    fn finish(self) -> Result<(AssertSqlSafe<String>, Arguments), Failure> {
        match self.error {
            None => Ok((AssertSqlSafe(self.sql), self.arguments)),
            Some(error) => Err(Failure::Sql(sqlx::Error::Encode(error))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many rows the statements over `count` rows have.
    fn sizes(count: i64) -> Vec<usize> {
        let mut script = Script::default();
        let bind = |row: &mut Statement, number| {
            row.push_bind(number).push_bind("x");
        };
        script.push_rows(
            "INSERT INTO t (a, b)",
            (0..count).collect::<Vec<_>>(),
            bind,
            " DO",
        );
        let of = |statement: &Statement| {
            let rows = statement.arguments.len() / 2;
            assert!(
                statement.sql.starts_with("INSERT INTO t (a, b) VALUES ("),
                "{}",
                statement.sql
            );
            assert!(statement.sql.ends_with(") DO"), "{}", statement.sql);
            assert_eq!(
                statement.sql.matches(',').count(),
                2 * rows,
                "{}",
                statement.sql
            );
            rows
        };
        script.0.iter().map(of).collect()
    }

    #[test]
    fn few_sizes_of_statements_cover_any_number_of_rows() {
        assert_eq!(sizes(0), Vec::<usize>::new());
        let mut distinct = std::collections::BTreeSet::new();
        for count in 1..600 {
            let sizes = sizes(count);
            assert_eq!(
                sizes.iter().sum::<usize>(),
                usize::try_from(count).expect("small")
            );
            distinct.extend(sizes);
        }
        assert!(distinct.len() <= 24, "{distinct:?}");
    }
}
