//! A new key in an old one's place: both work for a while, and both spend from one limit.

use std::time::Duration;

use serde_json::json;
use switchyard_domain::{clock::Timestamp, secret::Secret};
use switchyard_store::{DirectoryError, api_key::KeyRotation};

use super::{ApiKeyError, KeySight, ManagedKey, said};
use crate::{
    App,
    acting_caller::{ActingCaller, Deed},
    keys::KeyRequest,
    limits::CHANGE_TRIES_MAX,
};

/// How long an old key may live on: not at all, an hour, a day, a week.
pub const OLD_KEY_LIVES: [Duration; 4] = [
    Duration::ZERO,
    Duration::from_secs(3_600),
    Duration::from_secs(86_400),
    Duration::from_secs(7 * 86_400),
];

/// What came of a rotation.
#[derive(Debug)]
pub struct Rotated {
    /// The new key's text, which is shown once.
    pub text: Secret<String>,
    pub key: ManagedKey,
    /// The old key as it is now.
    pub old: ManagedKey,
}

impl App {
    /// Makes a successor of a key that calls models: the same name, limit, rules and credentials. The
    /// old key's time is over after `old_life`, or earlier where it would have been.
    pub async fn rotate_api_key(
        &self,
        actor: &ActingCaller,
        sight: KeySight,
        hash: &str,
        old_life: Duration,
    ) -> Result<Rotated, ApiKeyError> {
        let account = actor.account_id();
        let sight = KeySight {
            management: false,
            ..sight
        };
        for _ in 0..CHANGE_TRIES_MAX {
            let old = self.api_key(account, sight, hash).await?;
            let at = self.clock.now();
            if old.key.expires_at.is_some_and(|end| end <= at) {
                return Err(ApiKeyError::Expired);
            }
            match self.store_rotation(actor, sight, &old, old_life, at).await {
                Ok((text, new_hash)) => {
                    return Ok(Rotated {
                        text,
                        key: self.api_key(account, sight, &new_hash).await?,
                        old: self.api_key(account, sight, hash).await?,
                    });
                }
                Err(ApiKeyError::Directory(DirectoryError::Conflict("revision"))) => {}
                Err(error) => return Err(error),
            }
        }
        Err(ApiKeyError::Contended)
    }

    async fn store_rotation(
        &self,
        actor: &ActingCaller,
        sight: KeySight,
        old: &ManagedKey,
        old_life: Duration,
        at: Timestamp,
    ) -> Result<(Secret<String>, String), ApiKeyError> {
        let key = &old.key;
        let (mut successor, text) = self.keys.mint(KeyRequest {
            account_id: key.account_id,
            workspace_id: key.workspace_id,
            name: key.name.clone(),
            kind: key.kind,
            limit: key.limit,
            expires_at: key.expires_at,
            creator_id: key.creator_id,
        })?;
        successor.key.shares_limit_of = Some(key.limit_key());
        let ends = at.plus(old_life);
        let ends = key.expires_at.map_or(ends, |earlier| earlier.min(ends));
        let deed = Deed {
            action: "api_key.rotate",
            subject: key.id.to_string(),
            workspace_id: Some(key.workspace_id),
            detail: json!({
                "hash": key.hash,
                "expires_at": ends.to_rfc3339(),
                "successor": {
                    "id": successor.key.id,
                    "hash": successor.key.hash,
                    "label": successor.key.label,
                    "key": said(&successor.key),
                },
            }),
        };
        let event = actor.did(deed, at);
        let new_hash = successor.key.hash.clone();
        let rotation = KeyRotation {
            successor,
            old_expires_at: ends,
            expected_revision: old.revision,
            at,
        };
        let account = actor.account_id();
        let stored = self
            .key_store
            .rotate_key(account, sight, &key.hash, &rotation, &event)
            .await?;
        if stored.policy {
            self.policies.tell(account).await;
        }
        for credential in stored.credentials {
            self.own_credentials.tell(account, credential).await;
        }
        for changed in stored.keys {
            self.keys.tell_changed(changed.lookup_id).await;
        }
        Ok((text, new_hash))
    }
}
