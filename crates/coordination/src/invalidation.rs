//! News about cached facts that have stopped being true.

use std::sync::Arc;

use switchyard_domain::id::{AccountId, CredentialId};
use tokio::sync::broadcast::{self, error::RecvError};

/// What must no longer be answered from a cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invalidation {
    /// One API key: revoked, disabled or changed.
    ApiKey {
        /// The key's lookup id.
        lookup_id: Arc<str>,
    },
    /// One of the operator's provider credentials: replaced or deleted.
    ProviderCredential {
        /// The credential's row.
        credential_id: CredentialId,
    },
    /// One of a customer's own provider credentials: made, changed, replaced, moved or deleted.
    OwnCredential {
        /// Whose.
        account_id: AccountId,
        /// The credential's row.
        credential_id: CredentialId,
    },
    /// A standing policy of an account, or of something of its: set or cleared.
    Policy {
        /// The account.
        account_id: AccountId,
    },
    /// The catalogue was reloaded from new files.
    Catalog,
    /// News may have been missed: everything cached is suspect.
    Everything,
}

/// A subscriber's view of the news.
#[derive(Debug)]
pub struct Invalidations {
    receiver: broadcast::Receiver<Invalidation>,
}

impl Invalidations {
    /// The next piece of news; `None` once the publisher is gone. A subscriber that fell behind
    /// hears [`Invalidation::Everything`] instead of what it missed. Cancel-safe.
    pub async fn next(&mut self) -> Option<Invalidation> {
        match self.receiver.recv().await {
            Ok(news) => Some(news),
            Err(RecvError::Lagged(_)) => Some(Invalidation::Everything),
            Err(RecvError::Closed) => None,
        }
    }
}

/// The node-local half of the news: every implementation delivers through it.
#[derive(Debug, Clone)]
pub(crate) struct Bulletin {
    sender: broadcast::Sender<Invalidation>,
}

impl Bulletin {
    /// How many pieces of news wait for a slow subscriber before it must flush everything.
    const BACKLOG_MAX: usize = 256;

    pub(crate) fn new() -> Self {
        Self {
            sender: broadcast::Sender::new(Self::BACKLOG_MAX),
        }
    }

    pub(crate) fn tell(&self, news: Invalidation) {
        // Nobody listening is fine: who holds no cache needs no news.
        let _ = self.sender.send(news);
    }

    pub(crate) fn subscribe(&self) -> Invalidations {
        Invalidations {
            receiver: self.sender.subscribe(),
        }
    }
}
