//! Rows of `endpoints.json`.

use switchyard_domain::{
    endpoint::{DataPolicy, EndpointId, ServiceTier},
    model::{ModelId, Parameters},
    provider::ProviderSlug,
};

use super::{model, policy};
use crate::{
    address,
    findings::shorten,
    price_list::{self, Pricing},
    reader::Reader,
    snapshot::Observed,
};

/// Number formats that weights come in, by their public names.
const QUANTIZATIONS: [&str; 12] = [
    "int4", "int8", "fp4", "mxfp4", "nvfp4", "fp6", "fp8", "mxfp8", "fp16", "bf16", "fp32",
    "unknown",
];

/// An endpoint as its row states it, before its model and provider are looked up.
#[derive(Debug)]
pub(crate) struct EndpointRow {
    pub(crate) id: EndpointId,
    pub(crate) model: ModelId,
    pub(crate) provider: ProviderSlug,
    pub(crate) provider_model_id: Option<String>,
    pub(crate) tag: String,
    pub(crate) free: bool,
    pub(crate) service_tier: ServiceTier,
    pub(crate) quantization: Option<String>,
    pub(crate) context_length: Option<u64>,
    pub(crate) max_completion_tokens: Option<u64>,
    pub(crate) max_prompt_tokens: Option<u64>,
    pub(crate) pricing: Pricing,
    pub(crate) supported_parameters: Option<Parameters>,
    pub(crate) supports_implicit_caching: Option<bool>,
    pub(crate) regions: Option<Vec<String>>,
    pub(crate) data_policy: Option<DataPolicy>,
    pub(crate) zdr: Option<bool>,
    pub(crate) status: i32,
    pub(crate) observed: Observed,
    pub(crate) base_url: Option<String>,
}

pub(super) fn read(row: &Reader<'_>) -> Option<EndpointRow> {
    let model = row.required_text("model_id");
    let provider = row.required_text("provider");
    let (model, provider) = (model?, provider?);
    let tag = tag(row, &provider);
    let free = row.text("variant").as_deref() == Some("free");
    let pricing = row
        .object("pricing")
        .map(|object| price_list::read(&object))
        .unwrap_or_default();
    check_free(row, free, &pricing);
    let data_policy = policy::read(row);
    let zdr = row.flag("zdr");
    check_promise(row, zdr, data_policy.as_ref());
    Some(EndpointRow {
        id: id(row, &model, &tag),
        model: ModelId::new(model),
        provider: ProviderSlug::new(provider),
        provider_model_id: row.text("provider_model_id"),
        tag,
        free,
        service_tier: service_tier(row),
        quantization: quantization(row),
        context_length: row.limit("context_length"),
        max_completion_tokens: row.limit("max_completion_tokens"),
        max_prompt_tokens: row.limit("max_prompt_tokens"),
        pricing,
        supported_parameters: model::parameters(row),
        supports_implicit_caching: row.flag("supports_implicit_caching"),
        regions: row.texts("regions"),
        data_policy,
        zdr,
        status: status(row),
        observed: observed(row),
        base_url: address::base_url(row),
    })
}

/// The tag begins with the provider's slug: that is how callers name a provider or one edition
/// of it with the same word.
fn tag(row: &Reader<'_>, provider: &str) -> String {
    let Some(tag) = row.text("tag") else {
        return provider.to_owned();
    };
    if tag.split('/').next() != Some(provider) {
        row.fault(
            "tag",
            format!("is `{}`", shorten(&tag)),
            "begin it with the provider's slug, and a slash before anything that follows",
        );
    }
    tag
}

fn id(row: &Reader<'_>, model: &str, tag: &str) -> EndpointId {
    let derived = format!("{model}|{tag}");
    if let Some(stated) = row.text("id").filter(|stated| *stated != derived) {
        row.fault(
            "id",
            format!("is `{}`", shorten(&stated)),
            format!(
                "write `{}`: the model_id, a bar and the tag",
                shorten(&derived)
            ),
        );
    }
    EndpointId::new(derived)
}

fn check_free(row: &Reader<'_>, free: bool, pricing: &Pricing) {
    if free && pricing.charges {
        row.fault(
            "pricing",
            "has a price, but the variant is free",
            "set every price to \"0\" or null, or the variant to \"standard\"",
        );
    }
    if !free && pricing.list.is_some() && !pricing.charges {
        row.remark(
            "pricing",
            "is all zero, but the variant is not free",
            "check that it is meant to cost nothing",
        );
    }
}

/// A row may promise more than its provider's policy (that is what contracts are for), but not
/// more than its own.
fn check_promise(row: &Reader<'_>, zdr: Option<bool>, own: Option<&DataPolicy>) {
    if zdr == Some(true) && own.is_some_and(policy::denies_zero_retention) {
        row.remark(
            "zdr",
            "is true, but the row's own data_policy keeps prompts or trains on them",
            "it counts as false; correct one of the two",
        );
    }
}

fn service_tier(row: &Reader<'_>) -> ServiceTier {
    const TIERS: [ServiceTier; 3] = [
        ServiceTier::Default,
        ServiceTier::Flex,
        ServiceTier::Priority,
    ];
    let Some(name) = row.text("service_tier") else {
        return ServiceTier::Default;
    };
    let tier = TIERS.into_iter().find(|tier| tier.as_str() == name);
    if tier.is_none() {
        row.unknown_name("service_tier", &name, &TIERS.map(ServiceTier::as_str));
    }
    tier.unwrap_or_default()
}

fn quantization(row: &Reader<'_>) -> Option<String> {
    let name = row.text("quantization")?;
    if !QUANTIZATIONS.contains(&name.as_str()) {
        row.unknown_name("quantization", &name, &QUANTIZATIONS);
    }
    Some(name)
}

fn status(row: &Reader<'_>) -> i32 {
    let Some(status) = row.integer("status") else {
        return 0;
    };
    i32::try_from(status).unwrap_or_else(|_| {
        row.fault(
            "status",
            format!("is {status}"),
            "write 0 for healthy, or a small number below it",
        );
        0
    })
}

fn observed(row: &Reader<'_>) -> Observed {
    let Some(observed) = row.object("observed") else {
        return Observed::default();
    };
    Observed {
        uptime_percent: observed.number("uptime_24h"),
        latency_p50_ms: observed.number("latency_p50_ms"),
        throughput_p50_tps: observed.number("throughput_p50_tps"),
    }
}
