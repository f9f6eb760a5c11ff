//! Keys that sign: made here, sealed here, opened for the length of one use.

use super::{OpenError, SealError, Vault};
use crate::{
    envelope::SealedSecret,
    signing::{PublicKey, SigningKey},
};

impl Vault {
    /// Makes a signing key; its private half leaves sealed.
    pub async fn new_signing_key(&self) -> Result<(PublicKey, SealedSecret), SealError> {
        let key = SigningKey::generate(&*self.random)?;
        let public = key.public_key();
        let sealed = self.seal(&public.context(), &key.seed()).await?;
        Ok((public, sealed))
    }

    /// The private half of `public` under a version of the operator's key, or `None` if it is
    /// there already. To be stored by compare-and-set against `sealed`.
    pub async fn rewrap_signing_key(
        &self,
        public: &PublicKey,
        sealed: &SealedSecret,
        version: u32,
    ) -> Result<Option<SealedSecret>, OpenError> {
        self.rewrap_to(&public.context(), sealed, version).await
    }

    /// Opens the private half of `public`.
    pub async fn open_signing_key(
        &self,
        public: &PublicKey,
        sealed: &SealedSecret,
    ) -> Result<SigningKey, OpenError> {
        let seed = self.open(&public.context(), sealed).await?;
        SigningKey::from_seed(seed.expose())
            .filter(|key| key.public_key() == *public)
            .ok_or(OpenError::Rejected)
    }
}
