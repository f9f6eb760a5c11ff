//! `switchyard credit`.

use std::process::ExitCode;

use serde::Serialize;
use switchyard_app::accounts;
use switchyard_domain::{id::LedgerTransactionId, money::UsdNanos};

use crate::{
    commands::{CommandError, DONE, Output, block_on, key::account_id, print},
    config::Config,
    foundation::Foundation,
};

#[derive(Serialize)]
struct Granted {
    ledger_transaction_id: LedgerTransactionId,
    balance_usd: String,
}

pub(crate) fn grant(
    config: Config,
    output: Output,
    account: &str,
    usd: &str,
    reason: &str,
) -> Result<ExitCode, CommandError> {
    let account_id = account_id(account)?;
    let amount: UsdNanos = usd
        .parse()
        .map_err(|error| CommandError::caused(format!("--usd {usd}"), error))?;
    let granted = block_on(async {
        let foundation = Foundation::open(config).await?;
        accounts::grant(
            &*foundation.store.directory,
            &*foundation.store.ledger,
            &*foundation.clock,
            &*foundation.random,
            account_id,
            amount,
            reason,
        )
        .await
        .map_err(|error| CommandError::caused("cannot grant the credit", error))
    })?;
    let shown = Granted {
        ledger_transaction_id: granted.transaction_id,
        balance_usd: granted.balance.to_string(),
    };
    print(
        output,
        &format!("The balance is {} USD.", granted.balance),
        &shown,
    )?;
    Ok(DONE)
}
