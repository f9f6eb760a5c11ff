//! Whose certificates are believed.

use std::{fmt, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};

/// Which authorities vouch for a service. There is no way to believe any certificate.
#[derive(Clone)]
pub struct Trust(Authorities);

#[derive(Clone)]
enum Authorities {
    Public,
    Only(Arc<RootCertStore>),
}

/// The file holds no usable certificate.
#[derive(Debug, thiserror::Error)]
#[error("it holds no certificates in PEM form, or one that cannot be used")]
pub struct InvalidCertificates(#[source] Option<Box<dyn std::error::Error + Send + Sync>>);

impl Trust {
    /// The authorities that browsers believe.
    pub const fn public() -> Self {
        Self(Authorities::Public)
    }

    /// Only these authorities, in PEM form: a private service is not vouched for by anybody else.
    pub fn only(pem: &[u8]) -> Result<Self, InvalidCertificates> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate =
                certificate.map_err(|error| InvalidCertificates(Some(error.to_string().into())))?;
            roots
                .add(certificate)
                .map_err(|error| InvalidCertificates(Some(Box::new(error))))?;
        }
        if roots.is_empty() {
            return Err(InvalidCertificates(None));
        }
        Ok(Self(Authorities::Only(Arc::new(roots))))
    }

    /// `None`: the public authorities.
    pub(crate) fn client_config(&self) -> Option<ClientConfig> {
        let Authorities::Only(roots) = &self.0 else {
            return None;
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring supports the default TLS versions")
            .with_root_certificates(Arc::clone(roots))
            .with_no_client_auth();
        Some(config)
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Authorities::Public => f.write_str("public authorities"),
            Authorities::Only(roots) => write!(f, "{} own authorities", roots.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_without_certificates_are_refused() {
        for pem in [
            "",
            "no certificate",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        ] {
            assert!(Trust::only(pem.as_bytes()).is_err(), "{pem}");
        }
    }
}
