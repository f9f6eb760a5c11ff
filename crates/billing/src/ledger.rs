//! Double-entry bookkeeping. Money never appears or vanishes, it moves: a transaction is made of
//! transfers, so its postings add up to zero by construction. Credit is positive, debit negative.

mod digest;

use std::{fmt, str::FromStr};

use serde::{Serialize, Serializer};
use switchyard_domain::{
    clock::Timestamp,
    id::{AccountId, LedgerTransactionId},
    money::UsdNanos,
};

pub use self::digest::{content_digest, transaction_id_for};
use crate::{
    settlement::{Charge, Settlement},
    store::CreditGrant,
};

/// The chart of accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LedgerAccount {
    /// What we owe a customer: credit bought or granted and not yet used. Negative after an
    /// overrun.
    CustomerCredits(AccountId),
    /// Earned by inference.
    InferenceRevenue,
    /// Earned by tools that we ran.
    ToolsRevenue,
    /// Credit we gave away.
    Grants,
}

/// Not the name of a ledger account.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` does not name a ledger account")]
pub struct InvalidLedgerAccount(String);

impl fmt::Display for LedgerAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CustomerCredits(account) => write!(f, "cust:{account}:credits"),
            Self::InferenceRevenue => f.write_str("rev:inference"),
            Self::ToolsRevenue => f.write_str("rev:tools"),
            Self::Grants => f.write_str("promo:grants"),
        }
    }
}

impl FromStr for LedgerAccount {
    type Err = InvalidLedgerAccount;

    fn from_str(text: &str) -> Result<Self, InvalidLedgerAccount> {
        let customer = text
            .strip_prefix("cust:")
            .and_then(|rest| rest.strip_suffix(":credits"));
        match (text, customer.map(str::parse)) {
            (_, Some(Ok(account))) => Ok(Self::CustomerCredits(account)),
            ("rev:inference", _) => Ok(Self::InferenceRevenue),
            ("rev:tools", _) => Ok(Self::ToolsRevenue),
            ("promo:grants", _) => Ok(Self::Grants),
            _ => Err(InvalidLedgerAccount(text.chars().take(80).collect())),
        }
    }
}

impl Serialize for LedgerAccount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One line of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posting {
    /// The account.
    pub account: LedgerAccount,
    /// Positive is credit, negative is debit; never zero.
    pub amount: UsdNanos,
}

/// Why a transaction was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransactionKind {
    /// A generation was settled.
    Settlement,
    /// A settled generation's charge was corrected.
    Adjustment,
    /// Credit was granted.
    Grant,
}

impl TransactionKind {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Settlement => "settlement",
            Self::Adjustment => "adjustment",
            Self::Grant => "grant",
        }
    }

    /// The kind with this stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "settlement" => Some(Self::Settlement),
            "adjustment" => Some(Self::Adjustment),
            "grant" => Some(Self::Grant),
            _ => None,
        }
    }
}

/// Money that moves from one account (debited) to another (credited). A negative amount moves the
/// other way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transfer {
    /// The account debited.
    pub from: LedgerAccount,
    /// The account credited.
    pub to: LedgerAccount,
    /// How much.
    pub amount: UsdNanos,
}

/// A balanced set of postings under a name that can be used once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerTransaction {
    id: LedgerTransactionId,
    idempotency_key: String,
    kind: TransactionKind,
    effective_at: Timestamp,
    postings: Vec<Posting>,
}

impl LedgerTransaction {
    /// A transaction of these transfers; `None` when nothing moves, or when an account's part
    /// leaves the range of its type.
    pub fn of_transfers(
        id: LedgerTransactionId,
        idempotency_key: String,
        kind: TransactionKind,
        effective_at: Timestamp,
        transfers: &[Transfer],
    ) -> Option<Self> {
        let mut sums: Vec<(LedgerAccount, i128)> = Vec::with_capacity(transfers.len() + 1);
        let mut add = |account, amount| match sums.iter_mut().find(|(known, _)| *known == account) {
            Some((_, sum)) => *sum += amount,
            None => sums.push((account, amount)),
        };
        for transfer in transfers {
            let amount = i128::from(transfer.amount.get());
            add(transfer.from, -amount);
            add(transfer.to, amount);
        }
        let moved = sums.into_iter().filter(|(_, sum)| *sum != 0);
        let posting = |(account, sum)| {
            let amount = UsdNanos::new(i64::try_from(sum).ok()?);
            Some(Posting { account, amount })
        };
        let postings: Vec<_> = moved.map(posting).collect::<Option<_>>()?;
        (!postings.is_empty()).then_some(Self {
            id,
            idempotency_key,
            kind,
            effective_at,
            postings,
        })
    }

    /// The transaction's id.
    pub const fn id(&self) -> LedgerTransactionId {
        self.id
    }

    /// Its unique name; posting under a name that is taken does nothing.
    pub fn idempotency_key(&self) -> &str {
        &self.idempotency_key
    }

    /// Why it was made.
    pub const fn kind(&self) -> TransactionKind {
        self.kind
    }

    /// The instant whose period it belongs to.
    pub const fn effective_at(&self) -> Timestamp {
        self.effective_at
    }

    /// Its lines, one per account, in the order in which the accounts were first named. They add
    /// up to zero.
    pub fn postings(&self) -> &[Posting] {
        &self.postings
    }
}

/// What settling a generation books; `None` when nothing is charged. The customer pays exactly
/// `charge.total`; what is not for tools is for inference.
pub fn postings_for(settlement: &Settlement) -> Option<LedgerTransaction> {
    let idempotency_key = settlement.idempotency_key();
    LedgerTransaction::of_transfers(
        transaction_id_for(&idempotency_key, settlement.admitted_at),
        idempotency_key,
        TransactionKind::Settlement,
        settlement.admitted_at,
        &charge_transfers(
            settlement.account_id,
            &Charge::default(),
            &settlement.charge,
        ),
    )
}

/// What the `number`th correction of a settled generation books (from 1): the difference between
/// the charge before and the charge that usage learned later makes. `None` when they are equal.
/// It belongs to the period in which it is made, for the generation's own may be closed.
pub fn postings_for_adjustment(
    settlement: &Settlement,
    number: u32,
    corrected: &Charge,
    at: Timestamp,
) -> Option<LedgerTransaction> {
    let idempotency_key = format!("gen:{}:adjust:{number}", settlement.generation_id);
    LedgerTransaction::of_transfers(
        transaction_id_for(&idempotency_key, at),
        idempotency_key,
        TransactionKind::Adjustment,
        at,
        &charge_transfers(settlement.account_id, &settlement.charge, corrected),
    )
}

fn charge_transfers(account: AccountId, before: &Charge, after: &Charge) -> [Transfer; 2] {
    let from = LedgerAccount::CustomerCredits(account);
    let inference = |charge: &Charge| charge.total.saturating_sub(charge.tools);
    [
        Transfer {
            from,
            to: LedgerAccount::InferenceRevenue,
            amount: inference(after).saturating_sub(inference(before)),
        },
        Transfer {
            from,
            to: LedgerAccount::ToolsRevenue,
            amount: after.tools.saturating_sub(before.tools),
        },
    ]
}

/// What a grant books: given away, owed to the customer. `None` for a grant of nothing.
pub fn postings_for_grant(grant: &CreditGrant) -> Option<LedgerTransaction> {
    LedgerTransaction::of_transfers(
        grant.transaction_id,
        grant.idempotency_key.clone(),
        TransactionKind::Grant,
        grant.at,
        &[Transfer {
            from: LedgerAccount::Grants,
            to: LedgerAccount::CustomerCredits(grant.account_id),
            amount: grant.amount,
        }],
    )
}

#[cfg(test)]
mod tests;
