//! Settlement: charge what was used, release the rest, journal it, and only then let the caller
//! see the end. Runs on success, failure and departure alike.

use std::{io, sync::Arc};

use serde_json::value::{RawValue, to_raw_value};
use switchyard_billing::{
    outcome::{Ending, Payer, charge_for_outcome},
    price::{Terms, price},
    settlement::{Charge, RequestFacts, ServedFacts, Settlement},
};
use switchyard_domain::{
    model::Modality,
    money::UsdNanos,
    tokens::{TokenUsage, UsageSource},
};
use switchyard_interchange::{event::Completion, reply::ReplyTail};
use switchyard_routing::metadata::{AttemptOutcome, RouterMetadata as RoutingMetadata};
use tokio::sync::mpsc::Sender;

use crate::{
    App,
    generation::{
        GenerateError, ReplyStep, RouterMetadata,
        admit::Admitted,
        attempt::{End, Outcome, Served, millis},
        pin::settle_verdict,
        plan::Planned,
        reserve::{Reserved, counts_byok},
    },
    journal::Staged,
};

impl App {
    /// Settles a request and tells its caller how it ended.
    pub(super) async fn settle(
        &self,
        reserved: Box<Reserved>,
        outcome: Outcome,
        replies: Sender<ReplyStep>,
    ) {
        let Reserved { mut planned, hold } = *reserved;
        let (usage, usage_source) = used(&planned, &outcome);
        let charge = charge(&planned, &outcome, &usage);
        let holds = hold.settle(charge.total, counted(&planned, &outcome, &charge));
        let tail = tail(&planned, &outcome, usage, &charge);
        if let Some(served) = &outcome.served {
            settle_verdict(&mut planned, &served.endpoint);
            if matches!(outcome.end, End::Finished(_)) {
                self.renew_pin(&planned, &served.endpoint, &usage).await;
            }
        }
        let record = &mut planned.plan.record;
        record.needs = Some(Arc::clone(&planned.admitted.needs));
        record.policy.clone_from(&planned.standing.record);
        let decision = to_raw_value(record).ok();
        let receipt = self.receipt(&planned, &outcome, decision.as_deref());
        let Outcome {
            attempts,
            served,
            end,
        } = outcome;
        let settlement = Settlement {
            generation_id: planned.admitted.generation_id.clone(),
            account_id: planned.admitted.caller.account_id(),
            workspace_id: planned.admitted.caller.workspace_id(),
            api_key_id: planned.admitted.caller.key.id,
            admitted_at: planned.admitted.at,
            finished_at: self.clock.now(),
            request: request_facts(&planned.admitted),
            served: served.map(|served| self.served_facts(served, &end)),
            usage,
            usage_source,
            charge,
            holds,
            attempts,
            decision,
            receipt,
        };
        let staged = self.record(settlement);
        // As on the way out: what ends together is written together, first to the journal and then to
        // those who wait.
        tokio::task::yield_now().await;
        let recorded = staged
            .and_then(|staged| self.journal.write(staged))
            .map_err(|error| unjournalled(&planned.admitted, &error));
        self.reply(end, recorded, tail, &replies).await;
    }

    /// Stages a settlement for the journal and puts it into the poster's queue. Without the journal
    /// it still goes to SQL from memory, but its caller does not get to see a clean end.
    fn record(&self, settlement: Settlement) -> io::Result<Staged> {
        metrics::counter!("switchyard_generations_total").increment(1);
        let staged = self.journal.stage(&settlement);
        let position = staged.as_ref().ok().map(|staged| staged.position);
        self.poster.push(position, settlement);
        staged
    }

    async fn reply(
        &self,
        end: End,
        recorded: Result<(), GenerateError>,
        tail: ReplyTail,
        replies: &Sender<ReplyStep>,
    ) {
        let last = match (end, recorded) {
            (End::Cancelled, _) => return,
            (End::Failed(error), _) | (End::Finished(_), Err(error)) => {
                ReplyStep::Failed(Box::new(error))
            }
            (End::Finished(completion), Ok(())) => {
                if !send_completion(completion, replies).await {
                    return;
                }
                ReplyStep::Tail(Box::new(tail))
            }
        };
        // A caller that left meanwhile is charged for what it got all the same.
        let _ = replies.send(last).await;
    }

    fn served_facts(&self, served: Served, end: &End) -> ServedFacts {
        let endpoint = served.endpoint.endpoint();
        let meter = served.meter;
        let since_dispatch =
            |at: switchyard_domain::clock::Timestamp| millis(at.since(served.dispatched_at));
        let finish_reason = match end {
            End::Failed(_) => Some("error".to_owned()),
            End::Finished(_) | End::Cancelled => meter
                .finish
                .as_ref()
                .map(|finish| finish.reason.as_str().to_owned()),
        };
        ServedFacts {
            model: served.endpoint.model().id.to_string(),
            endpoint_id: endpoint.id.clone(),
            provider: served.endpoint.provider().slug.clone(),
            provider_name: served.endpoint.provider().name.to_string(),
            byok_credential_id: served.endpoint.credential().own(),
            upstream_id: meter.upstream_id,
            finish_reason,
            native_finish_reason: meter.finish.and_then(|finish| finish.native),
            service_tier: meter
                .usage
                .and_then(|usage| usage.service_tier)
                .or_else(|| Some(endpoint.service_tier.as_str().to_owned())),
            cancelled: matches!(end, End::Cancelled),
            latency_ms: meter.first_token_at.map(since_dispatch),
            generation_time_ms: Some(since_dispatch(self.clock.now())),
            price_snapshot_id: endpoint
                .price_snapshot_id
                .clone()
                .expect("a vetted endpoint is callable, and that needs prices"),
            prices: endpoint
                .prices
                .clone()
                .expect("a vetted endpoint is callable, and that needs prices"),
        }
    }
}

fn unjournalled(admitted: &Admitted, error: &io::Error) -> GenerateError {
    tracing::error!(
        generation.id = %admitted.generation_id,
        error = %error,
        "a settlement cannot be journalled; admitting nothing more"
    );
    GenerateError::LedgerUnavailable
}

async fn send_completion(completion: Option<Box<Completion>>, replies: &Sender<ReplyStep>) -> bool {
    match completion {
        Some(completion) => replies.send(ReplyStep::Complete(completion)).await.is_ok(),
        None => true,
    }
}

fn used(planned: &Planned, outcome: &Outcome) -> (TokenUsage, UsageSource) {
    match &outcome.served {
        Some(served) => served
            .meter
            .final_usage(planned.admitted.needs.prompt_tokens_estimate),
        None => (TokenUsage::default(), UsageSource::None),
    }
}

fn charge(planned: &Planned, outcome: &Outcome, usage: &TokenUsage) -> Charge {
    let Some(served) = &outcome.served else {
        return Charge::default();
    };
    let ending = match &outcome.end {
        End::Failed(_) => Ending::Failed,
        End::Finished(_) => Ending::Finished,
        End::Cancelled if served.meter.finish.is_some() => Ending::Finished,
        End::Cancelled => Ending::Unfinished,
    };
    let prices = served.endpoint.endpoint().prices.as_deref();
    let prices = prices.expect("a vetted endpoint is callable, and that needs prices");
    let priced = price(prices, usage, &Terms::at(planned.admitted.at)).and_then(|quote| {
        charge_for_outcome(&quote, usage, ending, payer(served)).map_err(Into::into)
    });
    priced.unwrap_or_else(|error| {
        // The hold was computed from the same prices, so only absurd usage gets here. It is our
        // mistake or the provider's, and not the customer's bill.
        tracing::error!(
            generation.id = %planned.admitted.generation_id,
            error = %error,
            "a generation cannot be priced and is not charged"
        );
        Charge::default()
    })
}

/// Whose credential the answer came by.
fn payer(served: &Served) -> Payer {
    if served.endpoint.credential().is_shared() {
        Payer::Account
    } else {
        Payer::CustomerCredential
    }
}

/// What counts toward the key's limit: what is charged and, where its owner wants that, what a
/// customer's own credential would have cost.
fn counted(planned: &Planned, outcome: &Outcome, charge: &Charge) -> UsdNanos {
    let is_byok = outcome
        .served
        .as_ref()
        .is_some_and(|served| payer(served) == Payer::CustomerCredential);
    if is_byok && !charge.insured && counts_byok(&planned.admitted.caller) {
        charge.total.saturating_add(charge.list)
    } else {
        charge.total
    }
}

fn tail(planned: &Planned, outcome: &Outcome, usage: TokenUsage, charge: &Charge) -> ReplyTail {
    let served = outcome.served.as_ref();
    ReplyTail {
        tokens: usage,
        cost: charge.total,
        is_byok: served.is_some_and(|served| payer(served) == Payer::CustomerCredential),
        list_cost: charge.list,
        list_cost_prompt: charge.list_prompt,
        list_cost_completion: charge.list_completion,
        service_tier: served
            .and_then(|served| served.meter.usage.as_ref())
            .and_then(|usage| usage.service_tier.clone()),
        metadata: metadata(planned, outcome),
    }
}

fn metadata(planned: &Planned, outcome: &Outcome) -> Option<Box<RawValue>> {
    if planned.admitted.router_metadata == RouterMetadata::Hidden {
        return None;
    }
    let attempts: Vec<AttemptOutcome> = outcome
        .attempts
        .iter()
        .map(|attempt| AttemptOutcome {
            endpoint: attempt.endpoint_id.clone(),
            // An attempt that never got a status is told as a bad gateway.
            status: attempt.status.unwrap_or(502),
            is_byok: attempt.is_byok,
        })
        .collect();
    to_raw_value(&RoutingMetadata::new(&planned.plan.record, &attempts)).ok()
}

fn request_facts(admitted: &Admitted) -> RequestFacts {
    let chat = &admitted.chat;
    let is_media = |modality: &Modality| *modality != Modality::Text;
    RequestFacts {
        requested_model: chat.model.clone(),
        streamed: chat.stream,
        api_type: "completions".to_owned(),
        session_id: chat.session_id.clone(),
        external_user: chat.user.clone(),
        http_referer: admitted.client.http_referer.clone(),
        app_title: admitted.client.app_title.clone(),
        user_agent: admitted.client.user_agent.clone(),
        request_id: admitted.client.request_id.clone(),
        media_prompt: if admitted.needs.input_images > 0 {
            u32::try_from(admitted.needs.input_images).unwrap_or(u32::MAX)
        } else {
            u32::from(
                admitted
                    .needs
                    .input_modalities
                    .iter()
                    .any(|one| is_media(&one)),
            )
        },
    }
}
