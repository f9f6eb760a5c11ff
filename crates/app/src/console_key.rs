//! The key that the console calls models with for whoever is signed in. Limits, books and logs know it
//! like any other; nobody knows its text, so nobody can present it.

use std::sync::Arc;

use serde_json::json;
use sha2::{Digest as _, Sha256};
use switchyard_domain::{
    clock::Timestamp,
    id::ApiKeyId,
    tenancy::{ApiKey, Caller, KeyKind},
};
use switchyard_store::{DirectoryError, api_key::CONSOLE_LABEL};

use crate::{
    App,
    acting_caller::{ActingCaller, Deed},
    api_keys::ApiKeyError,
    keys::KeyRequest,
    offer::Onlooker,
};

/// A person whose key was deleted with their membership, and who came back, gets another one. This often.
const SUCCESSORS_MAX: u32 = 16;

/// What the owner's logs call it.
const NAME: &str = "Console chat";

impl App {
    /// The caller that somebody is who asks models in the console. Whether they may is for the caller to
    /// have asked.
    pub async fn console_caller(
        &self,
        onlooker: &Onlooker,
        actor: &ActingCaller,
    ) -> Result<Caller, ApiKeyError> {
        for successor in 0..SUCCESSORS_MAX {
            let hash = hash(onlooker, successor);
            if let Some(caller) = self.stored_console_caller(&hash).await? {
                return Ok(caller);
            }
            match self.make_console_key(onlooker, &hash, actor).await {
                Ok(()) => {}
                // Made at the same time by another request, or deleted.
                Err(ApiKeyError::Directory(DirectoryError::Conflict(_))) => {}
                Err(error) => return Err(error),
            }
            if let Some(caller) = self.stored_console_caller(&hash).await? {
                return Ok(caller);
            }
        }
        Err(ApiKeyError::Contended)
    }

    /// The keys that somebody's questions in the console were asked with.
    pub async fn console_keys(&self, onlooker: &Onlooker) -> Result<Vec<ApiKeyId>, ApiKeyError> {
        let mut ids = Vec::new();
        for successor in 0..SUCCESSORS_MAX {
            match self
                .stored_console_caller(&hash(onlooker, successor))
                .await?
            {
                Some(caller) => {
                    ids.push(caller.key.id);
                    break;
                }
                None if successor == 0 => {}
                None => break,
            }
        }
        Ok(ids)
    }

    async fn stored_console_caller(&self, hash: &str) -> Result<Option<Caller>, ApiKeyError> {
        let found = self.directory.key_by_lookup_id(&hash[..32]).await?;
        let usable = found.filter(|stored| stored.key.is_usable(self.clock.now()));
        Ok(usable.map(|stored| Caller {
            key: Arc::new(stored.key),
        }))
    }

    async fn make_console_key(
        &self,
        onlooker: &Onlooker,
        hash: &str,
        actor: &ActingCaller,
    ) -> Result<(), ApiKeyError> {
        let wanted = of(onlooker, self.clock.now());
        // Its verifier is that of a text which is forgotten here, and its hash is no text's.
        let (mut row, _) = self.keys.mint(KeyRequest {
            account_id: wanted.account_id,
            workspace_id: wanted.workspace_id,
            name: wanted.name,
            kind: wanted.kind,
            limit: None,
            expires_at: None,
            creator_id: wanted.creator_id,
        })?;
        row.key.label = wanted.label;
        hash.clone_into(&mut row.key.hash);
        hash[..32].clone_into(&mut row.lookup_id);
        let deed = Deed {
            action: "api_key.create",
            subject: row.key.id.to_string(),
            workspace_id: Some(row.key.workspace_id),
            detail: json!({ "hash": hash, "label": CONSOLE_LABEL, "creator": onlooker.person_id }),
        };
        let event = actor.did(deed, row.key.created_at);
        self.key_store.create_key(&row, None, &event).await?;
        Ok(())
    }
}

/// Such a key, not stored.
pub(crate) fn of(onlooker: &Onlooker, now: Timestamp) -> ApiKey {
    ApiKey {
        id: ApiKeyId::from_uuid(uuid::Uuid::nil()),
        account_id: onlooker.account_id,
        workspace_id: onlooker.workspace_id,
        kind: KeyKind::Inference,
        name: NAME.to_owned(),
        label: CONSOLE_LABEL.to_owned(),
        hash: String::new(),
        limit: None,
        expires_at: None,
        disabled: false,
        created_at: now,
        creator_id: Some(onlooker.person_id),
        shares_limit_of: None,
    }
}

/// The public identifier: of no text of a key, but it must be found again.
pub(crate) fn hash(onlooker: &Onlooker, successor: u32) -> String {
    let text = format!(
        "console chat:{}:{}:{successor}",
        onlooker.person_id, onlooker.workspace_id
    );
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
