//! The transit engine of HashiCorp Vault and OpenBao.
//!
//! The key must be of type `aes256-gcm96`. What a wrap is bound to travels as `associated_data`.
//! Vault before 1.13 ignores that field without a word, so the context is part of the plaintext as
//! well, and compared after decryption. A key's versions are Vault's: the one in the prefix
//! `vault:v3:` of a ciphertext is the version of the wrap, and what the key's policy no longer
//! decrypts is an unknown key.
//!
//! Authentication is by token. An agent on this machine may add its own; then there is none here.

mod name;
mod wire;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, header};
use http_body_util::Full;
use switchyard_domain::{clock::Clock, secret::Secret};
use switchyard_vault::{KekRef, KeyProvider, KeyProviderError, WrappedKey};

pub use self::name::{InvalidName, TransitName, TransitPath};
use self::wire::{Answered, Decrypt, Encrypt, Encrypted, KeyFacts, Plain, no, version_of};
use crate::{
    address::ServiceAddress,
    limits::CURRENT_VERSION_TTL,
    line::Line,
    probe,
    secret_text::{SecretText, json_bytes},
    trouble::{No, Trouble},
    trust::Trust,
    wire::{Answer, Question},
};

/// The type that authenticates associated data.
const KEY_TYPE: &str = "aes256-gcm96";
/// Generous for a prefix, a nonce, 32 bytes, a context and a tag.
const CIPHERTEXT_BYTES_MAX: usize = 4_096;
const KEY_BYTES: usize = 32;

/// Which key, where, and as whom.
#[derive(Debug, Clone)]
pub struct TransitSettings {
    /// Where Vault, or its agent, listens.
    pub address: ServiceAddress,
    /// Where the engine is mounted, usually `transit`.
    pub mount: TransitPath,
    /// The key's name.
    pub key: TransitName,
    /// The namespace, where there are any.
    pub namespace: Option<TransitPath>,
    /// `None`: an agent adds it.
    pub token: Option<Arc<Secret<String>>>,
}

/// The token has characters that no header can carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the token contains characters that no HTTP header can carry")]
pub struct InvalidToken;

/// A [`KeyProvider`] whose keys never leave Vault.
pub struct Transit {
    settings: TransitSettings,
    /// Namespace, mount and key: what tells this key from others, wherever Vault listens.
    kek_id: String,
    token: Option<HeaderValue>,
    line: Line,
    newest: Mutex<Option<Newest>>,
}

#[derive(Clone, Copy)]
struct Newest {
    version: u32,
    read_at: Duration,
}

impl Transit {
    /// Connects when it is first asked.
    pub fn new(
        settings: TransitSettings,
        trust: &Trust,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, InvalidToken> {
        let namespace = settings.namespace.as_ref().map(|path| format!("{path}/"));
        let kek_id = format!(
            "transit:{}{}/{}",
            namespace.unwrap_or_default(),
            settings.mount,
            settings.key
        );
        let token = settings.token.as_deref().map(header_of).transpose()?;
        Ok(Self {
            kek_id,
            token,
            line: Line::new("transit", &settings.address, trust, clock),
            settings,
            newest: Mutex::default(),
        })
    }

    fn question(&self, method: Method, operation: &str, body: Bytes) -> Result<Question, Trouble> {
        let TransitSettings { mount, key, .. } = &self.settings;
        let path = format!("/v1/{mount}/{operation}/{key}");
        let mut builder = Request::builder()
            .method(method)
            .uri(self.settings.address.with_path(&path))
            .header(header::HOST, self.settings.address.host())
            .header(header::CONTENT_TYPE, "application/json")
            // Agents may insist on it, so that no other program can be tricked into asking them.
            .header("x-vault-request", "true");
        if let Some(namespace) = &self.settings.namespace {
            builder = builder.header("x-vault-namespace", namespace.as_str());
        }
        if let Some(token) = &self.token {
            builder = builder.header("x-vault-token", token.clone());
        }
        builder
            .body(Full::new(body))
            .map_err(|error| Trouble::Unaskable(Box::new(error)))
    }

    fn kek(&self, version: u32) -> KekRef {
        KekRef {
            id: self.kek_id.clone(),
            version,
        }
    }

    fn token_text(&self) -> Option<&str> {
        let token = self.settings.token.as_ref()?;
        Some(token.expose())
    }

    fn read_wrapped(&self, answer: &Answer) -> Result<WrappedKey, No> {
        if !answer.status.is_success() {
            return Err(no(answer, None, self.token_text()));
        }
        let answered: Answered<Encrypted> =
            serde_json::from_slice(&answer.body).map_err(|_| Trouble::Garbled)?;
        let ciphertext = answered.data.ciphertext;
        let version = version_of(&ciphertext).ok_or(Trouble::Garbled)?;
        if ciphertext.len() > CIPHERTEXT_BYTES_MAX {
            return Err(Trouble::Garbled.into());
        }
        Ok(WrappedKey {
            kek_id: self.kek_id.clone(),
            kek_version: version,
            bytes: ciphertext.into_bytes(),
        })
    }

    fn read_plain(
        &self,
        answer: &Answer,
        version: u32,
        context: &[u8],
    ) -> Result<Secret<[u8; KEY_BYTES]>, No> {
        if !answer.status.is_success() {
            let asked_for = self.kek(version);
            return Err(no(answer, Some(asked_for), self.token_text()));
        }
        let answered: Answered<Plain> =
            serde_json::from_slice(&answer.body).map_err(|_| Trouble::Garbled)?;
        let plain = answered.data.plaintext.decode().ok_or(Trouble::Garbled)?;
        let (key, bound_to) = plain.split_first_chunk().ok_or(No::Rejected)?;
        if bound_to != context {
            return Err(No::Rejected);
        }
        Ok(Secret::new(*key))
    }

    fn read_newest(&self, answer: &Answer) -> Result<u32, No> {
        if !answer.status.is_success() {
            return Err(no(answer, None, self.token_text()));
        }
        let answered: Answered<KeyFacts> =
            serde_json::from_slice(&answer.body).map_err(|_| Trouble::Garbled)?;
        let KeyFacts {
            kind,
            latest_version,
        } = answered.data;
        if kind != KEY_TYPE {
            let key = &self.settings.key;
            let says = format!("the transit key `{key}` must be of type {KEY_TYPE}");
            return Err(Trouble::Unsuitable(says).into());
        }
        Ok(latest_version)
    }

    /// The newest version as far as it is known.
    fn remembered(&self, now: Duration) -> Option<u32> {
        let newest = *self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        newest
            .filter(|newest| now.saturating_sub(newest.read_at) < CURRENT_VERSION_TTL)
            .map(|newest| newest.version)
    }

    fn remember(&self, version: u32, read_at: Duration) {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        // Versions only grow; of two answers under way at once, the later counts.
        let known = newest.map_or(0, |newest| newest.version);
        *newest = Some(Newest {
            version: version.max(known),
            read_at,
        });
    }
}

#[async_trait]
impl KeyProvider for Transit {
    async fn wrap(
        &self,
        context: &[u8],
        plain: &Secret<[u8; KEY_BYTES]>,
    ) -> Result<WrappedKey, KeyProviderError> {
        let body = Encrypt {
            plaintext: SecretText::encode([plain.expose(), context]),
            associated_data: STANDARD.encode(context),
        };
        let now = self.line.clock().monotonic();
        let wrapped = self
            .line
            .ask(
                "encrypt",
                || self.question(Method::POST, "encrypt", json_bytes(&body)),
                |answer| self.read_wrapped(answer),
            )
            .await?;
        // Vault wraps with the newest version.
        self.remember(wrapped.kek_version, now);
        Ok(wrapped)
    }

    async fn unwrap(
        &self,
        context: &[u8],
        wrapped: &WrappedKey,
    ) -> Result<Secret<[u8; KEY_BYTES]>, KeyProviderError> {
        if wrapped.kek_id != self.kek_id {
            return Err(KeyProviderError::UnknownKey(KekRef {
                id: wrapped.kek_id.clone(),
                version: wrapped.kek_version,
            }));
        }
        let ciphertext =
            std::str::from_utf8(&wrapped.bytes).map_err(|_| KeyProviderError::Rejected)?;
        // The row says which version; a ciphertext that says another was put there by somebody.
        if version_of(ciphertext) != Some(wrapped.kek_version) {
            return Err(KeyProviderError::Rejected);
        }
        let body = Decrypt {
            ciphertext,
            associated_data: STANDARD.encode(context),
        };
        self.line
            .ask(
                "decrypt",
                || self.question(Method::POST, "decrypt", json_bytes(&body)),
                |answer| self.read_plain(answer, wrapped.kek_version, context),
            )
            .await
    }

    async fn current(&self) -> Result<KekRef, KeyProviderError> {
        let now = self.line.clock().monotonic();
        if let Some(version) = self.remembered(now) {
            return Ok(self.kek(version));
        }
        let version = self
            .line
            .ask(
                "keys",
                || self.question(Method::GET, "keys", Bytes::new()),
                |answer| self.read_newest(answer),
            )
            .await?;
        self.remember(version, now);
        Ok(self.kek(version))
    }

    async fn health(&self) -> Result<(), KeyProviderError> {
        probe::round_trip(self).await
    }
}

fn header_of(token: &Secret<String>) -> Result<HeaderValue, InvalidToken> {
    let mut value = HeaderValue::from_str(token.expose()).map_err(|_| InvalidToken)?;
    value.set_sensitive(true);
    Ok(value)
}
