//! What links the audit log's entries: a key that the database does not have.

use switchyard_store::audit::AuditLinker;
use switchyard_vault::keyed_digest::DigestKeys;

/// Links entries by keyed digests.
#[derive(Debug)]
pub struct KeyedLinks(DigestKeys);

impl KeyedLinks {
    pub const fn new(keys: DigestKeys) -> Self {
        Self(keys)
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
