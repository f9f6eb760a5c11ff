//! Settled generations: how they are written, and the one lookup that reads them back.

use std::{borrow::Cow, sync::Arc};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use sqlx::{
    FromRow,
    types::{Json, Uuid},
};
use switchyard_billing::settlement::{AttemptFacts, Charge, RequestFacts, ServedFacts, Settlement};
use switchyard_domain::{
    endpoint::EndpointId,
    id::{AccountId, ApiKeyId, CredentialId, GenerationId, WorkspaceId},
    price_list::PriceList,
    provider::ProviderSlug,
    tokens::{TokenUsage, UsageSource},
};

use super::{
    Engine,
    post::Entry,
    rows::{Script, Statement},
    spending::count,
};
use crate::{
    activity::foreign_id,
    failure::Failure,
    generation::GenerationView,
    portable::{At, JsonText, without_nul},
};

const INSERT: &str = "
    INSERT INTO generations (
        generation_id, content_digest, admitted_at, finished_at,
        account_id, workspace_id, api_key_id,
        model, endpoint_id, provider, byok_credential_id, price_snapshot_id,
        charge, list_price, prompt_tokens, completion_tokens, reasoning_tokens, cached_tokens,
        facts, attempts, decision,
        series_id, session_id, external_user, first_token_ms, generation_time_ms,
        cache_write_tokens, tools_charge, byok_list_price, cache_discount
    ) ";

/// The columns of a [`GenerationRow`], between where they are from and where they are told to be.
macro_rules! select_generations {
    ($from:literal, $rest:literal) => {
        concat!(
            "SELECT
                g.generation_id, g.admitted_at, g.finished_at, g.account_id, g.workspace_id,
                g.api_key_id, g.model, g.endpoint_id, g.provider, g.byok_credential_id,
                g.price_snapshot_id, g.facts, g.attempts, g.decision, s.prices
            FROM ",
            $from,
            " LEFT JOIN price_snapshots AS s ON s.price_snapshot_id = g.price_snapshot_id ",
            $rest
        )
    };
}
pub(super) use select_generations;

/// By way of the ids, which say the month, so that PostgreSQL opens one partition.
const FIRST: &str = "
    SELECT generation_id FROM generations
    WHERE account_id = $1 ORDER BY admitted_at, generation_id LIMIT 1";

const SELECT: &str = select_generations!(
    "generation_ids AS i JOIN generations AS g
        ON g.generation_id = i.generation_id AND g.admitted_at = i.admitted_at",
    "WHERE i.generation_id = $1 AND g.account_id = $2"
);

/// Everything that nothing is summed or searched by: one document costs less than a column for each.
/// Usage and charge are told whole, whatever columns say of them.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Facts<'a> {
    pub(super) request: Cow<'a, RequestFacts>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) served: Option<ServedRecord<'a>>,
    pub(super) usage: TokenUsage,
    usage_source: UsageSource,
    pub(super) charge: Charge,
}

/// The facts of the endpoint that served which have no column.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ServedRecord<'a> {
    pub(super) provider_name: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upstream_id: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) finish_reason: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    native_finish_reason: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) cancelled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) latency_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) generation_time_ms: Option<u64>,
}

/// A settlement with its documents written out.
struct Row<'a> {
    settlement: &'a Settlement,
    digest: [u8; 32],
    facts: JsonText,
    attempts: JsonText,
    decision: Option<JsonText>,
    series: Uuid,
}

/// Writes generations, which fails where one is there already.
pub(super) fn push(script: &mut Script, entries: &[&Entry<'_>]) -> Result<(), Failure> {
    let mut rows = Vec::with_capacity(entries.len());
    for entry in entries {
        rows.push(Row::of(entry)?);
    }
    script.push_rows(INSERT, rows, bind, "");
    Ok(())
}

/// A value of ours as a document.
pub(super) fn json(value: &impl Serialize) -> Result<JsonText, Failure> {
    JsonText::of(value).map_err(|error| Failure::Inconsistent(format!("unwritable facts: {error}")))
}

impl<'a> Facts<'a> {
    fn of(settlement: &'a Settlement) -> Self {
        Self {
            request: Cow::Borrowed(&settlement.request),
            served: settlement.served.as_ref().map(ServedRecord::of),
            usage: settlement.usage,
            usage_source: settlement.usage_source,
            charge: settlement.charge,
        }
    }
}

impl<'a> ServedRecord<'a> {
    fn of(served: &'a ServedFacts) -> Self {
        let text = |text: &'a Option<String>| text.as_deref().map(Cow::Borrowed);
        Self {
            provider_name: Cow::Borrowed(&served.provider_name),
            upstream_id: text(&served.upstream_id),
            finish_reason: text(&served.finish_reason),
            native_finish_reason: text(&served.native_finish_reason),
            service_tier: text(&served.service_tier),
            cancelled: served.cancelled,
            latency_ms: served.latency_ms,
            generation_time_ms: served.generation_time_ms,
        }
    }
}

impl<'a> Row<'a> {
    fn of(entry: &Entry<'a>) -> Result<Self, Failure> {
        let settlement = entry.told.settlement;
        Ok(Self {
            settlement,
            digest: entry.digest,
            facts: json(&Facts::of(settlement))?,
            attempts: json(&settlement.attempts)?,
            decision: settlement.decision.as_deref().and_then(JsonText::of_raw),
            series: entry.told.series_id,
        })
    }
}

fn bind(bindings: &mut Statement, row: Row<'_>) {
    let settlement = row.settlement;
    let served = settlement.served.as_ref();
    let (usage, charge) = (&settlement.usage, &settlement.charge);
    bindings
        .push_bind(settlement.generation_id.as_str().to_owned())
        .push_bind(row.digest.to_vec())
        .push_bind(At(settlement.admitted_at))
        .push_bind(At(settlement.finished_at))
        .push_bind(settlement.account_id.as_uuid())
        .push_bind(settlement.workspace_id.as_uuid())
        .push_bind(settlement.api_key_id.as_uuid())
        .push_bind(served.map(|served| without_nul(&served.model)))
        .push_bind(served.map(|served| without_nul(served.endpoint_id.as_str())))
        .push_bind(served.map(|served| without_nul(served.provider.as_str())))
        .push_bind(
            served
                .and_then(|served| served.byok_credential_id)
                .map(|id| id.as_uuid()),
        )
        .push_bind(served.map(|served| served.price_snapshot_id.clone()))
        .push_bind(charge.total.get())
        .push_bind(charge.list.get())
        .push_bind(count(usage.input_total()))
        .push_bind(count(usage.output_total()))
        .push_bind(count(usage.reasoning))
        .push_bind(count(usage.cache_read))
        .push_bind(row.facts)
        .push_bind(row.attempts)
        .push_bind(row.decision);
    bind_told(bindings, settlement, row.series);
}

/// Binds what a generation is searched and counted by beside what it always had.
pub(super) fn bind_told(bindings: &mut Statement, settlement: &Settlement, series: Uuid) {
    let (usage, charge, request) = (&settlement.usage, &settlement.charge, &settlement.request);
    let served = settlement.served.as_ref();
    bindings
        .push_bind(series)
        .push_bind(request.session_id.as_deref().map(foreign_id))
        .push_bind(request.external_user.as_deref().map(foreign_id))
        .push_bind(served.and_then(|served| served.latency_ms).map(count))
        .push_bind(
            served
                .and_then(|served| served.generation_time_ms)
                .map(count),
        )
        .push_bind(count(
            usage.cache_write_5m.saturating_add(usage.cache_write_1h),
        ))
        .push_bind(charge.tools.get())
        .push_bind(settlement.byok_list_price().get())
        .push_bind(charge.cache_discount.get());
}

#[derive(FromRow)]
pub(super) struct GenerationRow {
    pub(super) generation_id: String,
    pub(super) admitted_at: At,
    finished_at: At,
    account_id: Uuid,
    workspace_id: Uuid,
    api_key_id: Uuid,
    model: Option<String>,
    endpoint_id: Option<String>,
    provider: Option<String>,
    byok_credential_id: Option<Uuid>,
    price_snapshot_id: Option<String>,
    facts: Json<Box<RawValue>>,
    attempts: Json<Box<RawValue>>,
    decision: Option<Json<Box<RawValue>>>,
    prices: Option<Json<Box<RawValue>>>,
}

impl GenerationRow {
    pub(super) fn into_view(self) -> Result<GenerationView, Failure> {
        let broken = |what: &str| {
            Failure::Inconsistent(format!("{} has an unreadable {what}", self.generation_id))
        };
        let facts: Facts<'_> = read(&self.facts).ok_or_else(|| broken("record of its facts"))?;
        let attempts: Vec<AttemptFacts> = read(&self.attempts).ok_or_else(|| broken("attempts"))?;
        Ok(GenerationView {
            generation_id: self.generation_id.parse().map_err(|_| broken("id"))?,
            account_id: AccountId::from_uuid(self.account_id),
            workspace_id: WorkspaceId::from_uuid(self.workspace_id),
            api_key_id: ApiKeyId::from_uuid(self.api_key_id),
            admitted_at: self.admitted_at.0,
            finished_at: self.finished_at.0,
            request: facts.request.into_owned(),
            served: self.served_facts(facts.served).map_err(broken)?,
            usage: facts.usage,
            usage_source: facts.usage_source,
            charge: facts.charge,
            attempts,
            decision: self.decision.map(|Json(decision)| decision),
        })
    }

    fn served_facts(
        &self,
        record: Option<ServedRecord<'_>>,
    ) -> Result<Option<ServedFacts>, &'static str> {
        let Some(record) = record else {
            return Ok(None);
        };
        let text = |text: Option<Cow<'_, str>>| text.map(Cow::into_owned);
        let prices: PriceList = self.prices.as_ref().and_then(read).ok_or("price list")?;
        Ok(Some(ServedFacts {
            model: self.model.clone().ok_or("model")?,
            endpoint_id: self
                .endpoint_id
                .clone()
                .map(EndpointId::new)
                .ok_or("endpoint")?,
            provider: self
                .provider
                .clone()
                .map(ProviderSlug::new)
                .ok_or("provider")?,
            provider_name: record.provider_name.into_owned(),
            byok_credential_id: self.byok_credential_id.map(CredentialId::from_uuid),
            upstream_id: text(record.upstream_id),
            finish_reason: text(record.finish_reason),
            native_finish_reason: text(record.native_finish_reason),
            service_tier: text(record.service_tier),
            cancelled: record.cancelled,
            latency_ms: record.latency_ms,
            generation_time_ms: record.generation_time_ms,
            price_snapshot_id: self
                .price_snapshot_id
                .as_deref()
                .ok_or("price snapshot")?
                .into(),
            prices: Arc::new(prices),
        }))
    }
}

/// A document as what it says.
pub(super) fn read<T: DeserializeOwned>(document: &Json<Box<RawValue>>) -> Option<T> {
    serde_json::from_str(document.0.get()).ok()
}

impl Engine {
    pub(super) async fn select_first_generation(
        &self,
        account: AccountId,
    ) -> Result<Option<GenerationId>, Failure> {
        let id: Option<String> = sqlx::query_scalar(FIRST)
            .bind(account.as_uuid())
            .fetch_optional(&self.reader)
            .await?;
        id.map(|id| {
            let broken = |_| Failure::Inconsistent(format!("{id} is no generation's id"));
            id.parse().map_err(broken)
        })
        .transpose()
    }

    pub(super) async fn select_generation(
        &self,
        account: AccountId,
        id: &GenerationId,
    ) -> Result<Option<GenerationView>, Failure> {
        let row: Option<GenerationRow> = sqlx::query_as(SELECT)
            .bind(id.as_str())
            .bind(account.as_uuid())
            .fetch_optional(&self.reader)
            .await?;
        row.map(GenerationRow::into_view).transpose()
    }
}
