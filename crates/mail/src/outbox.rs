//! Mails on their way out. Whoever sends one does not wait for the server: it is queued here, and a
//! task carries it, again and again for a while if the server cannot take it.
//!
//! The queue has an end, and it is in memory: what a crash loses, people ask for again.

#[cfg(test)]
mod tests;

use std::{cmp::Reverse, collections::BinaryHeap, sync::Arc, time::Duration};

use async_trait::async_trait;
use switchyard_app::mail::{Mail, MailError, Mailer};
use switchyard_domain::clock::{Clock, Timestamp};
use tokio::{sync::mpsc, time::Instant};

/// Mails that may wait for their first try, and as many for another.
pub const WAITING_MAX: usize = 1_000;
/// The pauses between tries; after the last the mail is given up.
const PAUSES: [Duration; 5] = [
    Duration::from_secs(2),
    Duration::from_secs(10),
    Duration::from_secs(60),
    Duration::from_secs(300),
    Duration::from_secs(900),
];
/// How long a stop waits for what was not tried yet.
const LAST_ROUND_MAX: Duration = Duration::from_secs(5);

/// Why a mail was not taken. The text is for operators and holds nothing of the mail.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Undelivered {
    /// It may be taken later.
    #[error("{0}")]
    ForNow(String),
    /// It never will.
    #[error("{0}")]
    ForGood(String),
}

/// Takes one mail to where it goes.
#[async_trait]
pub trait Courier: Send + Sync + 'static {
    /// One try.
    async fn deliver(&self, mail: &Mail, at: Timestamp) -> Result<(), Undelivered>;
}

/// The slot that mails are put into.
#[derive(Debug, Clone)]
pub struct Outbox {
    slot: mpsc::Sender<Mail>,
}

#[async_trait]
impl Mailer for Outbox {
    async fn send(&self, mail: Mail) -> Result<(), MailError> {
        self.slot.try_send(mail).map_err(|_| MailError::Full)
    }
}

/// Empties it.
pub struct Postman {
    slot: mpsc::Receiver<Mail>,
    courier: Arc<dyn Courier>,
    clock: Arc<dyn Clock>,
    again: BinaryHeap<Reverse<Again>>,
    tried: u64,
}

/// A mail to be tried again.
struct Again {
    due: Instant,
    number: u64,
    tries: usize,
    mail: Mail,
}

/// An empty outbox and who empties it.
pub fn outbox(courier: Arc<dyn Courier>, clock: Arc<dyn Clock>) -> (Outbox, Postman) {
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    let postman = Postman {
        slot: receiver,
        courier,
        clock,
        again: BinaryHeap::new(),
        tried: 0,
    };
    (Outbox { slot: sender }, postman)
}

impl Postman {
    /// Carries mails until `stop`, and then tries once more what was not tried yet.
    pub async fn run(mut self, stop: impl Future<Output = ()> + Send) {
        tokio::pin!(stop);
        loop {
            let due = self.again.peek().map(|Reverse(again)| again.due);
            let has_room = self.again.len() < WAITING_MAX;
            tokio::select! {
                biased;
                () = &mut stop => break,
                () = wait_until(due) => {
                    if let Some(Reverse(again)) = self.again.pop() {
                        self.carry(again.mail, again.tries).await;
                    }
                }
                mail = self.slot.recv(), if has_room => match mail {
                    Some(mail) => self.carry(mail, 0).await,
                    None => break,
                },
            }
        }
        let last_round = async {
            while let Ok(mail) = self.slot.try_recv() {
                self.carry(mail, 0).await;
            }
        };
        if tokio::time::timeout(LAST_ROUND_MAX, last_round)
            .await
            .is_err()
        {
            tracing::warn!("stopped before every mail was sent");
        }
    }

    async fn carry(&mut self, mail: Mail, tries: usize) {
        match self.courier.deliver(&mail, self.clock.now()).await {
            Ok(()) => {}
            Err(Undelivered::ForNow(says)) if tries < PAUSES.len() => {
                tracing::info!(tries = tries + 1, says, "a mail will be sent again");
                self.tried += 1;
                self.again.push(Reverse(Again {
                    due: Instant::now() + PAUSES[tries],
                    number: self.tried,
                    tries: tries + 1,
                    mail,
                }));
            }
            Err(Undelivered::ForNow(says) | Undelivered::ForGood(says)) => {
                tracing::warn!(tries = tries + 1, says, "a mail was not delivered");
            }
        }
    }
}

async fn wait_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

impl PartialEq for Again {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Again {}

impl PartialOrd for Again {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Again {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.due, self.number).cmp(&(other.due, other.number))
    }
}
