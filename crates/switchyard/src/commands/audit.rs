//! `switchyard audit`.

use std::process::ExitCode;

use serde::Serialize;
use switchyard_domain::id::AccountId;
use switchyard_store::{
    DirectoryError,
    audit::{AuditEntry, AuditReport, AuditStore},
};

use crate::{
    cli::AuditShow,
    commands::{CommandError, DONE, Output, block_on, key::account_id, print},
    config::Config,
    foundation::Foundation,
};

/// Entries read at a time.
const PAGE: u32 = 1_000;

#[derive(Serialize)]
struct Verdict {
    ok: bool,
    entries: u64,
    unlinked: u64,
    broken_at: Option<i64>,
    is_cut: bool,
}

/// Checks that nobody changed the log behind the program's back.
pub(crate) fn verify(config: Config, output: Output) -> Result<ExitCode, CommandError> {
    let report = block_on(async {
        let foundation = Foundation::open(config).await?;
        let checked = foundation.store.audit.verify_audit().await;
        checked.map_err(|error| CommandError::caused("cannot read the audit log", error))
    })?;
    let verdict = Verdict {
        ok: report.is_whole(),
        entries: report.entries,
        unlinked: report.unlinked,
        broken_at: report.broken_at,
        is_cut: report.is_cut,
    };
    print(output, &in_words(&report), &verdict)?;
    Ok(if verdict.ok { DONE } else { ExitCode::FAILURE })
}

fn in_words(report: &AuditReport) -> String {
    let mut text = format!("{} entries follow from each other.", report.entries);
    if report.unlinked > 0 {
        text.push_str(&format!(
            " {} are from before entries were linked and cannot be checked.",
            report.unlinked
        ));
    }
    if let Some(number) = report.broken_at {
        text.push_str(&format!(
            " Entry {number} does not: it, or one before it, was changed, moved or deleted."
        ));
    } else if report.is_cut {
        text.push_str(" Entries at the end are missing.");
    }
    text
}

#[derive(Serialize)]
struct Shown {
    entries: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    number: i64,
    at: String,
    actor: String,
    action: String,
    subject: String,
    workspace_id: Option<String>,
    via: Option<String>,
    ip: Option<String>,
    request_id: Option<String>,
    outcome: Option<String>,
    detail: serde_json::Value,
}

/// Prints what was done to an account, newest first, or to one thing, oldest first.
pub(crate) fn show(
    config: Config,
    output: Output,
    wanted: &AuditShow,
) -> Result<ExitCode, CommandError> {
    let account = wanted.account.as_deref().map(account_id).transpose()?;
    let subject = wanted.subject.as_deref().unwrap_or_default();
    let entries = block_on(async {
        let foundation = Foundation::open(config).await?;
        let audit = &*foundation.store.audit;
        let read = match account {
            Some(account) => of_account(audit, account, wanted.limit).await,
            None => {
                let limit = u32::try_from(wanted.limit).unwrap_or(u32::MAX);
                audit.audit_of(subject, limit).await
            }
        };
        read.map_err(|error| CommandError::caused("cannot read the audit log", error))
    })?;
    let entries: Vec<Entry> = entries.into_iter().map(Entry::of).collect();
    let lines: Vec<String> = entries.iter().map(Entry::line).collect();
    let text = if lines.is_empty() {
        "Nothing is noted about it.".to_owned()
    } else {
        lines.join("\n")
    };
    print(output, &text, &Shown { entries })?;
    Ok(DONE)
}

async fn of_account(
    audit: &dyn AuditStore,
    account: AccountId,
    limit: usize,
) -> Result<Vec<AuditEntry>, DirectoryError> {
    let (mut entries, mut before) = (Vec::<AuditEntry>::new(), None);
    while entries.len() < limit {
        let left = u32::try_from(limit - entries.len()).unwrap_or(u32::MAX);
        let page = audit.audit_entries(account, before, PAGE.min(left));
        let page = page.await?;
        let Some(last) = page.last() else {
            break;
        };
        before = Some(last.number);
        entries.extend(page);
    }
    Ok(entries)
}

impl Entry {
    fn of(entry: AuditEntry) -> Self {
        let event = entry.event;
        Self {
            number: entry.number,
            at: event.at.to_rfc3339(),
            actor: event.actor,
            action: event.action,
            subject: event.subject,
            workspace_id: event.workspace_id.map(|id| id.to_string()),
            via: event.via,
            ip: event.ip,
            request_id: event.request_id,
            outcome: event.outcome,
            detail: event.detail,
        }
    }

    fn line(&self) -> String {
        let word = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        format!(
            "{} {} {} {} {} {} {}",
            self.at,
            self.actor,
            self.action,
            self.subject,
            word(&self.via),
            word(&self.ip),
            self.detail
        )
    }
}
