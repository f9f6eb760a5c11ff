//! `switchyard provider-key`.

use std::{
    fs::File,
    io::{self, Read},
    os::fd::AsFd as _,
    process::ExitCode,
};

use serde::Serialize;
use switchyard_app::credentials::DEFAULT_LABEL;
use switchyard_domain::{provider::ProviderSlug, secret::Secret};
use zeroize::Zeroizing;

use crate::{
    commands::{CommandError, DONE, Output, block_on, print},
    config::Config,
    foundation::Foundation,
};

/// No credential is longer.
const SECRET_BYTES_MAX: u64 = 64 * 1024;
/// Room for the longest and for seeing that it is too long.
const SECRET_BUFFER_BYTES: usize = 65 * 1024;

#[derive(Serialize)]
struct Stored<'a> {
    provider: &'a str,
    label: &'a str,
}

pub(crate) fn set(
    config: Config,
    output: Output,
    provider: &str,
) -> Result<ExitCode, CommandError> {
    let secret = read_secret("switchyard provider-key set openai")?;
    block_on(async {
        let clock = crate::system::SystemClock::new();
        let now = switchyard_domain::clock::Clock::now(&clock);
        let catalog = switchyard_catalog::load::load(&config.catalog_dir, now)
            .map_err(|faults| CommandError::caused("the catalogue cannot be loaded", faults))?;
        if catalog.provider(provider).is_none() {
            return Err(CommandError::Usage(format!(
                "the catalogue has no provider `{provider}`; providers.json lists the slugs"
            )));
        }
        Foundation::open(config)
            .await?
            .credentials()
            .put(ProviderSlug::new(provider), secret)
            .await
            .map_err(|error| CommandError::caused("cannot store the credential", error))
    })?;
    let text = format!("The credential for {provider} is sealed and stored.");
    print(
        output,
        &text,
        &Stored {
            provider,
            label: DEFAULT_LABEL,
        },
    )?;
    Ok(DONE)
}

/// Reads a secret from standard input, as `command` is told to be used.
pub(crate) fn read_secret(command: &str) -> Result<Secret<Vec<u8>>, CommandError> {
    // Sized beforehand: a buffer that grows leaves copies of the secret behind, and so does the
    // library's own.
    let mut bytes = Zeroizing::new(Vec::with_capacity(SECRET_BUFFER_BYTES));
    let input = io::stdin().as_fd().try_clone_to_owned().map(File::from);
    input
        .and_then(|input| input.take(SECRET_BYTES_MAX + 1).read_to_end(&mut bytes))
        .map_err(|error| {
            CommandError::caused("cannot read the secret from standard input", error)
        })?;
    while bytes.last().is_some_and(u8::is_ascii_whitespace) {
        bytes.pop();
    }
    if bytes.is_empty() || bytes.len() as u64 > SECRET_BYTES_MAX {
        return Err(CommandError::Usage(format!(
            "give the secret on standard input, as in: echo \"$KEY\" | {command}"
        )));
    }
    Ok(Secret::new(std::mem::take(&mut *bytes)))
}
