//! The whole filter as a file: written page by page while it is sent, so that nobody ever holds all of it.
//! Its head says how many rows there will be and its foot how many there were.

use std::{
    fmt::Write as _,
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use futures_core::Stream;
use serde_json::json;
use switchyard_app::activity::{Detail, Export, LogRow, Names};
use switchyard_domain::{
    authority::Capability,
    id::{AccountId, ApiKeyId},
};

use super::Asked;
use crate::{Console, error::PageError, visit::SignedIn};

/// What a file is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv,
    Json,
}

const HEAD: &str = "generation_id,created_at,finished_at,workspace,api_key,model,requested_model,provider,\
    endpoint,byok,status,finish_reason,failure,attempts,prompt_tokens,cached_tokens,cache_write_tokens,\
    completion_tokens,reasoning_tokens,cost_usd,list_price_usd,first_token_ms,duration_ms,session_id,app,\
    external_user";

type Page = Result<Option<(Vec<LogRow>, Names)>, switchyard_app::reads::DirectoryError>;
type Reading = Pin<Box<dyn Future<Output = (Export, Page)> + Send>>;

/// The file as it is sent.
struct Rows {
    console: Console,
    account: AccountId,
    format: Format,
    expected: u64,
    written: u64,
    step: Step,
}

enum Step {
    Head(Export),
    Reading(Reading),
    Over,
}

/// The log as a file.
pub(crate) async fn download(
    State(console): State<Console>,
    signed_in: SignedIn,
) -> Result<Response, PageError> {
    let mut asked = Asked::of(&console, &signed_in, Capability::ReadGenerations);
    // What comes in while it is written is not in it.
    asked.scope.range.until = asked.scope.range.until.min(asked.now);
    let format = match asked.address.get("format") {
        Some("json") => Format::Json,
        _ => Format::Csv,
    };
    let activity = console.app.activity();
    let totals = activity.totals(&asked.scope, Detail::Counts).await?;
    let (kind, name) = match format {
        Format::Csv => ("text/csv; charset=utf-8", "csv"),
        Format::Json => ("application/json", "json"),
    };
    let name = format!(
        "attachment; filename=\"switchyard-log-{}.{name}\"",
        asked.now.seconds()
    );
    let rows = Rows {
        account: asked.scope.account,
        format,
        expected: totals.requests,
        written: 0,
        step: Step::Head(Export::new(asked.scope)),
        console: console.clone(),
    };
    let mut response = Body::from_stream(rows).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(name) = HeaderValue::try_from(name) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    headers.insert("x-total-count", HeaderValue::from(totals.requests));
    Ok(response)
}

impl Rows {
    fn read(&self, mut export: Export) -> Reading {
        let (console, account) = (self.console.clone(), self.account);
        Box::pin(async move {
            let activity = console.app.activity();
            let page = match export.next(activity).await {
                Ok(Some(rows)) => {
                    let mut keys: Vec<ApiKeyId> = rows.iter().map(|row| row.api_key_id).collect();
                    keys.sort();
                    keys.dedup();
                    let names = activity.names(account, &keys).await;
                    names.map(|names| Some((rows, names)))
                }
                Ok(None) => Ok(None),
                Err(error) => Err(error),
            };
            (export, page)
        })
    }

    fn head(&self) -> String {
        match self.format {
            Format::Csv => format!("# rows: {}\r\n{HEAD}\r\n", self.expected),
            Format::Json => format!("{{\"expected_rows\":{},\"data\":[", self.expected),
        }
    }

    fn foot(&self) -> String {
        match self.format {
            Format::Csv => format!("# rows: {}\r\n", self.written),
            Format::Json => format!("],\"rows\":{}}}\n", self.written),
        }
    }

    fn write(&mut self, rows: &[LogRow], names: &Names) -> String {
        let mut text = String::with_capacity(rows.len() * 300);
        for row in rows {
            match self.format {
                Format::Csv => write_csv(&mut text, row, names),
                Format::Json => {
                    if self.written > 0 {
                        text.push(',');
                    }
                    let _ = write!(text, "\n{}", object(row, names));
                }
            }
            self.written += 1;
        }
        text
    }
}

impl Stream for Rows {
    type Item = Result<Bytes, switchyard_app::reads::DirectoryError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        match std::mem::replace(&mut this.step, Step::Over) {
            Step::Over => Poll::Ready(None),
            Step::Head(export) => {
                this.step = Step::Reading(this.read(export));
                Poll::Ready(Some(Ok(this.head().into())))
            }
            Step::Reading(mut reading) => {
                let outcome = reading.as_mut().poll(context);
                if outcome.is_pending() {
                    this.step = Step::Reading(reading);
                }
                let (export, page) = ready!(outcome);
                match page {
                    Ok(Some((rows, names))) => {
                        let text = this.write(&rows, &names);
                        this.step = Step::Reading(this.read(export));
                        Poll::Ready(Some(Ok(text.into())))
                    }
                    Ok(None) => Poll::Ready(Some(Ok(this.foot().into()))),
                    // Ends the file before its foot, and whoever reads it sees that it was cut.
                    Err(error) => {
                        tracing::warn!(error = %error, "an export broke off");
                        Poll::Ready(Some(Err(error)))
                    }
                }
            }
        }
    }
}

/// What the columns of a row are called and hold.
fn object(row: &LogRow, names: &Names) -> serde_json::Value {
    let usage = &row.usage;
    let key = names.keys.get(&row.api_key_id);
    let workspace = names.workspaces.get(&row.workspace_id);
    json!({
        "generation_id": row.generation_id.as_str(),
        "created_at": row.admitted_at.to_rfc3339(),
        "finished_at": row.finished_at.to_rfc3339(),
        "workspace": workspace.map(|one| one.name.as_str()),
        "api_key": key.map(|one| one.name.as_str()),
        "model": row.model,
        "requested_model": row.request.requested_model,
        "provider": row.provider.as_ref().map(ToString::to_string),
        "endpoint": row.endpoint_id.as_ref().map(|id| id.as_str().to_owned()),
        "byok": row.is_byok,
        "status": row.status.as_str(),
        "finish_reason": row.finish_reason,
        "failure": row.failure,
        "attempts": row.attempts,
        "prompt_tokens": usage.input_total(),
        "cached_tokens": usage.cache_read,
        "cache_write_tokens": usage.cache_write_5m.saturating_add(usage.cache_write_1h),
        "completion_tokens": usage.output_total(),
        "reasoning_tokens": usage.reasoning,
        "cost_usd": row.charge.total.to_string(),
        "list_price_usd": row.charge.list.to_string(),
        "first_token_ms": row.first_token_ms,
        "duration_ms": row.generation_time_ms,
        "session_id": row.request.session_id,
        "app": row.app.as_ref().map(|app| app.name.as_str()),
        "external_user": row.request.external_user,
    })
}

fn write_csv(text: &mut String, row: &LogRow, names: &Names) {
    let object = object(row, names);
    for (place, name) in HEAD.split(',').enumerate() {
        if place > 0 {
            text.push(',');
        }
        match object.get(name) {
            None | Some(serde_json::Value::Null) => {}
            Some(serde_json::Value::String(cell)) => push_cell(text, cell),
            Some(other) => {
                let _ = write!(text, "{other}");
            }
        }
    }
    text.push_str("\r\n");
}

/// A spreadsheet takes a cell for a formula that begins with one of these; a quote before it makes it text.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A text that a spreadsheet shows as it is.
pub(crate) fn push_cell(text: &mut String, cell: &str) {
    let is_formula = cell.trim_start_matches(' ').starts_with(FORMULA);
    let needs_quotes = is_formula || cell.contains([',', '"', '\n', '\r', '#']);
    if !needs_quotes {
        text.push_str(cell);
        return;
    }
    text.push('"');
    if is_formula {
        text.push('\'');
    }
    text.push_str(&cell.replace('"', "\"\""));
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_inert() {
        for (cell, written) in [
            ("plain", "plain"),
            ("a,b \"c\"", "\"a,b \"\"c\"\"\""),
            ("=HYPERLINK(\"x\")", "\"'=HYPERLINK(\"\"x\"\")\""),
            ("+1", "\"'+1\""),
            ("-2", "\"'-2\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("  =1", "\"'  =1\""),
            ("\t=1", "\"'\t=1\""),
            ("\r=1", "\"'\r=1\""),
            ("two\nlines", "\"two\nlines\""),
        ] {
            let mut text = String::new();
            push_cell(&mut text, cell);
            assert_eq!(text, written);
        }
    }
}
