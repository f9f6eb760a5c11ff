//! Passkeys: adding them, and signing in with one alone.

use serde_json::{Value, json};
use switchyard_domain::{
    clock::Timestamp,
    id::{PasskeyId, PersonId},
    secret::Secret,
};
use switchyard_identity::passkey::{Passkeys, StoredPasskey};
use switchyard_store::{
    DirectoryError,
    proof::{KeptPasskey, NewPasskey},
};

use super::{ProofError, Proofs, unfinished::Matter};
use crate::people::sessions::{Device, Proof, Visitor};

/// The longest name of a passkey.
const NAME_CHARS_MAX: usize = 60;

/// A passkey, for its owner's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasskeyView {
    pub id: PasskeyId,
    pub name: String,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
}

impl Proofs {
    /// A person's passkeys, oldest first.
    pub async fn passkeys(&self, person: PersonId) -> Result<Vec<PasskeyView>, ProofError> {
        let kept = self.store.passkeys(person).await?;
        let views = kept.into_iter().map(|kept| PasskeyView {
            id: kept.id,
            name: kept.name,
            created_at: kept.created_at,
            last_used_at: kept.last_used_at,
        });
        Ok(views.collect())
    }

    /// Asks a browser for a new passkey: the question, and the token that finds its answer's place.
    pub async fn start_adding_passkey(
        &self,
        visitor: &Visitor,
    ) -> Result<(Value, Secret<String>), ProofError> {
        let person = visitor.person();
        let kept = self.store.passkeys(person.id).await?;
        let has = kept.iter().map(stored).collect::<Result<Vec<_>, _>>()?;
        let challenge = self
            .ceremonies()?
            .start_adding(person.id, &person.email, &person.name, &has)
            .map_err(ProofError::Passkey)?;
        let state = json!({ "state": challenge.state });
        let token = self
            .begin(Matter::NewPasskey, Some(person.id), state)
            .await?;
        Ok((challenge.question, token))
    }

    /// Keeps the passkey that the browser made.
    pub async fn add_passkey(
        &self,
        visitor: &Visitor,
        token: &str,
        answer: &str,
        name: &str,
    ) -> Result<(), ProofError> {
        let begun = self.take(Matter::NewPasskey, token).await?;
        let person = visitor.person().id;
        if begun.person_id != Some(person) {
            return Err(ProofError::Expired);
        }
        let passkey = self
            .ceremonies()?
            .finish_adding(state_of(&begun.state)?, answer)
            .map_err(ProofError::Passkey)?;
        let at = self.now();
        let id = PasskeyId::from_uuid(self.people.random.uuid(at));
        let new = NewPasskey {
            id,
            person_id: person,
            credential_id: passkey.credential_id().to_vec(),
            passkey: document(&passkey)?,
            name: named(name),
            at,
        };
        let mut event = self.visitor_event(visitor, "passkey.add");
        event.subject = id.to_string();
        Ok(self.store.insert_passkey(&new, &event).await?)
    }

    /// Calls a passkey of the visitor's something else.
    pub async fn rename_passkey(
        &self,
        visitor: &Visitor,
        id: PasskeyId,
        name: &str,
    ) -> Result<(), ProofError> {
        let mut event = self.visitor_event(visitor, "passkey.rename");
        event.subject = id.to_string();
        let person = visitor.person().id;
        Ok(self
            .store
            .rename_passkey(person, id, &named(name), &event)
            .await?)
    }

    /// Removes a passkey of the visitor's.
    pub async fn remove_passkey(&self, visitor: &Visitor, id: PasskeyId) -> Result<(), ProofError> {
        let mut event = self.visitor_event(visitor, "passkey.remove");
        event.subject = id.to_string();
        let person = visitor.person().id;
        Ok(self.store.remove_passkey(person, id, &event).await?)
    }

    /// Asks a browser for any passkey of this console.
    pub async fn start_passkey(&self) -> Result<(Value, Secret<String>), ProofError> {
        let challenge = self
            .ceremonies()?
            .start_sign_in()
            .map_err(ProofError::Passkey)?;
        let state = json!({ "state": challenge.state });
        let token = self.begin(Matter::Passkey, None, state).await?;
        Ok((challenge.question, token))
    }

    /// Signs in with a passkey, which asked who is there, so that no more is asked.
    pub async fn sign_in_with_passkey(
        &self,
        token: &str,
        answer: &str,
        device: Device,
    ) -> Result<Secret<String>, ProofError> {
        self.may_come_from(device.ip.as_deref()).await?;
        match self.check_passkey(token, answer).await {
            Ok(person) => {
                let session = self.people.start_session(person, Proof::Passkey, device);
                Ok(session.await?)
            }
            Err(error) => {
                if matches!(error, ProofError::Passkey(_) | ProofError::Wrong) {
                    self.failed_from(device.ip.as_deref()).await?;
                }
                Err(error)
            }
        }
    }

    /// Whose passkey answered.
    pub(super) async fn check_passkey(
        &self,
        token: &str,
        answer: &str,
    ) -> Result<PersonId, ProofError> {
        // Taken before the answer is looked at: a challenge is answered once, well or badly.
        let begun = self.take(Matter::Passkey, token).await?;
        let ceremonies = self.ceremonies()?;
        let claim = ceremonies.claim(answer).map_err(ProofError::Passkey)?;
        let kept = self.store.passkey_by_credential(&claim.credential_id);
        let kept = kept.await?.ok_or(ProofError::Wrong)?;
        if kept.person_id != claim.person {
            return Err(ProofError::Wrong);
        }
        let used = ceremonies
            .finish_sign_in(state_of(&begun.state)?, &claim, &stored(&kept)?)
            .map_err(ProofError::Passkey)?;
        self.store
            .touch_passkey(kept.id, &document(&used)?, self.now())
            .await?;
        Ok(kept.person_id)
    }

    fn ceremonies(&self) -> Result<&Passkeys, ProofError> {
        self.passkeys.as_ref().ok_or(ProofError::NoPasskeys)
    }
}

fn stored(kept: &KeptPasskey) -> Result<StoredPasskey, ProofError> {
    StoredPasskey::from_stored(&kept.passkey.to_string()).map_err(|_| ProofError::Unreadable)
}

fn document(passkey: &StoredPasskey) -> Result<Value, DirectoryError> {
    let unreadable = |_| DirectoryError::Inconsistent("a passkey is no document".to_owned());
    serde_json::from_str(&passkey.to_stored()).map_err(unreadable)
}

fn state_of(state: &Value) -> Result<&str, ProofError> {
    state["state"].as_str().ok_or(ProofError::Unreadable)
}

fn named(name: &str) -> String {
    let name: String = name.trim().chars().take(NAME_CHARS_MAX).collect();
    if name.is_empty() {
        "Passkey".to_owned()
    } else {
        name
    }
}
