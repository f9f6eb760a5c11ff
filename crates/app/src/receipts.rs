//! Provable privacy: for workspaces that ask, each generation leaves a receipt of the policy it was
//! served under and of what was tried. Receipts of a workspace form a chain, and each is signed.
//!
//! What a receipt says is written down at settlement (`generation/receipt.rs`) and posted with the
//! charge. Here it gets its place in the chain and its signature: by a job soon after, or at once
//! when its owner asks for it. Any number of nodes may do so at the same time.

pub mod canonical;
pub mod document;
pub mod verify;

use std::sync::Arc;

use switchyard_domain::{
    clock::Clock,
    id::{GenerationId, WorkspaceId},
};
use switchyard_store::{
    DirectoryError, ReceiptStore,
    receipts::{ChainHead, Pending, SignedReceipt, SigningKeyRow, StoredReceipt},
};
use switchyard_vault::{
    OpenError, SealError, SealedSecret, Vault,
    signing::{PublicKey, SigningKey},
};

use self::verify::PublishedKey;
use crate::{
    limits::{
        RECEIPT_BATCH_MAX, RECEIPT_TURNS_MAX, RECEIPT_WORKSPACES_MAX, RECEIPTS_AT_A_STRETCH,
        RECEIPTS_PER_TURN_MAX,
    },
    vault_upkeep::note_integrity_failure,
};

/// Chains, signs and hands out receipts.
pub struct Receipts {
    store: Arc<dyn ReceiptStore>,
    vault: Arc<Vault>,
    clock: Arc<dyn Clock>,
}

/// Why there is no receipt to be had at the moment.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptError {
    #[error(transparent)]
    Store(#[from] DirectoryError),
    #[error("a signing key cannot be sealed")]
    Seal(#[from] SealError),
    #[error("the signing key cannot be opened")]
    Open(#[from] OpenError),
    #[error("{0} waits behind too many others to be signed")]
    Behind(GenerationId),
}

impl std::fmt::Debug for Receipts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Receipts")
    }
}

impl Receipts {
    pub fn new(store: Arc<dyn ReceiptStore>, vault: Arc<Vault>, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            vault,
            clock,
        }
    }

    /// Chains and signs what waits for it, of every workspace. Stops early where other nodes are
    /// faster: then they do it. What is too much for one turn is left for the next.
    pub async fn sign_pending(&self) -> Result<(), ReceiptError> {
        let mut total = 0;
        while total < RECEIPTS_PER_TURN_MAX {
            let workspaces = self
                .store
                .workspaces_with_unsigned_receipts(RECEIPT_WORKSPACES_MAX)
                .await?;
            let mut signed = 0;
            for workspace in workspaces {
                signed += self.sign_some(workspace).await?;
            }
            if signed == 0 {
                break;
            }
            total += signed;
        }
        Ok(())
    }

    /// A generation's receipt, signed now if it was not before; `None` where the workspace had not
    /// asked for one.
    pub async fn of_generation(
        &self,
        workspace: WorkspaceId,
        id: &GenerationId,
    ) -> Result<Option<String>, ReceiptError> {
        for _ in 0..RECEIPT_TURNS_MAX {
            match self.store.receipt(workspace, id).await? {
                None => return Ok(None),
                Some(StoredReceipt::Signed(document)) => return Ok(Some(document)),
                Some(StoredReceipt::Unsigned) => self.sign_some(workspace).await?,
            };
        }
        Err(ReceiptError::Behind(id.clone()))
    }

    /// Whether a generation has a receipt, signed or about to be.
    pub async fn exists(
        &self,
        workspace: WorkspaceId,
        id: &GenerationId,
    ) -> Result<bool, DirectoryError> {
        Ok(self.store.receipt(workspace, id).await?.is_some())
    }

    /// Every key that ever signed, so that every receipt can be checked.
    pub async fn public_keys(&self) -> Result<Vec<PublishedKey>, ReceiptError> {
        let keys = self.store.signing_keys().await?;
        Ok(keys
            .iter()
            .map(|key| PublishedKey::from(&PublicKey::from_bytes(key.public_key)))
            .collect())
    }

    /// Chains and signs a batch of one workspace; 0 when there is none, or somebody was faster.
    async fn sign_some(&self, workspace: WorkspaceId) -> Result<usize, ReceiptError> {
        let pending = self
            .store
            .unsigned_receipts(workspace, RECEIPT_BATCH_MAX)
            .await?;
        if pending.receipts.is_empty() {
            return Ok(0);
        }
        let key = self.signing_key().await?;
        let head = pending.head;
        let signed = sign_in_turns(pending, &key).await;
        if !self.store.append_receipts(workspace, head, &signed).await? {
            return Ok(0);
        }
        metrics::counter!("switchyard_receipts_signed_total").increment(signed.len() as u64);
        Ok(signed.len())
    }

    /// The key to sign with, made at first need.
    async fn signing_key(&self) -> Result<SigningKey, ReceiptError> {
        let keys = self.store.signing_keys().await?;
        let row = match keys.into_iter().find(|key| key.retired_at.is_none()) {
            Some(row) => row,
            None => self.new_signing_key().await?,
        };
        let public = PublicKey::from_bytes(row.public_key);
        let sealed = SealedSecret::from_bytes(row.sealed);
        let opened = self.vault.open_signing_key(&public, &sealed).await;
        Ok(opened.inspect_err(|error| {
            note_integrity_failure(error);
            if error.is_integrity_failure() {
                tracing::error!(
                    key_id = row.key_id,
                    error = error as &dyn std::error::Error,
                    "the key that signs receipts was tampered with"
                );
            }
        })?)
    }

    /// Of nodes that each make one, the first to store it wins, and all sign with that.
    async fn new_signing_key(&self) -> Result<SigningKeyRow, ReceiptError> {
        let (public, sealed) = self.vault.new_signing_key().await?;
        let row = SigningKeyRow {
            key_id: public.key_id(),
            public_key: *public.as_bytes(),
            sealed: sealed.as_bytes().to_vec(),
            created_at: self.clock.now(),
            retired_at: None,
        };
        let there = self.store.put_signing_key(&row).await?;
        if there == row {
            tracing::info!(key_id = there.key_id, "made a key to sign receipts with");
        }
        Ok(there)
    }
}

/// As [`sign`], letting others on the same thread have theirs now and then: a request must not
/// wait for a whole batch of signatures.
async fn sign_in_turns(mut pending: Pending, key: &SigningKey) -> Vec<SignedReceipt> {
    let mut signed: Vec<SignedReceipt> = Vec::with_capacity(pending.receipts.len());
    while !pending.receipts.is_empty() {
        let turn = pending.receipts.len().min(RECEIPTS_AT_A_STRETCH);
        let rest = pending.receipts.split_off(turn);
        let done = sign(
            Pending {
                head: pending.head,
                receipts: pending.receipts,
            },
            key,
        );
        if let Some(last) = done.last() {
            pending.head = Some(ChainHead {
                sequence: pending.head.map_or(0, |head| head.sequence) + done.len() as u64,
                hash: last.hash,
            });
        }
        signed.extend(done);
        pending.receipts = rest;
        tokio::task::yield_now().await;
    }
    signed
}

/// Links and signs what waits, in order. A draft that is no document any more stays where it is:
/// it must not hold up those behind it.
fn sign(pending: Pending, key: &SigningKey) -> Vec<SignedReceipt> {
    let mut head = pending.head;
    let mut signed = Vec::with_capacity(pending.receipts.len());
    for receipt in pending.receipts {
        let id = receipt.generation_id.clone();
        match document::sign(receipt, head, key) {
            Ok(receipt) => {
                head = Some(ChainHead {
                    sequence: head.map_or(1, |head| head.sequence + 1),
                    hash: receipt.hash,
                });
                signed.push(receipt);
            }
            Err(error) => tracing::error!(
                generation.id = %id,
                error = %error,
                "a stored receipt is damaged and cannot be signed"
            ),
        }
    }
    signed
}

#[cfg(test)]
mod tests;
