//! `switchyard migrate`.

use std::process::ExitCode;

use serde::Serialize;
use switchyard_store::OpenOptions;

use crate::{
    commands::{CommandError, DONE, Output, block_on, print},
    config::Config,
    foundation::create_private_dir,
};

#[derive(Serialize)]
struct Migrated {
    migrated: bool,
}

pub(crate) fn run(config: Config, output: Output) -> Result<ExitCode, CommandError> {
    block_on(async {
        create_private_dir(&config.data_dir)?;
        if config.database_url.is_none() {
            create_private_dir(&config.data_dir.join("db"))?;
        }
        let store = switchyard_store::open(&config.database_url(), &OpenOptions::default())
            .await
            .map_err(|error| CommandError::caused("cannot open the database", error))?;
        store
            .migrate()
            .await
            .map_err(|error| CommandError::caused("cannot bring the schema up to date", error))
    })?;
    print(
        output,
        "The schema is up to date.",
        &Migrated { migrated: true },
    )?;
    Ok(DONE)
}
