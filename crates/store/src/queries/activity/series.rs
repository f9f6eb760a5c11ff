//! What generations are told apart by in roll-ups and in the log.

use std::borrow::Cow;

use sqlx::types::Uuid;
use switchyard_billing::settlement::Settlement;
use switchyard_domain::{
    endpoint::EndpointId,
    id::{AccountId, ApiKeyId, CredentialId, WorkspaceId},
};

use super::super::rows::Statement;
use crate::{
    activity::{AppName, LogStatus, shortened, variant_of},
    portable::without_nul,
};

/// What a generation is told apart by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) struct SeriesKey<'a> {
    pub(super) account_id: AccountId,
    workspace_id: WorkspaceId,
    api_key_id: ApiKeyId,
    /// Of what served; where nothing did, of the last try, or what was asked for.
    model: Cow<'a, str>,
    provider: Option<Cow<'a, str>>,
    endpoint_id: Option<Cow<'a, str>>,
    variant: Option<Cow<'a, str>>,
    status: LogStatus,
    finish_reason: Option<Cow<'a, str>>,
    is_byok: bool,
    credential: Option<CredentialId>,
    app: Option<AppName>,
}

impl<'a> SeriesKey<'a> {
    pub(in super::super) fn of(settlement: &'a Settlement) -> Self {
        let served = settlement.served.as_ref();
        let (endpoint, provider) = match (served, settlement.attempts.last()) {
            (Some(served), _) => (Some(&served.endpoint_id), Some(&served.provider)),
            (None, Some(tried)) => (Some(&tried.endpoint_id), Some(&tried.provider)),
            (None, None) => (None, None),
        };
        let model = match (served, endpoint) {
            (Some(served), _) => without_nul(&served.model),
            (None, Some(tried)) => without_nul(model_of(tried)),
            (None, None) => shortened(&settlement.request.requested_model),
        };
        Self {
            account_id: settlement.account_id,
            workspace_id: settlement.workspace_id,
            api_key_id: settlement.api_key_id,
            model,
            provider: provider.map(|provider| without_nul(provider.as_str())),
            endpoint_id: served.map(|served| without_nul(served.endpoint_id.as_str())),
            variant: variant_of(&settlement.request.requested_model),
            status: LogStatus::of(settlement),
            finish_reason: served
                .and_then(|served| served.finish_reason.as_deref())
                .map(shortened),
            is_byok: settlement.is_byok(),
            credential: served.and_then(|served| served.byok_credential_id),
            app: AppName::of(&settlement.request),
        }
    }

    /// A digest of the labels: the same series has the same id wherever it is first seen. What an app
    /// calls itself is not in it. Nobody gains from making two series of an account collide but its
    /// own members, so that it is quick counts for more than that it is hard to invert.
    pub(in super::super) fn id(&self) -> Uuid {
        let mut digest = Digest::new();
        digest.add(Some(self.workspace_id.as_uuid().as_bytes()));
        digest.add(Some(self.api_key_id.as_uuid().as_bytes()));
        digest.add(Some(self.model.as_bytes()));
        for text in [
            &self.provider,
            &self.endpoint_id,
            &self.variant,
            &self.finish_reason,
        ] {
            digest.add(text.as_ref().map(|text| text.as_bytes()));
        }
        digest.add(Some(self.status.as_str().as_bytes()));
        digest.add(Some(&[u8::from(self.is_byok)]));
        let credential = self.credential.map(CredentialId::as_uuid);
        digest.add(credential.as_ref().map(|id| id.as_bytes().as_slice()));
        digest.add(self.app.as_ref().map(|app| app.id.as_bytes()));
        Uuid::from_u128(digest.0)
    }

    pub(super) fn bind(&self, row: &mut Statement) {
        row.push_bind(self.workspace_id.as_uuid())
            .push_bind(self.api_key_id.as_uuid())
            .push_bind(self.model.as_ref().to_owned())
            .push_bind(self.variant.as_deref().map(str::to_owned))
            .push_bind(self.provider.as_deref().map(str::to_owned))
            .push_bind(self.endpoint_id.as_deref().map(str::to_owned))
            .push_bind(self.status.as_str())
            .push_bind(self.finish_reason.as_deref().map(str::to_owned))
            .push_bind(self.is_byok)
            .push_bind(self.credential.map(CredentialId::as_uuid))
            .push_bind(self.app.as_ref().map(|app| app.id.clone()))
            .push_bind(self.app.as_ref().map(|app| app.name.clone()));
    }
}

/// An endpoint's id begins with its model's.
pub(in super::super) fn model_of(endpoint: &EndpointId) -> &str {
    let id = endpoint.as_str();
    id.split_once('|').map_or(id, |(model, _)| model)
}

/// FNV-1a over 128 bits, over parts that are each behind their length.
struct Digest(u128);

impl Digest {
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;

    const fn new() -> Self {
        Self(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d)
    }

    fn add(&mut self, part: Option<&[u8]>) {
        // Nothing is as long as nothing can be.
        let length = part.map_or(u32::MAX, |part| {
            u32::try_from(part.len()).unwrap_or(u32::MAX - 1)
        });
        for byte in length.to_be_bytes().iter().chain(part.unwrap_or_default()) {
            self.0 = (self.0 ^ u128::from(*byte)).wrapping_mul(Self::PRIME);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(parts: &[Option<&[u8]>]) -> u128 {
        let mut digest = Digest::new();
        parts.iter().for_each(|part| digest.add(*part));
        digest.0
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        let (a, b, ab) = (b"a".as_slice(), b"b".as_slice(), b"ab".as_slice());
        let different = [
            digest(&[Some(a), Some(b)]),
            digest(&[Some(ab), None]),
            digest(&[None, Some(ab)]),
            digest(&[Some(ab), Some(b"")]),
        ];
        for (index, one) in different.iter().enumerate() {
            assert!(!different[index + 1..].contains(one));
        }
    }

    #[test]
    fn the_digest_is_the_published_one() {
        let mut digest = Digest::new();
        for byte in b"foobar" {
            digest.0 = (digest.0 ^ u128::from(*byte)).wrapping_mul(Digest::PRIME);
        }
        assert_eq!(digest.0, 0x343e_1662_793c_64bf_6f0d_3597_ba44_6f18);
    }
}
