//! Who guards the outermost keys. Only the settings of the chosen provider are looked at.

use std::{path::PathBuf, sync::Arc};

use switchyard_domain::secret::Secret;
use switchyard_key_services::{
    AwsCredentials, AwsKmsSettings, KeyArn, ServiceAddress, TransitPath, TransitSettings,
};
use switchyard_vault::{OsRandom, key_provider::EnvironmentKey};

use super::values::Reader;

/// A provider of guarded keys, and what it needs.
#[derive(Debug, Clone)]
pub(crate) enum KeyGuard {
    Keyring,
    /// A key in a setting.
    Environment(Arc<Secret<String>>),
    AwsKms(AwsKmsSettings),
    Transit {
        settings: TransitSettings,
        /// `None`: the public authorities.
        ca_file: Option<PathBuf>,
    },
}

#[derive(Clone, Copy)]
enum Kind {
    Keyring,
    Environment,
    AwsKms,
    Transit,
}

impl KeyGuard {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let kinds = [
            ("keyring", Kind::Keyring),
            ("environment", Kind::Environment),
            ("aws_kms", Kind::AwsKms),
            ("transit", Kind::Transit),
        ];
        let guard = match reader.choice("vault.provider", &kinds) {
            Kind::Keyring => Some(Self::Keyring),
            Kind::Environment => environment(reader),
            Kind::AwsKms => aws_kms(reader),
            Kind::Transit => transit(reader),
        };
        // Faults were noted, and keep this from being used.
        guard.unwrap_or(Self::Keyring)
    }
}

fn environment(reader: &mut Reader<'_>) -> Option<KeyGuard> {
    let (name, why) = ("vault.environment.key", "vault.provider is environment");
    let key = reader.secret(name);
    let key = reader.needed(name, key, why)?;
    if let Err(error) = EnvironmentKey::new(&key, Arc::new(OsRandom)) {
        reader.fault(name, &error.to_string());
    }
    Some(KeyGuard::Environment(key))
}

fn aws_kms(reader: &mut Reader<'_>) -> Option<KeyGuard> {
    let why = "vault.provider is aws_kms";
    let name = "vault.aws_kms.key_id";
    let key = reader.optional::<KeyArn>(name);
    let key = reader.needed(name, key, why);
    let endpoint = reader.optional::<ServiceAddress>("vault.aws_kms.endpoint");
    let name = "vault.aws_kms.access_key_id";
    let access_key_id = reader.secret(name);
    let access_key_id = reader.needed(name, access_key_id, why);
    let name = "vault.aws_kms.secret_access_key";
    let secret_access_key = reader.secret(name);
    let secret_access_key = reader.needed(name, secret_access_key, why);
    let session_token = reader.secret("vault.aws_kms.session_token");
    let key = key?;
    Some(KeyGuard::AwsKms(AwsKmsSettings {
        endpoint: endpoint.unwrap_or_else(|| key.regional_endpoint()),
        key,
        credentials: AwsCredentials {
            access_key_id: access_key_id?.expose().clone(),
            secret_access_key: secret_access_key?,
            session_token,
        },
    }))
}

fn transit(reader: &mut Reader<'_>) -> Option<KeyGuard> {
    let why = "vault.provider is transit";
    let name = "vault.transit.address";
    let address = reader.optional::<ServiceAddress>(name);
    let address = reader.needed(name, address, why);
    let name = "vault.transit.mount";
    let mount = reader.optional(name);
    let mount = reader.needed(name, mount, why);
    let name = "vault.transit.key";
    let key = reader.optional(name);
    let key = reader.needed(name, key, why);
    let namespace = reader.optional::<TransitPath>("vault.transit.namespace");
    let name = "vault.transit.token";
    let token = reader.secret(name);
    let is_agent = address.as_ref().is_some_and(ServiceAddress::is_loopback);
    if token.is_none() && !is_agent {
        let why = "only an agent on this machine adds its own";
        reader.needed(name, token.as_ref(), why);
    }
    Some(KeyGuard::Transit {
        settings: TransitSettings {
            address: address?,
            mount: mount?,
            key: key?,
            namespace,
            token,
        },
        ca_file: reader.optional_path("vault.transit.ca_file"),
    })
}

#[cfg(test)]
mod tests;
