//! Funds: everything that can run dry. A fund has a capacity, what was spent of it, and what is
//! held for requests in flight; a request may only start if every fund it touches can bear its
//! worst case.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use switchyard_domain::{
    clock::Timestamp,
    id::{AccountId, ApiKeyId},
    money::UsdNanos,
};

/// Names a fund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FundId {
    /// An account's credits: capacity is all that was ever granted or bought.
    Credits(AccountId),
    /// An API key's limit in the window that began at `window_start`; `None` for a limit that
    /// never resets. Capacity is the limit. A new window is a new fund, so no job resets anything.
    KeyLimit {
        /// The limited key.
        key: ApiKeyId,
        /// When the window began.
        window_start: Option<Timestamp>,
    },
}

impl FundId {
    /// Whether it is an API key's limit, rather than what an account has.
    pub const fn is_key_limit(&self) -> bool {
        matches!(self, Self::KeyLimit { .. })
    }
}

/// Not a fund's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` does not name a fund")]
pub struct InvalidFundId(String);

impl fmt::Display for FundId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Credits(account) => write!(f, "credits:{account}"),
            Self::KeyLimit {
                key,
                window_start: None,
            } => write!(f, "key:{key}"),
            Self::KeyLimit {
                key,
                window_start: Some(start),
            } => {
                write!(f, "key:{key}:{}", start.seconds())
            }
        }
    }
}

impl FromStr for FundId {
    type Err = InvalidFundId;

    fn from_str(text: &str) -> Result<Self, InvalidFundId> {
        let invalid = || InvalidFundId(text.chars().take(80).collect());
        let (kind, rest) = text.split_once(':').ok_or_else(invalid)?;
        match (kind, rest.split_once(':')) {
            ("credits", None) => rest.parse().map(Self::Credits).map_err(|_| invalid()),
            ("key", None) => rest
                .parse()
                .map(|key| Self::KeyLimit {
                    key,
                    window_start: None,
                })
                .map_err(|_| invalid()),
            ("key", Some((key, start))) => {
                let key = key.parse().map_err(|_| invalid())?;
                let seconds = start.parse().map_err(|_| invalid())?;
                Ok(Self::KeyLimit {
                    key,
                    window_start: Some(Timestamp::from_seconds(seconds)),
                })
            }
            _ => Err(invalid()),
        }
    }
}

impl Serialize for FundId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FundId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// A fund that a request draws on, with the capacity it has when it is seen for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FundRef {
    /// Which fund.
    pub id: FundId,
    /// For a key limit: the limit now in force; the store opens the fund with it, or corrects the
    /// capacity if the limit was changed since. `None` for credits, which only the ledger fills.
    pub capacity: Option<UsdNanos>,
}

/// A fund's state in the books.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FundBalance {
    /// All that may be spent.
    pub capacity: UsdNanos,
    /// What settled generations took.
    pub spent: UsdNanos,
    /// What nodes hold for requests in flight.
    pub held: UsdNanos,
}

impl FundBalance {
    /// Free to be held; negative after an overrun.
    pub fn available(&self) -> UsdNanos {
        self.capacity
            .saturating_sub(self.spent)
            .saturating_sub(self.held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        let account = "acct_00000000000000000000000000000001"
            .parse()
            .expect("an id");
        let key = "key_00000000000000000000000000000002"
            .parse()
            .expect("an id");
        for fund in [
            FundId::Credits(account),
            FundId::KeyLimit {
                key,
                window_start: None,
            },
            FundId::KeyLimit {
                key,
                window_start: Some(Timestamp::from_seconds(1_764_000_000)),
            },
        ] {
            assert_eq!(fund.to_string().parse(), Ok(fund));
        }
        assert!("credits:x".parse::<FundId>().is_err());
    }
}
