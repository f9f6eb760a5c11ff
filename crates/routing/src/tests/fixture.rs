//! Small catalogues and requests written as text.
//!
//! A catalogue: models separated by `;`, each `name [words]: endpoint | endpoint`, where the name
//! may be left out for a single model `m`. An endpoint is a tag and words:
//!
//! | word | means |
//! |---|---|
//! | `$2`, `out$6`, `read$.1`, `audio$9`, `request$0.5`, `image$0.1` | dollars per million tokens (per request, per image); default output `out$0` |
//! | `long$4` | the prompt price above 200,000 prompt tokens |
//! | `night$1` | the prompt price from 22:00 to 06:00 |
//! | `outage`, `degraded`, `down` | health |
//! | `benched=60` | benched for so many seconds from now |
//! | `tps=50`, `tps90=50`, `ms=300`; `seen-tps=50` | measured speed; speed noted in the catalogue |
//! | `zdr`, `trains`, `policy?`, `publishes` | data policy; default: keeps for 30 days, does not train |
//! | `regions=eu+us` | where it serves |
//! | `blocked=XA+XB` | countries its provider is not offered in |
//! | `caches` | caches by itself |
//! | `flex`, `priority` | service tier |
//! | `fp8`, … | weights |
//! | `ctx=`, `prompt-max=`, `out-max=` | limits in tokens |
//! | `uncallable` | no upstream model id |
//! | a parameter's name | supported, beside `max_tokens` and `temperature` |
//!
//! Words of a model: `image`, `file`, … (input), `makes-image` (output), `embeds`, `distillable`,
//! `expired`, `blocked=XA`.
//!
//! A request: words again; see [`Case::ask`] and `words`.

mod measured;
mod rows;
mod words;

use std::{collections::HashSet, fmt::Write as _, sync::Arc, time::Duration};

use expect_test::Expect;
use serde_json::{Value, json};
use switchyard_catalog::{load::load_from_bytes, snapshot::Catalog};
use switchyard_domain::{
    clock::Timestamp,
    endpoint::EndpointId,
    model::{Modalities, Modality, Parameter, Parameters},
    money::Price,
    provider::ProviderSlug,
};
use switchyard_interchange::{
    needs::Needs,
    preferences::{
        DataCollection, MaxPrice, Partition, ProviderPreferences, RequestedTier, Sort, SortKey,
    },
};

use self::rows::Rows;
use crate::{
    credentials::{CredentialUse, Credentials, OwnCredential, Shared},
    health::HealthSnapshot,
    policy::{Layer, Policy, Rules, UnsupportedFeatures, ZdrGroups},
    rank::fraction,
    record::Scope,
    select::{NoCandidates, Plan, Situation, select},
    stickiness::WarmCache,
};

/// The prompt every request has unless it says otherwise, so that `$2` costs two dollars.
const MILLION: u64 = 1_000_000;

/// Everything a decision depends on, owned.
#[derive(Clone)]
pub(super) struct Case {
    pub(super) catalog: Arc<Catalog>,
    pub(super) health: HealthSnapshot,
    pub(super) policy: Policy,
    pub(super) needs: Needs,
    pub(super) pin: Option<WarmCache>,
    /// `None`: everybody.
    pub(super) credentialed: Option<HashSet<ProviderSlug>>,
    pub(super) own: Vec<OwnCredential>,
    pub(super) country: Option<String>,
    pub(super) now: Timestamp,
    pub(super) seed: u64,
}

/// The plan (or the error) for a request against a catalogue, as [`show`] writes it.
pub(super) fn check(catalog: &str, request: &str, expected: Expect) {
    expected.assert_eq(&show(&Case::new(catalog).ask(request).select()));
}

/// As [`check`], for the order alone; an error shows as its status, code and reasons.
pub(super) fn plan_of(catalog: &str, request: &str) -> String {
    match Case::new(catalog).ask(request).select() {
        Ok(plan) => order(&plan),
        Err(error) => {
            let availability = error.availability();
            let mut line = format!("{} {}", error.status(), availability.code.as_str());
            for word in availability.excluded_by {
                let _ = write!(line, " {word}");
            }
            line
        }
    }
}

/// `acme, bolt; cato ruled out: zdr (…)`, or the error.
pub(super) fn show(outcome: &Result<Plan, NoCandidates>) -> String {
    match outcome {
        Ok(plan) => {
            let mut text = order(plan);
            for row in &plan.record.candidates {
                let tag = words::label(tag_of(&row.endpoint), row.credential, row.when);
                match &row.ruled_out {
                    Some(why) => {
                        let _ = write!(
                            text,
                            "\n{tag}: {} ({}, {}: {})",
                            why.rule.as_str(),
                            why.scope.as_str(),
                            why.field,
                            why.detail
                        );
                    }
                    None if row.rank.is_none() => {
                        let _ = write!(text, "\n{tag}: cut off");
                    }
                    None => {}
                }
            }
            text
        }
        Err(error) => {
            let code = error.code().as_str();
            format!("{} {code}\n{}", error.status(), error.message())
        }
    }
}

/// The tags in the plan's order; `a(K1)` is called with the customer's own credential K1.
pub(super) fn order(plan: &Plan) -> String {
    let labels: Vec<String> = plan
        .candidates
        .iter()
        .map(|candidate| {
            let tag = candidate.vetted.endpoint().tag.as_str();
            words::label(tag, candidate.vetted.credential(), candidate.when)
        })
        .collect();
    labels.join(", ")
}

fn tag_of(endpoint: &EndpointId) -> &str {
    endpoint.as_str().split_once('|').map_or("", |(_, tag)| tag)
}

impl Case {
    pub(super) fn new(text: &str) -> Self {
        let now = Timestamp::parse_rfc3339("2026-11-24T12:00:00Z").expect("a valid instant");
        let mut rows = Rows::default();
        for (index, model) in text.split(';').enumerate() {
            rows.add_model(index, model.trim(), now);
        }
        let first_model = rows.models[0]["id"].as_str().expect("a text").to_owned();
        let catalog = load_from_bytes(
            &file("providers", &rows.providers),
            &file("models", &rows.models),
            &file("endpoints", &rows.endpoints),
            &file(
                "aliases",
                &[json!({"alias": "~lab/newest-latest", "model_id": first_model})],
            ),
            now,
        )
        .unwrap_or_else(|faults| panic!("{text}: {faults}"));
        Self {
            catalog: Arc::new(catalog),
            health: rows.health,
            policy: Policy::default(),
            needs: needs_of(&first_model),
            pin: None,
            credentialed: None,
            own: Vec::new(),
            country: None,
            now,
            seed: 0,
        }
    }

    /// Reads a request. Words: `models=m1,m2`, `order=`, `only=`, `ignore=`, `no-fallbacks`, `zdr`,
    /// `deny`, `distillable`, `require`, `quant=`, `max-prompt=`, `max-completion=`,
    /// `max-request=` (dollars, tokens per million), `sort=`, `pool`, `tier=`, `with=` parameters,
    /// `in=`/`makes=` modalities, `prompt=` and `max=` tokens; `account.only=`, `account.ignore=`,
    /// `account.zdr`, `account.deny`, `account.sort=`, `account.drop-features`; `u=` the draw;
    /// `pin=` a tag; `at=` the time of day.
    pub(super) fn ask(mut self, request: &str) -> Self {
        for word in request.split_whitespace() {
            let (name, value) = word.split_once('=').unwrap_or((word, ""));
            if !(self.ask_preference(name, value)
                || self.ask_feature(name, value)
                || self.ask_account(name, value)
                || self.ask_further(name, value))
            {
                self.ask_situation(name, value);
            }
        }
        self
    }

    fn ask_preference(&mut self, name: &str, value: &str) -> bool {
        let preferences = &mut self.needs.preferences;
        match name {
            "order" => preferences.order = Some(list(value)),
            "only" => preferences.only = Some(list(value)),
            "ignore" => preferences.ignore = list(value),
            "no-fallbacks" => preferences.allow_fallbacks = Some(false),
            "zdr" => preferences.zdr = true,
            "deny" => preferences.data_collection = Some(DataCollection::Deny),
            "distillable" => preferences.enforce_distillable_text = true,
            "require" => preferences.require_parameters = true,
            "quant" => preferences.quantizations = Some(list(value)),
            "max-prompt" => preferences.max_price.prompt = Some(per_million(value)),
            "max-completion" => preferences.max_price.completion = Some(per_million(value)),
            "max-request" => preferences.max_price.request = Some(value.parse().expect("a price")),
            "sort" => {
                let partition = preferences
                    .sort
                    .map_or(Partition::Model, |sort| sort.partition);
                preferences.sort = Some(Sort {
                    by: sort_key(value),
                    partition,
                });
            }
            "pool" => {
                let by = preferences.sort.map_or(SortKey::Price, |sort| sort.by);
                preferences.sort = Some(Sort {
                    by,
                    partition: Partition::None,
                });
            }
            _ => return false,
        }
        true
    }

    fn ask_feature(&mut self, name: &str, value: &str) -> bool {
        let needs = &mut self.needs;
        match name {
            "models" => needs.models = list(value).iter().map(|name| model_id(name)).collect(),
            "tier" => {
                needs.service_tier = Some(match value {
                    "auto" => RequestedTier::Auto,
                    "default" => RequestedTier::Default,
                    "flex" => RequestedTier::Flex,
                    "priority" => RequestedTier::Priority,
                    other => panic!("tier {other}"),
                });
            }
            "with" => {
                needs.parameters = value.split(',').map(parameter).collect();
                needs.uses_tools = needs.parameters.contains(Parameter::Tools);
            }
            "in" => needs.input_modalities = modalities(value),
            "makes" => needs.output_modalities = modalities(value),
            "prompt" => needs.prompt_tokens_estimate = value.parse().expect("tokens"),
            "max" => needs.max_output_tokens = Some(value.parse().expect("tokens")),
            _ => return false,
        }
        true
    }

    fn ask_account(&mut self, name: &str, value: &str) -> bool {
        let Some((scope, rule)) = name.split_once('.') else {
            return false;
        };
        let scope = match scope {
            "account" => Scope::Account,
            "workspace" => Scope::Workspace,
            "member" => Scope::Member,
            "key" => Scope::Key,
            "preset" => Scope::Preset,
            _ => return false,
        };
        let rules = self.rules(scope);
        if words::rule(rules, rule, value) {
            return true;
        }
        match rule {
            "only" => rules.allowed_providers = Some(list(value)),
            "ignore" => rules.ignored_providers = list(value),
            "zdr" => rules.zdr = ZdrGroups::ALL,
            "deny" => {
                rules.allow_paid_training = Some(false);
                rules.allow_free_training = Some(false);
            }
            "sort" => rules.default_sort = Some(sort_key(value)),
            "drop-features" => rules.unsupported_features = Some(UnsupportedFeatures::Drop),
            _ => return false,
        }
        true
    }

    /// The rules of one scope; scopes are layered in their own order.
    fn rules(&mut self, scope: Scope) -> &mut Rules {
        let layers = &mut self.policy.layers;
        let place = layers.partition_point(|layer| layer.scope < scope);
        if layers.get(place).is_none_or(|layer| layer.scope != scope) {
            layers.insert(
                place,
                Layer {
                    scope,
                    rules: Rules::default(),
                },
            );
        }
        &mut layers[place].rules
    }

    fn ask_situation(&mut self, name: &str, value: &str) {
        match name {
            "u" => self.seed = seed_for(value.parse().expect("a fraction")),
            "credentials" => {
                let slugs = value.split('+').map(ProviderSlug::new);
                self.credentialed = Some(slugs.collect());
            }
            "pin" => {
                let endpoint = self.catalog.endpoints.iter().find(|one| one.tag == value);
                self.pin = Some(WarmCache {
                    endpoint: endpoint.expect("a tag of the catalogue").id.clone(),
                    credential: CredentialUse::Shared,
                    warm_tokens: self.needs.prompt_tokens_estimate,
                    idle: Duration::from_secs(60),
                    ttl: Duration::from_secs(600),
                    hit_ppm: 1_000_000,
                    dearer_turns: 0,
                    turns: 1,
                    lifetime: Duration::from_secs(600),
                    prefix_digest: 0,
                });
            }
            "at" => {
                let text = format!("2026-11-24T{value}:00Z");
                self.now = Timestamp::parse_rfc3339(&text).expect("a time of day");
            }
            other => self.ask_about_order(other, value),
        }
    }

    pub(super) fn situation(&self) -> Situation<'_> {
        Situation {
            catalog: &self.catalog,
            credentials: Credentials {
                shared: self.credentialed.as_ref().map_or(Shared::All, Shared::Only),
                own: &self.own,
            },
            health: &self.health,
            policy: &self.policy,
            pin: self.pin.as_ref(),
            country: self.country.as_deref(),
            now: self.now,
            seed: self.seed,
        }
    }

    pub(super) fn select(&self) -> Result<Plan, NoCandidates> {
        select(&self.needs, &self.situation())
    }
}

/// The smallest seed whose draw comes within a thousandth of `u`.
pub(super) fn seed_for(u: f64) -> u64 {
    (0..)
        .find(|seed| ((fraction(*seed, 0) as f64) / 2_f64.powi(64) - u).abs() < 0.001)
        .expect("fractions are spread evenly")
}

fn needs_of(model: &str) -> Needs {
    Needs {
        models: vec![model.to_owned()],
        context_window_fallbacks: Vec::new(),
        content_policy_fallbacks: Vec::new(),
        router: None,
        parameters: Parameters::EMPTY,
        input_modalities: Modalities::EMPTY.with(Modality::Text),
        output_modalities: Modalities::EMPTY,
        prompt_tokens_max: 4 * MILLION,
        prompt_tokens_estimate: MILLION,
        input_images: 0,
        max_output_tokens: None,
        uses_tools: false,
        marks_cache: false,
        names_conversation: false,
        service_tier: None,
        preferences: ProviderPreferences {
            max_price: MaxPrice::default(),
            ..Default::default()
        },
    }
}

fn model_id(name: &str) -> String {
    if name.contains('/') {
        name.to_owned()
    } else {
        format!("lab/{name}")
    }
}

fn list(value: &str) -> Vec<String> {
    value
        .split(',')
        .filter(|entry| !entry.is_empty())
        .map(str::to_owned)
        .collect()
}

fn sort_key(name: &str) -> SortKey {
    match name {
        "price" => SortKey::Price,
        "throughput" => SortKey::Throughput,
        "latency" => SortKey::Latency,
        "exacto" => SortKey::Exacto,
        "expected-cost" => SortKey::ExpectedCost,
        other => panic!("sort {other}"),
    }
}

fn parameter(name: &str) -> Parameter {
    Parameter::from_name(name).unwrap_or_else(|| panic!("`{name}` is no parameter"))
}

fn modalities(names: &str) -> Modalities {
    names
        .split(',')
        .map(|name| Modality::from_name(name).expect("a modality"))
        .collect()
}

fn per_million(dollars: &str) -> Price {
    price_text(dollars).parse().expect("a price")
}

/// Dollars per million tokens as dollars per token.
fn price_text(per_million: &str) -> String {
    let (whole, fraction) = per_million.split_once('.').unwrap_or((per_million, ""));
    format!(
        "0.{:0>6}{fraction}",
        if whole.is_empty() { "0" } else { whole }
    )
}

fn file(rows_name: &str, rows: &[Value]) -> Vec<u8> {
    let document = json!({"generated": "2026-11-24", "count": rows.len(), rows_name: rows});
    document.to_string().into_bytes()
}
