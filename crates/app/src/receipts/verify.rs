//! Checks receipts with nothing but themselves and public keys. Names everything that does not
//! hold: an edit, a foreign signature, a receipt that is missing, doubled or out of order.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, value::RawValue};
use switchyard_domain::id::WorkspaceId;
use switchyard_vault::signing::{ALGORITHM, PublicKey, Signature};

use super::{
    canonical::hex,
    document::{Receipt, VERSION, body_hash},
};

/// A public key, as it is published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedKey {
    pub key_id: String,
    pub algorithm: String,
    /// In base64.
    pub public_key: String,
}

impl From<&PublicKey> for PublishedKey {
    fn from(key: &PublicKey) -> Self {
        Self {
            key_id: key.key_id(),
            algorithm: ALGORITHM.to_owned(),
            public_key: key.to_string(),
        }
    }
}

/// Why a list of keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum UnusableKeys {
    #[error("not a list of keys with `key_id`, `algorithm` and `public_key`: {0}")]
    Shape(#[from] serde_json::Error),
    #[error("key {0} is for an algorithm other than {ALGORITHM}")]
    Algorithm(String),
    #[error("key {0} has no 32 bytes in base64 as its `public_key`")]
    Bytes(String),
    /// The id is the key's own fingerprint.
    #[error("key {0} goes by another key's name")]
    Misnamed(String),
}

/// Keys whose signatures count.
#[derive(Debug, Default)]
pub struct TrustedKeys(HashMap<String, PublicKey>);

impl TrustedKeys {
    /// Reads a list as the service publishes it.
    pub fn from_json(text: &str) -> Result<Self, UnusableKeys> {
        Self::new(&serde_json::from_str::<Vec<PublishedKey>>(text)?)
    }

    /// Takes a list as the service publishes it.
    pub fn new(keys: &[PublishedKey]) -> Result<Self, UnusableKeys> {
        let mut trusted = HashMap::with_capacity(keys.len());
        for key in keys {
            let id = key.key_id.clone();
            if key.algorithm != ALGORITHM {
                return Err(UnusableKeys::Algorithm(id));
            }
            let Ok(public) = key.public_key.parse::<PublicKey>() else {
                return Err(UnusableKeys::Bytes(id));
            };
            if public.key_id() != id {
                return Err(UnusableKeys::Misnamed(id));
            }
            trusted.insert(id, public);
        }
        Ok(Self(trusted))
    }
}

/// What does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The file holds no receipt at all.
    Empty,
    /// It is not a receipt: not JSON, or members are missing, unknown or of the wrong kind.
    Unreadable,
    /// It is of a version that this program does not know.
    Version,
    /// What it says is not what was hashed: it was edited.
    Edited,
    /// It is signed with a key that is not among the trusted ones.
    UnknownKey,
    /// Its signature is not that key's over its hash: it was edited, or never issued.
    Signature,
    /// It stands before one with a lower number.
    Reordered,
    /// Its number was given before.
    Duplicate,
    /// Receipts between it and the one before it are missing.
    Gap,
    /// It does not name the hash of the one before it.
    BrokenLink,
}

/// Something that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Which receipt of the file, from 1.
    pub receipt: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation_id: Option<String>,
    pub fault: FaultKind,
    /// In words.
    pub detail: String,
}

/// The part of a workspace's chain that a file holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Extent {
    pub workspace_id: WorkspaceId,
    pub receipts: usize,
    pub first_sequence: u64,
    pub last_sequence: u64,
}

/// What was checked and what was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    pub ok: bool,
    pub receipts: usize,
    pub chains: Vec<Extent>,
    pub faults: Vec<Fault>,
}

/// A receipt and its place in the file, from 1.
struct Placed {
    place: usize,
    receipt: Receipt,
}

impl Placed {
    fn fault(&self, fault: FaultKind, detail: impl Into<String>) -> Fault {
        Fault {
            receipt: self.place,
            generation_id: Some(self.receipt.generation_id.to_string()),
            fault,
            detail: detail.into(),
        }
    }
}

/// Checks every receipt of a text, and the chains that they form. Receipts stand one after the
/// other, a line each or not.
pub fn verify(text: &str, keys: &TrustedKeys) -> Report {
    let mut faults = Vec::new();
    let mut chains = BTreeMap::<WorkspaceId, Vec<Placed>>::new();
    let mut receipts = 0;
    let documents = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    for document in documents {
        receipts += 1;
        match document
            .map_err(|error| unreadable(receipts, &error))
            .and_then(|document| read(receipts, document.get()))
        {
            Ok((placed, hash)) => {
                faults.extend(check_seal(&placed, hash, keys));
                let chain = chains.entry(placed.receipt.workspace_id).or_default();
                chain.push(placed);
            }
            Err(fault) => faults.push(fault),
        }
    }
    if receipts == 0 {
        faults.push(Fault {
            receipt: 0,
            generation_id: None,
            fault: FaultKind::Empty,
            detail: "there is no receipt to check".to_owned(),
        });
    }
    let mut extents = Vec::with_capacity(chains.len());
    for (workspace_id, chain) in chains {
        extents.push(check_chain(workspace_id, chain, &mut faults));
    }
    faults.sort_by_key(|fault| (fault.receipt, fault.fault));
    Report {
        ok: faults.is_empty(),
        receipts,
        chains: extents,
        faults,
    }
}

/// A receipt, and the hash of what it says.
fn read(place: usize, document: &str) -> Result<(Placed, [u8; 32]), Fault> {
    // Its members first, because a version of later days may have others than we know.
    let members: Map<String, Value> =
        serde_json::from_str(document).map_err(|error| unreadable(place, &error))?;
    if let Some(version) = members.get("version").filter(|it| **it != VERSION) {
        return Err(Fault {
            receipt: place,
            generation_id: None,
            fault: FaultKind::Version,
            detail: format!("it is of version {version}; this program knows version {VERSION}"),
        });
    }
    let receipt: Receipt =
        serde_json::from_str(document).map_err(|error| unreadable(place, &error))?;
    let hash = body_hash(members).map_err(|error| unreadable(place, &error))?;
    Ok((Placed { place, receipt }, hash))
}

fn unreadable(place: usize, error: &dyn std::fmt::Display) -> Fault {
    Fault {
        receipt: place,
        generation_id: None,
        fault: FaultKind::Unreadable,
        detail: format!("it is not a receipt: {error}"),
    }
}

/// Checks a receipt by itself: what it says against its hash, its hash against its signature.
fn check_seal(placed: &Placed, hash: [u8; 32], keys: &TrustedKeys) -> Option<Fault> {
    let receipt = &placed.receipt;
    if hex(&hash) != receipt.hash {
        let detail = "what it says does not have the hash that it states: it was edited";
        return Some(placed.fault(FaultKind::Edited, detail));
    }
    let Some(key) = keys.0.get(&receipt.key_id) else {
        let detail = format!("no trusted key is called {}", receipt.key_id);
        return Some(placed.fault(FaultKind::UnknownKey, detail));
    };
    let is_signed = receipt
        .signature
        .parse::<Signature>()
        .is_ok_and(|signature| key.verify(&hash, &signature).is_ok());
    (!is_signed).then(|| {
        let detail = format!(
            "its signature is not one of {} over its hash",
            receipt.key_id
        );
        placed.fault(FaultKind::Signature, detail)
    })
}

/// Checks the receipts of one workspace against each other.
fn check_chain(
    workspace_id: WorkspaceId,
    mut chain: Vec<Placed>,
    faults: &mut Vec<Fault>,
) -> Extent {
    for pair in chain.windows(2) {
        let [before, after] = pair else { continue };
        if after.receipt.sequence < before.receipt.sequence {
            let detail = format!(
                "number {} stands behind number {}",
                after.receipt.sequence, before.receipt.sequence
            );
            faults.push(after.fault(FaultKind::Reordered, detail));
        }
    }
    // From here in the order of the numbers, so that one swap is not told as gaps as well.
    chain.sort_by_key(|placed| placed.receipt.sequence);
    if let Some(first) = chain.first() {
        let is_first = first.receipt.sequence == 1;
        if first.receipt.sequence == 0 || is_first != first.receipt.previous_hash.is_none() {
            let detail = "the first receipt of a chain, and no other, has none before it";
            faults.push(first.fault(FaultKind::BrokenLink, detail));
        }
    }
    for pair in chain.windows(2) {
        let [before, after] = pair else { continue };
        faults.extend(check_link(before, after));
    }
    let sequence = |placed: Option<&Placed>| placed.map_or(0, |placed| placed.receipt.sequence);
    Extent {
        workspace_id,
        receipts: chain.len(),
        first_sequence: sequence(chain.first()),
        last_sequence: sequence(chain.last()),
    }
}

fn check_link(before: &Placed, after: &Placed) -> Option<Fault> {
    let (low, high) = (before.receipt.sequence, after.receipt.sequence);
    match high - low {
        0 => {
            let detail = format!("number {high} is also that of receipt {}", before.place);
            Some(after.fault(FaultKind::Duplicate, detail))
        }
        1 => {
            let names = after.receipt.previous_hash.as_deref();
            (names != Some(before.receipt.hash.as_str())).then(|| {
                let detail = format!("it does not name the hash of number {low}");
                after.fault(FaultKind::BrokenLink, detail)
            })
        }
        2 => {
            let detail = format!("number {} is missing before it", low + 1);
            Some(after.fault(FaultKind::Gap, detail))
        }
        _ => {
            let detail = format!("numbers {} to {} are missing before it", low + 1, high - 1);
            Some(after.fault(FaultKind::Gap, detail))
        }
    }
}
