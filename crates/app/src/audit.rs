//! What links the audit log's entries: a key that the database does not have.

use switchyard_store::audit::AuditLinker;
use switchyard_vault::keyed_digest::KeyedDigest;

/// Links entries by keyed digests.
pub struct KeyedLinks(Box<dyn KeyedDigest>);

impl KeyedLinks {
    pub fn new(keys: impl KeyedDigest) -> Self {
        Self(Box::new(keys))
    }
}

impl std::fmt::Debug for KeyedLinks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyedLinks")
    }
}

impl AuditLinker for KeyedLinks {
    fn link(&self, previous: &[u8], entry: &[u8]) -> ([u8; 32], i32) {
        let (link, version) = self.0.digest(&[previous, entry]);
        (link, i32::try_from(version).unwrap_or(i32::MAX))
    }

    fn is_linked(&self, previous: &[u8], entry: &[u8], link: &[u8], key_version: i32) -> bool {
        u32::try_from(key_version)
            .is_ok_and(|version| self.0.is_of(&[previous, entry], link, version))
    }
}
