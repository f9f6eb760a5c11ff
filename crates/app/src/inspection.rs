//! One generation laid open for its owner: how it was decided where it goes, how its charge comes about,
//! and what the ledger booked of it.

mod cost;
mod decision;
mod feedback;
#[cfg(test)]
mod fixture;
mod words;

use switchyard_billing::ledger::{LedgerAccount, transaction_id_for};
use switchyard_domain::{
    id::{AccountId, GenerationId},
    money::UsdNanos,
};
use switchyard_store::{DirectoryError, activity::LogStatus, generation::GenerationView};

pub use self::{
    cost::{ChargedFor, CostLine, CostStory},
    decision::{CandidateStory, CredentialStory, DecisionStory, MoveStory, NeedsStory, pin_story},
    feedback::Feedback,
    words::failure_in_words,
};
use crate::App;

/// Everything there is to see of a generation.
#[derive(Debug)]
pub struct Inspection {
    /// What the books keep of it.
    pub generation: GenerationView,
    /// How it ended.
    pub status: LogStatus,
    /// Why it went where it went; `None` where no record of that can be read.
    pub decision: Option<DecisionStory>,
    /// How its charge comes about; `None` where nothing served it.
    pub cost: Option<CostStory>,
    /// What was booked; empty where nothing was charged.
    pub ledger: Vec<LedgerEntry>,
    /// Whether it has a receipt, signed or about to be.
    pub has_receipt: bool,
}

/// One line of what was booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEntry {
    /// The account's name in the books.
    pub account: String,
    /// The same in words.
    pub meaning: &'static str,
    /// Whether it is the customer's own.
    pub is_own: bool,
    /// Positive is credit, negative is debit.
    pub amount: UsdNanos,
}

impl App {
    /// One of the account's generations, laid open.
    pub async fn inspect(
        &self,
        account: AccountId,
        id: &GenerationId,
    ) -> Result<Option<Inspection>, DirectoryError> {
        let Some(generation) = self.generation(account, id).await? else {
            return Ok(None);
        };
        let name = format!("gen:{id}:settle");
        let transaction = transaction_id_for(&name, generation.admitted_at);
        let (postings, has_receipt) = tokio::try_join!(
            self.directory.postings_of(transaction),
            self.receipts.exists(generation.workspace_id, id),
        )?;
        let ledger = postings.iter().map(|posting| LedgerEntry {
            account: posting.account.to_string(),
            meaning: meaning(posting.account),
            is_own: posting.account == LedgerAccount::CustomerCredits(account),
            amount: posting.amount,
        });
        Ok(Some(Inspection {
            decision: decision::story(&generation),
            cost: cost::story(&generation),
            ledger: ledger.collect(),
            has_receipt,
            status: LogStatus::of_view(&generation),
            generation,
        }))
    }
}

const fn meaning(account: LedgerAccount) -> &'static str {
    match account {
        LedgerAccount::CustomerCredits(_) => "your credits",
        LedgerAccount::InferenceRevenue => "paid for inference",
        LedgerAccount::ToolsRevenue => "paid for tools",
        LedgerAccount::Grants => "granted",
    }
}
