//! Small catalogues, written as the JSON that files hold.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use switchyard_catalog::{
    findings::CatalogFaults,
    load::load_from_bytes,
    snapshot::{Catalog, Endpoint},
};
use switchyard_domain::{clock::Timestamp, endpoint::EndpointId};

/// The rows of the four files.
#[derive(Clone)]
pub(crate) struct Files {
    pub(crate) providers: Value,
    pub(crate) models: Value,
    pub(crate) endpoints: Value,
    pub(crate) aliases: Value,
}

/// One provider, one model, one endpoint, one alias; nothing wrong with them.
pub(crate) fn sound() -> Files {
    Files {
        providers: json!([{
            "slug": "acme",
            "name": "Acme",
            "api_family": "openai-compatible",
            "base_url": "https://api.acme.example/v1",
            "data_policy": {
                "trains_on_data": false,
                "retains_prompts": false,
                "retention_days": 0,
                "can_publish": null,
                "requires_user_ids": false
            }
        }]),
        models: json!([{
            "id": "zoo/owl",
            "name": "Owl",
            "context_length": 8000,
            "architecture": {
                "modality": "text->text",
                "input_modalities": ["text"],
                "output_modalities": ["text"]
            },
            "supported_parameters": ["max_tokens", "tools"]
        }]),
        endpoints: json!([{
            "id": "zoo/owl|acme",
            "model_id": "zoo/owl",
            "provider": "acme",
            "provider_model_id": "owl",
            "tag": "acme",
            "pricing": {"prompt": "0.000001", "completion": "0.000002"}
        }]),
        aliases: json!([{"alias": "~zoo/owl-latest", "model_id": "zoo/owl"}]),
    }
}

impl Files {
    /// The contents of the four files, in the order they are read.
    pub(crate) fn contents(&self) -> [String; 4] {
        [
            ("providers", &self.providers),
            ("models", &self.models),
            ("endpoints", &self.endpoints),
            ("aliases", &self.aliases),
        ]
        .map(|(key, rows)| {
            let count = rows.as_array().map_or(0, Vec::len);
            json!({"generated": "2026-11-22", "count": count, key: rows}).to_string()
        })
    }

    pub(crate) fn load(&self) -> Result<Catalog, CatalogFaults> {
        load_texts(&self.contents())
    }

    /// Loads a catalogue that has no fault.
    pub(crate) fn loaded(&self) -> Catalog {
        self.load().expect("a sound catalogue")
    }

    /// Writes the files into a folder.
    pub(crate) fn write(&self, dir: &Path) {
        let names = ["providers", "models", "endpoints", "aliases"];
        for (name, text) in names.into_iter().zip(self.contents()) {
            std::fs::write(dir.join(format!("{name}.json")), text).expect("a writable folder");
        }
    }
}

pub(crate) fn load_texts(texts: &[String; 4]) -> Result<Catalog, CatalogFaults> {
    let [providers, models, endpoints, aliases] = texts.each_ref().map(|text| text.as_bytes());
    load_from_bytes(providers, models, endpoints, aliases, noon())
}

/// The endpoint with this id.
pub(crate) fn endpoint<'c>(catalog: &'c Catalog, id: &str) -> &'c Endpoint {
    catalog
        .endpoint(&EndpointId::new(id))
        .expect("an endpoint of this id")
}

/// The day the shipped catalogue was made, a Sunday.
pub(crate) fn noon() -> Timestamp {
    at("2026-11-22T12:00:00Z")
}

pub(crate) fn at(instant: &str) -> Timestamp {
    Timestamp::parse_rfc3339(instant).expect("a valid instant")
}

/// A folder of the repository's `deploy` folder.
pub(crate) fn deploy(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../deploy")
        .join(path)
}

/// An empty folder of its own for a test.
pub(crate) fn scratch(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("catalog-{name}"));
    if dir.exists() {
        std::fs::remove_dir_all(&dir).expect("a folder of an earlier run");
    }
    std::fs::create_dir_all(&dir).expect("a writable target folder");
    dir
}
