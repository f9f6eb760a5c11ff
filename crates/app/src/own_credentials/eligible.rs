//! Which of an account's credentials are open to an API key.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use switchyard_domain::{
    id::{AccountId, CredentialId},
    model::ModelId,
    tenancy::ApiKey,
};
use switchyard_routing::credentials::{OwnCredential, OwnCredentialId, Section};
use switchyard_store::own_credential::{OwnCredentialRow, StoredSection};
use switchyard_vault::{SealedSecret, SecretContext, Tenant};

/// An account's credentials at one moment.
#[derive(Default)]
pub(super) struct Holding {
    held: Vec<Arc<Held>>,
}

/// One credential, sealed.
pub(super) struct Held {
    pub(super) row: OwnCredentialRow,
    pub(super) context: SecretContext,
    pub(super) sealed: SealedSecret,
    /// Something about it, or about another of its account, has changed since.
    is_withdrawn: AtomicBool,
}

/// What an API key's requests may be served with, in the order of its owner.
#[derive(Default)]
pub struct Eligible {
    /// As provider selection knows them.
    own: Vec<OwnCredential>,
    held: HashMap<CredentialId, Arc<Held>>,
}

impl Holding {
    pub(super) fn of(account: AccountId, rows: Vec<OwnCredentialRow>) -> Self {
        let held = rows
            .into_iter()
            .filter_map(|row| Held::of(account, row))
            .map(Arc::new)
            .collect();
        Self { held }
    }

    /// `None` where none is.
    pub(super) fn open_to(&self, key: &ApiKey) -> Option<Eligible> {
        let open: Vec<_> = self
            .held
            .iter()
            .filter(|held| held.is_open_to(key))
            .collect();
        if open.is_empty() {
            return None;
        }
        Some(Eligible {
            own: open.iter().map(|held| held.for_routing()).collect(),
            held: open
                .into_iter()
                .map(|held| (held.row.id, Arc::clone(held)))
                .collect(),
        })
    }

    pub(super) fn get(&self, id: CredentialId) -> Option<&Arc<Held>> {
        self.held.iter().find(|held| held.row.id == id)
    }

    pub(super) fn withdraw(&self) {
        for held in &self.held {
            held.is_withdrawn.store(true, Ordering::Release);
        }
    }
}

impl Held {
    pub(super) fn of(account: AccountId, row: OwnCredentialRow) -> Option<Self> {
        let secret = row.secret.as_ref()?;
        Some(Self {
            context: context_of(account, &row, secret.record_version),
            sealed: SealedSecret::from_bytes(secret.sealed.as_slice()),
            is_withdrawn: AtomicBool::new(false),
            row,
        })
    }

    pub(super) fn is_open_to(&self, key: &ApiKey) -> bool {
        is_open_to(&self.row, key)
    }

    pub(super) fn is_withdrawn(&self) -> bool {
        self.is_withdrawn.load(Ordering::Acquire)
    }

    pub(super) fn for_routing(&self) -> OwnCredential {
        let settings = &self.row.settings;
        OwnCredential {
            id: OwnCredentialId::Stored(self.row.id),
            provider: self.row.provider.clone(),
            section: match settings.section {
                StoredSection::Prioritized => Section::Prioritized,
                StoredSection::Fallback => Section::Fallback,
            },
            allowed_models: settings
                .filters
                .models
                .as_ref()
                .map(|models| models.iter().map(|id| ModelId::new(id.as_str())).collect()),
            is_required: settings.is_required,
            is_byok_only: settings.is_byok_only,
            declared_zdr: settings.declared_zdr == Some(true),
        }
    }
}

impl Eligible {
    /// As provider selection knows them.
    pub fn own(&self) -> &[OwnCredential] {
        &self.own
    }

    pub(super) fn get(&self, id: CredentialId) -> Option<&Arc<Held>> {
        self.held.get(&id)
    }
}

/// Switched on, of the key's workspace or of all, and for this key and whoever made it.
pub(super) fn is_open_to(row: &OwnCredentialRow, key: &ApiKey) -> bool {
    let settings = &row.settings;
    let filters = &settings.filters;
    let maker = || key.creator_id.map(|person| person.to_string());
    !settings.disabled
        && row
            .workspace_id
            .is_none_or(|workspace| workspace == key.workspace_id)
        && filters
            .api_key_hashes
            .as_ref()
            .is_none_or(|hashes| hashes.contains(&key.hash))
        && filters
            .user_ids
            .as_ref()
            .is_none_or(|people| maker().is_some_and(|maker| people.contains(&maker)))
}

/// What the secret of a row must have been sealed for.
pub(super) fn context_of(
    account: AccountId,
    row: &OwnCredentialRow,
    record_version: i32,
) -> SecretContext {
    SecretContext {
        tenant: Tenant::Account(account),
        workspace: row.workspace_id,
        provider: row.provider.clone(),
        endpoint_host: row.endpoint_host.as_deref().map(Arc::from),
        record: row.id,
        // A version that cannot be is none that anything was sealed for.
        record_version: u32::try_from(record_version).unwrap_or(0),
    }
}
