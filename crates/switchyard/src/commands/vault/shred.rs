//! `switchyard vault shred`.

use std::{
    fs::OpenOptions,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use serde::Serialize;
use switchyard_app::shredding;
use switchyard_domain::id::AccountId;

use crate::{
    commands::{
        CommandError, DONE, Output,
        key::{account_id, existing_account},
        print,
    },
    foundation::Foundation,
};

/// Beside the keyring, since it must not go back in time with the database: what is restored from
/// an older backup is shredded again by this list.
const TOMBSTONES: &str = "shredded.jsonl";

#[derive(Serialize)]
struct Tombstone {
    account: AccountId,
    at: String,
}

#[derive(Serialize)]
struct Report {
    account: AccountId,
    keys_destroyed: u64,
    records_destroyed: u64,
}

pub(super) async fn run(
    foundation: &Foundation,
    output: Output,
    account: &str,
    yes_really: bool,
) -> Result<ExitCode, CommandError> {
    let account = account_id(account)?;
    if !yes_really {
        return Err(CommandError::Usage(format!(
            "all that {account} ever had sealed would be unreadable for good, in backups too; say \
             --yes-really to do it"
        )));
    }
    existing_account(foundation, account).await?;
    let list = foundation.keyring.path().with_file_name(TOMBSTONES);
    let tombstone = Tombstone {
        account,
        at: foundation.clock.now().to_rfc3339(),
    };
    // First, so that whatever happens next is on the list.
    append(&list, &tombstone)?;
    let shredded = shredding::shred(
        &foundation.store,
        &*foundation.command_coordination()?,
        &*foundation.clock,
        account,
    )
    .await
    .map_err(|error| CommandError::caused("cannot destroy the keys", error))?;
    let report = Report {
        account,
        keys_destroyed: shredded.keys,
        records_destroyed: shredded.records,
    };
    let text = format!(
        "{} keys of {account} are destroyed, and {} records with them. Running nodes forget them \
         within five seconds. {} tells it to whoever restores a backup.",
        report.keys_destroyed,
        report.records_destroyed,
        list.display()
    );
    print(output, &text, &report)?;
    Ok(DONE)
}

fn append(list: &Path, tombstone: &Tombstone) -> Result<(), CommandError> {
    let failed = |error| {
        let list: PathBuf = list.to_owned();
        CommandError::caused(format!("cannot write {}", list.display()), error)
    };
    let mut line = serde_json::to_vec(tombstone)
        .map_err(|error| CommandError::caused("cannot write down the account", error))?;
    line.push(b'\n');
    let mut options = OpenOptions::new();
    options.create(true).append(true).mode(0o600);
    let mut file = options.open(list).map_err(failed)?;
    file.write_all(&line)
        .and_then(|()| file.sync_all())
        .map_err(failed)
}
