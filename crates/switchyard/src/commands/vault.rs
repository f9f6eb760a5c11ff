//! `switchyard vault`.

mod retire;
mod rotate;
mod shred;
mod status;
mod words;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::Value;
use switchyard_app::{
    limits::ROTATION_SETTLING,
    rotation::{Pace, Rotation},
};
use switchyard_domain::id::AccountId;
use switchyard_store::audit::{AuditEvent, AuditOrigin, AuditOutcome};

use crate::{
    commands::{CommandError, Output, block_on},
    config::Config,
    foundation::Foundation,
};

#[derive(Debug, Subcommand)]
pub(crate) enum VaultCommand {
    /// Tell which keys are in use, and by how much.
    Status,
    /// Put new keys in place of old ones while nodes serve. Stopped or killed, it goes on when it
    /// is run again. Exit 1 when something is left.
    Rotate(Rotate),
    /// Open everything sealed; exit 1 when something cannot be opened.
    Verify {
        /// Open so many records of each tenant instead of all.
        #[arg(long, value_name = "N")]
        sample: Option<u32>,
    },
    /// Add a version to the keyring that nothing uses until the next rotation, so that the file can
    /// be copied to every machine first.
    Stage,
    /// Remove a version from the keyring for good. Refused while anything needs it.
    Retire {
        /// The keyring's version.
        version: u32,
    },
    /// Destroy the keys of an account, and with them all that they sealed, in the database and in
    /// every backup of it.
    Shred {
        #[arg(long)]
        account: String,
        /// It cannot be undone.
        #[arg(long)]
        yes_really: bool,
    },
}

/// Both kinds of keys, unless one is named.
#[derive(Debug, Args)]
pub(crate) struct Rotate {
    /// The outermost key, which guards tenants' keys. Where it is in the keyring, a new version is
    /// added for that, unless an earlier rotation is not finished.
    #[arg(long)]
    kek: bool,
    /// Move to the keyring's primary version as it is.
    #[arg(long, requires = "kek")]
    keep_primary: bool,
    /// The keys of tenants, which guard their secrets.
    #[arg(long)]
    tenant_keys: bool,
    /// Only this account's key, or `operator`.
    #[arg(long, value_name = "ACCOUNT", requires = "tenant_keys")]
    tenant: Option<String>,
    /// Rows a second at most, in place of `vault.rotation_rate`; 0 is as fast as it goes.
    #[arg(long, value_name = "N")]
    rate: Option<u32>,
}

pub(crate) fn run(
    config: Config,
    output: Output,
    command: VaultCommand,
) -> Result<ExitCode, CommandError> {
    block_on(async {
        let foundation = Foundation::open(config).await?;
        match command {
            VaultCommand::Status => status::status(&foundation, output).await,
            VaultCommand::Rotate(wanted) => rotate::run(&foundation, output, &wanted).await,
            VaultCommand::Verify { sample } => status::verify(&foundation, output, sample).await,
            VaultCommand::Stage => retire::stage(&foundation, output).await,
            VaultCommand::Retire { version } => retire::retire(&foundation, output, version).await,
            VaultCommand::Shred {
                account,
                yes_really,
            } => shred::run(&foundation, output, &account, yes_really).await,
        }
    })
}

fn rotation(foundation: &Foundation, pace: Pace) -> Rotation {
    Rotation::new(&foundation.store, foundation.vault(), pace)
}

fn usual_pace(foundation: &Foundation) -> Pace {
    Pace {
        rows_per_second: foundation.config.rotation_rate,
        settling: ROTATION_SETTLING,
    }
}

/// Notes in the audit log what was done to the keys.
async fn note(
    foundation: &Foundation,
    action: &str,
    detail: Value,
    account: Option<AccountId>,
    outcome: AuditOutcome,
) -> Result<(), CommandError> {
    let subject = account.map_or_else(|| "vault".to_owned(), |account| account.to_string());
    let event = AuditEvent {
        at: foundation.clock.now(),
        actor: "operator".to_owned(),
        action: action.to_owned(),
        subject,
        detail,
        origin: AuditOrigin {
            account_id: account,
            outcome,
            ..AuditOrigin::default()
        },
    };
    foundation
        .store
        .directory
        .append_audit(&event)
        .await
        .map_err(|error| CommandError::caused("cannot write the audit log", error))
}

const fn outcome(is_good: bool) -> AuditOutcome {
    if is_good {
        AuditOutcome::Done
    } else {
        AuditOutcome::Failed
    }
}

const fn exit_code(is_good: bool) -> ExitCode {
    if is_good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
