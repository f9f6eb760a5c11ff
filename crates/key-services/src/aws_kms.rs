//! AWS KMS: `Encrypt` and `Decrypt` under one symmetric key, signed with Signature Version 4.
//!
//! What a wrap is bound to travels as the encryption context, which KMS authenticates and shows in
//! its audit trail. Every question names the key, and an answer about another key is refused: the
//! key id inside a ciphertext is not proof of anything. KMS rotates keys behind one ARN and finds
//! the right material by itself, so a key has one version here.
//!
//! Credentials are static access keys, with a session token where they are temporary. Roles of
//! instances and containers are not asked for.

mod key_arn;
mod signing;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{Method, Request, header};
use http_body_util::Full;
use serde::Serialize;
use switchyard_domain::{clock::Clock, secret::Secret};
use switchyard_vault::{KekRef, KeyProvider, KeyProviderError, WrappedKey};

pub use self::{
    key_arn::{InvalidKeyArn, KeyArn},
    signing::AwsCredentials,
};
use self::{
    signing::Signer,
    wire::{Context, Decrypt, Decrypted, Encrypt, Encrypted, no},
};
use crate::{
    address::ServiceAddress,
    line::Line,
    probe,
    secret_text::{SecretText, json_bytes},
    trouble::{No, Trouble},
    trust::Trust,
    wire::{Answer, Question},
};

/// KMS does not number what it rotates.
const VERSION: u32 = 1;
/// KMS makes no longer ciphertexts.
const CIPHERTEXT_BYTES_MAX: usize = 6_144;

/// Which key, where, and as whom.
#[derive(Debug, Clone)]
pub struct AwsKmsSettings {
    /// The key. Its ARN says the region as well.
    pub key: KeyArn,
    /// Another address than the region's own, such as a VPC endpoint's.
    pub endpoint: ServiceAddress,
    /// Whose permissions.
    pub credentials: AwsCredentials,
}

/// A [`KeyProvider`] whose key never leaves AWS KMS.
pub struct AwsKms {
    key: KeyArn,
    endpoint: ServiceAddress,
    signer: Signer,
    line: Line,
}

impl AwsKms {
    /// Connects when it is first asked.
    pub fn new(settings: &AwsKmsSettings, clock: Arc<dyn Clock>) -> Self {
        let AwsKmsSettings {
            key,
            endpoint,
            credentials,
        } = settings;
        Self {
            key: key.clone(),
            endpoint: endpoint.clone(),
            signer: Signer::new(key.region(), credentials),
            line: Line::new("aws_kms", endpoint, &Trust::public(), clock),
        }
    }

    fn question(&self, target: &str, body: &impl Serialize) -> Result<Question, Trouble> {
        let body = json_bytes(body);
        let mut question = Request::builder()
            .method(Method::POST)
            .uri(self.endpoint.with_path("/"))
            .header(header::HOST, self.endpoint.host())
            .header(header::CONTENT_TYPE, "application/x-amz-json-1.1")
            .header("x-amz-target", target)
            .body(Full::new(body.clone()))
            .map_err(|error| Trouble::Unaskable(Box::new(error)))?;
        let now = self.line.clock().now();
        self.signer.sign(&mut question, &body, now)?;
        Ok(question)
    }

    fn check_key(&self, answered: &str) -> Result<(), No> {
        if answered == self.key.as_str() {
            Ok(())
        } else {
            Err(No::Rejected)
        }
    }

    fn kek(&self) -> KekRef {
        KekRef {
            id: self.key.as_str().to_owned(),
            version: VERSION,
        }
    }

    fn read_wrapped(&self, answer: &Answer) -> Result<WrappedKey, No> {
        if !answer.status.is_success() {
            return Err(no(answer, self.kek()));
        }
        let answered: Encrypted =
            serde_json::from_slice(&answer.body).map_err(|_| Trouble::Garbled)?;
        self.check_key(&answered.key_id)?;
        let bytes = STANDARD
            .decode(&answered.ciphertext_blob)
            .map_err(|_| Trouble::Garbled)?;
        if bytes.is_empty() || bytes.len() > CIPHERTEXT_BYTES_MAX {
            return Err(Trouble::Garbled.into());
        }
        Ok(WrappedKey {
            kek_id: self.key.as_str().to_owned(),
            kek_version: VERSION,
            bytes,
        })
    }

    fn read_plain(&self, answer: &Answer) -> Result<Secret<[u8; 32]>, No> {
        if !answer.status.is_success() {
            return Err(no(answer, self.kek()));
        }
        let answered: Decrypted =
            serde_json::from_slice(&answer.body).map_err(|_| Trouble::Garbled)?;
        self.check_key(&answered.key_id)?;
        let plain = answered.plaintext.decode().ok_or(Trouble::Garbled)?;
        // Authentic, but nothing that was wrapped here.
        let plain = plain.as_slice().try_into().map_err(|_| No::Rejected)?;
        Ok(Secret::new(plain))
    }
}

#[async_trait]
impl KeyProvider for AwsKms {
    async fn wrap(
        &self,
        context: &[u8],
        plain: &Secret<[u8; 32]>,
    ) -> Result<WrappedKey, KeyProviderError> {
        let body = Encrypt {
            key_id: self.key.as_str(),
            plaintext: SecretText::encode([plain.expose(), &[]]),
            encryption_context: Context::new(context),
            encryption_algorithm: wire::ALGORITHM,
        };
        self.line
            .ask(
                "encrypt",
                || self.question("TrentService.Encrypt", &body),
                |answer| self.read_wrapped(answer),
            )
            .await
    }

    async fn unwrap(
        &self,
        context: &[u8],
        wrapped: &WrappedKey,
    ) -> Result<Secret<[u8; 32]>, KeyProviderError> {
        if wrapped.kek_id != self.key.as_str() || wrapped.kek_version != VERSION {
            return Err(KeyProviderError::UnknownKey(KekRef {
                id: wrapped.kek_id.clone(),
                version: wrapped.kek_version,
            }));
        }
        let body = Decrypt {
            key_id: self.key.as_str(),
            ciphertext_blob: STANDARD.encode(&wrapped.bytes),
            encryption_context: Context::new(context),
            encryption_algorithm: wire::ALGORITHM,
        };
        self.line
            .ask(
                "decrypt",
                || self.question("TrentService.Decrypt", &body),
                |answer| self.read_plain(answer),
            )
            .await
    }

    async fn current(&self) -> Result<KekRef, KeyProviderError> {
        Ok(self.kek())
    }

    async fn health(&self) -> Result<(), KeyProviderError> {
        probe::round_trip(self).await
    }
}
