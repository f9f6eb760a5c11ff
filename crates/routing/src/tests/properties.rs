//! What holds for any catalogue and any request.

use std::collections::BTreeSet;

use proptest::{prelude::*, sample::subsequence};
use switchyard_domain::{endpoint::ServiceTier, model::Parameter};
use switchyard_interchange::preferences::DataCollection;

use super::fixture::Case;
use crate::{policy::Rules, select::Candidate, vetted::Vetted};

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
        ],
        0..=11,
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
const FILTERS: [&str; 16] = [
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
        ],
        0..=5,
    )
}

fn case(catalog: &str, words: &[&str]) -> Option<Case> {
    let pins = words.iter().filter_map(|word| word.strip_prefix("pin="));
    let has_all = pins
        .into_iter()
        .all(|tag| catalog.contains(&format!("{tag} $")));
    has_all.then(|| Case::new(catalog).ask(&words.join(" ")))
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
        && policy
            .layers
            .iter()
            .all(|layer| layer_permits(&layer.rules, vetted, &named))
        && wants.only.as_ref().is_none_or(|list| named(list))
        && !named(&wants.ignore)
        && (wants.data_collection != Some(DataCollection::Deny)
            || endpoint.data_policy.trains_on_data == Some(false))
        && (!wants.zdr || endpoint.zero_data_retention)
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
        && match needs.service_tier {
            None => endpoint.service_tier == ServiceTier::Default,
            Some(_) => true,
        }
}

/// One scope's standing rules.
fn layer_permits(rules: &Rules, vetted: &Vetted, named: &dyn Fn(&[String]) -> bool) -> bool {
    let endpoint = vetted.endpoint();
    rules
        .allowed_providers
        .as_ref()
        .is_none_or(|list| named(list))
        && !named(&rules.ignored_providers)
        && (rules.allow_paid_training != Some(false)
            || endpoint.data_policy.trains_on_data == Some(false))
        && (!rules.zdr.includes(&vetted.model().author) || endpoint.zero_data_retention)
}

fn ids(case: &Case) -> Vec<String> {
    let plan = case.select();
    let candidates = plan.map(|plan| plan.candidates).unwrap_or_default();
    candidates
        .iter()
        .map(|candidate| candidate.vetted.endpoint().id.to_string())
        .collect()
}

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
            prop_assert!(rows[0].ruled_out.is_none());
        }
        let distinct: BTreeSet<String> = ids(&case).into_iter().collect();
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
    fn the_seed_and_the_pin_change_the_order_only(
        catalog in catalog(), filters in filters(), shape in shape(), seed in any::<u64>(),
    ) {
        let words = [filters, shape].concat();
        let Some(case) = case(&catalog, &words) else { return Ok(()) };
        let other = Case { seed, pin: None, ..case.clone() };
        let set = |case: &Case| ids(case).into_iter().collect::<BTreeSet<String>>();
        prop_assert_eq!(set(&case), set(&other));
        prop_assert_eq!(ids(&case), ids(&case));
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
        prop_assert_eq!(removed, record.candidates.len());
        prop_assert!(excluded.is_sorted());
        prop_assert_eq!(last.is_none(), record.candidates.is_empty());
    }
}
