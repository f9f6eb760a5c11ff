//! The log as a file: all that the filter lets through, written while it is read.

use std::{
    fmt::Write as _,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum::{
    body::{Body, Bytes},
    extract::{Query, State},
    http::header,
    response::{IntoResponse as _, Response},
};
use futures_core::Stream;
use serde_json::json;
use switchyard_app::{
    App,
    audit::{AuditEntry, AuditFilter},
    reads::DirectoryError,
};
use switchyard_domain::id::AccountId;

use super::Asked;
use crate::{Console, error::PageError, visit::SignedIn};

/// Entries read at a time.
const BATCH: u32 = 500;

const COLUMNS: &str =
    "number,at,actor,action,subject,workspace,via,ip,request_id,outcome,detail\r\n";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv,
    Json,
}

/// As rows of a table.
pub(crate) async fn csv(
    State(console): State<Console>,
    Query(asked): Query<Asked>,
    signed_in: SignedIn,
) -> Result<Response, PageError> {
    export(&console, &asked, &signed_in, Format::Csv).await
}

/// As a list of objects.
pub(crate) async fn json(
    State(console): State<Console>,
    Query(asked): Query<Asked>,
    signed_in: SignedIn,
) -> Result<Response, PageError> {
    export(&console, &asked, &signed_in, Format::Json).await
}

async fn export(
    console: &Console,
    asked: &Asked,
    signed_in: &SignedIn,
    format: Format,
) -> Result<Response, PageError> {
    let source = Source {
        app: Arc::clone(&console.app),
        account: signed_in.visitor.account_id(),
        filter: asked.filter(),
        format,
        before: None,
        is_over: false,
    };
    // Read before anything is answered, so that a failure is a page and not a broken file.
    let (first, source) = source.next().await?;
    let file = File {
        first: Some(first),
        reading: source.map(Source::read_on),
    };
    let (kind, name) = match format {
        Format::Csv => ("text/csv; charset=utf-8", "audit-log.csv"),
        Format::Json => ("application/json", "audit-log.json"),
    };
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    Ok((headers, Body::from_stream(file)).into_response())
}

/// Where the entries come from.
struct Source {
    app: Arc<App>,
    account: AccountId,
    filter: AuditFilter,
    format: Format,
    /// The last entry that was written.
    before: Option<i64>,
    is_over: bool,
}

/// The next piece of the file, and where to read on, if there is more.
type Piece = Result<(Bytes, Option<Source>), DirectoryError>;
type Reading = Pin<Box<dyn Future<Output = Piece> + Send>>;

impl Source {
    fn read_on(self) -> Reading {
        Box::pin(self.next())
    }

    async fn next(mut self) -> Piece {
        let (app, before) = (&self.app, self.before);
        let entries = app
            .audit_entries(self.account, &self.filter, before, BATCH)
            .await?;
        self.is_over = entries.len() < BATCH as usize;
        let text = written(&entries, self.format, before.is_none(), self.is_over);
        self.before = entries.last().map(|last| last.number).or(before);
        let more = (!self.is_over).then_some(self);
        Ok((text.into(), more))
    }
}

/// The file, as it is written.
struct File {
    first: Option<Bytes>,
    reading: Option<Reading>,
}

impl Stream for File {
    type Item = Result<Bytes, DirectoryError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        let Some(reading) = self.reading.as_mut() else {
            return Poll::Ready(None);
        };
        let piece = ready!(reading.as_mut().poll(context));
        self.reading = None;
        Poll::Ready(Some(piece.map(|(bytes, more)| {
            self.reading = more.map(Source::read_on);
            bytes
        })))
    }
}

fn written(entries: &[AuditEntry], format: Format, is_first: bool, is_last: bool) -> String {
    let mut text = String::new();
    match format {
        Format::Csv => {
            if is_first {
                text.push_str(COLUMNS);
            }
            for entry in entries {
                write_row(&mut text, entry);
            }
        }
        Format::Json => {
            text.push_str(if is_first { "[" } else { "" });
            for (place, entry) in entries.iter().enumerate() {
                let is_very_first = is_first && place == 0;
                text.push_str(if is_very_first { "\n" } else { ",\n" });
                text.push_str(&object(entry).to_string());
            }
            text.push_str(if is_last { "\n]\n" } else { "" });
        }
    }
    text
}

fn object(entry: &AuditEntry) -> serde_json::Value {
    let event = &entry.event;
    json!({
        "number": entry.number, "at": event.at.to_rfc3339(), "actor": event.actor,
        "action": event.action, "subject": event.subject, "workspace": event.workspace_id,
        "via": event.via, "ip": event.ip, "request_id": event.request_id,
        "outcome": event.outcome, "detail": event.detail,
    })
}

fn write_row(text: &mut String, entry: &AuditEntry) {
    let event = &entry.event;
    let optional = |text: &Option<String>| text.clone().unwrap_or_default();
    let cells = [
        entry.number.to_string(),
        event.at.to_rfc3339(),
        event.actor.clone(),
        event.action.clone(),
        event.subject.clone(),
        event
            .workspace_id
            .map(|id| id.to_string())
            .unwrap_or_default(),
        optional(&event.via),
        optional(&event.ip),
        optional(&event.request_id),
        optional(&event.outcome),
        event.detail.to_string(),
    ];
    for (place, cell) in cells.iter().enumerate() {
        let _ = write!(
            text,
            "{}{}",
            if place == 0 { "" } else { "," },
            quoted(cell)
        );
    }
    text.push_str("\r\n");
}

/// A cell that no spreadsheet takes for a formula: what begins like one gets an apostrophe before it.
fn quoted(cell: &str) -> String {
    let is_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    let apostrophe = if is_formula { "'" } else { "" };
    format!("\"{apostrophe}{}\"", cell.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for (cell, expected) in [
            ("plain", r#""plain""#),
            ("=1+1", r#""'=1+1""#),
            ("@SUM(A1)", r#""'@SUM(A1)""#),
            ("-2", r#""'-2""#),
            ("\t=1", "\"'\t=1\""),
            ("say \"hi\", all", r#""say ""hi"", all""#),
        ] {
            assert_eq!(quoted(cell), expected);
        }
    }

    #[test]
    fn a_list_is_a_list_however_it_is_cut() {
        assert_eq!(written(&[], Format::Json, true, true), "[\n]\n");
        assert_eq!(written(&[], Format::Csv, true, true), COLUMNS);
        assert_eq!(written(&[], Format::Csv, false, true), "");
    }
}
