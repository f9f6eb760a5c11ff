//! What a provider is told beside the request: a name for the conversation that only this account
//! has, and whether anything may be kept.

use switchyard_domain::tenancy::Caller;
use switchyard_routing::{stickiness::affinity_hint, vetted::Vetted};

use crate::{
    App,
    generation::{admit::Admitted, plan::Planned},
};

impl App {
    /// The secret that everything about an account's conversations is keyed with.
    pub(super) fn account_secret(&self, caller: &Caller) -> [u8; 48] {
        let mut secret = [0; 48];
        secret[..32].copy_from_slice(&self.settings.sticky_secret);
        secret[32..].copy_from_slice(caller.account_id().as_uuid().as_bytes());
        secret
    }

    /// See [`affinity_hint`].
    pub(super) fn affinity(&self, admitted: &Admitted) -> Option<String> {
        affinity_hint(&admitted.chat, &self.account_secret(&admitted.caller))
    }
}

/// Whether zero data retention holds for a request at a candidate, at anybody's word.
pub(super) fn demands_zero_retention(planned: &Planned, candidate: &Vetted) -> bool {
    let author = &candidate.model().author;
    planned.admitted.chat.provider.zdr || planned.standing.policy.demands_zdr(author)
}
