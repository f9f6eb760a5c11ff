//! Receipts of generations, chained and signed by others, and the keys that sign them. What a
//! receipt says is nothing to the database: it keeps documents, and guards their order.

use async_trait::async_trait;
use switchyard_domain::{
    clock::Timestamp,
    id::{GenerationId, WorkspaceId},
};

use crate::directory::DirectoryError;

/// Where a workspace's chain of receipts ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainHead {
    /// The last receipt's number, from 1.
    pub sequence: u64,
    /// The last receipt's hash.
    pub hash: [u8; 32],
}

/// A receipt that is not in its chain yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsignedReceipt {
    /// Whose receipt it is.
    pub generation_id: GenerationId,
    /// What it says so far.
    pub document: String,
}

/// A workspace's receipts that are not in its chain yet, and where they belong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// The end of the chain; `None` where there is none yet.
    pub head: Option<ChainHead>,
    /// What comes behind it, in order.
    pub receipts: Vec<UnsignedReceipt>,
}

/// A receipt with its place and its signature. Its number follows from its place in the list that
/// it is appended in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedReceipt {
    /// Whose receipt it is.
    pub generation_id: GenerationId,
    /// The finished document, kept byte for byte.
    pub document: String,
    /// Its hash, which the next one names.
    pub hash: [u8; 32],
}

/// A generation's receipt as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredReceipt {
    /// It is not in its chain yet.
    Unsigned,
    /// The finished document.
    Signed(String),
}

/// A key that signs, or signed, receipts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningKeyRow {
    /// Its name.
    pub key_id: String,
    /// The public half.
    pub public_key: [u8; 32],
    /// The private half, sealed.
    pub sealed: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Since when it signs no more; what it signed stays valid.
    pub retired_at: Option<Timestamp>,
}

/// Receipts and the keys that sign them. A receipt's document comes in with its settlement, through
/// the ledger. One method is one transaction.
#[async_trait]
pub trait ReceiptStore: Send + Sync + 'static {
    /// Workspaces with receipts that are not in their chain yet, at most `limit`.
    async fn workspaces_with_unsigned_receipts(
        &self,
        limit: u32,
    ) -> Result<Vec<WorkspaceId>, DirectoryError>;

    /// A workspace's receipts that are not in its chain yet, in the order of their settlement, at
    /// most `limit`.
    async fn unsigned_receipts(
        &self,
        workspace: WorkspaceId,
        limit: u32,
    ) -> Result<Pending, DirectoryError>;

    /// Appends receipts to a workspace's chain if it still ends at `head`; `false`, and nothing
    /// done, when somebody else was faster. So no number is given twice and none is left out.
    async fn append_receipts(
        &self,
        workspace: WorkspaceId,
        head: Option<ChainHead>,
        receipts: &[SignedReceipt],
    ) -> Result<bool, DirectoryError>;

    /// A generation's receipt; `None` where the workspace has none for it.
    async fn receipt(
        &self,
        workspace: WorkspaceId,
        id: &GenerationId,
    ) -> Result<Option<StoredReceipt>, DirectoryError>;

    /// Every key that ever signed, oldest first.
    async fn signing_keys(&self) -> Result<Vec<SigningKeyRow>, DirectoryError>;

    /// Stores a key to sign with unless there is one that is not retired: the first writer wins,
    /// and everyone gets the key that is there.
    async fn put_signing_key(&self, key: &SigningKeyRow) -> Result<SigningKeyRow, DirectoryError>;
}
