//! How customers' credentials are doing: seen with every attempt, written in the background, and
//! told to their owners where it changes. A request never waits for any of it.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::json;
use switchyard_domain::{
    clock::Timestamp,
    id::{AccountId, CredentialId, WorkspaceId},
};
use switchyard_interchange::failure::{Failure, FailureKind};
use switchyard_store::{
    DirectoryError,
    own_credential::{CredentialCondition, CredentialState, OwnerEvent},
};

use super::OwnCredentials;
use crate::limits::{
    CREDENTIAL_ERROR_CHARS_MAX, CREDENTIAL_EXHAUSTIONS_MIN, CREDENTIALS_WATCHED_MAX,
};

/// What is well is confirmed in the database this often at most, and so is what is not.
const CONFIRMATION: Duration = Duration::from_secs(60);

/// What a provider made of a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// It was taken.
    Accepted,
    /// It is not valid, or may not do this.
    Refused(Refusal),
    /// Its quota or its rate is used up. Once is nothing.
    Exhausted(Refusal),
}

/// A refusal of a credential: its status, and what it means in our words. The codecs pass a provider's
/// own words on only where they are about the request, which these are not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub status: u16,
    pub message: String,
}

impl Seen {
    /// What a failed attempt says about the credential; `None`: nothing. Without a status nobody has
    /// looked at it.
    pub fn of_failure(failure: &Failure) -> Option<Self> {
        let refusal = Refusal {
            status: failure.status?,
            message: failure
                .message
                .chars()
                .take(CREDENTIAL_ERROR_CHARS_MAX)
                .collect(),
        };
        match failure.kind {
            FailureKind::Auth | FailureKind::Permission => Some(Self::Refused(refusal)),
            FailureKind::QuotaBilling | FailureKind::RateLimit => Some(Self::Exhausted(refusal)),
            _ => None,
        }
    }

    /// What the provider said, if it did not take the credential.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Accepted => None,
            Self::Refused(refusal) | Self::Exhausted(refusal) => Some(refusal),
        }
    }
}

/// What this node has seen of the credentials that it used.
#[derive(Debug, Default)]
pub(super) struct Watch(Mutex<Watched>);

#[derive(Debug, Default)]
struct Watched {
    by_credential: HashMap<CredentialId, Standing>,
    /// What is to be written, the latest of each.
    unwritten: HashMap<CredentialId, Note>,
}

#[derive(Debug)]
struct Standing {
    record_version: i32,
    condition: CredentialCondition,
    noted_at: Timestamp,
    exhausted_in_a_row: u32,
}

#[derive(Debug)]
struct Note {
    state: CredentialState,
    event: OwnerEvent,
}

impl Standing {
    /// The condition to be noted, if it is news.
    fn see(&mut self, seen: &Seen, now: Timestamp) -> Option<CredentialCondition> {
        let condition = match seen {
            Seen::Accepted => {
                self.exhausted_in_a_row = 0;
                CredentialCondition::Ok
            }
            Seen::Refused(_) => CredentialCondition::Failing,
            Seen::Exhausted(_) => {
                self.exhausted_in_a_row = self.exhausted_in_a_row.saturating_add(1);
                if self.exhausted_in_a_row < CREDENTIAL_EXHAUSTIONS_MIN {
                    return None;
                }
                CredentialCondition::Failing
            }
        };
        let is_news = condition != self.condition || now.since(self.noted_at) >= CONFIRMATION;
        if !is_news {
            return None;
        }
        self.condition = condition;
        self.noted_at = now;
        Some(condition)
    }
}

impl OwnCredentials {
    /// Notes what a provider made of a credential in the caller's account and workspace.
    pub fn see(
        &self,
        account: AccountId,
        workspace: WorkspaceId,
        id: CredentialId,
        record_version: i32,
        seen: &Seen,
    ) {
        let now = self.clock.now();
        let mut watched = self.watch.lock();
        if watched.by_credential.len() >= CREDENTIALS_WATCHED_MAX
            && !watched.by_credential.contains_key(&id)
        {
            // What is forgotten is noted again when it is seen again.
            watched.by_credential.clear();
        }
        let standing = watched.by_credential.entry(id).or_insert(Standing {
            record_version,
            condition: CredentialCondition::Unchecked,
            noted_at: now,
            exhausted_in_a_row: 0,
        });
        if record_version < standing.record_version {
            return;
        }
        if record_version > standing.record_version {
            *standing = Standing {
                record_version,
                condition: CredentialCondition::Unchecked,
                noted_at: now,
                exhausted_in_a_row: 0,
            };
        }
        if let Some(condition) = standing.see(seen, now) {
            let note = note(account, workspace, id, record_version, condition, seen, now);
            watched.unwritten.insert(id, note);
        }
    }

    /// Writes down how credentials are doing, and tells owners of what has changed.
    pub async fn write_states(&self) -> Result<(), DirectoryError> {
        let mut notes = std::mem::take(&mut self.watch.lock().unwritten);
        while let Some(id) = notes.keys().next().copied() {
            let Some(note) = notes.remove(&id) else { break };
            let written = self
                .store
                .note_credential_state(id, &note.state, Some(&note.event))
                .await;
            if let Err(error) = written {
                notes.insert(id, note);
                let mut watched = self.watch.lock();
                for (id, note) in notes {
                    watched.unwritten.entry(id).or_insert(note);
                }
                return Err(error);
            }
        }
        Ok(())
    }
}

fn note(
    account_id: AccountId,
    workspace: WorkspaceId,
    id: CredentialId,
    record_version: i32,
    condition: CredentialCondition,
    seen: &Seen,
    now: Timestamp,
) -> Note {
    let refusal = seen.refusal();
    Note {
        state: CredentialState {
            record_version,
            condition,
            changed_at: now,
            last_ok_at: refusal.is_none().then_some(now),
            last_error: refusal.map(|refusal| refusal.message.clone()),
            last_error_status: refusal.map(|refusal| refusal.status),
            last_error_at: refusal.is_some().then_some(now),
        },
        event: OwnerEvent {
            number: 0,
            at: now,
            account_id,
            workspace_id: Some(workspace),
            kind: match refusal {
                Some(_) => "credential.failing",
                None => "credential.recovered",
            }
            .to_owned(),
            subject: id.to_string(),
            detail: match refusal {
                Some(refusal) => json!({ "status": refusal.status, "message": refusal.message }),
                None => json!({}),
            },
        },
    }
}

impl Watch {
    fn lock(&self) -> MutexGuard<'_, Watched> {
        // Only changed by single map operations, so a panic cannot tear it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
