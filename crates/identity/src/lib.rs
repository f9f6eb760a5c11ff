//! Proofs that somebody is who they say: passwords, authenticator codes, recovery codes, passkeys, and
//! sign-in through an organization.
//!
//! Nothing here stores or sends anything; what has to be kept is returned, and the clock and randomness
//! are arguments. No clear password or seed leaves its [`Secret`](switchyard_domain::secret::Secret).
//!
//! Start at [`password`]; [`token`] is what links and sessions are made of, and each other module is one
//! more kind of proof.
#![warn(missing_docs)]

pub mod password;
pub mod token;

pub mod recovery_codes;
pub mod totp;

pub mod passkey;

mod text;
