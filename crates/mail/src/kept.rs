//! Mails that go nowhere: the demo keeps the last of them, and its own page shows them.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use switchyard_app::mail::{KeptMail, Mail, MailBox, MailError, Mailer};
use switchyard_domain::clock::Clock;

/// Mails that are kept; older ones make room.
pub const KEPT_MAX: usize = 100;

/// A box in memory.
pub struct KeptMails {
    clock: Arc<dyn Clock>,
    mails: Mutex<VecDeque<Arc<KeptMail>>>,
}

impl std::fmt::Debug for KeptMails {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeptMails")
    }
}

impl KeptMails {
    /// An empty box.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            mails: Mutex::default(),
        }
    }
}

#[async_trait]
impl Mailer for KeptMails {
    async fn send(&self, mail: Mail) -> Result<(), MailError> {
        let at = self.clock.now();
        let mut mails = self.mails.lock().unwrap_or_else(PoisonError::into_inner);
        mails.truncate(KEPT_MAX - 1);
        mails.push_front(Arc::new(KeptMail { at, mail }));
        Ok(())
    }
}

impl MailBox for KeptMails {
    fn latest(&self) -> Vec<Arc<KeptMail>> {
        let mails = self.mails.lock().unwrap_or_else(PoisonError::into_inner);
        mails.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use switchyard_domain::secret::Secret;

    use super::*;
    use crate::fixture::{HandClock, mail};

    #[tokio::test]
    async fn the_latest_are_kept_newest_first() {
        let kept = KeptMails::new(Arc::new(HandClock));
        for number in 0..KEPT_MAX + 2 {
            kept.send(mail(&format!("{number}"))).await.unwrap();
        }
        let latest = kept.latest();
        assert_eq!(latest.len(), KEPT_MAX);
        let newest = format!("{}", KEPT_MAX + 1);
        assert_eq!(latest[0].mail.subject, newest);
        assert_eq!(latest[KEPT_MAX - 1].mail.subject, "2");
        assert!(!format!("{latest:?}").contains("https://"));
        let _: &Secret<String> = &latest[0].mail.text;
    }
}
