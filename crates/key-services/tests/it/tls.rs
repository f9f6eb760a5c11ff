//! Whom a private authority vouches for.

use std::sync::Arc;

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use switchyard_key_services::{Trouble, Trust};
use switchyard_vault::{KeyProvider, KeyProviderError};

use crate::{
    clock::ManualClock,
    fake::Fake,
    fake_transit::{FakeTransit, TOKEN, client_with},
};

fn server_config() -> Arc<ServerConfig> {
    let certificate = CertificateDer::from_pem_slice(include_bytes!("tls/server.pem"));
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("tls/server.key"));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring supports the default TLS versions")
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.expect("a certificate")],
            key.expect("a key"),
        )
        .expect("they fit");
    Arc::new(config)
}

#[tokio::test]
async fn only_the_named_authority_vouches() {
    let fake = Fake::start_with(FakeTransit::default(), Some(server_config())).await;
    let right = Trust::only(include_bytes!("tls/ca.pem")).expect("an authority");
    let wrong = Trust::only(include_bytes!("tls/other-ca.pem")).expect("an authority");
    let clock = Arc::new(ManualClock::default());
    for (trust, is_believed) in [(right, true), (wrong, false), (Trust::public(), false)] {
        let transit = client_with(&fake, &clock, Some(TOKEN), &trust);
        let health = transit.health().await;
        if is_believed {
            health.expect("it is believed");
            assert_eq!(fake.take_asked(), 2);
            continue;
        }
        let Err(KeyProviderError::Unavailable(source)) = health else {
            panic!("{trust:?}: {health:?}")
        };
        let trouble = source.downcast_ref::<Trouble>();
        assert!(
            matches!(trouble, Some(Trouble::Unreachable(_))),
            "{trouble:?}"
        );
        assert_eq!(fake.take_asked(), 0, "{trust:?}: no token was shown");
    }
}
