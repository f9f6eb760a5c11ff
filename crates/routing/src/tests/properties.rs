//! What holds for any catalogue and any request.

use std::collections::BTreeSet;

use proptest::{prelude::*, sample::subsequence};
use switchyard_domain::{endpoint::ServiceTier, model::Parameter};
use switchyard_interchange::preferences::DataCollection;

use super::fixture::Case;
use crate::{
    credentials::{CredentialUse, OwnCredential, Section},
    policy::{Layer, Rules},
    record::Scope,
    select::{Candidate, TryWhen},
    vetted::Vetted,
};

const PROVIDERS: [&str; 5] = ["acme", "bolt", "cato", "dune", "eris"];

fn endpoint(provider: &'static str) -> impl Strategy<Value = String> {
    let words = subsequence(
        vec![
            "zdr",
            "fp8",
            "tools",
            "seed",
            "response_format",
            "tps=50",
            "seen-tps=20",
            "read$.1",
            "out$3",
            "ctx=500000",
            "out-max=100",
            "caches",
            "audio$2",
            "regions=eu",
            "blocked=XA",
        ],
        0..=15,
    );
    let privacy = prop::sample::select(vec!["", "trains", "policy?"]);
    let state = prop::sample::select(vec!["up", "up", "outage", "degraded", "down", "benched=9"]);
    let tier = prop::sample::select(vec!["", "", "", "flex", "priority", "uncallable"]);
    (0_u32..5, words, privacy, state, tier).prop_map(
        move |(dollars, words, privacy, state, tier)| {
            let tag = if tier.is_empty() {
                provider.to_owned()
            } else {
                format!("{provider}/{tier}")
            };
            format!(
                "{tag} ${dollars} {} {privacy} {state} {tier}",
                words.join(" ")
            )
        },
    )
}

fn model(name: &'static str) -> impl Strategy<Value = String> {
    let endpoints = subsequence(PROVIDERS.to_vec(), 0..=5)
        .prop_flat_map(|providers| providers.into_iter().map(endpoint).collect::<Vec<_>>());
    let words = subsequence(vec!["image", "distillable"], 0..=2);
    (words, endpoints).prop_map(move |(words, endpoints)| {
        format!("{name} {}: {}", words.join(" "), endpoints.join(" | "))
    })
}

fn catalog() -> impl Strategy<Value = String> {
    (model("m"), model("n")).prop_map(|(m, n)| format!("{m}; {n}"))
}

/// Filters that a request or an account can add; each can only take candidates away.
const FILTERS: [&str; 29] = [
    "only=acme,bolt,cato",
    "only=Dune",
    "ignore=acme",
    "zdr",
    "deny",
    "distillable",
    "require",
    "quant=fp8",
    "max-prompt=2",
    "max-completion=1",
    "in=text,image",
    "max=200",
    "account.only=acme,dune",
    "account.ignore=bolt",
    "account.zdr",
    "account.deny",
    "country=XA",
    "has=tool_use,implicit_caching",
    "max-audio=1",
    "account.regions=eu",
    "account.models=lab/m",
    "account.not-models=n",
    "workspace.only=acme,bolt,dune",
    "workspace.zdr=other",
    "workspace.regions=eu,us",
    "member.deny-paid",
    "key.ignore=cato",
    "key.models=lab/*",
    "preset.not-models=lab/m",
];

fn filters() -> impl Strategy<Value = Vec<&'static str>> {
    subsequence(FILTERS.to_vec(), 0..=5)
}

/// What shapes the order or admits tiers.
fn shape() -> impl Strategy<Value = Vec<&'static str>> {
    subsequence(
        vec![
            "models=m,n",
            "with=seed,tools",
            "order=cato,acme",
            "sort=throughput",
            "pool",
            "tier=priority",
            "tier=flex",
            "u=.7",
            "pin=acme",
            "if-too-long=n",
            "if-refused=n",
            "own=K1@acme:required",
            "own=K2@acme:fallback",
            "own=K3@bolt:zdr:fallback",
            "own=K4@cato:zdr:for=m",
            "own=K5@bolt:only:for=n",
            "own=#0@dune:fallback",
            "account.trust-zdr",
            "credentials=acme+bolt+dune",
        ],
        0..=9,
    )
}

fn case(catalog: &str, words: &[&str]) -> Option<Case> {
    let pins = words.iter().filter_map(|word| word.strip_prefix("pin="));
    let has_all = pins
        .into_iter()
        .all(|tag| catalog.contains(&format!("{tag} $")));
    has_all.then(|| Case::new(catalog).ask(&words.join(" ")))
}

/// Whether the credential that the endpoint was vetted with may be used there.
fn may_be_called(case: &Case, vetted: &Vetted) -> bool {
    let (provider, model) = (&vetted.provider().slug, &vetted.model().id);
    let mut own = case.own.iter().filter(|own| own.is_for(provider, model));
    match vetted.credential() {
        CredentialUse::Shared => {
            let stored = case.credentialed.as_ref();
            let is_kept_out = |own: &OwnCredential| {
                own.section == Section::Prioritized
                    && own.provider == *provider
                    && (own.is_byok_only || own.is_required && own.is_for(provider, model))
            };
            stored.is_none_or(|stored| stored.contains(provider))
                && !case.own.iter().any(is_kept_out)
        }
        held => own.any(|own| CredentialUse::from(own.id) == held),
    }
}

/// Whether nothing is kept of what is sent to the endpoint with its credential.
fn keeps_nothing(case: &Case, vetted: &Vetted) -> bool {
    let trusts = |layer: &Layer| {
        layer.scope == Scope::Account && layer.rules.trust_declared_zdr == Some(true)
    };
    let held = vetted.credential();
    let states = || {
        let mut own = case.own.iter();
        own.any(|own| CredentialUse::from(own.id) == held && own.declared_zdr)
    };
    vetted.endpoint().zero_data_retention || (case.policy.layers.iter().any(trusts) && states())
}

/// Every hard filter once more, from the endpoint's facts alone.
fn may_serve(case: &Case, vetted: &Vetted) -> bool {
    let (endpoint, provider, model) = (vetted.endpoint(), vetted.provider(), vetted.model());
    let (needs, policy) = (&case.needs, &case.policy);
    let wants = &needs.preferences;
    let named = |list: &[String]| {
        let slug = provider.slug.as_str();
        list.iter().any(|entry| {
            let entry = entry.to_lowercase();
            entry == slug || entry == provider.name.to_lowercase() || entry == endpoint.tag
        })
    };
    let prices = endpoint
        .prices
        .as_ref()
        .expect("callable endpoints have prices");
    let prices = prices.at(needs.prompt_tokens_estimate, case.now);
    let output = needs.max_output_tokens.map_or(1, u64::from);
    endpoint.provider_model_id.is_some()
        && may_be_called(case, vetted)
        && policy
            .layers
            .iter()
            .all(|layer| layer_permits(case, &layer.rules, vetted, &named))
        && case
            .country
            .as_ref()
            .is_none_or(|country| !provider.blocked_countries.contains(country))
        && (wants.has.is_empty()
            || (endpoint.supported_parameters.contains(Parameter::Tools)
                && endpoint.supports_implicit_caching == Some(true)))
        && wants.only.as_ref().is_none_or(|list| named(list))
        && !named(&wants.ignore)
        && (wants.data_collection != Some(DataCollection::Deny)
            || endpoint.data_policy.trains_on_data == Some(false))
        && (!wants.zdr || keeps_nothing(case, vetted))
        && (!wants.enforce_distillable_text || model.is_distillable)
        && model.input_modalities.contains_all(needs.input_modalities)
        && endpoint
            .context_length
            .is_none_or(|context| needs.prompt_tokens_estimate + output <= context)
        && endpoint
            .max_completion_tokens
            .is_none_or(|most| output <= most)
        && (!wants.require_parameters
            || endpoint.supported_parameters.contains_all(needs.parameters))
        && (!needs.uses_tools || endpoint.supported_parameters.contains(Parameter::Tools))
        && (wants.quantizations.is_none() || endpoint.quantization.as_deref() == Some("fp8"))
        && wants
            .max_price
            .prompt
            .is_none_or(|most| prices.prompt <= Some(most))
        && wants
            .max_price
            .completion
            .is_none_or(|most| prices.completion <= Some(most))
        && wants
            .max_price
            .audio
            .is_none_or(|most| prices.audio <= Some(most))
        && match needs.service_tier {
            None => endpoint.service_tier == ServiceTier::Default,
            Some(_) => true,
        }
}

/// One scope's standing rules. The words only know regions by their own name, and models by whole
/// ids or all of the lab's.
fn layer_permits(
    case: &Case,
    rules: &Rules,
    vetted: &Vetted,
    named: &dyn Fn(&[String]) -> bool,
) -> bool {
    let (endpoint, model) = (vetted.endpoint(), vetted.model().id.as_str());
    let has_model = |list: &[String]| list.iter().any(|entry| entry == model || entry == "lab/*");
    let regions = endpoint.regions.as_deref().unwrap_or_default();
    rules
        .allowed_providers
        .as_ref()
        .is_none_or(|list| named(list))
        && !named(&rules.ignored_providers)
        && rules
            .allowed_models
            .as_ref()
            .is_none_or(|list| has_model(list))
        && !has_model(&rules.ignored_models)
        && rules.allowed_data_regions.as_ref().is_none_or(|list| {
            !regions.is_empty() && regions.iter().all(|region| list.contains(region))
        })
        && (rules.allow_paid_training != Some(false)
            || endpoint.data_policy.trains_on_data == Some(false))
        && (!rules.zdr.includes(&vetted.model().author) || keeps_nothing(case, vetted))
}

/// Each candidate's endpoint and credential.
fn ids(case: &Case) -> Vec<String> {
    let plan = case.select();
    let candidates = plan.map(|plan| plan.candidates).unwrap_or_default();
    candidates
        .iter()
        .map(|candidate| {
            let vetted = &candidate.vetted;
            format!("{} {:?}", vetted.endpoint().id, vetted.credential())
        })
        .collect()
}

/// Privacy rules that any scope can state.
const PRIVACY: [&str; 9] = [
    "zdr",
    "zdr=other",
    "deny",
    "deny-paid",
    "deny-free",
    "no-publish",
    "regions=eu",
    "regions=",
    "only=acme,bolt",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn plans_hold_only_what_may_serve(
        catalog in catalog(), filters in filters(), shape in shape(), single in any::<bool>(),
    ) {
        let mut words = [filters, shape].concat();
        if single {
            words.push("no-fallbacks");
        }
        let Some(case) = case(&catalog, &words) else { return Ok(()) };
        let Ok(plan) = case.select() else { return Ok(()) };
        prop_assert!(!plan.candidates.is_empty());
        for (rank, Candidate { vetted, .. }) in plan.candidates.iter().enumerate() {
            prop_assert!(may_serve(&case, vetted), "{:?} {catalog} {words:?}", vetted.endpoint().id);
            let id = &vetted.endpoint().id;
            let rows: Vec<_> =
                plan.record.candidates.iter().filter(|row| row.rank == Some(rank)).collect();
            prop_assert_eq!(rows.len(), 1);
            prop_assert_eq!(&rows[0].endpoint, id);
            prop_assert_eq!(rows[0].credential, vetted.credential());
            prop_assert!(rows[0].ruled_out.is_none());
        }
        let distinct: BTreeSet<_> = plan
            .candidates
            .iter()
            .zip(ids(&case))
            .map(|(candidate, id)| (candidate.when, id))
            .collect();
        prop_assert_eq!(distinct.len(), plan.candidates.len());
    }

    #[test]
    fn a_further_filter_adds_nobody(
        catalog in catalog(), filters in filters(), shape in shape(), more in prop::sample::select(FILTERS.to_vec()),
    ) {
        let words = [filters, shape].concat();
        // A second list of the same name replaces the first instead of adding to it.
        let name = |word: &str| word.split('=').next().unwrap_or_default().to_owned();
        if words.iter().any(|word| name(word) == name(more)) {
            return Ok(());
        }
        let Some(before) = case(&catalog, &words) else { return Ok(()) };
        let after = before.clone().ask(more);
        let before: BTreeSet<String> = ids(&before).into_iter().collect();
        let after: BTreeSet<String> = ids(&after).into_iter().collect();
        prop_assert!(after.is_subset(&before), "{catalog} {words:?} + {more}: {after:?}");
    }

    #[test]
    fn any_scopes_privacy_only_tightens(
        catalog in catalog(), filters in filters(), shape in shape(),
        scope in prop::sample::select(vec!["account", "workspace", "member", "key", "preset"]),
        rule in prop::sample::select(PRIVACY.to_vec()),
    ) {
        let words = [filters, shape].concat();
        let name = format!("{scope}.{}", rule.split('=').next().unwrap_or_default());
        // The scope's own list would be replaced, not joined by another.
        if words.iter().any(|word| word.starts_with(&name)) {
            return Ok(());
        }
        let Some(before) = case(&catalog, &words) else { return Ok(()) };
        let after = before.clone().ask(&format!("{scope}.{rule}"));
        let before: BTreeSet<String> = ids(&before).into_iter().collect();
        let after: BTreeSet<String> = ids(&after).into_iter().collect();
        prop_assert!(after.is_subset(&before), "{catalog} {words:?} + {scope}.{rule}: {after:?}");
    }

    #[test]
    fn the_seed_and_the_pin_change_the_order_only(
        catalog in catalog(), filters in filters(), shape in shape(), seed in any::<u64>(),
    ) {
        let words = [filters, shape].concat();
        let Some(case) = case(&catalog, &words) else { return Ok(()) };
        let other = Case { seed, pin: None, ..case.clone() };
        let set = |case: &Case| ids(case).into_iter().collect::<BTreeSet<String>>();
        prop_assert_eq!(set(&case), set(&other));
        match (case.select(), case.select()) {
            (Ok(one), Ok(again)) => prop_assert_eq!(one.record, again.record),
            (one, again) => prop_assert_eq!(one.err(), again.err()),
        }
    }

    #[test]
    fn failures_always_say_why(catalog in catalog(), filters in filters(), shape in shape()) {
        let words = [filters, shape].concat();
        let Some(case) = case(&catalog, &words) else { return Ok(()) };
        let Err(error) = case.select() else { return Ok(()) };
        prop_assert!(!error.availability().retryable);
        prop_assert!(error.code().status() < 500);
        let crate::select::NoCandidates::RuledOut { excluded, record, last, .. } = &error else {
            return Err(TestCaseError::fail(format!("{error:?}")));
        };
        let removed: usize = excluded.iter().map(|(_, count)| count).sum();
        let rows = record.candidates.iter();
        let ordinary = rows.filter(|row| row.when == TryWhen::Always).count();
        prop_assert_eq!(removed, ordinary);
        prop_assert!(excluded.is_sorted());
        prop_assert_eq!(last.is_none(), ordinary == 0);
    }
}
