use switchyard_domain::model::{Modality, Parameter};

use super::wanted::{Facet, Sort, Wanted};

#[test]
fn a_wish_has_one_address_and_an_address_one_wish() {
    for (query, address) in [
        ("", "/models"),
        ("q=&context=&sort=newest&per=25&page=1", "/models"),
        ("q=gpt+oss", "/models?q=gpt+oss"),
        (
            "provider=b&provider=a&provider=b&zdr=1&q=x",
            "/models?q=x&zdr=1&provider=a&provider=b",
        ),
        (
            "param=tools&in=image&in=file&price=0.5&context=128000",
            "/models?in=image&in=file&context=128000&price=0.5&param=tools",
        ),
        (
            "sort=-price&per=50&page=3&hidden=1",
            "/models?sort=-price&per=50&hidden=1&page=3",
        ),
        // What cannot be meant is not asked for.
        (
            "in=smell&param=x&context=7&price=2&region=moon&per=7&page=-1&zdr=yes&own=2&other=1",
            "/models",
        ),
        ("q=%3Cscript%3E&page=x", "/models?q=%3Cscript%3E"),
    ] {
        let wanted = Wanted::parse(query);
        assert_eq!(wanted.address(), address, "{query}");
        let again = wanted.address();
        let query = again.split_once('?').map_or("", |(_, query)| query);
        assert_eq!(Wanted::parse(query), wanted, "{again}");
    }
}

#[test]
fn every_condition_can_be_added_and_dropped() {
    let all = "q=a&in=image&out=text&context=128000&price=1&param=tools&zdr=1&own=1&free=1\
               &region=eu&provider=acme&page=2&sort=name";
    let wanted = Wanted::parse(all);
    let facets = wanted.facets();
    assert_eq!(facets.len(), 11, "{facets:?}");
    for facet in facets {
        assert!(wanted.has(&facet), "{facet:?}");
        let without = wanted.without(&facet);
        assert!(!without.has(&facet), "{facet:?}");
        assert_eq!(without.facets().len(), 10, "{facet:?}");
        assert_eq!((without.page, without.sort), (0, Sort::Name));
    }
}

#[test]
fn one_of_several_stands_in_for_the_others_and_all_of_all_add_up() {
    let wanted = Wanted::parse("provider=a&in=image&param=tools&context=32000");
    let other = wanted.only(Facet::Provider("b".to_owned()));
    assert_eq!(other.providers, ["b"]);
    assert_eq!(
        wanted.only(Facet::Context(200_000)).context_min,
        Some(200_000)
    );
    let more = wanted.only(Facet::Input(Modality::File));
    assert!(more.inputs.contains(Modality::Image) && more.inputs.contains(Modality::File));
    let more = wanted.only(Facet::Parameter(Parameter::Seed));
    assert_eq!(more.parameters.iter().count(), 2);
}

/// The shipped catalogue, as offered to nobody in particular.
mod sifting {
    use std::{path::Path, sync::Arc};

    use switchyard_app::offer::Offer;
    use switchyard_catalog::{load::load, snapshot::Catalog};
    use switchyard_domain::clock::Timestamp;

    use super::super::{
        facets,
        shelf::ShelfCell,
        sift::Sieve,
        wanted::{Facet, Wanted},
    };

    const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

    fn catalog() -> Arc<Catalog> {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/catalog");
        Arc::new(load(&dir, NOW).expect("the shipped catalogue holds together"))
    }

    fn with_a_sieve(test: impl FnOnce(&Sieve<'_>)) {
        let catalog = catalog();
        let offer = Offer::to_nobody(Arc::clone(&catalog), NOW);
        let shelf = ShelfCell::default().of(&catalog, NOW);
        test(&Sieve::new(&shelf, &offer));
    }

    fn ids(sieve: &Sieve<'_>, query: &str) -> Vec<String> {
        let rows = sieve.sorted(&Wanted::parse(query)).into_iter();
        rows.map(|row| sieve.model(row).id.to_string()).collect()
    }

    #[test]
    fn the_number_beside_a_choice_is_how_many_rows_it_leaves() {
        with_a_sieve(|sieve| {
            for query in ["", "q=a&param=tools", "zdr=1&in=image", "hidden=1"] {
                let wanted = Wanted::parse(query);
                let mut choices = 0;
                for group in facets::groups(sieve, &wanted, true) {
                    for choice in group.seen.iter().chain(&group.more) {
                        let more = format!("{query}&{}={}", choice.name, choice.value);
                        assert_eq!(choice.count, ids(sieve, &more).len(), "{more}");
                        choices += 1;
                    }
                }
                assert!(choices > 20, "{choices} with {query}");
            }
        });
    }

    #[test]
    fn one_and_the_same_endpoint_meets_what_is_asked_of_endpoints() {
        with_a_sieve(|sieve| {
            let catalog = &sieve.offer.catalog;
            let asked = Wanted::parse("zdr=1&provider=azure&provider=groq");
            let rows = sieve.sorted(&asked);
            assert!(!rows.is_empty());
            for row in rows {
                let model = sieve.model(row);
                let mut endpoints = catalog.endpoints_of(model);
                assert!(
                    endpoints.any(|one| one.zero_data_retention
                        && ["azure", "groq"].contains(&catalog.provider_of(one).slug.as_str())),
                    "{}",
                    model.id
                );
            }
        });
    }

    #[test]
    fn orders_and_sides() {
        with_a_sieve(|sieve| {
            let (listed, hidden) = (ids(sieve, ""), ids(sieve, "hidden=1"));
            assert!(listed.len() > 100 && !hidden.is_empty());
            assert!(hidden.iter().all(|id| !listed.contains(id)));
            for id in &hidden {
                let model = sieve.offer.catalog.model(id).expect("listed");
                let why = sieve.offer.why_nothing(model);
                assert_eq!(why.is_none(), model.endpoints.is_empty(), "{id}");
            }
            let prices = |query: &str| -> Vec<i64> {
                let rows = sieve.sorted(&Wanted::parse(query)).into_iter();
                let prices = rows.filter_map(|row| sieve.shown(row, false)?.prices);
                prices.map(|(input, _)| input).collect()
            };
            assert!(prices("sort=price").is_sorted());
            assert!(prices("sort=-price").is_sorted_by(|a, b| a >= b));
            assert!(prices("price=0.5").iter().all(|price| *price <= 500_000));
            assert!(ids(sieve, "q=no+such+thing+anywhere").is_empty());
            let words = ids(sieve, "q=CLAUDE+anthropic");
            assert!(!words.is_empty() && words.iter().all(|id| id.contains("claude")));
        });
    }

    #[test]
    fn dropping_what_is_in_the_way_shows_something() {
        with_a_sieve(|sieve| {
            let wanted = Wanted::parse("q=claude&provider=groq");
            assert_eq!(sieve.count(&wanted), 0);
            assert!(sieve.count(&wanted.without(&Facet::Search)) > 0);
        });
    }
}
