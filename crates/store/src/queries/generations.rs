//! Settled generations: how they are written, and the one lookup that reads them back.

use std::sync::Arc;

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
    money::UsdNanos,
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
    failure::Failure,
    generation::GenerationView,
    portable::{At, JsonText, without_nul},
};

const INSERT: &str = "
    INSERT INTO generations (
        generation_id, content_digest, admitted_at, finished_at, account_id, workspace_id, api_key_id,
        model, endpoint_id, provider, byok_credential_id, price_snapshot_id, insured,
        usage_source, input_uncached, cache_read, cache_write_5m, cache_write_1h, audio_in,
        output_text, reasoning, audio_out, image_out, images_in,
        charge, charge_inference, charge_tools, list_price, list_prompt, list_completion,
        cache_discount, request, served, attempts, decision
    ) ";

/// By way of the ids, which say the month, so that PostgreSQL opens one partition.
const SELECT: &str = "
    SELECT
        g.generation_id, g.admitted_at, g.finished_at, g.account_id, g.workspace_id, g.api_key_id,
        g.model, g.endpoint_id, g.provider, g.byok_credential_id, g.price_snapshot_id, g.insured,
        g.usage_source, g.input_uncached, g.cache_read, g.cache_write_5m, g.cache_write_1h,
        g.audio_in, g.output_text, g.reasoning, g.audio_out, g.image_out, g.images_in,
        g.charge, g.charge_inference, g.charge_tools, g.list_price, g.list_prompt,
        g.list_completion, g.cache_discount, g.request, g.served, g.attempts, g.decision, s.prices
    FROM generation_ids AS i
    JOIN generations AS g
        ON g.generation_id = i.generation_id AND g.admitted_at = i.admitted_at
    LEFT JOIN price_snapshots AS s ON s.price_snapshot_id = g.price_snapshot_id
    WHERE i.generation_id = $1 AND g.account_id = $2";

/// The facts of the endpoint that served which nothing is summed or searched by.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct ServedRecord {
    provider_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    upstream_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finish_reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    native_finish_reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    cancelled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    generation_time_ms: Option<u64>,
}

/// A settlement with its documents written out.
struct Row<'a> {
    settlement: &'a Settlement,
    digest: [u8; 32],
    request: JsonText,
    served: Option<JsonText>,
    attempts: JsonText,
    decision: Option<JsonText>,
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

impl<'a> Row<'a> {
    fn of(entry: &Entry<'a>) -> Result<Self, Failure> {
        let settlement = entry.settlement;
        let served = settlement.served.as_ref().map(|served| ServedRecord {
            provider_name: served.provider_name.clone(),
            upstream_id: served.upstream_id.clone(),
            finish_reason: served.finish_reason.clone(),
            native_finish_reason: served.native_finish_reason.clone(),
            service_tier: served.service_tier.clone(),
            cancelled: served.cancelled,
            latency_ms: served.latency_ms,
            generation_time_ms: served.generation_time_ms,
        });
        Ok(Self {
            settlement,
            digest: entry.digest,
            request: json(&settlement.request)?,
            served: served.as_ref().map(json).transpose()?,
            attempts: json(&settlement.attempts)?,
            decision: settlement.decision.as_deref().and_then(JsonText::of_raw),
        })
    }
}

fn bind(bindings: &mut Statement, row: Row<'_>) {
    let settlement = row.settlement;
    let served = settlement.served.as_ref();
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
        .push_bind(settlement.charge.insured)
        .push_bind(settlement.usage_source.as_str());
    let usage = &settlement.usage;
    for tokens in [
        usage.input_uncached,
        usage.cache_read,
        usage.cache_write_5m,
        usage.cache_write_1h,
        usage.audio_in,
        usage.output_text,
        usage.reasoning,
        usage.audio_out,
        usage.image_out,
        usage.images_in,
    ] {
        bindings.push_bind(count(tokens));
    }
    let charge = &settlement.charge;
    for amount in [
        charge.total,
        charge.inference,
        charge.tools,
        charge.list,
        charge.list_prompt,
        charge.list_completion,
        charge.cache_discount,
    ] {
        bindings.push_bind(amount.get());
    }
    bindings
        .push_bind(row.request)
        .push_bind(row.served)
        .push_bind(row.attempts)
        .push_bind(row.decision);
}

#[derive(FromRow)]
struct GenerationRow {
    generation_id: String,
    admitted_at: At,
    finished_at: At,
    account_id: Uuid,
    workspace_id: Uuid,
    api_key_id: Uuid,
    model: Option<String>,
    endpoint_id: Option<String>,
    provider: Option<String>,
    byok_credential_id: Option<Uuid>,
    price_snapshot_id: Option<String>,
    insured: bool,
    usage_source: String,
    input_uncached: i64,
    cache_read: i64,
    cache_write_5m: i64,
    cache_write_1h: i64,
    audio_in: i64,
    output_text: i64,
    reasoning: i64,
    audio_out: i64,
    image_out: i64,
    images_in: i64,
    charge: i64,
    charge_inference: i64,
    charge_tools: i64,
    list_price: i64,
    list_prompt: i64,
    list_completion: i64,
    cache_discount: i64,
    request: Json<Box<RawValue>>,
    served: Option<Json<Box<RawValue>>>,
    attempts: Json<Box<RawValue>>,
    decision: Option<Json<Box<RawValue>>>,
    prices: Option<Json<Box<RawValue>>>,
}

impl GenerationRow {
    fn into_view(self) -> Result<GenerationView, Failure> {
        let broken = |what: &str| {
            Failure::Inconsistent(format!("{} has an unreadable {what}", self.generation_id))
        };
        let usage_source = match self.usage_source.as_str() {
            "upstream" => UsageSource::Upstream,
            "local_estimate" => UsageSource::LocalEstimate,
            "none" => UsageSource::None,
            _ => return Err(broken("usage source")),
        };
        let request: RequestFacts = read(&self.request).ok_or_else(|| broken("request"))?;
        let attempts: Vec<AttemptFacts> = read(&self.attempts).ok_or_else(|| broken("attempts"))?;
        Ok(GenerationView {
            generation_id: self.generation_id.parse().map_err(|_| broken("id"))?,
            account_id: AccountId::from_uuid(self.account_id),
            workspace_id: WorkspaceId::from_uuid(self.workspace_id),
            api_key_id: ApiKeyId::from_uuid(self.api_key_id),
            admitted_at: self.admitted_at.0,
            finished_at: self.finished_at.0,
            request,
            served: self.served_facts().map_err(broken)?,
            usage: self.usage(),
            usage_source,
            charge: self.charge(),
            attempts,
            decision: self.decision.map(|Json(decision)| decision),
        })
    }

    fn served_facts(&self) -> Result<Option<ServedFacts>, &'static str> {
        let Some(record) = &self.served else {
            return Ok(None);
        };
        let record: ServedRecord = read(record).ok_or("record of what served")?;
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
            provider_name: record.provider_name,
            byok_credential_id: self.byok_credential_id.map(CredentialId::from_uuid),
            upstream_id: record.upstream_id,
            finish_reason: record.finish_reason,
            native_finish_reason: record.native_finish_reason,
            service_tier: record.service_tier,
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

    fn usage(&self) -> TokenUsage {
        let tokens = |count: i64| u64::try_from(count).unwrap_or_default();
        TokenUsage {
            input_uncached: tokens(self.input_uncached),
            cache_read: tokens(self.cache_read),
            cache_write_5m: tokens(self.cache_write_5m),
            cache_write_1h: tokens(self.cache_write_1h),
            audio_in: tokens(self.audio_in),
            output_text: tokens(self.output_text),
            reasoning: tokens(self.reasoning),
            audio_out: tokens(self.audio_out),
            image_out: tokens(self.image_out),
            images_in: tokens(self.images_in),
        }
    }

    fn charge(&self) -> Charge {
        Charge {
            total: UsdNanos::new(self.charge),
            inference: UsdNanos::new(self.charge_inference),
            tools: UsdNanos::new(self.charge_tools),
            list: UsdNanos::new(self.list_price),
            list_prompt: UsdNanos::new(self.list_prompt),
            list_completion: UsdNanos::new(self.list_completion),
            cache_discount: UsdNanos::new(self.cache_discount),
            insured: self.insured,
        }
    }
}

fn read<T: DeserializeOwned>(document: &Json<Box<RawValue>>) -> Option<T> {
    serde_json::from_str(document.0.get()).ok()
}

impl Engine {
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
