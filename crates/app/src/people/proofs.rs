//! How people prove to be who they say: signing up, signing in, and showing again that it is still them.
//!
//! Whether an address is known here, no answer tells, and none takes longer for it. What is guessed is
//! counted before it is looked at, so that guessing in parallel gains nothing.
//!
//! Start at `sign_up.rs`, then `sign_in.rs`; each other file is one kind of proof.

mod attempts;
mod mails;
mod unfinished;

mod sign_in;
mod sign_up;

mod authenticator;
mod confirm;
mod passkeys;
mod password;

mod spending;

use std::{
    collections::HashSet,
    num::NonZeroUsize,
    sync::{Arc, RwLock},
};

use serde_json::json;
use switchyard_billing::store::LedgerStore;
use switchyard_domain::{
    clock::Timestamp,
    id::{AccountId, PersonId},
    money::UsdNanos,
    secret::Secret,
};
use switchyard_identity::{
    passkey::{PasskeyError, Passkeys},
    password::{Cost, PasswordError, Passwords, SALT_BYTES, Weakness},
};
use switchyard_store::{DirectoryError, audit::AuditEvent, proof::ProofStore};
use switchyard_vault::{OpenError, SealError, Vault, random::RandomUnavailable};

use super::{
    People,
    sessions::{SessionError, Visitor},
};
use crate::{
    audit::{Actor, AuditVia},
    mail::{Mail, MailError},
};

pub use authenticator::{CodeState, SetUp, ShownCodes};
pub use passkeys::PasskeyView;
pub use sign_in::SignedIn;
pub use sign_up::{NewPerson, Verified};
pub use switchyard_identity::password::{BYTES_MAX, CHARS_MIN};

/// What this service calls itself to people and their devices.
const PRODUCT: &str = "Switchyard";

/// What an installation decides about its people.
#[derive(Debug, Clone)]
pub struct ProofSettings {
    /// Where people reach the console, without a slash at the end.
    pub public_url: String,
    /// Whether mail can be sent: without, nobody can sign up or choose a new password by mail.
    pub sends_mail: bool,
    /// Whether anybody may sign up.
    pub sign_up_is_open: bool,
    /// What a new account is given once its owner's address was shown to be read.
    pub sign_up_credit: UsdNanos,
    /// How often sign-ins from one network address may fail before it has to wait; `None` where a proxy
    /// in front makes all people come from one.
    pub address_failures_max: Option<u32>,
    /// Passwords that are checked at once.
    pub password_workers: NonZeroUsize,
    /// What guessing one costs.
    pub password_cost: Cost,
}

/// What [`Proofs`] is made of.
pub struct ProofParts {
    pub people: Arc<People>,
    pub store: Arc<dyn ProofStore>,
    pub ledger: Arc<dyn LedgerStore>,
    pub vault: Arc<Vault>,
    pub settings: ProofSettings,
}

/// Checks who people are.
pub struct Proofs {
    people: Arc<People>,
    store: Arc<dyn ProofStore>,
    ledger: Arc<dyn LedgerStore>,
    vault: Arc<Vault>,
    passwords: Passwords,
    /// `None` where the console has no host name that they could be bound to.
    passkeys: Option<Passkeys>,
    settings: ProofSettings,
    /// Accounts that are known to have an owner whose address was shown to be read.
    spenders: RwLock<HashSet<AccountId>>,
}

impl std::fmt::Debug for Proofs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Proofs")
    }
}

/// Why a proof was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// Whichever part of it is wrong.
    #[error("that is not right")]
    Wrong,
    /// Tried too often.
    #[error("too many tries: not again before {until}")]
    Locked { until: Timestamp },
    /// This node checks as many passwords as it can.
    #[error("too many sign-ins at once")]
    Busy,
    /// The link or the page is too old, or was used.
    #[error("it was used already, or is too old")]
    Expired,
    /// The new password is too easily guessed.
    #[error(transparent)]
    Weak(#[from] Weakness),
    /// Nobody can sign up here.
    #[error("nobody can sign up here")]
    Closed,
    /// This service sends no mail.
    #[error("this service sends no mail")]
    NoMail,
    /// There are no passkeys at this console's address.
    #[error("passkeys need a console that is reached by a host name")]
    NoPasskeys,
    /// The browser's answer is none, or proves nothing.
    #[error("the passkey was not accepted")]
    Passkey(#[source] PasskeyError),
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    #[error("no random bytes are to be had")]
    Random(#[from] RandomUnavailable),
    #[error("a seed cannot be sealed")]
    Seal(#[from] SealError),
    #[error("a seed cannot be opened")]
    Open(#[from] OpenError),
    /// Something that is stored is not what this program stores.
    #[error("what is stored of a proof cannot be read")]
    Unreadable,
}

impl From<PasswordError> for ProofError {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => Self::Busy,
            PasswordError::Unreadable => Self::Unreadable,
        }
    }
}

impl Proofs {
    pub fn new(parts: ProofParts) -> Self {
        let settings = parts.settings;
        let passkeys = Passkeys::new(&settings.public_url, PRODUCT);
        if let Err(error) = &passkeys {
            tracing::info!(reason = %error, "there are no passkeys here");
        }
        Self {
            people: parts.people,
            store: parts.store,
            ledger: parts.ledger,
            vault: parts.vault,
            passwords: Passwords::new(settings.password_cost, settings.password_workers),
            passkeys: passkeys.ok(),
            settings,
            spenders: RwLock::default(),
        }
    }

    /// The people whose proofs these are.
    pub const fn people(&self) -> &Arc<People> {
        &self.people
    }

    /// What was decided about people here.
    pub const fn settings(&self) -> &ProofSettings {
        &self.settings
    }

    /// Whether there are passkeys here.
    pub const fn has_passkeys(&self) -> bool {
        self.passkeys.is_some()
    }

    /// Forgets what is over.
    pub async fn forget_old(&self) -> Result<u64, DirectoryError> {
        let now = self.now();
        let quiet_since = now.minus(attempts::QUIET_MAX);
        self.store.forget_old_proofs(now, quiet_since).await
    }

    fn now(&self) -> Timestamp {
        self.people.clock.now()
    }

    fn salt(&self) -> Result<[u8; SALT_BYTES], RandomUnavailable> {
        let mut salt = [0; SALT_BYTES];
        self.people.secrets.fill(&mut salt)?;
        Ok(salt)
    }

    /// An address of the console.
    fn address(&self, path: &str) -> String {
        format!("{}{path}", self.settings.public_url)
    }

    /// Sends a mail, or says in the log that it was not taken: whoever waits is not told, because then
    /// they were told whether there is somebody to send it to.
    async fn send(&self, mail: Mail) {
        match self.people.mailer().send(mail).await {
            Ok(()) => {}
            Err(error @ (MailError::NotConfigured | MailError::Full)) => {
                tracing::warn!(error = %error, "a mail to a person was not taken");
            }
        }
    }

    /// What the log says of something that a person did themselves.
    fn event(
        &self,
        person: PersonId,
        account: Option<AccountId>,
        ip: Option<&str>,
        action: &str,
    ) -> AuditEvent {
        let mut actor = Actor::of(person.to_string(), AuditVia::Console);
        actor.ip = ip.map(str::to_owned);
        let mut event = actor.did(self.now(), action, person, json!({}));
        event.origin.account_id = account;
        event
    }

    /// The same, of somebody who signed in.
    fn visitor_event(&self, visitor: &Visitor, action: &str) -> AuditEvent {
        let (account, ip) = (visitor.account_id(), visitor.session().ip.as_deref());
        self.event(visitor.person().id, Some(account), ip, action)
    }
}

/// A password as it comes from a form.
pub type TypedPassword = Secret<String>;
