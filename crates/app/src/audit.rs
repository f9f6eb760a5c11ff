//! What links the audit log's entries: a key that the database does not have.

use std::sync::Arc;

use switchyard_store::audit::AuditLinker;
use switchyard_vault::key_provider::LiveKeyring;

/// Links entries by keyed digests.
#[derive(Debug)]
pub struct KeyedLinks(Arc<LiveKeyring>);

impl KeyedLinks {
    pub const fn new(keyring: Arc<LiveKeyring>) -> Self {
        Self(keyring)
    }
}

impl AuditLinker for KeyedLinks {
    fn link(&self, previous: &[u8], entry: &[u8]) -> ([u8; 32], i32) {
        let (link, version) = self.0.audit_link(&[previous, entry]);
        (link, i32::try_from(version).unwrap_or(i32::MAX))
    }

    fn is_linked(&self, previous: &[u8], entry: &[u8], link: &[u8], key_version: i32) -> bool {
        u32::try_from(key_version)
            .is_ok_and(|version| self.0.is_audit_link(&[previous, entry], link, version))
    }
}
