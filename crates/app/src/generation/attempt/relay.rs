//! After the first token: pass the answer on as it comes. No other endpoint is tried any more.

use switchyard_interchange::{
    convert::ReasoningFilter,
    event::{Completion, StreamStep},
    reply::ReplyHead,
};
use switchyard_routing::vetted::Vetted;
use tokio::sync::mpsc::Sender;

use super::{
    Try, TryEnd,
    open::{Begun, Rest, observe},
};
use crate::{
    App,
    generation::{ReplyStep, plan::Planned},
    limits::READER_STALL_MAX,
};

impl App {
    pub(super) async fn relay(
        &self,
        planned: &mut Planned,
        tried: &mut Try,
        begun: Begun,
        replies: &Sender<ReplyStep>,
    ) -> TryEnd {
        self.health.began(&tried.permit, self.clock.now());
        if !begin(planned, &tried.endpoint, replies).await {
            return TryEnd::Cancelled;
        }
        let (mut stream, mut steps, mut rest) = match begun {
            Begun::Whole(completion) if planned.admitted.chat.stream => {
                let step = shown(completion, planned).into_step();
                return match replies.send(ReplyStep::Steps(vec![step])).await {
                    Ok(()) => TryEnd::Finished(None),
                    Err(_) => TryEnd::Cancelled,
                };
            }
            Begun::Whole(completion) => {
                return TryEnd::Finished(Some(shown(completion, planned)));
            }
            Begun::Stream {
                stream,
                steps,
                rest,
            } => (stream, steps, rest),
        };
        // Nobody else will be asked, and the answer may take long.
        planned.admitted.chat.release_content();
        let excludes_reasoning = planned.admitted.chat.reasoning.exclude;
        let mut filter = excludes_reasoning.then(ReasoningFilter::default);
        loop {
            if !steps.is_empty() && !pass(&mut steps, filter.as_mut(), replies).await {
                return TryEnd::Cancelled;
            }
            match rest {
                Rest::More => {}
                Rest::Nothing => return TryEnd::Finished(None),
                Rest::Failure(failure) => return TryEnd::BrokenOff(failure),
            }
            let read = stream.read(&mut steps).await;
            rest = match (observe(&mut tried.meter, &mut steps, 0, &*self.clock), read) {
                (Some(failure), _) | (None, Err(failure)) => Rest::Failure(failure),
                (None, Ok(true)) => Rest::More,
                (None, Ok(false)) => Rest::Nothing,
            };
        }
    }
}

/// Passes steps on. `false` when the caller has left, or reads nothing for so long that it counts
/// as gone.
async fn pass(
    steps: &mut Vec<StreamStep>,
    filter: Option<&mut ReasoningFilter>,
    replies: &Sender<ReplyStep>,
) -> bool {
    let mut batch = std::mem::take(steps);
    if let Some(filter) = filter {
        batch = batch.into_iter().map(|step| filter.step(step)).collect();
    }
    let batch = ReplyStep::Steps(batch);
    replies.send_timeout(batch, READER_STALL_MAX).await.is_ok()
}

/// The answer as its caller wants to see it. What is hidden is charged all the same.
fn shown(completion: Box<Completion>, planned: &Planned) -> Box<Completion> {
    if planned.admitted.chat.reasoning.exclude {
        Box::new(completion.without_reasoning())
    } else {
        completion
    }
}

/// Tells the caller who serves. `false` when the caller has left.
async fn begin(planned: &Planned, endpoint: &Vetted, replies: &Sender<ReplyStep>) -> bool {
    let head = ReplyHead {
        generation_id: planned.admitted.generation_id.clone(),
        created_seconds: planned.admitted.at.seconds(),
        model: endpoint.model().id.to_string(),
        provider: endpoint.provider().name.to_string(),
    };
    replies.send(ReplyStep::Head(Box::new(head))).await.is_ok()
}
