//! The gateway's catalogue: one model at three providers, at slightly different prices, so that
//! routing has a choice; and another at three more, at different prices for what is cached, for
//! the agent's session.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::{
    agent::{self, OFFERS, Offer},
    simulated::{self, PROVIDERS},
};

const DAY: &str = "2026-11-22";
const MODEL: &str = "bench/model";
/// The agent's last prompt has to fit, however carefully it is estimated.
const CONTEXT_LENGTH: u32 = 262_144;

/// File names and contents.
pub(crate) fn files(providers: SocketAddr) -> [(&'static str, Value); 4] {
    let provider_rows: Vec<Value> = simulated::all_providers()
        .map(|slug| provider(slug, providers))
        .collect();
    let plain = PROVIDERS.iter().enumerate().map(|(place, slug)| {
        let pricing = json!({
            "prompt": format!("0.0000002{place}"),
            "completion": format!("0.0000008{place}"),
            "input_cache_read": "0.00000005",
            "input_cache_write": null,
        });
        endpoint(MODEL, slug, &pricing)
    });
    let agents = OFFERS
        .iter()
        .map(|offer| endpoint(agent::MODEL, offer.provider, &Offer::pricing(offer)));
    let endpoint_rows: Vec<Value> = plain.chain(agents).collect();
    let models = [model(MODEL), model(agent::MODEL)];
    [
        (
            "providers.json",
            json!({
                "generated": DAY,
                "count": provider_rows.len(),
                "providers": provider_rows,
            }),
        ),
        (
            "models.json",
            json!({ "generated": DAY, "count": models.len(), "models": models }),
        ),
        (
            "endpoints.json",
            json!({
                "generated": DAY,
                "currency": "USD",
                "price_unit": "per token unless the key says otherwise",
                "count": endpoint_rows.len(),
                "endpoints": endpoint_rows,
            }),
        ),
        (
            "aliases.json",
            json!({ "generated": DAY, "count": 0, "aliases": [] }),
        ),
    ]
}

fn provider(slug: &str, address: SocketAddr) -> Value {
    json!({
        "slug": slug,
        "name": slug,
        "api_family": "openai-compatible",
        "base_url": format!("http://{address}/p/{slug}/v1"),
        "headquarters": "US",
        "datacenters": ["US"],
        "data_policy": {
            "trains_on_data": false,
            "retains_prompts": false,
            "retention_days": 0,
            "can_publish": false,
            "requires_user_ids": false,
        },
        "zdr_eligible": true,
        "prompt_caching": null,
        "byok_supported": true,
        "byok_credential_type": "api_key",
        "terms_of_service_url": null,
        "privacy_policy_url": null,
        "status_page_url": null,
        "openrouter_provider": false,
    })
}

fn parameters() -> Value {
    json!([
        "max_tokens",
        "stop",
        "temperature",
        "tool_choice",
        "tools",
        "top_p"
    ])
}

fn model(id: &str) -> Value {
    json!({
        "id": id,
        "canonical_slug": id,
        "name": format!("Bench: {id}"),
        "author": "bench",
        "created": 1_780_000_000,
        "description": "Measures what stands in front of it.",
        "context_length": CONTEXT_LENGTH,
        "max_completion_tokens": 16_384,
        "architecture": {
            "modality": "text->text",
            "input_modalities": ["text"],
            "output_modalities": ["text"],
            "tokenizer": "Other",
        },
        "type": "chat",
        "supported_parameters": parameters(),
        "default_parameters": null,
        "reasoning": { "supported": false },
        "knowledge_cutoff": null,
        "expiration_date": null,
        "hugging_face_id": null,
        "open_weights": null,
        "is_moderated": false,
        "variant": "standard",
        "embedding_dimensions": null,
        "endpoint_count": PROVIDERS.len(),
        "provider_count": PROVIDERS.len(),
    })
}

fn endpoint(model: &str, slug: &str, pricing: &Value) -> Value {
    json!({
        "id": format!("{model}|{slug}"),
        "model_id": model,
        "provider": slug,
        "provider_model_id": model,
        "tag": slug,
        "variant": "standard",
        "service_tier": "default",
        "quantization": "fp16",
        "context_length": CONTEXT_LENGTH,
        "max_completion_tokens": 16_384,
        "max_prompt_tokens": null,
        "pricing": {
            "prompt": pricing["prompt"],
            "completion": pricing["completion"],
            "request": null,
            "image": null,
            "input_cache_read": pricing["input_cache_read"],
            "input_cache_write": pricing["input_cache_write"],
            "internal_reasoning": null,
            "web_search": null,
        },
        "pricing_batch": null,
        "supported_parameters": parameters(),
        "supports_implicit_caching": null,
        "regions": null,
        "status": null,
        "deranked": null,
        "zdr": true,
        "observed": null,
        "as_of": DAY,
    })
}

#[cfg(test)]
mod tests {
    use switchyard_catalog::load::load_from_bytes;
    use switchyard_domain::clock::Timestamp;

    use super::*;

    #[test]
    fn the_gateway_would_load_it() {
        let address = "127.0.0.1:4010".parse().expect("an address");
        let [providers, models, endpoints, aliases] =
            files(address).map(|(_, contents)| contents.to_string().into_bytes());
        let now = Timestamp::parse_rfc3339("2026-11-24T00:00:00Z").expect("an instant");
        let catalog = load_from_bytes(&providers, &models, &endpoints, &aliases, now)
            .expect("a catalogue without faults");
        for (id, offers) in [(MODEL, PROVIDERS.len()), (agent::MODEL, OFFERS.len())] {
            let model = catalog.model(id).expect("the model");
            let callable = catalog
                .endpoints_of(model)
                .filter(|endpoint| endpoint.is_callable(catalog.provider_of(endpoint)));
            assert_eq!(callable.count(), offers, "{id}");
        }
    }
}
