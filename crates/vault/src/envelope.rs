//! The bytes of a sealed secret, and the two inner layers of encryption.
//!
//! | offset | bytes | what |
//! |---|---|---|
//! | 0 | 4 | magic `SYSB` |
//! | 4 | 1 | format version, 1 |
//! | 5 | 1 | algorithm, 1: AES-256-GCM with HKDF-SHA-256 commitment |
//! | 6 | 16 | tenant key id |
//! | 22 | 4 | tenant key version, big endian |
//! | 26 | 32 | commitment to the data key |
//! | 58 | 12 | nonce of the wrap |
//! | 70 | 48 | data key, wrapped under the tenant key |
//! | 118 | 12 | nonce |
//! | 130 | n + 16 | ciphertext and tag |
//!
//! Format, algorithm and commitment are authenticated with the secret; the tenant key's id and
//! version only with the wrapped data key. So a rewrap replaces bytes 6 to 26 and 58 to 118 and
//! leaves the secret's ciphertext as it is.

use std::{fmt, sync::Arc};

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use switchyard_domain::secret::Secret;
use zeroize::Zeroizing;

use crate::{
    cipher::{self, Forged, KEY_BYTES, NONCE_BYTES, TAG_BYTES},
    context::{AuthenticatedData, Purpose, SecretContext, Tenant},
    random::{Random, RandomUnavailable, draw, draw_key},
};

/// The largest secret that is sealed.
pub const SECRET_BYTES_MAX: usize = 64 * 1024;
/// The largest sealed secret that is looked at.
pub const SEALED_BYTES_MAX: usize = HEADER_BYTES + SECRET_BYTES_MAX + TAG_BYTES;

const MAGIC: &[u8; 4] = b"SYSB";
const FORMAT: u8 = 1;
const ALGORITHM: u8 = 1;
const KEY_ID_BYTES: usize = 16;
const COMMITMENT_BYTES: usize = 32;
const WRAPPED_BYTES: usize = KEY_BYTES + TAG_BYTES;
const HEADER_BYTES: usize =
    4 + 1 + 1 + KEY_ID_BYTES + 4 + COMMITMENT_BYTES + NONCE_BYTES + WRAPPED_BYTES + NONCE_BYTES;

/// A secret that only the vault can open. Safe to store; cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedSecret(Arc<[u8]>);

impl SealedSecret {
    /// Wraps bytes from a database. They are looked at when the secret is opened.
    pub fn from_bytes(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self(bytes.into())
    }

    /// The version of the tenant's key that the bytes name; `None` where they are none of ours.
    /// Tells what a rotation has left to do, and nothing about whose they are.
    pub fn tenant_key_version(&self) -> Option<u32> {
        Parts::parse(&self.0)
            .ok()
            .map(|parts| parts.tenant_key_version)
    }

    /// The bytes to store.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SealedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[sealed, {} bytes]", self.0.len())
    }
}

/// Why bytes are not a sealed secret of a kind this program knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Too short, too long, or no magic.
    #[error("the bytes are not a sealed secret")]
    NotSealed,
    /// Made by a newer program.
    #[error("sealed in format {0}, which this program does not know")]
    Format(u8),
    /// Made by a newer program.
    #[error("sealed with algorithm {0}, which this program does not know")]
    Algorithm(u8),
}

/// A tenant key ready for use.
pub(crate) struct TenantKey {
    pub(crate) tenant: Tenant,
    pub(crate) version: u32,
    pub(crate) key: Secret<[u8; KEY_BYTES]>,
}

impl TenantKey {
    /// The tenant key's id in the blob: a digest, so that the blob's length tells nothing.
    pub(crate) fn id(tenant: Tenant) -> [u8; KEY_ID_BYTES] {
        let data = AuthenticatedData::new("switchyard.vault.tenant-key-id.v1")
            .with(tenant.to_string().as_bytes());
        let digest = Sha256::digest(data.as_bytes());
        *digest.first_chunk().expect("a SHA-256 digest has 32 bytes")
    }
}

/// A sealed secret taken apart. Nothing in it is trusted yet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts<'a> {
    pub(crate) tenant_key_id: [u8; KEY_ID_BYTES],
    pub(crate) tenant_key_version: u32,
    commitment: [u8; COMMITMENT_BYTES],
    wrap_nonce: [u8; NONCE_BYTES],
    wrapped: [u8; WRAPPED_BYTES],
    nonce: [u8; NONCE_BYTES],
    ciphertext: &'a [u8],
    tag: [u8; TAG_BYTES],
}

impl<'a> Parts<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        if bytes.len() > SEALED_BYTES_MAX {
            return Err(Malformed::NotSealed);
        }
        let mut rest = bytes;
        if &take::<4>(&mut rest)? != MAGIC {
            return Err(Malformed::NotSealed);
        }
        let [format] = take(&mut rest)?;
        if format != FORMAT {
            return Err(Malformed::Format(format));
        }
        let [algorithm] = take(&mut rest)?;
        if algorithm != ALGORITHM {
            return Err(Malformed::Algorithm(algorithm));
        }
        Ok(Self {
            tenant_key_id: take(&mut rest)?,
            tenant_key_version: u32::from_be_bytes(take(&mut rest)?),
            commitment: take(&mut rest)?,
            wrap_nonce: take(&mut rest)?,
            wrapped: take(&mut rest)?,
            nonce: take(&mut rest)?,
            tag: {
                let (ciphertext, tag) = rest.split_last_chunk().ok_or(Malformed::NotSealed)?;
                rest = ciphertext;
                *tag
            },
            ciphertext: rest,
        })
    }

    fn to_sealed(self) -> SealedSecret {
        let mut bytes = Vec::with_capacity(HEADER_BYTES + self.ciphertext.len() + TAG_BYTES);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&[FORMAT, ALGORITHM]);
        bytes.extend_from_slice(&self.tenant_key_id);
        bytes.extend_from_slice(&self.tenant_key_version.to_be_bytes());
        bytes.extend_from_slice(&self.commitment);
        bytes.extend_from_slice(&self.wrap_nonce);
        bytes.extend_from_slice(&self.wrapped);
        bytes.extend_from_slice(&self.nonce);
        bytes.extend_from_slice(self.ciphertext);
        bytes.extend_from_slice(&self.tag);
        SealedSecret::from_bytes(bytes)
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], Malformed> {
    let (taken, left) = rest.split_first_chunk().ok_or(Malformed::NotSealed)?;
    *rest = left;
    Ok(*taken)
}

/// Encrypts `secret` under a fresh data key and wraps that under the tenant key.
pub(crate) fn seal(
    tenant_key: &TenantKey,
    context: &SecretContext,
    secret: &[u8],
    random: &dyn Random,
) -> Result<SealedSecret, RandomUnavailable> {
    let data_key = draw_key::<KEY_BYTES>(random)?;
    let nonce = draw(random)?;
    let (key, commitment) = commit(&data_key);
    let mut buffer = Zeroizing::new(secret.to_vec());
    let tag = cipher::encrypt(
        key.expose(),
        &nonce,
        secret_data(context, &commitment).as_bytes(),
        &mut buffer,
    );
    let (wrap_nonce, wrapped) = wrap(tenant_key, context, &data_key, random)?;
    Ok(Parts {
        tenant_key_id: TenantKey::id(tenant_key.tenant),
        tenant_key_version: tenant_key.version,
        commitment,
        wrap_nonce,
        wrapped,
        nonce,
        ciphertext: &buffer,
        tag,
    }
    .to_sealed())
}

/// Decrypts, once everything around the secret has been authenticated.
pub(crate) fn open(
    tenant_key: &TenantKey,
    context: &SecretContext,
    parts: &Parts<'_>,
) -> Result<Secret<Vec<u8>>, Forged> {
    let data_key = unwrap(tenant_key, context, parts)?;
    let (key, commitment) = commit(&data_key);
    // One ciphertext can be made to open under two keys; only one key fits the commitment.
    if !bool::from(commitment.ct_eq(&parts.commitment)) {
        return Err(Forged);
    }
    let mut buffer = Zeroizing::new(parts.ciphertext.to_vec());
    cipher::decrypt(
        key.expose(),
        &parts.nonce,
        secret_data(context, &parts.commitment).as_bytes(),
        &mut buffer,
        &parts.tag,
    )?;
    Ok(Secret::new(std::mem::take(&mut *buffer)))
}

/// Wraps the data key anew, under `to`; the secret is not touched.
pub(crate) fn rewrap(
    from: &TenantKey,
    to: &TenantKey,
    context: &SecretContext,
    parts: &Parts<'_>,
    random: &dyn Random,
) -> Result<Result<SealedSecret, Forged>, RandomUnavailable> {
    let data_key = match unwrap(from, context, parts) {
        Ok(data_key) => data_key,
        Err(forged) => return Ok(Err(forged)),
    };
    let (wrap_nonce, wrapped) = wrap(to, context, &data_key, random)?;
    Ok(Ok(Parts {
        tenant_key_id: TenantKey::id(to.tenant),
        tenant_key_version: to.version,
        wrap_nonce,
        wrapped,
        ..*parts
    }
    .to_sealed()))
}

/// The key that encrypts the secret, and the commitment to the data key it comes from.
fn commit(data_key: &Secret<[u8; KEY_BYTES]>) -> (Secret<[u8; KEY_BYTES]>, [u8; COMMITMENT_BYTES]) {
    let key = cipher::derive(data_key.expose(), "switchyard.vault.v1 encryption");
    let commitment = cipher::derive(data_key.expose(), "switchyard.vault.v1 commitment");
    (key, *commitment.expose())
}

fn wrap(
    tenant_key: &TenantKey,
    context: &SecretContext,
    data_key: &Secret<[u8; KEY_BYTES]>,
    random: &dyn Random,
) -> Result<([u8; NONCE_BYTES], [u8; WRAPPED_BYTES]), RandomUnavailable> {
    let nonce = draw(random)?;
    let mut wrapped = [0; WRAPPED_BYTES];
    let (body, tag) = wrapped
        .split_last_chunk_mut::<TAG_BYTES>()
        .expect("a wrapped key is longer than its tag");
    body.copy_from_slice(data_key.expose());
    *tag = cipher::encrypt(
        tenant_key.key.expose(),
        &nonce,
        data_key_data(
            context,
            TenantKey::id(tenant_key.tenant),
            tenant_key.version,
        )
        .as_bytes(),
        body,
    );
    Ok((nonce, wrapped))
}

fn unwrap(
    tenant_key: &TenantKey,
    context: &SecretContext,
    parts: &Parts<'_>,
) -> Result<Secret<[u8; KEY_BYTES]>, Forged> {
    let (body, tag) = parts
        .wrapped
        .split_last_chunk::<TAG_BYTES>()
        .expect("a wrapped key is longer than its tag");
    let mut data_key = Zeroizing::new([0; KEY_BYTES]);
    data_key.copy_from_slice(body);
    cipher::decrypt(
        tenant_key.key.expose(),
        &parts.wrap_nonce,
        data_key_data(context, parts.tenant_key_id, parts.tenant_key_version).as_bytes(),
        &mut *data_key,
        tag,
    )?;
    Ok(Secret::new(*data_key))
}

fn secret_data(context: &SecretContext, commitment: &[u8; COMMITMENT_BYTES]) -> AuthenticatedData {
    context
        .authenticated_data(Purpose::Secret)
        .with(&[FORMAT, ALGORITHM])
        .with(commitment)
}

fn data_key_data(
    context: &SecretContext,
    tenant_key_id: [u8; KEY_ID_BYTES],
    tenant_key_version: u32,
) -> AuthenticatedData {
    context
        .authenticated_data(Purpose::DataKey)
        .with(&tenant_key_id)
        .with(&tenant_key_version.to_be_bytes())
}

#[cfg(test)]
mod tests;
