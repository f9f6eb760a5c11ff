use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use tokio::sync::{Notify, oneshot};

use super::*;
use crate::fixture::{HandClock, mail};

/// Answers as it is told, and notes what it was given and when.
#[derive(Default)]
struct Scripted {
    answers: Mutex<VecDeque<Result<(), Undelivered>>>,
    carried: Mutex<Vec<(String, Duration)>>,
    started: Mutex<Option<Instant>>,
    came: Notify,
}

impl Scripted {
    fn answering(answers: impl IntoIterator<Item = Result<(), Undelivered>>) -> Arc<Self> {
        Arc::new(Self {
            answers: Mutex::new(answers.into_iter().collect()),
            started: Mutex::new(Some(Instant::now())),
            ..Self::default()
        })
    }

    fn carried(&self) -> Vec<(String, Duration)> {
        let carried = self.carried.lock().unwrap_or_else(PoisonError::into_inner);
        carried.clone()
    }

    /// Waits until so many tries were made.
    async fn tries(&self, count: usize) {
        loop {
            let came = self.came.notified();
            if self.carried().len() >= count {
                return;
            }
            came.await;
        }
    }
}

#[async_trait]
impl Courier for Scripted {
    async fn deliver(&self, mail: &Mail, _: Timestamp) -> Result<(), Undelivered> {
        let started = self.started.lock().unwrap().expect("set when it was made");
        let mut carried = self.carried.lock().unwrap();
        carried.push((mail.subject.clone(), started.elapsed()));
        drop(carried);
        self.came.notify_one();
        self.answers.lock().unwrap().pop_front().unwrap_or(Ok(()))
    }
}

fn busy() -> Result<(), Undelivered> {
    Err(Undelivered::ForNow("the server answered 451".to_owned()))
}

fn seconds(carried: &[(String, Duration)]) -> Vec<(&str, u64)> {
    let all = carried.iter();
    all.map(|(subject, at)| (subject.as_str(), at.as_secs()))
        .collect()
}

/// Runs a postman until the courier was asked so often.
async fn run_for(courier: &Arc<Scripted>, mails: &[&str], tries: usize) {
    let (outbox, postman) = outbox(Arc::clone(courier) as _, Arc::new(HandClock));
    for subject in mails {
        outbox.send(mail(subject)).await.unwrap();
    }
    let (stop, stopped) = oneshot::channel::<()>();
    let run = postman.run(async move {
        let _ = stopped.await;
    });
    let watch = async {
        courier.tries(tries).await;
        drop(stop);
    };
    tokio::join!(run, watch);
}

#[tokio::test(start_paused = true)]
async fn a_mail_is_tried_again_ever_later() {
    let courier = Scripted::answering((0..5).map(|_| busy()));
    run_for(&courier, &["a"], 6).await;
    assert_eq!(
        seconds(&courier.carried()),
        [
            ("a", 0),
            ("a", 2),
            ("a", 12),
            ("a", 72),
            ("a", 372),
            ("a", 1272)
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn others_do_not_wait_for_it() {
    let courier = Scripted::answering([busy()]);
    run_for(&courier, &["a", "b"], 3).await;
    assert_eq!(seconds(&courier.carried()), [("a", 0), ("b", 0), ("a", 2)]);
}

#[tokio::test(start_paused = true)]
async fn what_will_never_be_taken_is_given_up_at_once_and_all_else_in_the_end() {
    let refused = Err(Undelivered::ForGood("the server answered 550".to_owned()));
    let courier = Scripted::answering([refused]);
    run_for(&courier, &["a", "b"], 2).await;
    assert_eq!(seconds(&courier.carried()), [("a", 0), ("b", 0)]);

    let courier = Scripted::answering((0..10).map(|_| busy()));
    let (outbox, mut postman) = outbox(Arc::clone(&courier) as _, Arc::new(HandClock));
    drop(outbox);
    postman.carry(mail("a"), PAUSES.len()).await;
    assert!(postman.again.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_stop_tries_once_more_what_was_not_tried() {
    let courier = Scripted::answering([busy()]);
    let (outbox, postman) = outbox(Arc::clone(&courier) as _, Arc::new(HandClock));
    for subject in ["a", "b"] {
        outbox.send(mail(subject)).await.unwrap();
    }
    postman.run(std::future::ready(())).await;
    assert_eq!(seconds(&courier.carried()), [("a", 0), ("b", 0)]);
}

#[tokio::test(start_paused = true)]
async fn the_queue_has_an_end() {
    let courier = Scripted::answering([]);
    let (outbox, _postman) = outbox(courier as _, Arc::new(HandClock));
    for _ in 0..WAITING_MAX {
        outbox.send(mail("a")).await.unwrap();
    }
    assert!(matches!(outbox.send(mail("b")).await, Err(MailError::Full)));
}
