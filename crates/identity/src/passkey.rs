//! Passkeys: a key pair in somebody's device, bound to this console's origin. One alone signs in, since
//! the device asks who is there before it signs.
//!
//! Each ceremony has two halves. The first makes a challenge for the browser and a state; the caller
//! keeps the state on the server, for [`CHALLENGE_LIFE`] and for one use, and gives it to the second half
//! together with the browser's answer.

#[cfg(test)]
mod tests;

use std::time::Duration;

use serde_json::{Value, json};
use switchyard_domain::id::PersonId;
use url::Url;
use webauthn_rs::prelude::{
    DiscoverableAuthentication, Passkey, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential, Webauthn, WebauthnBuilder, WebauthnError,
};

/// How long a challenge may be answered.
pub const CHALLENGE_LIFE: Duration = Duration::from_secs(300);

/// Why a ceremony failed. What the browser sent is not repeated.
#[derive(Debug, thiserror::Error)]
pub enum PasskeyError {
    /// Browsers bind passkeys to names, so a console at an address has none.
    #[error("passkeys need a console that is reached by a host name: `{0}` is none")]
    NoHostName(String),
    /// The browser's answer has not the form of one.
    #[error("the browser's answer cannot be read")]
    UnreadableAnswer,
    /// What was stored is no state or passkey.
    #[error("a stored passkey or challenge cannot be read")]
    UnreadableState,
    /// The answer does not prove what it should.
    #[error("the passkey was not accepted")]
    Refused(#[source] WebauthnError),
}

/// A ceremony's first half.
#[derive(Debug, Clone)]
pub struct Challenge {
    /// What the browser is asked: the `publicKey` option of its call.
    pub question: Value,
    /// What to keep on the server until the answer comes.
    pub state: String,
}

/// A passkey as it is stored. No secret: it can check signatures and make none.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredPasskey(Passkey);

impl StoredPasskey {
    /// From the database.
    pub fn from_stored(text: &str) -> Result<Self, PasskeyError> {
        serde_json::from_str(text)
            .map(Self)
            .map_err(|_| PasskeyError::UnreadableState)
    }

    /// For the database.
    pub fn to_stored(&self) -> String {
        serde_json::to_string(&self.0).expect("a passkey is plain data")
    }

    /// What browsers call it by. No two people share one.
    pub fn credential_id(&self) -> &[u8] {
        self.0.cred_id().as_ref()
    }
}

/// Whose passkey a browser says it used. To be believed only after [`Passkeys::finish_sign_in`].
#[derive(Debug)]
pub struct Claim {
    /// The person.
    pub person: PersonId,
    /// The passkey.
    pub credential_id: Vec<u8>,
    answer: PublicKeyCredential,
}

/// Runs the ceremonies of one console.
#[derive(Debug)]
pub struct Passkeys {
    webauthn: Webauthn,
}

impl Passkeys {
    /// For the console at `origin` and nowhere else: neither subdomains nor other ports.
    pub fn new(origin: &str, name: &str) -> Result<Self, PasskeyError> {
        let unnamed = || PasskeyError::NoHostName(origin.to_owned());
        let origin = Url::parse(origin).map_err(|_| unnamed())?;
        let host = origin.domain().ok_or_else(unnamed)?;
        let webauthn = WebauthnBuilder::new(host, &origin)
            .and_then(|builder| builder.rp_name(name).timeout(CHALLENGE_LIFE).build())
            .map_err(|_| unnamed())?;
        Ok(Self { webauthn })
    }

    /// Asks for a new passkey of `person` that is none of those it `has`.
    pub fn start_adding(
        &self,
        person: PersonId,
        address: &str,
        name: &str,
        has: &[StoredPasskey],
    ) -> Result<Challenge, PasskeyError> {
        let has = has
            .iter()
            .map(|passkey| passkey.0.cred_id().clone())
            .collect();
        let (question, state) = self
            .webauthn
            .start_passkey_registration(person.as_uuid(), address, name, Some(has))
            .map_err(PasskeyError::Refused)?;
        let mut question = public_key(serde_json::to_value(question))?;
        // One that the device does not list by itself could not sign in alone.
        let selection = question
            .as_object_mut()
            .map(|options| options.entry("authenticatorSelection").or_insert(json!({})));
        if let Some(Value::Object(selection)) = selection {
            selection.insert("residentKey".to_owned(), json!("required"));
            selection.insert("requireResidentKey".to_owned(), json!(true));
        }
        let state = serde_json::to_string(&state).map_err(|_| PasskeyError::UnreadableState)?;
        Ok(Challenge { question, state })
    }

    /// Accepts the new passkey, or does not.
    pub fn finish_adding(&self, state: &str, answer: &str) -> Result<StoredPasskey, PasskeyError> {
        let state: PasskeyRegistration =
            serde_json::from_str(state).map_err(|_| PasskeyError::UnreadableState)?;
        let answer: RegisterPublicKeyCredential =
            serde_json::from_str(answer).map_err(|_| PasskeyError::UnreadableAnswer)?;
        self.webauthn
            .finish_passkey_registration(&answer, &state)
            .map(StoredPasskey)
            .map_err(PasskeyError::Refused)
    }

    /// Asks for any passkey of this console. Whose it is, the answer says.
    pub fn start_sign_in(&self) -> Result<Challenge, PasskeyError> {
        let (question, state) = self
            .webauthn
            .start_discoverable_authentication()
            .map_err(PasskeyError::Refused)?;
        let question = public_key(serde_json::to_value(question))?;
        let state = serde_json::to_string(&state).map_err(|_| PasskeyError::UnreadableState)?;
        Ok(Challenge { question, state })
    }

    /// Reads whose passkey an answer claims to come from.
    pub fn claim(&self, answer: &str) -> Result<Claim, PasskeyError> {
        let answer: PublicKeyCredential =
            serde_json::from_str(answer).map_err(|_| PasskeyError::UnreadableAnswer)?;
        let (person, credential_id) = self
            .webauthn
            .identify_discoverable_authentication(&answer)
            .map_err(|_| PasskeyError::UnreadableAnswer)?;
        Ok(Claim {
            person: PersonId::from_uuid(person),
            credential_id: credential_id.to_vec(),
            answer,
        })
    }

    /// Checks a claim against the passkey that it names. Returns the passkey as it is to be stored from
    /// now on: it counts its uses, so that a copy of it is noticed.
    pub fn finish_sign_in(
        &self,
        state: &str,
        claim: &Claim,
        passkey: &StoredPasskey,
    ) -> Result<StoredPasskey, PasskeyError> {
        let state: DiscoverableAuthentication =
            serde_json::from_str(state).map_err(|_| PasskeyError::UnreadableState)?;
        let used = self
            .webauthn
            .finish_discoverable_authentication_v2(&claim.answer, state, &passkey.0)
            .map_err(PasskeyError::Refused)?;
        let mut passkey = passkey.clone();
        passkey.0.update_credential(&used);
        Ok(passkey)
    }
}

/// The options that a browser takes, out of the object they come in.
fn public_key(question: Result<Value, serde_json::Error>) -> Result<Value, PasskeyError> {
    match question {
        Ok(Value::Object(mut whole)) => whole
            .remove("publicKey")
            .ok_or(PasskeyError::UnreadableState),
        _ => Err(PasskeyError::UnreadableState),
    }
}
