//! The whole log of a scope, page by page, so that nobody ever holds all of it.

use switchyard_store::DirectoryError;

use super::{Activity, Cursor, LogQuery, LogRow, Scope, Turn};
use crate::limits::EXPORT_PAGE;

/// How far an export is. Newest first; what comes in meanwhile is not in it.
#[derive(Debug, Clone)]
pub struct Export {
    scope: Scope,
    turn: Option<Turn>,
}

impl Export {
    pub const fn new(scope: Scope) -> Self {
        Self {
            scope,
            turn: Some(Turn::Newest),
        }
    }

    /// The next page; `None` after the last one.
    pub async fn next(
        &mut self,
        activity: &Activity,
    ) -> Result<Option<Vec<LogRow>>, DirectoryError> {
        let Some(turn) = self.turn.take() else {
            return Ok(None);
        };
        let asked = LogQuery {
            scope: self.scope.clone(),
            turn,
            limit: EXPORT_PAGE,
        };
        let rows = activity.log_page(&asked).await?;
        let is_full = rows.len() >= EXPORT_PAGE as usize;
        let last = rows.last().filter(|_| is_full);
        self.turn = last.map(|row| Turn::Before(Cursor::of(row)));
        Ok((!rows.is_empty()).then_some(rows))
    }
}
