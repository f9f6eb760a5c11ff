//! The demo's catalogue: a dozen well-known models at simulated providers, and the real endpoints
//! of every provider whose key is in the environment.

use std::{fs, net::SocketAddr, path::Path};

use serde_json::{Value, json};
use switchyard_domain::secret::Secret;

use crate::{commands::CommandError, foundation::create_private_dir};

/// What the printed request asks for: cheap, and served by many.
pub(super) const SHOWCASE_MODEL: &str = "openai/gpt-oss-120b";

/// Where the demo's files say that simulated providers are.
const WRITTEN_ADDRESS: &str = "http://127.0.0.1:4010/";

const DEMO_PROVIDERS: &str = include_str!("../../../../deploy/demo/catalog/providers.json");
const DEMO_MODELS: &str = include_str!("../../../../deploy/demo/catalog/models.json");
const DEMO_ENDPOINTS: &str = include_str!("../../../../deploy/demo/catalog/endpoints.json");
const DEMO_ALIASES: &str = include_str!("../../../../deploy/demo/catalog/aliases.json");
const REAL_PROVIDERS: &str = include_str!("../../../../deploy/catalog/providers.json");
const REAL_MODELS: &str = include_str!("../../../../deploy/catalog/models.json");
const REAL_ENDPOINTS: &str = include_str!("../../../../deploy/catalog/endpoints.json");

/// A provider whose key was found in the environment.
#[derive(Debug)]
pub(super) struct RealProvider {
    pub(super) slug: String,
    pub(super) secret: Secret<String>,
}

/// Providers of the real catalogue whose `<SLUG>_API_KEY` is set.
pub(super) fn real_providers(
    environment: impl Iterator<Item = (String, String)>,
) -> Vec<RealProvider> {
    let providers = parse(REAL_PROVIDERS);
    let slugs: Vec<&str> = rows(&providers, "providers")
        .filter_map(|row| text(row, "slug"))
        .collect();
    environment
        .filter(|(_, value)| !value.trim().is_empty())
        .filter_map(|(name, value)| {
            let stem = name
                .strip_suffix("_API_KEY")?
                .to_lowercase()
                .replace('_', "-");
            let slug = slugs.iter().find(|slug| **slug == stem)?;
            let secret = Secret::new(value.trim().to_owned());
            Some(RealProvider {
                slug: (*slug).to_owned(),
                secret,
            })
        })
        .collect()
}

/// Writes the catalogue into `dir`.
pub(super) fn write(
    dir: &Path,
    simulator: SocketAddr,
    real: &[RealProvider],
) -> Result<(), CommandError> {
    let at_simulator = DEMO_ENDPOINTS.replace(WRITTEN_ADDRESS, &format!("http://{simulator}/"));
    let (mut providers, mut models, mut endpoints) = (
        parse(DEMO_PROVIDERS),
        parse(DEMO_MODELS),
        parse(&at_simulator),
    );
    for one in real {
        add_real(&one.slug, &mut providers, &mut models, &mut endpoints);
    }
    create_private_dir(dir)?;
    for (name, content) in [
        ("providers.json", providers.to_string()),
        ("models.json", models.to_string()),
        ("endpoints.json", endpoints.to_string()),
        ("aliases.json", DEMO_ALIASES.to_owned()),
    ] {
        let path = dir.join(name);
        fs::write(&path, content).map_err(|error| {
            CommandError::caused(format!("cannot write {}", path.display()), error)
        })?;
    }
    Ok(())
}

/// Puts a provider's real rows in place of its simulated ones.
fn add_real(slug: &str, providers: &mut Value, models: &mut Value, endpoints: &mut Value) {
    let (real_providers, real_models, real_endpoints) = (
        parse(REAL_PROVIDERS),
        parse(REAL_MODELS),
        parse(REAL_ENDPOINTS),
    );
    let is_provider = |row: &Value| text(row, "slug") == Some(slug);
    let is_its_endpoint = |row: &Value| text(row, "provider") == Some(slug);
    retain(providers, "providers", |row| !is_provider(row));
    retain(endpoints, "endpoints", |row| !is_its_endpoint(row));
    extend(
        providers,
        "providers",
        rows(&real_providers, "providers").filter(|row| is_provider(row)),
    );
    let offered: Vec<&Value> = rows(&real_endpoints, "endpoints")
        .filter(|row| is_its_endpoint(row))
        .collect();
    let known: Vec<String> = rows(models, "models")
        .filter_map(|row| text(row, "id"))
        .map(str::to_owned)
        .collect();
    let missing = rows(&real_models, "models").filter(|model| {
        let id = text(model, "id");
        id.is_some_and(|id| known.iter().all(|known| known != id))
            && offered
                .iter()
                .any(|endpoint| text(endpoint, "model_id") == id)
    });
    extend(models, "models", missing);
    extend(endpoints, "endpoints", offered.into_iter());
}

fn parse(json: &str) -> Value {
    serde_json::from_str(json).expect("the catalogues that ship with the binary are valid JSON")
}

fn rows<'a>(file: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    file[key].as_array().into_iter().flatten()
}

fn text<'a>(row: &'a Value, field: &str) -> Option<&'a str> {
    row[field].as_str()
}

fn retain(file: &mut Value, key: &str, keep: impl Fn(&Value) -> bool) {
    if let Some(rows) = file[key].as_array_mut() {
        rows.retain(keep);
        file["count"] = json!(file[key].as_array().map_or(0, Vec::len));
    }
}

fn extend<'a>(file: &mut Value, key: &str, more: impl Iterator<Item = &'a Value>) {
    if let Some(rows) = file[key].as_array_mut() {
        rows.extend(more.cloned());
        file["count"] = json!(file[key].as_array().map_or(0, Vec::len));
    }
}

#[cfg(test)]
mod tests {
    use switchyard_catalog::load::load_from_bytes;
    use switchyard_domain::clock::Timestamp;

    use super::*;

    fn written(real: &[RealProvider]) -> switchyard_catalog::snapshot::Catalog {
        let dir =
            std::env::temp_dir().join(format!("sy-demo-{}-{}", std::process::id(), real.len()));
        write(&dir, SocketAddr::from(([127, 0, 0, 1], 4999)), real).expect("written");
        let read = |name: &str| fs::read(dir.join(name)).expect("written just now");
        let catalog = load_from_bytes(
            &read("providers.json"),
            &read("models.json"),
            &read("endpoints.json"),
            &read("aliases.json"),
            Timestamp::from_seconds(1_795_000_000),
        );
        fs::remove_dir_all(&dir).expect("removable");
        catalog.expect("a valid catalogue")
    }

    #[test]
    fn simulated_rows_point_to_the_simulator() {
        let catalog = written(&[]);
        let showcase = catalog.model(SHOWCASE_MODEL).expect("the showcase model");
        assert!(catalog.endpoints_of(showcase).count() >= 3);
        for endpoint in &catalog.endpoints {
            let url = endpoint
                .base_url
                .as_deref()
                .expect("every demo endpoint has an address");
            assert!(url.starts_with("http://127.0.0.1:4999/"), "{url}");
        }
    }

    #[test]
    fn a_key_in_the_environment_brings_the_real_provider() {
        let environment = [
            ("OPENAI_API_KEY".to_owned(), " sk-test ".to_owned()),
            ("NOBODY_API_KEY".to_owned(), "x".to_owned()),
            ("GROQ_API_KEY".to_owned(), String::new()),
        ];
        let real = real_providers(environment.into_iter());
        assert_eq!(real.len(), 1);
        assert_eq!(real[0].slug, "openai");
        let catalog = written(&real);
        let addresses = catalog
            .endpoints
            .iter()
            .filter(|endpoint| catalog.provider_of(endpoint).slug.as_str() == "openai")
            .filter_map(|endpoint| endpoint.base_url.as_deref())
            .collect::<Vec<_>>();
        assert!(!addresses.is_empty());
        assert!(
            addresses
                .iter()
                .all(|url| url.starts_with("https://api.openai.com"))
        );
    }
}
