//! Programs that ask people for keys: a person agrees in the console, the program gets a code, and
//! exchanges it for a key, once.
//!
//! A code is 256 random bits, kept as a digest, works for ten minutes and for whoever can prove to know
//! the verifier behind its challenge. What the key will be is fixed when the person agrees. If a code is
//! exchanged a second time, somebody else has it, and the key that it made is deleted.
//!
//! `request.rs` reads what a program asks for.

mod request;

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use switchyard_domain::{
    clock::Timestamp,
    id::{AccountId, PersonId},
    secret::Secret,
    tenancy::KeyKind,
};
use switchyard_store::{
    DirectoryError,
    api_key::KeySight,
    oauth::{NewOAuthCode, OAuthCode, OAuthStore},
};
use switchyard_vault::random::RandomUnavailable;

pub use switchyard_store::oauth::{Challenge, ChallengeMethod, OAuthGrant};

pub use self::request::{Callback, GrantRequest, GrantRequestError};

use crate::{
    App,
    acting_caller::{ActingCaller, Deed},
    keys::KeyRequest,
    organizations::through_program,
    people::digest,
};

/// How long a code can be exchanged.
pub const CODE_LIFE: Duration = Duration::from_secs(10 * 60);

/// What codes are kept with.
pub struct OAuth {
    store: Arc<dyn OAuthStore>,
    /// Whether verifiers may be their own challenges, and codes may do without.
    allow_plain: bool,
}

impl std::fmt::Debug for OAuth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OAuth")
    }
}

impl OAuth {
    pub const fn new(store: Arc<dyn OAuthStore>, allow_plain: bool) -> Self {
        Self { store, allow_plain }
    }

    /// Whether verifiers may be their own challenges, and codes may do without.
    pub const fn allows_plain(&self) -> bool {
        self.allow_plain
    }
}

/// A code that was just made: its text is told once.
#[derive(Debug)]
pub struct MadeCode {
    pub text: Secret<String>,
    /// The number of the program.
    pub app: i64,
    pub created_at: Timestamp,
}

/// What a program presents.
#[derive(Debug)]
pub struct Presented {
    pub code: Secret<String>,
    pub verifier: Option<Secret<String>>,
    /// How it says that its challenge was made.
    pub method: Option<ChallengeMethod>,
    /// Where it says that the code was sent.
    pub callback_url: Option<String>,
    /// From which address it asks.
    pub ip: Option<String>,
}

/// A key in exchange for a code: its text is told once.
#[derive(Debug)]
pub struct ExchangedKey {
    pub text: Secret<String>,
    /// Whose it is.
    pub person: Option<PersonId>,
}

/// Why no code was made.
#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    #[error("no such workspace")]
    NoSuchWorkspace,
    #[error(transparent)]
    Directory(DirectoryError),
    #[error(transparent)]
    Random(#[from] RandomUnavailable),
}

/// Why a code was not exchanged.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// Not how the challenge was made when the code was.
    #[error("`code_challenge_method` is not what the code was made with")]
    OtherMethod,
    /// Unknown, proved wrongly, or sent elsewhere: which of these is not told.
    #[error("the code or its verifier is not valid")]
    Invalid,
    /// It was exchanged already, or its time is over.
    #[error("the code was used already, or is older than 10 minutes")]
    Over,
    #[error(transparent)]
    Directory(DirectoryError),
    #[error(transparent)]
    Random(#[from] RandomUnavailable),
}

impl App {
    /// Programs that ask people for keys.
    pub fn oauth(&self) -> &OAuth {
        &self.oauth
    }

    /// Makes a code for what somebody agreed to.
    pub async fn grant_code(
        &self,
        by: &ActingCaller,
        grant: OAuthGrant,
    ) -> Result<MadeCode, GrantError> {
        let (text, code_hash) = self.people().token()?;
        let at = self.clock.now();
        let callback = grant.callback_url.as_deref();
        let origin = callback
            .and_then(|url| Callback::parse(url).ok())
            .map_or_else(|| "headless".to_owned(), |callback| callback.origin());
        let deed = Deed {
            action: "oauth_code.create",
            subject: origin.clone(),
            workspace_id: Some(grant.workspace_id),
            detail: json!({
                "key_name": grant.key_name,
                "challenge_method": grant.challenge.as_ref().map(|one| one.method.as_str()),
                "limit_usd": grant.limit.map(|limit| limit.limit.to_string()),
            }),
        };
        let audit = by.did(deed, at);
        let new = NewOAuthCode {
            code_hash,
            origin,
            grant,
            at,
            expires_at: at.plus(CODE_LIFE),
        };
        let kept = self.oauth.store.insert_oauth_code(&new, &audit).await;
        let app = kept.map_err(|error| match error {
            DirectoryError::Missing(_) => GrantError::NoSuchWorkspace,
            other => GrantError::Directory(other),
        })?;
        Ok(MadeCode {
            text,
            app,
            created_at: at,
        })
    }

    /// Exchanges a code for a key. Of any number who try at once, one gets it.
    pub async fn exchange_code(&self, presented: Presented) -> Result<ExchangedKey, ExchangeError> {
        let code_hash = digest(presented.code.expose());
        let found = self.oauth.store.oauth_code(&code_hash).await;
        let code = found.map_err(ExchangeError::Directory)?;
        let code = code.ok_or(ExchangeError::Invalid)?;
        check(&code, &presented)?;
        let now = self.clock.now();
        if code.used_at.is_some() {
            self.revoke_exchanged(&code, presented.ip).await?;
            return Err(ExchangeError::Over);
        }
        if code.expires_at <= now {
            return Err(ExchangeError::Over);
        }
        let grant = &code.grant;
        let (row, text) = self.keys.mint(KeyRequest {
            account_id: grant.account_id,
            workspace_id: grant.workspace_id,
            name: grant.key_name.clone(),
            kind: KeyKind::Inference,
            limit: grant.limit,
            expires_at: grant.key_expires_at,
            creator_id: grant.person_id,
        })?;
        let audit = exchanged(&code, &row.key, presented.ip.clone());
        match self
            .oauth
            .store
            .redeem_oauth_code(&code_hash, &row, &audit)
            .await
        {
            Ok(_) => Ok(ExchangedKey {
                text,
                person: grant.person_id,
            }),
            // Somebody was faster. That is a second use, too.
            Err(DirectoryError::Conflict("code")) => {
                let found = self.oauth.store.oauth_code(&code_hash).await;
                if let Some(code) = found.map_err(ExchangeError::Directory)? {
                    self.revoke_exchanged(&code, presented.ip).await?;
                }
                Err(ExchangeError::Over)
            }
            // The workspace is gone, or whose key it would be has left.
            Err(DirectoryError::Missing(_) | DirectoryError::Refused(_)) => {
                Err(ExchangeError::Invalid)
            }
            Err(other) => Err(ExchangeError::Directory(other)),
        }
    }

    /// Deletes the key that a code was exchanged for. Nothing to do where its owner did so before.
    async fn revoke_exchanged(
        &self,
        code: &OAuthCode,
        ip: Option<String>,
    ) -> Result<(), ExchangeError> {
        let Some(hash) = &code.key_hash else {
            return Ok(());
        };
        let account: AccountId = code.grant.account_id;
        let actor = through_program(code.grant.person_id, ip);
        let detail = json!({ "hash": hash, "because": "its code was exchanged twice" });
        let mut audit = actor.did(self.clock.now(), "api_key.delete", hash, detail);
        audit.origin.account_id = Some(account);
        audit.origin.workspace_id = Some(code.grant.workspace_id);
        match self
            .key_store
            .remove_key(account, KeySight::CALLING, hash, &audit)
            .await
        {
            Ok(stored) => {
                self.keys.tell_changed(stored.lookup_id).await;
                Ok(())
            }
            Err(DirectoryError::Missing(_)) => Ok(()),
            Err(error) => Err(ExchangeError::Directory(error)),
        }
    }
}

/// The entry that tells of a key that was made from a code.
fn exchanged(
    code: &OAuthCode,
    key: &switchyard_domain::tenancy::ApiKey,
    ip: Option<String>,
) -> switchyard_store::audit::AuditEvent {
    let detail = json!({
        "hash": key.hash,
        "label": key.label,
        "after": crate::api_keys::said(key),
        "expires_at": key.expires_at.map(Timestamp::to_rfc3339),
        "creator": key.creator_id,
        "app": code.origin,
    });
    let actor = through_program(code.grant.person_id, ip);
    let mut audit = actor.did(key.created_at, "api_key.create", key.id, detail);
    audit.origin.account_id = Some(key.account_id);
    audit.origin.workspace_id = Some(key.workspace_id);
    audit
}

/// Whether whoever presents the code is who it was made for.
fn check(code: &OAuthCode, presented: &Presented) -> Result<(), ExchangeError> {
    let challenge = code.grant.challenge.as_ref();
    if let Some(method) = presented.method
        && challenge.map(|challenge| challenge.method) != Some(method)
    {
        return Err(ExchangeError::OtherMethod);
    }
    if let Some(given) = &presented.callback_url
        && !is_same_callback(code.grant.callback_url.as_deref(), given)
    {
        return Err(ExchangeError::Invalid);
    }
    let is_proved = match (challenge, &presented.verifier) {
        (None, None) => true,
        (Some(challenge), Some(verifier)) => is_verifier(verifier.expose(), challenge),
        (None, Some(_)) | (Some(_), None) => false,
    };
    if is_proved {
        return Ok(());
    }
    Err(ExchangeError::Invalid)
}

/// The exact address; on this machine at any port.
fn is_same_callback(sent_to: Option<&str>, given: &str) -> bool {
    let sent_to = sent_to.and_then(|url| Callback::parse(url).ok());
    let given = Callback::parse(given).ok();
    match (sent_to, given) {
        (Some(sent_to), Some(given)) => sent_to.is_same(&given),
        _ => false,
    }
}

fn is_verifier(verifier: &str, challenge: &Challenge) -> bool {
    if !request::is_verifier(verifier) {
        return false;
    }
    let made = match challenge.method {
        ChallengeMethod::S256 => URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes())),
        ChallengeMethod::Plain => verifier.to_owned(),
    };
    // Compared as digests, so that the time it takes says nothing of where they differ.
    Sha256::digest(made.as_bytes()) == Sha256::digest(challenge.text.as_bytes())
}

#[cfg(test)]
mod tests;
