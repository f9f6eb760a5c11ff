use switchyard_catalog::snapshot::{Endpoint, Model};
use switchyard_domain::model::{Modality, Parameter};

use super::*;
use crate::catalog::shelf::shown_endpoint;

type Holds = fn(&Catalog, &Model) -> bool;

fn shown<'a>(catalog: &'a Catalog, model: &Model) -> &'a Endpoint {
    &catalog.endpoints[shown_endpoint(catalog, model).expect("a listed model has prices")]
}

fn prompt_picos(catalog: &Catalog, model: &Model) -> i64 {
    let base = shown(catalog, model).prices.as_ref().expect("prices").base;
    base.prompt.expect("a price").picos()
}

fn price_sum(catalog: &Catalog, model: &Model) -> i64 {
    let base = shown(catalog, model).prices.as_ref().expect("prices").base;
    base.prompt.expect("a price").picos() + base.completion.expect("a price").picos()
}

fn age_days(model: &Model) -> Option<i64> {
    model
        .created
        .map(|created| (today().seconds() - created) / 86_400)
}

/// Checks that each condition keeps exactly the models it describes, of all that are listed.
async fn check_conditions(cases: &[(&str, Holds)]) {
    let catalog = shipped();
    let shelf = shelf_of(&catalog);
    let (_, everything) = list(&shelf, "?output_modalities=all").await;
    let everything = ids(&everything);
    for (query, holds) in cases {
        let whole = if query.contains("output_modalities") {
            ""
        } else {
            "&output_modalities=all"
        };
        let (status, kept) = list(&shelf, &format!("?{query}{whole}")).await;
        assert_eq!(status, 200, "{query}: {kept}");
        let describes = |id: &&str| holds(&catalog, catalog.model(id).expect("a listed model"));
        let expected: Vec<&str> = everything.iter().copied().filter(describes).collect();
        assert_eq!(ids(&kept), expected, "{query}");
        assert_eq!(kept["total_count"], expected.len(), "{query}");
        assert!(expected.len() < everything.len(), "{query} says nothing");
        assert!(!expected.is_empty(), "{query} keeps nothing");
    }
}

#[tokio::test]
async fn conditions_on_abilities_keep_what_they_describe() {
    check_conditions(&[
        ("supported_parameters=tools,%20seed", |_, model| {
            let wanted = [Parameter::Tools, Parameter::Seed];
            wanted
                .iter()
                .all(|one| model.supported_parameters.contains(*one))
        }),
        ("input_modalities=text,image", |_, model| {
            let wanted = [Modality::Text, Modality::Image];
            wanted
                .iter()
                .all(|one| model.input_modalities.contains(*one))
        }),
        ("output_modalities=image,audio", |_, model| {
            let wanted = [Modality::Image, Modality::Audio];
            wanted
                .iter()
                .any(|one| model.output_modalities.contains(*one))
        }),
        ("output_modalities=embeddings", |_, model| {
            model.output_modalities.contains(Modality::Embeddings)
        }),
        ("context=1000000", |_, model| {
            model.context_length >= Some(1_000_000)
        }),
    ])
    .await;
}

#[tokio::test]
async fn conditions_on_identity_keep_what_they_describe() {
    check_conditions(&[
        ("q=CLAUDE", |_, model| {
            let all = [
                model.id.as_str(),
                &model.name,
                model.description.as_deref().unwrap_or(""),
            ];
            all.iter()
                .any(|text| text.to_lowercase().contains("claude"))
        }),
        ("arch=claude", |_, model| {
            model.tokenizer.as_deref() == Some("Claude")
        }),
        ("model_authors=openai,mistralai", |_, model| {
            ["openai", "mistralai"].contains(&model.author.as_str())
        }),
        ("min_age_days=365", |_, model| {
            age_days(model).is_some_and(|days| days >= 365)
        }),
        ("max_age_days=60", |_, model| {
            age_days(model).is_some_and(|days| days <= 60)
        }),
    ])
    .await;
}

#[tokio::test]
async fn conditions_on_prices_keep_what_they_describe() {
    check_conditions(&[
        ("min_price=1", |catalog, model| {
            prompt_picos(catalog, model) >= 1_000_000
        }),
        ("max_price=0.05", |catalog, model| {
            prompt_picos(catalog, model) <= 50_000
        }),
        ("min_price=0&max_price=0", |catalog, model| {
            prompt_picos(catalog, model) == 0
        }),
        (
            "max_output_price=1&min_output_price=0.5",
            |catalog, model| {
                let sum = price_sum(catalog, model) - prompt_picos(catalog, model);
                (500_000..=1_000_000).contains(&sum)
            },
        ),
    ])
    .await;
}

#[tokio::test]
async fn conditions_on_endpoints_keep_what_they_describe() {
    fn any(catalog: &Catalog, model: &Model, holds: impl Fn(&Endpoint) -> bool) -> bool {
        catalog
            .endpoints_of(model)
            .any(|endpoint| endpoint.prices.is_some() && holds(endpoint))
    }
    fn is_at(endpoint: &Endpoint, prefix: &str, other: &str) -> bool {
        let mut regions = endpoint.regions.iter().flatten();
        regions.any(|region| region.starts_with(prefix) || region == other)
    }
    check_conditions(&[
        ("providers=deepinfra", |catalog, model| {
            any(catalog, model, |one| {
                catalog.provider_of(one).slug.as_str() == "deepinfra"
            })
        }),
        ("zdr=true", |catalog, model| {
            any(catalog, model, |one| one.zero_data_retention)
        }),
        ("region=eu", |catalog, model| {
            any(catalog, model, |one| is_at(one, "eu", "swedencentral"))
        }),
        ("region=us", |catalog, model| {
            any(catalog, model, |one| is_at(one, "us", "us"))
        }),
        // Both of one and the same endpoint.
        ("zdr=true&region=eu", |catalog, model| {
            any(catalog, model, |one| {
                one.zero_data_retention && is_at(one, "eu", "swedencentral")
            })
        }),
    ])
    .await;
}

/// No shipped row states a permission, so one is given here.
#[tokio::test]
async fn only_models_with_a_permission_are_distillable() {
    let shipped = shipped();
    let mut rows = shipped.models.clone();
    rows[0].is_distillable = true;
    let catalog = Arc::new(Catalog::from_parts(
        shipped.providers.clone(),
        rows,
        shipped.endpoints.clone(),
        Vec::new(),
        "one".to_owned(),
        today(),
    ));
    let shelf = shelf_of(&catalog);
    let (_, permitted) = list(&shelf, "?output_modalities=all&distillable=true").await;
    assert_eq!(ids(&permitted), [catalog.models[0].id.as_str()]);
    let (_, others) = list(&shelf, "?output_modalities=all&distillable=false").await;
    assert!(!ids(&others).is_empty());
    assert!(!ids(&others).contains(&catalog.models[0].id.as_str()));
}

#[tokio::test]
async fn figures_that_nobody_knows_are_met_by_no_model() {
    let shelf = shelf_of(&shipped());
    for query in [
        "category=marketing/seo",
        "min_intelligence_index=0",
        "max_tool_success_rate=1.0",
    ] {
        let (status, kept) = list(&shelf, &format!("?{query}")).await;
        assert_eq!(
            (status, kept["total_count"].as_u64()),
            (200, Some(0)),
            "{query}"
        );
    }
}

#[tokio::test]
async fn orders_are_by_what_they_name() {
    let catalog = shipped();
    let shelf = shelf_of(&catalog);
    let (_, listed) = list(&shelf, "").await;
    let figure = |list: &Value, of: fn(&Catalog, &Model) -> i64| -> Vec<i64> {
        let models = ids(list)
            .into_iter()
            .map(|id| catalog.model(id).expect("a listed model"));
        models.map(|model| of(&catalog, model)).collect()
    };
    let (_, cheapest) = list(&shelf, "?sort=pricing-low-to-high").await;
    assert!(figure(&cheapest, price_sum).is_sorted());
    let (_, dearest) = list(&shelf, "?sort=pricing-high-to-low").await;
    assert!(figure(&dearest, price_sum).is_sorted_by(|a, b| a >= b));
    let (_, longest) = list(&shelf, "?sort=context-high-to-low").await;
    let context = |_: &Catalog, model: &Model| {
        model
            .context_length
            .map_or(-1, |length| i64::try_from(length).expect("a length"))
    };
    assert!(figure(&longest, context).is_sorted_by(|a, b| a >= b));
    for unknown in [
        "most-popular",
        "top-weekly",
        "latency-low-to-high",
        "newest",
    ] {
        let (status, sorted) = list(&shelf, &format!("?sort={unknown}")).await;
        assert_eq!(status, 200, "{unknown}");
        assert_eq!(ids(&sorted), ids(&listed), "{unknown}");
    }
}

#[tokio::test]
async fn wrong_values_are_told_with_the_right_ones() {
    let shelf = shelf_of(&shipped());
    for (query, says) in [
        ("sort=best", "pricing-low-to-high"),
        ("category=cooking", "programming"),
        ("region=mars", "eu, us"),
        ("zdr=yes", "true, false"),
        ("supported_parameters=tools,magic", "response_format"),
        ("output_modalities=smell", "embeddings"),
        ("input_modalities=text,smell", "image"),
        ("providers=nobody", "GET /providers"),
        ("context=many", "whole number"),
        ("max_price=cheap", "per million"),
        ("max_price=-", "per million"),
        ("min_coding_index=good", "number"),
        ("limit=0", "1 to 1000"),
        ("offset=-1", "whole number"),
        ("sort=newest&sort=newest", "once"),
    ] {
        let (status, answer) = list(&shelf, &format!("?{query}")).await;
        assert_eq!(
            (status, &answer["error"]["code"]),
            (400, &400.into()),
            "{query}"
        );
        let message = answer["error"]["message"].as_str().expect("text");
        assert!(message.contains(says), "{query}: {message}");
    }
}

#[tokio::test]
async fn unknown_and_blank_parameters_say_nothing() {
    let shelf = shelf_of(&shipped());
    let (_, plain) = list(&shelf, "").await;
    for query in ["?beta=true", "?q=&zdr=&sort=", "?use_rss=true&category="] {
        let (status, answer) = list(&shelf, query).await;
        assert_eq!(status, 200, "{query}");
        assert_eq!(ids(&answer), ids(&plain), "{query}");
    }
}

#[tokio::test]
async fn pages_add_up_to_the_list() {
    let shelf = shelf_of(&shipped());
    let (_, whole) = list(&shelf, "?q=a").await;
    let mut gathered: Vec<String> = Vec::new();
    let mut next = Some("?q=a&limit=50".to_owned());
    while let Some(query) = next {
        let (status, page) = list(&shelf, &query).await;
        assert_eq!(status, 200, "{query}");
        assert_eq!(page["total_count"], whole["total_count"], "{query}");
        gathered.extend(ids(&page).into_iter().map(str::to_owned));
        next = page["links"]["next"].as_str().map(|link| {
            link.strip_prefix("/api/v1/models")
                .expect("a path of this API")
                .to_owned()
        });
    }
    assert_eq!(gathered, ids(&whole));
    let (status, beyond) = list(&shelf, "?offset=100000").await;
    assert_eq!((status, ids(&beyond).len()), (200, 0));
}
