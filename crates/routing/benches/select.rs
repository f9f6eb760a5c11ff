//! What a decision costs: `cargo bench -p switchyard-routing`.
//!
//! Each case has a catalogue of its own and fresh health figures for every endpoint. The plan and
//! its record are dropped inside the measurement, as they are on the way of a request.

use std::{hint::black_box, sync::Arc, time::Duration};

use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::{Value, json};
use switchyard_catalog::{load::load_from_bytes, snapshot::Catalog};
use switchyard_domain::{
    clock::Timestamp,
    model::{Modalities, Modality, Parameter, Parameters},
    money::Price,
};
use switchyard_interchange::{
    needs::Needs,
    preferences::{
        Capability, DataCollection, MaxPrice, Percentiles, ProviderPreferences, Sort, SortKey,
    },
};
use switchyard_routing::{
    credentials::{CredentialUse, Credentials},
    health::{EndpointHealth, HealthSnapshot, ToolQuality},
    policy::{Layer, Policy, Rules, ZdrGroups},
    record::Scope,
    select::{Situation, select},
    stickiness::WarmCache,
};

const PROVIDERS: [&str; 20] = [
    "anthropic",
    "amazon-bedrock",
    "google-vertex",
    "azure",
    "openai",
    "deepinfra",
    "fireworks",
    "together",
    "groq",
    "cerebras",
    "novita",
    "parasail",
    "mistral",
    "nebius",
    "baseten",
    "chutes",
    "siliconflow",
    "sambanova",
    "alibaba",
    "deepseek",
];

/// Everything a decision depends on, owned.
struct World {
    catalog: Arc<Catalog>,
    health: HealthSnapshot,
    policy: Policy,
    needs: Needs,
    pin: Option<WarmCache>,
    now: Timestamp,
}

impl World {
    /// So many models, each at so many providers.
    fn new(models: usize, providers: usize) -> Self {
        let now = Timestamp::parse_rfc3339("2026-11-24T12:00:00Z").expect("a valid instant");
        let catalog = Arc::new(catalog(models, &PROVIDERS[..providers], now));
        let mut health = HealthSnapshot::default();
        for (index, endpoint) in catalog.endpoints.iter().enumerate() {
            let pace = index as u64 % 7;
            let figures = EndpointHealth {
                throughput_milli_tps: all(60_000 + 5_000 * pace),
                latency_ms: all(300 + 50 * pace),
                failure_ppm: Some(1_000),
                tools: ToolQuality::Good,
                ..EndpointHealth::default()
            };
            health.endpoints.insert(endpoint.id.clone(), figures);
        }
        Self {
            catalog,
            health,
            policy: Policy::default(),
            needs: needs(models),
            pin: None,
            now,
        }
    }

    /// Every filter is stated, by the request and by a standing rule where it can be. All endpoints
    /// have to be compared with all of them, since they pass; but for two providers, which are
    /// ignored.
    fn with_all_filters(mut self) -> Self {
        let names = |slugs: &[&str]| slugs.iter().map(|slug| (*slug).to_owned()).collect();
        self.needs.preferences = ProviderPreferences {
            require_parameters: true,
            data_collection: Some(DataCollection::Deny),
            zdr: true,
            enforce_distillable_text: true,
            only: Some(names(&PROVIDERS)),
            ignore: names(&PROVIDERS[18..]),
            quantizations: Some(vec!["fp8".to_owned(), "bf16".to_owned()]),
            max_price: MaxPrice {
                prompt: Price::from_picos(9_000_000),
                completion: Price::from_picos(90_000_000),
                ..MaxPrice::default()
            },
            has: vec![Capability::ToolUse],
            preferred_min_throughput: Some(Percentiles {
                p50: Some(70_000),
                p90: Some(65_000),
                ..Percentiles::default()
            }),
            preferred_max_latency: Some(all(500)),
            ..ProviderPreferences::default()
        };
        let account = Rules {
            allowed_providers: Some(names(&PROVIDERS)),
            allowed_models: Some(vec!["lab/*".to_owned()]),
            zdr: ZdrGroups::ALL,
            ..Rules::default()
        };
        let workspace = Rules {
            ignored_providers: names(&PROVIDERS[19..]),
            allow_paid_training: Some(false),
            allow_free_training: Some(false),
            allow_free_publication: Some(false),
            ..Rules::default()
        };
        let key = Rules {
            ignored_models: vec!["other/*".to_owned()],
            allowed_data_regions: Some(vec!["eu".to_owned()]),
            ..Rules::default()
        };
        self.policy.layers = [
            (Scope::Account, account),
            (Scope::Workspace, workspace),
            (Scope::Key, key),
        ]
        .map(|(scope, rules)| Layer { scope, rules })
        .into();
        self
    }

    fn with_pin(mut self) -> Self {
        self.pin = Some(WarmCache {
            endpoint: self.catalog.endpoints[3].id.clone(),
            credential: CredentialUse::Shared,
            warm_tokens: 20_000,
            idle: Duration::from_secs(30),
            ttl: Duration::from_secs(300),
            hit_ppm: 950_000,
            dearer_turns: 0,
            turns: 5,
            lifetime: Duration::from_secs(600),
            prefix_digest: 7,
        });
        self
    }

    fn sorted_by(mut self, by: SortKey) -> Self {
        self.needs.preferences.sort = Some(Sort {
            by,
            partition: Default::default(),
        });
        self
    }

    fn decide(&self, seed: u64) -> usize {
        let situation = Situation {
            catalog: &self.catalog,
            credentials: Credentials::ALL_SHARED,
            health: &self.health,
            policy: &self.policy,
            pin: self.pin.as_ref(),
            country: Some("NL"),
            now: self.now,
            seed,
        };
        let plan = select(black_box(&self.needs), &situation).expect("most may serve");
        black_box(&plan).candidates.len()
    }
}

fn all(figure: u64) -> Percentiles {
    Percentiles {
        p50: Some(figure),
        p75: Some(figure),
        p90: Some(figure),
        p99: Some(figure),
    }
}

fn needs(models: usize) -> Needs {
    Needs {
        models: (0..models).map(model_id).collect(),
        context_window_fallbacks: Vec::new(),
        content_policy_fallbacks: Vec::new(),
        router: None,
        parameters: [
            Parameter::Tools,
            Parameter::Temperature,
            Parameter::MaxTokens,
        ]
        .into_iter()
        .collect::<Parameters>(),
        input_modalities: Modalities::EMPTY.with(Modality::Text),
        output_modalities: Modalities::EMPTY,
        prompt_tokens_max: 100_000,
        prompt_tokens_estimate: 25_000,
        input_images: 0,
        max_output_tokens: Some(4_000),
        uses_tools: true,
        marks_cache: true,
        names_conversation: true,
        service_tier: None,
        preferences: ProviderPreferences::default(),
    }
}

fn model_id(index: usize) -> String {
    format!("lab/model-{index}")
}

fn catalog(models: usize, slugs: &[&str], now: Timestamp) -> Catalog {
    let providers = slugs.iter().map(|slug| {
        json!({
            "slug": slug,
            "name": slug.to_uppercase(),
            "api_family": "openai-compatible",
            "base_url": format!("https://{slug}.example/v1"),
        })
    });
    let rows = (0..models).map(|index| {
        json!({
            "id": model_id(index),
            "name": format!("Model {index}"),
            "created": index,
            "is_distillable": true,
            "architecture": {"input_modalities": ["text"], "output_modalities": ["text"]},
        })
    });
    let endpoints = (0..models).flat_map(|model| {
        let slugs = slugs.iter().enumerate();
        slugs.map(move |(index, slug)| endpoint(&model_id(model), slug, index))
    });
    load_from_bytes(
        &file("providers", providers.collect()),
        &file("models", rows.collect()),
        &file("endpoints", endpoints.collect()),
        &file("aliases", vec![]),
        now,
    )
    .unwrap_or_else(|faults| panic!("{faults}"))
}

fn endpoint(model: &str, slug: &str, index: usize) -> Value {
    json!({
        "id": format!("{model}|{slug}"),
        "model_id": model,
        "provider": slug,
        "provider_model_id": "upstream-model",
        "tag": slug,
        "quantization": if index.is_multiple_of(2) { "fp8" } else { "bf16" },
        "regions": ["eu"],
        "context_length": 200_000,
        "max_completion_tokens": 32_000,
        "pricing": {
            "prompt": format!("0.00000{}", 10 + index),
            "completion": format!("0.0000{}", 10 + index),
            "input_cache_read": "0.000001",
            "input_cache_write": format!("0.00000{}", 12 + index),
        },
        "supported_parameters": ["max_tokens", "temperature", "tools"],
        "data_policy": {
            "trains_on_data": false,
            "retains_prompts": false,
            "retention_days": 0,
            "can_publish": false,
        },
    })
}

fn file(name: &str, rows: Vec<Value>) -> Vec<u8> {
    json!({"generated": "2026-11-24", "count": rows.len(), name: rows})
        .to_string()
        .into_bytes()
}

fn benches(criterion: &mut Criterion) {
    let filtered = || World::new(3, 20).with_all_filters();
    let cases = [
        ("3 endpoints", World::new(1, 3)),
        ("20 endpoints", World::new(1, 20)),
        ("60 endpoints", World::new(3, 20)),
        ("60 endpoints, all filters", filtered()),
        ("60 endpoints, all filters, pin", filtered().with_pin()),
        (
            "60 endpoints, all filters, by expected cost",
            filtered().sorted_by(SortKey::ExpectedCost),
        ),
    ];
    let mut group = criterion.benchmark_group("select");
    for (name, world) in &cases {
        let mut seed = 0;
        group.bench_function(*name, |bencher| {
            bencher.iter(|| {
                seed += 1;
                world.decide(seed)
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = select_benches;
    config = Criterion::default().measurement_time(Duration::from_secs(2)).warm_up_time(Duration::from_millis(500));
    targets = benches
}
criterion_main!(select_benches);
