//! Reservation: hold the worst case of the plan, so that nothing that follows can overspend.

use switchyard_billing::{
    fund::{FundId, FundRef},
    price::Terms,
    quote::{CacheUse, Demand, MediaUse, affordable_output_tokens, worst_case},
};
use switchyard_catalog::snapshot::Endpoint;
use switchyard_domain::{
    clock::Timestamp,
    model::{Modalities, Modality},
    money::UsdNanos,
    price_list::PriceList,
    tenancy::Caller,
};

use crate::{
    App,
    generation::{GenerateError, admit::Admitted, plan::Planned},
    limits::{ATTEMPTS_MAX, OUTPUT_TOKENS_UNKNOWN_MAX},
    treasury::{Hold, ReserveError},
};

/// A planned request whose worst case is held.
pub(super) struct Reserved {
    pub(super) planned: Planned,
    pub(super) hold: Hold,
}

impl App {
    pub(super) async fn reserve(&self, mut planned: Planned) -> Result<Reserved, GenerateError> {
        let funds = funds_of(&planned.admitted.caller, planned.admitted.at);
        let needed = dearest(&planned)?;
        let error = match self.treasury.reserve(&funds, needed).await {
            Ok(hold) => return Ok(Reserved { planned, hold }),
            Err(error) => error,
        };
        let ReserveError::Insufficient {
            fund, available, ..
        } = error
        else {
            tracing::warn!(error = &error as &dyn std::error::Error, "cannot reserve");
            return Err(GenerateError::LedgerUnavailable);
        };
        let affordable = affordable(&planned, available);
        let shortfall = GenerateError::Insufficient {
            fund,
            needed,
            available,
            requested_output_tokens: priced_candidates(&planned)
                .map(|(endpoint, _)| output_tokens_max(&planned.admitted, endpoint))
                .max()
                .unwrap_or(0),
            affordable_output_tokens: affordable,
        };
        // A caller that set no limit gets what the balance affords; one that did gets a refusal.
        let limit = u32::try_from(affordable).unwrap_or(u32::MAX);
        if planned.admitted.chat.max_output_tokens.is_some() || limit == 0 {
            return Err(shortfall);
        }
        planned.admitted.chat.max_output_tokens = Some(limit);
        let needed = dearest(&planned)?;
        match self.treasury.reserve(&funds, needed).await {
            Ok(hold) => Ok(Reserved { planned, hold }),
            Err(ReserveError::Insufficient { .. }) => Err(shortfall),
            Err(ReserveError::Store(_)) => Err(GenerateError::LedgerUnavailable),
        }
    }
}

/// The funds a caller draws on, in the fixed order in which they are held.
fn funds_of(caller: &Caller, at: Timestamp) -> Vec<FundRef> {
    let mut funds = vec![FundRef {
        id: FundId::Credits(caller.account_id()),
        capacity: None,
    }];
    funds.extend(caller.key.limit.map(|limit| FundRef {
        id: FundId::KeyLimit {
            key: caller.key.id,
            window_start: limit.reset.map(|reset| reset.window_start(at)),
        },
        capacity: Some(limit.limit),
    }));
    funds
}

/// The worst case over the endpoints that may be tried: whichever serves, the hold covers it.
fn dearest(planned: &Planned) -> Result<UsdNanos, GenerateError> {
    let (demand, terms) = (demand(&planned.admitted), Terms::at(planned.admitted.at));
    let mut dearest = UsdNanos::ZERO;
    for (endpoint, prices) in priced_candidates(planned) {
        let output_tokens = output_tokens_max(&planned.admitted, endpoint);
        let cost = worst_case(prices, &demand, output_tokens, &terms)
            .map_err(|_| GenerateError::CostOverflow)?;
        dearest = dearest.max(cost);
    }
    Ok(dearest)
}

/// The largest output limit that `available` covers at every endpoint that may be tried.
fn affordable(planned: &Planned, available: UsdNanos) -> u64 {
    let (demand, terms) = (demand(&planned.admitted), Terms::at(planned.admitted.at));
    priced_candidates(planned)
        .map(|(endpoint, prices)| {
            affordable_output_tokens(prices, &demand, available, &terms)
                .unwrap_or(0)
                .min(output_tokens_max(&planned.admitted, endpoint))
        })
        .min()
        .unwrap_or(0)
}

fn priced_candidates(planned: &Planned) -> impl Iterator<Item = (&Endpoint, &PriceList)> {
    planned
        .plan
        .candidates
        .iter()
        .take(ATTEMPTS_MAX)
        .map(|candidate| {
            let endpoint = candidate.vetted.endpoint();
            let prices = endpoint.prices.as_deref();
            (
                endpoint,
                prices.expect("a vetted endpoint is callable, and that needs prices"),
            )
        })
}

/// The most that the request can use, whoever serves.
fn demand(admitted: &Admitted) -> Demand {
    let chat = &admitted.chat;
    let has_audio = admitted.needs.input_modalities.contains(Modality::Audio)
        || admitted
            .needs
            .output_modalities
            .minus(TEXT)
            .iter()
            .next()
            .is_some();
    Demand {
        input_tokens: admitted.needs.prompt_tokens_max,
        images: admitted.needs.input_images,
        cache: if chat.marks_cache() {
            CacheUse::Marked
        } else {
            CacheUse::None
        },
        media: if has_audio {
            MediaUse::Possible
        } else {
            MediaUse::TextOnly
        },
    }
}

const TEXT: Modalities = Modalities::EMPTY.with(Modality::Text);

/// The longest answer an endpoint can give to the request.
fn output_tokens_max(admitted: &Admitted, endpoint: &Endpoint) -> u64 {
    let own_limit = endpoint
        .max_completion_tokens
        .or(endpoint.context_length)
        .unwrap_or(OUTPUT_TOKENS_UNKNOWN_MAX);
    admitted.chat.max_output_tokens.map_or(own_limit, u64::from)
}
