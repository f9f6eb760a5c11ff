//! Who may spend: an account with an owner whose address was shown to be read. Anybody else may use what
//! is free.

use std::sync::PoisonError;

use switchyard_domain::id::AccountId;
use switchyard_store::DirectoryError;

use super::Proofs;

/// Accounts that are remembered; then they are asked about anew.
const REMEMBERED_MAX: usize = 100_000;

impl Proofs {
    /// Whether an account may spend its credit. Once it may, it always may, so that is remembered, and
    /// requests of customers ask no database.
    pub async fn may_spend(&self, account: AccountId) -> Result<bool, DirectoryError> {
        if self.is_known_to_spend(account) {
            return Ok(true);
        }
        if !self.store.has_verified_owner(account).await? {
            return Ok(false);
        }
        let mut known = self
            .spenders
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED_MAX {
            known.clear();
        }
        known.insert(account);
        Ok(true)
    }

    fn is_known_to_spend(&self, account: AccountId) -> bool {
        let known = self.spenders.read().unwrap_or_else(PoisonError::into_inner);
        known.contains(&account)
    }
}
