//! Identifiers. Each kind of thing has its own type and prefix, so an account id cannot be
//! passed where a workspace id is meant, and a stray id in a log says what it names.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

/// Why a text is not an id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not a {kind} id; one starts with `{prefix}`")]
pub struct InvalidId {
    kind: &'static str,
    prefix: &'static str,
    given: String,
}

macro_rules! define_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// What the text form of this kind of id starts with.
            pub const PREFIX: &'static str = $prefix;

            /// Wraps a UUID that the caller made (version 7 where order of creation helps).
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The bare UUID, as databases hold it.
            pub const fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}{}", $prefix, self.0.simple())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                text.strip_prefix($prefix)
                    .and_then(|rest| Uuid::try_parse(rest).ok())
                    .map(Self)
                    .ok_or_else(|| InvalidId {
                        kind: stringify!($name),
                        prefix: $prefix,
                        given: text.chars().take(80).collect(),
                    })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }
    };
}

define_id!(
    /// Who pays.
    AccountId, "acct_"
);
define_id!(
    /// The tenancy wall: owns API keys and credentials.
    WorkspaceId, "ws_"
);
define_id!(
    /// Somebody who signs in.
    PersonId, "user_"
);
define_id!(
    /// Somebody signed in on one device; never the token.
    SessionId, "session_"
);
define_id!(
    /// Somebody asked to join an account; never the link's secret part.
    InvitationId, "inv_"
);
define_id!(
    /// A passkey of somebody's, as we know it.
    PasskeyId, "passkey_"
);
define_id!(
    /// One API key's row; never the key itself.
    ApiKeyId, "key_"
);
define_id!(
    /// A provider credential in the vault.
    CredentialId, "cred_"
);
define_id!(
    /// One running (or once running) process with its own journal and leases.
    NodeId, "node_"
);
define_id!(
    /// A node's hold on a fund.
    LeaseId, "lease_"
);
define_id!(
    /// One balanced set of postings.
    LedgerTransactionId, "ltx_"
);

/// One generation: `gen-<unix seconds>-<20 alphanumerics>`. It is the completion's `id`, the
/// `X-Generation-Id` header and the key of the generation lookup.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct GenerationId(String);

impl GenerationId {
    const ALPHABET: &'static [u8; 62] =
        b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    /// Builds an id from the admission time and 128 random bits (about 119 of them are kept).
    pub fn new(unix_seconds: i64, random: u128) -> Self {
        let mut rest = random;
        let mut text = format!("gen-{unix_seconds}-");
        for _ in 0..20 {
            text.push(char::from(Self::ALPHABET[(rest % 62) as usize]));
            rest /= 62;
        }
        Self(text)
    }

    /// The text form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for GenerationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for GenerationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for GenerationId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let parts = text
            .strip_prefix("gen-")
            .and_then(|rest| rest.split_once('-'));
        let well_formed = parts.is_some_and(|(seconds, tail)| {
            !seconds.is_empty()
                && seconds.len() <= 12
                && seconds.bytes().all(|byte| byte.is_ascii_digit())
                && tail.len() == 20
                && tail.bytes().all(|byte| byte.is_ascii_alphanumeric())
        });
        if well_formed {
            return Ok(Self(text.to_owned()));
        }
        Err(InvalidId {
            kind: "GenerationId",
            prefix: "gen-",
            given: text.chars().take(80).collect(),
        })
    }
}

impl<'de> Deserialize<'de> for GenerationId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_round_trip_and_refuse_another_kind() {
        let account = AccountId::from_uuid(Uuid::from_u128(7));
        assert_eq!(account.to_string().parse::<AccountId>(), Ok(account));
        assert!(account.to_string().parse::<WorkspaceId>().is_err());
        assert!("acct_".parse::<AccountId>().is_err());
    }

    #[test]
    fn generation_ids_have_the_documented_shape() {
        let id = GenerationId::new(1_700_000_000, u128::MAX);
        assert_eq!(id.as_str().len(), "gen-1700000000-".len() + 20);
        assert_eq!(id.as_str().parse::<GenerationId>().as_ref(), Ok(&id));
        for bad in [
            "gen-1-short",
            "gen--aaaaaaaaaaaaaaaaaaaa",
            "gen-1-aaaaaaaaaaaaaaaaaaa'",
            "x",
        ] {
            assert!(bad.parse::<GenerationId>().is_err(), "{bad}");
        }
    }
}
