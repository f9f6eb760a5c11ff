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
use switchyard_routing::select::Candidate;

use crate::{
    App,
    generation::{GenerateError, admit::Admitted, plan::Planned},
    limits::{ATTEMPTS_MAX, OUTPUT_TOKENS_UNKNOWN_MAX, OWN_ATTEMPTS_MAX},
    treasury::{Draw, Hold, ReserveError},
};

/// A planned request whose worst case is held.
pub(super) struct Reserved {
    pub(super) planned: Planned,
    pub(super) hold: Hold,
}

impl App {
    pub(super) async fn reserve(&self, mut planned: Planned) -> Result<Reserved, GenerateError> {
        let mut is_limited = false;
        let shortfall = loop {
            let draws = draws(&planned)?;
            if !self.may_draw(&planned, &draws).await? {
                if planned.keep_own_only() {
                    continue;
                }
                return Err(GenerateError::EmailUnverified);
            }
            let error = match self.treasury.reserve(&draws).await {
                Ok(hold) => return Ok(Reserved { planned, hold }),
                Err(error) => error,
            };
            let ReserveError::Insufficient {
                fund,
                needed,
                available,
            } = error
            else {
                tracing::warn!(error = &error as &dyn std::error::Error, "cannot reserve");
                return Err(GenerateError::LedgerUnavailable);
            };
            let affordable = affordable(&planned, fund, available);
            let shortfall = GenerateError::Insufficient {
                fund,
                needed,
                available,
                requested_output_tokens: output_tokens_asked(&planned),
                affordable_output_tokens: affordable,
            };
            // Who has debts is served by nobody, whosever credential it is.
            if available < UsdNanos::ZERO {
                break shortfall;
            }
            // An answer by a credential of one's own is not cut short for want of credit.
            if planned.begins_with_own() && planned.keep_own_only() {
                continue;
            }
            // A caller that set no limit gets what the balance affords; one that did gets a refusal.
            let limit = u32::try_from(affordable).unwrap_or(u32::MAX);
            if !is_limited && limit > 0 && planned.admitted.chat.max_output_tokens.is_none() {
                is_limited = true;
                planned.admitted.chat.max_output_tokens = Some(limit);
                continue;
            }
            if !planned.keep_own_only() {
                break shortfall;
            }
            if std::mem::take(&mut is_limited) {
                planned.admitted.chat.max_output_tokens = None;
            }
        };
        Err(shortfall)
    }
}

impl App {
    /// Whether the account may spend what is to be held of its credit.
    async fn may_draw(&self, planned: &Planned, draws: &[Draw]) -> Result<bool, GenerateError> {
        let of_credit = |draw: &Draw| matches!(draw.fund.id, FundId::Credits(_));
        let spends = |draw: &Draw| of_credit(draw) && draw.amount.is_positive();
        if !draws.iter().any(spends) {
            return Ok(true);
        }
        let account = planned.admitted.caller.account_id();
        self.proofs.may_spend(account).await.map_err(|error| {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "cannot tell who may spend"
            );
            GenerateError::LedgerUnavailable
        })
    }
}

impl Planned {
    fn begins_with_own(&self) -> bool {
        let first = self.plan.candidates.first();
        first.is_some_and(|first| !first.vetted.credential().is_shared())
    }

    /// Leaves out what the operator's credentials would serve, where that leaves anything and was not
    /// done before; says so in the record.
    fn keep_own_only(&mut self) -> bool {
        let is_shared = |candidate: &Candidate| candidate.vetted.credential().is_shared();
        let shared = self
            .plan
            .candidates
            .iter()
            .filter(|one| is_shared(one))
            .count();
        if shared == 0 || shared == self.plan.candidates.len() {
            return false;
        }
        self.plan.candidates.retain(|one| !is_shared(one));
        self.plan.record.leave_out_shared();
        true
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
            key: caller.key.limit_key(),
            window_start: limit.reset.map(|reset| reset.window_start(at)),
        },
        capacity: Some(limit.limit),
    }));
    funds
}

/// Whether a key's limit counts what its requests cost on customers' own credentials.
pub(super) fn counts_byok(caller: &Caller) -> bool {
    caller.key.limit.is_some_and(|limit| limit.include_byok)
}

/// What each fund is drawn on for: the worst case over the endpoints that may be tried, so that
/// whichever serves, the hold covers it. What a customer's own credential serves costs no credit, and
/// counts toward a key's limit only where its owner wants that.
fn draws(planned: &Planned) -> Result<Vec<Draw>, GenerateError> {
    let caller = &planned.admitted.caller;
    let funds = funds_of(caller, planned.admitted.at);
    let draw = |fund: FundRef| {
        let amount = dearest(planned, fund.id)?;
        Ok(Draw { fund, amount })
    };
    funds.into_iter().map(draw).collect()
}

/// The worst case over the endpoints that may be tried and that a fund pays for.
fn dearest(planned: &Planned, fund: FundId) -> Result<UsdNanos, GenerateError> {
    let (demand, terms) = (demand(&planned.admitted), Terms::at(planned.admitted.at));
    let mut dearest = UsdNanos::ZERO;
    for (endpoint, prices) in paid_candidates(planned, fund) {
        let output_tokens = output_tokens_max(&planned.admitted, endpoint);
        let cost = worst_case(prices, &demand, output_tokens, &terms)
            .map_err(|_| GenerateError::CostOverflow)?;
        dearest = dearest.max(cost);
    }
    Ok(dearest)
}

/// The largest output limit that `available` of a fund covers at every endpoint that may be tried.
fn affordable(planned: &Planned, fund: FundId, available: UsdNanos) -> u64 {
    let (demand, terms) = (demand(&planned.admitted), Terms::at(planned.admitted.at));
    paid_candidates(planned, fund)
        .map(|(endpoint, prices)| {
            affordable_output_tokens(prices, &demand, available, &terms)
                .unwrap_or(0)
                .min(output_tokens_max(&planned.admitted, endpoint))
        })
        .min()
        .unwrap_or(0)
}

fn output_tokens_asked(planned: &Planned) -> u64 {
    tried_candidates(planned)
        .map(|candidate| output_tokens_max(&planned.admitted, candidate.vetted.endpoint()))
        .max()
        .unwrap_or(0)
}

/// Those of the endpoints that may be tried that a fund pays for.
fn paid_candidates(
    planned: &Planned,
    fund: FundId,
) -> impl Iterator<Item = (&Endpoint, &PriceList)> {
    let pays_own = fund.is_key_limit() && counts_byok(&planned.admitted.caller);
    tried_candidates(planned)
        .filter(move |candidate| pays_own || candidate.vetted.credential().is_shared())
        .map(|candidate| {
            let endpoint = candidate.vetted.endpoint();
            let prices = endpoint.prices.as_deref();
            (
                endpoint,
                prices.expect("a vetted endpoint is callable, and that needs prices"),
            )
        })
}

/// As many of each kind as are tried at most.
fn tried_candidates(planned: &Planned) -> impl Iterator<Item = &Candidate> {
    let of_kind = |shared: bool, count: usize| {
        let all = planned.plan.candidates.iter();
        all.filter(move |one| one.vetted.credential().is_shared() == shared)
            .take(count)
    };
    of_kind(true, ATTEMPTS_MAX).chain(of_kind(false, OWN_ATTEMPTS_MAX))
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
