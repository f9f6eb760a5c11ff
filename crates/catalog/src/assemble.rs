//! Puts rows that hold together into one indexed snapshot, and settles what a row leaves to its
//! model or provider.

use std::{collections::HashMap, fmt::Write as _, sync::Arc};

use sha2::{Digest, Sha256};
use switchyard_domain::{
    clock::Timestamp, endpoint::DataPolicy, model::ModelId, price_list::PriceList,
    provider::ProviderSlug,
};

use crate::{
    address,
    findings::Finding,
    price_list::Pricing,
    schema::{EndpointRow, Row, Rows, denies_zero_retention},
    snapshot::{Alias, Catalog, Endpoint, Model, Provider},
};

/// Bytes of a content hash that are kept: 128 bits, 32 letters.
const HASH_BYTES: usize = 16;

/// What comes beside the rows.
pub(crate) struct Origin {
    pub(crate) version: String,
    pub(crate) loaded_at: Timestamp,
    pub(crate) remarks: Vec<Finding>,
}

/// Builds the snapshot. Rows whose model or provider is missing are left out; a catalogue with
/// such rows has been refused before.
pub(crate) fn catalog(rows: Rows, origin: Origin) -> Catalog {
    let providers: Vec<Provider> = values(rows.providers).map(callable_address).collect();
    let mut models: Vec<Model> = values(rows.models).collect();
    let aliases: Vec<Alias> = values(rows.aliases).collect();
    let providers_by_slug: HashMap<ProviderSlug, usize> = providers
        .iter()
        .enumerate()
        .map(|(index, provider)| (provider.slug.clone(), index))
        .collect();
    let models_by_id: HashMap<ModelId, usize> = models
        .iter()
        .enumerate()
        .map(|(index, model)| (model.id.clone(), index))
        .collect();

    let mut price_lists = PriceLists::default();
    let mut endpoints = Vec::with_capacity(rows.endpoints.len());
    for row in values(rows.endpoints) {
        let found = (
            models_by_id.get(&row.model),
            providers_by_slug.get(&row.provider),
        );
        let (Some(&model), Some(&provider)) = found else {
            continue;
        };
        models[model].endpoints.push(endpoints.len());
        let place = Links { model, provider };
        endpoints.push(endpoint(
            row,
            place,
            &models[model],
            &providers[provider],
            &mut price_lists,
        ));
    }

    Catalog {
        remarks: origin.remarks,
        ..Catalog::from_parts(
            providers,
            models,
            endpoints,
            aliases,
            origin.version,
            origin.loaded_at,
        )
    }
}

/// A short content hash in lower-case hexadecimal.
pub(crate) fn content_hash<'b>(parts: impl IntoIterator<Item = &'b [u8]>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // With each part's length before it, no two lists of parts read the same.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    let mut text = String::with_capacity(2 * HASH_BYTES);
    for byte in &digest[..HASH_BYTES] {
        // Writing into a `String` cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn values<T>(rows: Vec<Row<T>>) -> impl Iterator<Item = T> {
    rows.into_iter().map(|row| row.value)
}

fn callable_address(provider: Provider) -> Provider {
    let base_url = provider
        .base_url
        .map(|url| address::for_family(url, provider.family));
    Provider {
        base_url,
        ..provider
    }
}

/// Where an endpoint's model and provider stand in their lists.
struct Links {
    model: usize,
    provider: usize,
}

fn endpoint(
    row: EndpointRow,
    links: Links,
    model: &Model,
    provider: &Provider,
    price_lists: &mut PriceLists,
) -> Endpoint {
    let data_policy = row
        .data_policy
        .unwrap_or_else(|| inherited_policy(row.free, provider));
    let own_base_url = row
        .base_url
        .map(|url| address::for_family(url, provider.family));
    let Pricing {
        list,
        unmetered,
        discount,
        charges: _,
    } = row.pricing;
    let (prices, price_snapshot_id) = list.map(|list| price_lists.share(list)).unzip();
    Endpoint {
        id: row.id,
        model: links.model,
        provider: links.provider,
        provider_model_id: row.provider_model_id,
        tag: row.tag,
        service_tier: row.service_tier,
        quantization: row.quantization,
        context_length: row.context_length.or(model.context_length),
        max_completion_tokens: row.max_completion_tokens,
        max_prompt_tokens: row.max_prompt_tokens,
        prices,
        price_snapshot_id,
        unmetered_prices: unmetered.any().then(|| Box::new(unmetered)),
        display_discount: discount,
        supported_parameters: row
            .supported_parameters
            .unwrap_or(model.supported_parameters),
        supports_implicit_caching: row.supports_implicit_caching,
        regions: row.regions,
        data_policy,
        zero_data_retention: is_zero_retention(row.zdr, row.data_policy.as_ref(), &data_policy),
        free: row.free,
        status: row.status,
        observed: row.observed,
        base_url: own_base_url.or_else(|| provider.base_url.clone()),
    }
}

/// A provider's policy is about its paid traffic. What it does with free traffic is unknown
/// unless the row says it, and unknown counts as the worst.
fn inherited_policy(free: bool, provider: &Provider) -> DataPolicy {
    if free {
        DataPolicy {
            requires_user_ids: provider.data_policy.requires_user_ids,
            ..DataPolicy::default()
        }
    } else {
        provider.data_policy
    }
}

/// The row's flag counts where it states one, unless the row's own policy says otherwise.
fn is_zero_retention(
    stated: Option<bool>,
    own: Option<&DataPolicy>,
    effective: &DataPolicy,
) -> bool {
    match stated {
        Some(stated) => stated && !own.is_some_and(denies_zero_retention),
        None => effective.is_zero_retention(),
    }
}

/// Price lists by content hash. Many endpoints charge the same, and one copy serves them all.
#[derive(Default)]
struct PriceLists(HashMap<Arc<str>, Arc<PriceList>>);

impl PriceLists {
    fn share(&mut self, list: PriceList) -> (Arc<PriceList>, Arc<str>) {
        let json = serde_json::to_vec(&list)
            .expect("a price list is numbers and names, which JSON can always hold");
        let id: Arc<str> = content_hash([json.as_slice()]).into();
        if let Some((id, shared)) = self.0.get_key_value(&id) {
            return (Arc::clone(shared), Arc::clone(id));
        }
        let shared = Arc::new(list);
        self.0.insert(Arc::clone(&id), Arc::clone(&shared));
        (shared, id)
    }
}
