//! Mail to people. Who sends it is behind a port: an SMTP server, or the demo's box.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use switchyard_domain::{clock::Timestamp, secret::Secret};

/// One mail to one person. Its text may hold a link that works like a key, so it cannot be printed.
pub struct Mail {
    /// The address.
    pub to: String,
    /// One line.
    pub subject: String,
    /// What it says, as plain text; links stand on lines of their own.
    pub text: Secret<String>,
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[mail: {}]", self.subject)
    }
}

/// Why a mail was not taken.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// No mail can be sent here: the operator set no server.
    #[error("this service sends no mail")]
    NotConfigured,
    /// Too many wait already.
    #[error("too many mails wait to be sent")]
    Full,
}

/// Sends mail in the background: taking a mail is quick and says nothing of its arrival, so that
/// nobody can tell from the time it takes whether an address is known.
#[async_trait]
pub trait Mailer: Send + Sync + 'static {
    /// Takes a mail to be sent.
    async fn send(&self, mail: Mail) -> Result<(), MailError>;
}

/// A mail that was kept instead of sent.
#[derive(Debug)]
pub struct KeptMail {
    pub at: Timestamp,
    pub mail: Mail,
}

/// Where the demo's mails can be read.
pub trait MailBox: Send + Sync + 'static {
    /// The latest mails, newest first.
    fn latest(&self) -> Vec<Arc<KeptMail>>;
}

/// For installations without mail.
#[derive(Debug, Clone, Copy)]
pub struct NoMail;

#[async_trait]
impl Mailer for NoMail {
    async fn send(&self, _: Mail) -> Result<(), MailError> {
        Err(MailError::NotConfigured)
    }
}
