//! What became of questions that were asked here: who answered, why, in how long and for how much.

use askama::Template;
use axum::{
    extract::{Path, RawQuery, State},
    response::Response,
};
use switchyard_app::{
    explain::{DecidedView, Exclusion},
    reads::GenerationView,
};
use switchyard_domain::{
    id::{ApiKeyId, GenerationId},
    money::UsdNanos,
};

use crate::{
    Console,
    error::PageError,
    pages::models::{Why, onlooker},
    shell::page,
    ui::{self, Markup},
    visit::SignedIn,
};

/// Answers that are summed up at most.
const SUMMED_MAX: usize = 100;

#[derive(Template)]
#[template(path = "pages/chat/answer.html")]
struct AnswerPart {
    id: String,
    /// `None`: nobody answered.
    served: Option<Served>,
    input: Markup,
    output: Markup,
    cached: Option<Markup>,
    reasoning: Option<Markup>,
    cost: String,
    cost_nanos: i64,
    is_insured: bool,
    took: Option<String>,
    attempts: Vec<Attempt>,
    considered: usize,
    left_out: Vec<(String, Why)>,
}

struct Served {
    provider: String,
    endpoint: String,
    tier: Option<String>,
    first_token: Option<String>,
    finish: Option<String>,
    is_cancelled: bool,
    is_byok: bool,
}

struct Attempt {
    provider: String,
    outcome: String,
    took: String,
}

#[derive(Template)]
#[template(path = "pages/chat/total.html")]
struct TotalPart {
    answers: usize,
    total: Markup,
    exact: String,
    nanos: i64,
}

/// `GET /chat/answers/{id}`: missing as long as it is not in the books, and for everybody else for good.
pub(crate) async fn one(
    State(console): State<Console>,
    Path(id): Path<String>,
    signed_in: SignedIn,
) -> Result<Response, PageError> {
    let id: GenerationId = id.parse().map_err(|_| PageError::NotFound)?;
    let account = signed_in.visitor.account_id();
    let found = console.app.decision(account, &id).await?;
    let found = found.ok_or(PageError::NotFound)?;
    if !own_keys(&console, &signed_in)
        .await?
        .contains(&found.generation.api_key_id)
    {
        return Err(PageError::NotFound);
    }
    page(&AnswerPart::of(found, &signed_in))
}

/// `GET /chat/total?id=…&id=…`: what answers cost together.
pub(crate) async fn total(
    State(console): State<Console>,
    RawQuery(query): RawQuery,
    signed_in: SignedIn,
) -> Result<Response, PageError> {
    let own = own_keys(&console, &signed_in).await?;
    let account = signed_in.visitor.account_id();
    let (mut answers, mut total) = (0, UsdNanos::ZERO);
    for id in ids(query.as_deref().unwrap_or_default()) {
        let found = console.app.generation(account, &id).await?;
        if let Some(found) = found.filter(|found| own.contains(&found.api_key_id)) {
            answers += 1;
            total = total.saturating_add(found.charge.total);
        }
    }
    page(&TotalPart {
        answers,
        total: ui::usd(total),
        exact: ui::usd_exact(total),
        nanos: total.get(),
    })
}

/// Each once.
fn ids(query: &str) -> Vec<GenerationId> {
    let mut ids: Vec<GenerationId> = Vec::new();
    let pairs = url::form_urlencoded::parse(query.as_bytes());
    for (_, value) in pairs.filter(|(name, _)| name == "id").take(SUMMED_MAX) {
        if let Ok(id) = value.parse()
            && !ids.contains(&id)
        {
            ids.push(id);
        }
    }
    ids
}

async fn own_keys(console: &Console, signed_in: &SignedIn) -> Result<Vec<ApiKeyId>, PageError> {
    let onlooker = onlooker(&signed_in.visit).ok_or(PageError::NeedsSignIn)?;
    Ok(console.app.console_keys(&onlooker).await?)
}

impl AnswerPart {
    fn of(found: DecidedView, signed_in: &SignedIn) -> Self {
        let considered = considered(&found.generation);
        let left_out = found.excluded.iter().map(|excluded| {
            let why = Why::of(excluded, &signed_in.visit);
            (name_of(excluded), why)
        });
        let left_out = left_out.collect();
        let generation = found.generation;
        let usage = generation.usage;
        let some = |count: u64| (count > 0).then(|| ui::tokens(count));
        let is_byok = generation.is_byok();
        Self {
            id: generation.generation_id.to_string(),
            input: ui::tokens(usage.input_total()),
            output: ui::tokens(usage.output_total()),
            cached: some(usage.cache_read),
            reasoning: some(usage.reasoning),
            cost: ui::usd_exact(generation.charge.total),
            cost_nanos: generation.charge.total.get(),
            is_insured: generation.charge.insured,
            took: generation
                .served
                .as_ref()
                .and_then(|served| served.generation_time_ms)
                .map(ui::milliseconds),
            attempts: attempts(&generation),
            served: generation.served.map(|served| Served {
                provider: served.provider_name,
                endpoint: served.endpoint_id.to_string(),
                tier: served.service_tier.filter(|tier| tier != "default"),
                first_token: served.latency_ms.map(ui::milliseconds),
                finish: served.finish_reason,
                is_cancelled: served.cancelled,
                is_byok,
            }),
            considered,
            left_out,
        }
    }
}

/// What stands behind the model in an endpoint's id.
fn name_of(excluded: &Exclusion) -> String {
    let id = excluded.endpoint.as_str();
    id.split_once('|').map_or(id, |(_, tag)| tag).to_owned()
}

fn attempts(generation: &GenerationView) -> Vec<Attempt> {
    let attempts = generation.attempts.iter();
    attempts
        .map(|attempt| Attempt {
            provider: attempt.provider.to_string(),
            outcome: match (&attempt.failure, attempt.status) {
                (None, _) => "answered".to_owned(),
                (Some(failure), Some(status)) => format!("{}, {status}", failure.replace('_', " ")),
                (Some(failure), None) => failure.replace('_', " "),
            },
            took: ui::milliseconds(attempt.duration_ms),
        })
        .collect()
}

/// How many endpoints were looked at.
fn considered(generation: &GenerationView) -> usize {
    #[derive(serde::Deserialize)]
    struct Decision {
        #[serde(default)]
        candidates: Vec<serde::de::IgnoredAny>,
    }
    let decision = generation.decision.as_ref();
    let decision = decision.and_then(|text| serde_json::from_str::<Decision>(text.get()).ok());
    decision.map_or(0, |decision| decision.candidates.len())
}
