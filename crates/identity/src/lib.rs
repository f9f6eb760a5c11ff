//! Proofs that somebody is who they say: passwords, authenticator codes, recovery codes, passkeys, and
//! sign-in through an organization.
//!
//! Nothing here stores or sends anything; what has to be kept is returned, and the clock and randomness
//! are arguments. No clear password or seed leaves its [`Secret`](switchyard_domain::secret::Secret).
