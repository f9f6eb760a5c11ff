//! Endpoints for tests: a catalogue of one, gone through selection, which alone can vet one.

use std::sync::Arc;

use serde_json::{Value, json};
use switchyard_catalog::load::load_from_bytes;
use switchyard_domain::{clock::Timestamp, provider::ProviderSlug};
use switchyard_interchange::needs::Needs;
use switchyard_routing::{
    credentials::{Credentials, OwnCredential, OwnCredentialId, Section},
    health::HealthSnapshot,
    policy::Policy,
    select::{Situation, select},
    vetted::Vetted,
};

/// One endpoint of one model.
pub(crate) struct Listed<'a> {
    pub(crate) slug: &'a str,
    pub(crate) family: &'a str,
    pub(crate) base_url: &'a str,
    /// `author/model`.
    pub(crate) model: &'a str,
    /// More or other fields of the endpoint's row.
    pub(crate) fields: Value,
    /// Whether it is called with a customer's own credential.
    pub(crate) is_own: bool,
}

impl<'a> Listed<'a> {
    /// An endpoint of `acme/model`, called with the operator's credential.
    pub(crate) fn new(slug: &'a str, family: &'a str, base_url: &'a str) -> Self {
        Self {
            slug,
            family,
            base_url,
            model: "acme/model",
            fields: json!({}),
            is_own: false,
        }
    }

    pub(crate) fn vetted(self) -> Vetted {
        let now = Timestamp::from_seconds(1_795_521_600);
        let [providers, models, endpoints, aliases] = self.files();
        let catalog = load_from_bytes(&providers, &models, &endpoints, &aliases, now);
        let catalog = Arc::new(catalog.expect("a valid catalogue"));
        let own = OwnCredential {
            id: OwnCredentialId::Stored(format!("cred_{:032x}", 7).parse().expect("an id")),
            provider: ProviderSlug::new(self.slug),
            section: Section::Prioritized,
            allowed_models: None,
            is_required: true,
            is_byok_only: false,
            declared_zdr: true,
        };
        let own = [own];
        let situation = Situation {
            catalog: &catalog,
            credentials: Credentials {
                own: if self.is_own { &own } else { &[] },
                ..Credentials::ALL_SHARED
            },
            health: &HealthSnapshot::default(),
            policy: &Policy::default(),
            pin: None,
            country: None,
            now,
            seed: 1,
        };
        let plan = select(&self.needs(), &situation).expect("an endpoint");
        let first = plan.candidates.into_iter().next();
        first.expect("one candidate").vetted
    }

    fn needs(&self) -> Needs {
        let body = json!({
            "model": self.model, "max_tokens": 64,
            "messages": [{"role": "user", "content": "hello"}],
        });
        let body = serde_json::to_vec(&body).expect("JSON").into();
        let request = switchyard_dialects::openai_chat::decode_request(body);
        request.expect("a valid request").needs()
    }

    fn files(&self) -> [Vec<u8>; 4] {
        let Self { slug, model, .. } = self;
        let author = model.split('/').next().unwrap_or_default();
        let parameters = json!(["max_tokens", "temperature", "tools", "tool_choice"]);
        let mut row = json!({
            "id": format!("{model}|{slug}"), "model_id": model, "provider": slug,
            "provider_model_id": "upstream-model", "tag": slug, "variant": "standard",
            "service_tier": "default", "quantization": null, "context_length": 100_000,
            "max_completion_tokens": 4_096, "max_prompt_tokens": null,
            "pricing": {"prompt": "0.000001", "completion": "0.000002", "request": null,
                "image": null, "input_cache_read": null, "input_cache_write": null,
                "internal_reasoning": null, "web_search": null},
            "supported_parameters": parameters, "supports_implicit_caching": null,
            "regions": null, "status": 0, "deranked": false, "zdr": true,
        });
        for (key, value) in self.fields.as_object().into_iter().flatten() {
            row[key] = value.clone();
        }
        [
            json!({"generated": "2026-11-22", "count": 1, "providers": [{
                "slug": slug, "name": "Alpha", "api_family": self.family,
                "base_url": self.base_url,
                "data_policy": {"trains_on_data": false, "retains_prompts": false},
            }]}),
            json!({"generated": "2026-11-22", "count": 1, "models": [{
                "id": model, "canonical_slug": model, "name": "Model", "author": author,
                "created": 1_700_000_000, "context_length": 100_000, "max_completion_tokens": 4_096,
                "architecture": {"modality": "text->text", "input_modalities": ["text"],
                    "output_modalities": ["text"], "tokenizer": "Other"},
                "type": "chat", "supported_parameters": parameters, "default_parameters": null,
                "reasoning": {"supported": false}, "is_moderated": false, "variant": "standard",
            }]}),
            json!({"generated": "2026-11-22", "currency": "USD",
                "price_unit": "per token unless the key says otherwise", "count": 1,
                "endpoints": [row]}),
            json!({"generated": "2026-11-22", "count": 0, "aliases": []}),
        ]
        .map(|file| serde_json::to_vec(&file).expect("JSON"))
    }
}
