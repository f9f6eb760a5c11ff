//! Waiting for something to become true, with a bound.

use std::{fmt::Debug, time::Duration};

use tokio::time::{MissedTickBehavior, interval, timeout};

const POLL: Duration = Duration::from_millis(10);

/// Asks again and again until there is an answer.
///
/// # Panics
/// When there is none in time; `what` says what was waited for.
pub async fn until<T, Fut>(what: impl Debug, patience: Duration, mut ask: impl FnMut() -> Fut) -> T
where
    Fut: Future<Output = Option<T>>,
{
    let asking = async {
        let mut ticks = interval(POLL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Some(answer) = ask().await {
                return answer;
            }
        }
    };
    match timeout(patience, asking).await {
        Ok(answer) => answer,
        Err(_) => panic!("waited {patience:?} in vain for: {what:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_ends_when_there_is_an_answer() {
        let mut asked = 0;
        let answer = until("a third try", Duration::from_secs(5), || {
            asked += 1;
            let answer = (asked == 3).then_some("yes");
            async move { answer }
        })
        .await;
        assert_eq!((answer, asked), ("yes", 3));
    }

    #[tokio::test]
    #[should_panic(expected = "in vain for: \"a miracle\"")]
    async fn it_gives_up() {
        until("a miracle", Duration::from_millis(30), || async {
            None::<()>
        })
        .await;
    }
}
