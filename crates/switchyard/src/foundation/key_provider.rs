//! From a choice in the configuration to a provider of guarded keys. Nothing is asked yet.

use std::{fs, path::Path, sync::Arc};

use switchyard_domain::clock::Clock;
use switchyard_key_services::{AwsKms, Transit, Trust};
use switchyard_vault::{
    KeyProvider, OsRandom,
    key_provider::{EnvironmentKey, LiveKeyring},
};

use crate::{commands::CommandError, config::KeyGuard};

/// The provider that was chosen, and no other, whatever becomes of it.
pub(super) fn key_provider(
    guard: &KeyGuard,
    keyring: &Arc<LiveKeyring>,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<dyn KeyProvider>, CommandError> {
    Ok(match guard {
        KeyGuard::Keyring => Arc::clone(keyring) as Arc<_>,
        KeyGuard::Environment(key) => {
            tracing::warn!(
                "the outermost key is a setting (vault.provider is environment): whoever reads the \
                 configuration opens everything; for development only"
            );
            let key = EnvironmentKey::new(key, Arc::new(OsRandom))
                .map_err(|error| CommandError::caused("cannot use vault.environment.key", error))?;
            Arc::new(key)
        }
        KeyGuard::AwsKms(settings) => Arc::new(AwsKms::new(settings, Arc::clone(clock))),
        KeyGuard::Transit { settings, ca_file } => {
            let trust = ca_file.as_deref().map_or(Ok(Trust::public()), trust)?;
            let transit = Transit::new(settings.clone(), &trust, Arc::clone(clock))
                .map_err(|error| CommandError::caused("cannot use vault.transit.token", error))?;
            Arc::new(transit)
        }
    })
}

fn trust(ca_file: &Path) -> Result<Trust, CommandError> {
    let shown = ca_file.display();
    let pem = fs::read(ca_file).map_err(|error| {
        CommandError::caused(format!("cannot read vault.transit.ca_file, {shown}"), error)
    })?;
    Trust::only(&pem)
        .map_err(|error| CommandError::caused(format!("cannot use the file {shown}"), error))
}
