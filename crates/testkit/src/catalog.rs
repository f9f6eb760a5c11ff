//! The catalogue that test worlds serve: a handful of models behind four simulated providers, with odd
//! prices so that a wrong rounding shows.
//!
//! | Provider | Speaks | Keeps prompts | Trains on them |
//! |---|---|---|---|
//! | `alder` | OpenAI Chat | no | no |
//! | `birch` | OpenAI Chat | 30 days | no |
//! | `cedar` | Anthropic Messages | no | no |
//! | `dogwood` | OpenAI Chat | nobody knows | yes |

use std::{fs, io, path::Path};

use serde_json::{Map, Value, json};

/// Served by `alder`, `birch` and `cedar`, the cheapest first; takes images, tools and schemas.
pub const OAK: &str = "acme/oak";
/// The free edition, at `birch`.
pub const OAK_FREE: &str = "acme/oak:free";
/// Charges output only, at `alder`: what is held for it is exactly what its longest answer costs.
pub const METER: &str = "acme/meter";
/// At `birch` only, which keeps prompts.
pub const KEPT: &str = "acme/kept";
/// At `dogwood` only, which trains on them.
pub const TAUGHT: &str = "acme/taught";
/// At `alder`, at an unknown price.
pub const UNPRICED: &str = "acme/unpriced";
/// At `cedar` only: Anthropic's dialect behind OpenAI's.
pub const CLAUDE: &str = "anthropic/claude-cedar";
/// At `alder`, at an address where nobody listens.
pub const LOST: &str = "acme/lost";

/// Providers that a credential can be stored for.
pub const PROVIDERS: [&str; 4] = ["alder", "birch", "cedar", "dogwood"];

/// US dollars per token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenPrices {
    /// Per input token.
    pub prompt: &'static str,
    /// Per output token.
    pub completion: &'static str,
}

/// What [`OAK`] costs at a provider.
///
/// # Panics
/// When the provider does not serve it.
pub fn oak_prices(provider: &str) -> TokenPrices {
    match provider {
        "alder" => TokenPrices {
            prompt: "0.0000001235",
            completion: "0.0000005",
        },
        "birch" => TokenPrices {
            prompt: "0.000000215",
            completion: "0.0000007005",
        },
        "cedar" => TokenPrices {
            prompt: "0.000003",
            completion: "0.000015",
        },
        other => panic!("{other} does not serve {OAK}"),
    }
}

/// What [`METER`] costs per output token; its input costs nothing.
pub const METER_COMPLETION: &str = "0.000001";

const PARAMETERS: [&str; 17] = [
    "max_tokens",
    "temperature",
    "top_p",
    "top_k",
    "stop",
    "seed",
    "frequency_penalty",
    "presence_penalty",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "response_format",
    "structured_outputs",
    "reasoning",
    "include_reasoning",
    "reasoning_effort",
    "verbosity",
];

/// The four files of a catalogue, ready to be written and changed.
#[derive(Debug, Clone)]
pub struct TestCatalog {
    providers: Vec<Value>,
    models: Vec<Value>,
    endpoints: Vec<Value>,
    aliases: Vec<Value>,
}

impl TestCatalog {
    /// The catalogue described above. `base_url` gives each provider's address.
    pub fn new(base_url: impl Fn(&str) -> String) -> Self {
        let policy = |retains: Option<bool>, days: Option<u32>, trains: Option<bool>| {
            json!({ "retains_prompts": retains, "retention_days": days, "trains_on_data": trains,
                    "can_publish": false, "requires_user_ids": false })
        };
        let provider = |slug: &str, name: &str, family: &str, data_policy: Value| {
            json!({ "slug": slug, "name": name, "api_family": family, "base_url": base_url(slug),
                    "headquarters": "US", "datacenters": ["US", "DE"], "data_policy": data_policy,
                    "terms_of_service_url": format!("https://{slug}.example/terms"),
                    "privacy_policy_url": format!("https://{slug}.example/privacy"),
                    "status_page_url": null })
        };
        let spotless = || policy(Some(false), Some(0), Some(false));
        let keeping = policy(Some(true), Some(30), Some(false));
        let teaching = policy(None, None, Some(true));
        Self {
            providers: vec![
                provider("alder", "Alder", "openai-compatible", spotless()),
                provider("birch", "Birch", "openai-compatible", keeping),
                provider("cedar", "Cedar", "anthropic", spotless()),
                provider("dogwood", "Dogwood", "openai-compatible", teaching),
            ],
            models: vec![
                model(OAK),
                model(OAK_FREE),
                model(METER),
                model(KEPT),
                model(TAUGHT),
                model(UNPRICED),
                model(CLAUDE),
                model(LOST),
            ],
            endpoints: endpoints(),
            aliases: vec![json!({ "alias": "~acme/oak-latest", "model_id": OAK })],
        }
    }

    /// Adds a model that `alder` serves.
    pub fn add_model(&mut self, id: &str) {
        self.models.push(model(id));
        let prices = oak_prices("alder");
        self.endpoints.push(endpoint(
            id,
            "alder",
            json!(prices.prompt),
            json!(prices.completion),
        ));
    }

    /// Adds a model that these providers serve, each at the prices of its `pricing` object, US
    /// dollars per token.
    ///
    /// # Panics
    /// When prompt or completion has no price.
    pub fn add_model_at(&mut self, id: &str, offers: &[(&str, Value)]) {
        self.models.push(model(id));
        for (provider, prices) in offers {
            let price = |name: &str| prices.get(name).cloned().expect("a price");
            let mut row = endpoint(id, provider, price("prompt"), price("completion"));
            for (name, price) in prices.as_object().expect("prices come as an object") {
                row["pricing"][name] = price.clone();
            }
            self.endpoints.push(row);
        }
    }

    /// Adds a provider of another family, and a model that it alone serves.
    pub fn add_provider(&mut self, slug: &str, family: &str, base_url: &str, model_id: &str) {
        let mut row = self.providers[0].clone();
        row["slug"] = json!(slug);
        row["name"] = json!(slug);
        row["api_family"] = json!(family);
        row["base_url"] = json!(base_url);
        self.providers.push(row);
        self.models.push(model(model_id));
        let (prompt, completion) = (json!("0.000001"), json!("0.000002"));
        self.endpoints
            .push(endpoint(model_id, slug, prompt, completion));
    }

    /// Changes the row of a model.
    ///
    /// # Panics
    /// When there is no such model.
    pub fn change_model(&mut self, id: &str, field: &str, value: Value) {
        let row = self.models.iter_mut().find(|row| row["id"] == id);
        row.expect("the model is in the catalogue")[field] = value;
    }

    /// Changes the row of an endpoint.
    ///
    /// # Panics
    /// When there is no such endpoint.
    pub fn change_endpoint(&mut self, model: &str, provider: &str, field: &str, value: Value) {
        let row = self
            .endpoints
            .iter_mut()
            .find(|row| row["model_id"] == model && row["provider"] == provider);
        row.expect("the endpoint is in the catalogue")[field] = value;
    }

    /// Writes the files into a folder.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        for (name, rows) in [
            ("providers", &self.providers),
            ("models", &self.models),
            ("endpoints", &self.endpoints),
            ("aliases", &self.aliases),
        ] {
            let mut file = Map::new();
            file.insert("generated".to_owned(), json!("2026-11-22"));
            file.insert("count".to_owned(), json!(rows.len()));
            file.insert(name.to_owned(), json!(rows));
            fs::write(
                folder.join(format!("{name}.json")),
                Value::Object(file).to_string(),
            )?;
        }
        Ok(())
    }
}

fn model(id: &str) -> Value {
    let (author, slug) = id.split_once('/').expect("model ids have two parts");
    let is_free = id.ends_with(":free");
    json!({
        "id": id,
        "canonical_slug": format!("{}-20260901", id.trim_end_matches(":free")),
        "name": format!("Test: {slug}"),
        "author": author,
        "created": 1_788_220_800,
        "description": "A model for tests.",
        "context_length": 32_768,
        "max_completion_tokens": 4_096,
        "architecture": {
            "modality": "text+image->text",
            "input_modalities": ["text", "image"],
            "output_modalities": ["text"],
            "tokenizer": "Other",
        },
        "type": "chat",
        "supported_parameters": PARAMETERS,
        "default_parameters": null,
        "reasoning": { "supported": true, "mandatory": false },
        "knowledge_cutoff": "2026-01",
        "expiration_date": null,
        "is_moderated": false,
        "variant": if is_free { "free" } else { "standard" },
    })
}

fn endpoints() -> Vec<Value> {
    let mut endpoints: Vec<Value> = ["alder", "birch", "cedar"]
        .into_iter()
        .map(|provider| {
            let prices = oak_prices(provider);
            endpoint(
                OAK,
                provider,
                json!(prices.prompt),
                json!(prices.completion),
            )
        })
        .collect();
    let mut lost = endpoint(LOST, "alder", json!("0.000001"), json!("0.000002"));
    // Port 9 is nobody's on a machine that runs tests.
    lost["base_url"] = json!("http://127.0.0.1:9/v1");
    let mut claude = endpoint(CLAUDE, "cedar", json!("0.000003"), json!("0.000015"));
    claude["pricing"]["input_cache_read"] = json!("0.0000003");
    claude["pricing"]["input_cache_write"] = json!("0.00000375");
    endpoints.extend([
        endpoint(OAK_FREE, "birch", json!("0"), json!("0")),
        endpoint(METER, "alder", json!("0"), json!(METER_COMPLETION)),
        endpoint(KEPT, "birch", json!("0.000001"), json!("0.000002")),
        endpoint(TAUGHT, "dogwood", json!("0.000001"), json!("0.000002")),
        endpoint(UNPRICED, "alder", Value::Null, Value::Null),
        claude,
        lost,
    ]);
    endpoints
}

fn endpoint(model: &str, provider: &str, prompt: Value, completion: Value) -> Value {
    let slug = model.split_once('/').map_or(model, |(_, slug)| slug);
    let is_free = model.ends_with(":free");
    json!({
        "id": format!("{model}|{provider}"),
        "model_id": model,
        "provider": provider,
        "provider_model_id": format!("{provider}-{slug}"),
        "tag": provider,
        "variant": if is_free { "free" } else { "standard" },
        "service_tier": "default",
        "quantization": "fp8",
        "context_length": 32_768,
        "max_completion_tokens": 4_096,
        "max_prompt_tokens": null,
        "pricing": {
            "prompt": prompt, "completion": completion, "request": null, "image": null,
            "input_cache_read": null, "input_cache_write": null, "internal_reasoning": null,
            "web_search": null,
        },
        "supported_parameters": PARAMETERS,
        "supports_implicit_caching": false,
        "regions": null,
        "status": 0,
        "deranked": false,
        "zdr": if is_free { json!(false) } else { Value::Null },
    })
}
