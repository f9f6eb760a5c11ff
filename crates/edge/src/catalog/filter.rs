//! Which models of the list a query is about. All conditions must hold.

use switchyard_catalog::snapshot::{Catalog, Endpoint, Model};
use switchyard_domain::{
    clock::Timestamp,
    model::{Modalities, Modality, Parameter, Parameters},
    money::Price,
};
use switchyard_interchange::reply::PublicFailure;

use super::{
    query::{ModelsQuery, entries, flag, one_of, price_picos, unknown, whole_number},
    shelf::Row,
};
use crate::{error, limits::SEARCH_CHARS_MAX};

/// Use cases that clients may ask for.
const CATEGORIES: [&str; 12] = [
    "programming",
    "roleplay",
    "marketing",
    "marketing/seo",
    "technology",
    "science",
    "translation",
    "legal",
    "finance",
    "health",
    "trivia",
    "academia",
];

/// A region with data centres.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Region {
    Eu,
    Us,
}

/// Conditions on a listed model.
pub(super) struct ModelFilter {
    parameters: Parameters,
    /// `None`: whatever comes out.
    output: Option<Modalities>,
    input: Modalities,
    /// In lower case.
    search: Option<String>,
    context_min: Option<u64>,
    prompt_picos: Bounds<i128>,
    completion_picos: Bounds<i128>,
    family: Option<String>,
    authors: Vec<String>,
    /// Indexes into the catalogue's providers.
    providers: Option<Vec<usize>>,
    distillable: Option<bool>,
    zero_data_retention: bool,
    region: Option<Region>,
    age_days: Bounds<u64>,
    /// Asks for a figure that no model has.
    is_about_unknown_figures: bool,
}

#[derive(Default)]
struct Bounds<T> {
    min: Option<T>,
    max: Option<T>,
}

impl<T: PartialOrd> Bounds<T> {
    fn parse<'a>(
        min: (&'a str, &'a Option<String>),
        max: (&'a str, &'a Option<String>),
        parse: impl Fn(&str, &str) -> Result<T, PublicFailure>,
    ) -> Result<Self, PublicFailure> {
        let one = |(name, text): (&str, &Option<String>)| {
            text.as_deref().map(|text| parse(name, text)).transpose()
        };
        Ok(Self {
            min: one(min)?,
            max: one(max)?,
        })
    }

    fn is_stated(&self) -> bool {
        self.min.is_some() || self.max.is_some()
    }

    fn admit(&self, value: &T) -> bool {
        self.min.as_ref().is_none_or(|min| value >= min)
            && self.max.as_ref().is_none_or(|max| value <= max)
    }
}

impl ModelFilter {
    pub(super) fn parse(query: &ModelsQuery, catalog: &Catalog) -> Result<Self, PublicFailure> {
        let optional_flag =
            |name, text: &Option<String>| text.as_deref().map(|text| flag(name, text)).transpose();
        Ok(Self {
            parameters: parameters(query.supported_parameters.as_deref())?,
            output: output_modalities(query.output_modalities.as_deref())?,
            input: modalities("input_modalities", query.input_modalities.as_deref())?,
            search: search(query.q.as_deref())?,
            context_min: query
                .context
                .as_deref()
                .map(|text| whole_number("context", text))
                .transpose()?,
            prompt_picos: Bounds::parse(
                ("min_price", &query.min_price),
                ("max_price", &query.max_price),
                price_picos,
            )?,
            completion_picos: Bounds::parse(
                ("min_output_price", &query.min_output_price),
                ("max_output_price", &query.max_output_price),
                price_picos,
            )?,
            family: query.arch.as_deref().map(|text| text.trim().to_lowercase()),
            authors: query
                .model_authors
                .as_deref()
                .map(|text| entries(text).map(str::to_lowercase).collect())
                .unwrap_or_default(),
            providers: query
                .providers
                .as_deref()
                .map(|text| providers(text, catalog))
                .transpose()?,
            distillable: optional_flag("distillable", &query.distillable)?,
            zero_data_retention: optional_flag("zdr", &query.zdr)?.unwrap_or(false),
            region: query
                .region
                .as_deref()
                .map(|text| one_of("region", text, &[("eu", Region::Eu), ("us", Region::Us)]))
                .transpose()?,
            age_days: Bounds::parse(
                ("min_age_days", &query.min_age_days),
                ("max_age_days", &query.max_age_days),
                whole_number,
            )?,
            is_about_unknown_figures: asks_for_unknown_figures(query)?,
        })
    }

    /// Whether a listed model is meant.
    pub(super) fn admits(&self, catalog: &Catalog, row: &Row, now: Timestamp) -> bool {
        let model = &catalog.models[row.model];
        !self.is_about_unknown_figures
            && self.admits_abilities(model)
            && self.admits_identity(model, now)
            && self.admits_price(&catalog.endpoints[row.endpoint])
            && self.admits_endpoints(catalog, model)
    }

    fn admits_abilities(&self, model: &Model) -> bool {
        model.supported_parameters.contains_all(self.parameters)
            && self
                .output
                .is_none_or(|wanted| !model.output_modalities.intersection(wanted).is_empty())
            && model.input_modalities.contains_all(self.input)
            && self
                .context_min
                .is_none_or(|min| model.context_length >= Some(min))
            && self
                .distillable
                .is_none_or(|wanted| model.is_distillable == wanted)
    }

    fn admits_identity(&self, model: &Model, now: Timestamp) -> bool {
        let family = self.family.as_deref().is_none_or(|family| {
            model
                .tokenizer
                .as_deref()
                .is_some_and(|own| own.to_lowercase() == family)
        });
        family
            && (self.authors.is_empty() || self.authors.contains(&model.author.to_lowercase()))
            && self.admits_age(model, now)
            && self
                .search
                .as_deref()
                .is_none_or(|search| mentions(model, search))
    }

    fn admits_age(&self, model: &Model, now: Timestamp) -> bool {
        if !self.age_days.is_stated() {
            return true;
        }
        let age =
            |created: i64| now.seconds().saturating_sub(created).max(0).unsigned_abs() / 86_400;
        model
            .created
            .is_some_and(|created| self.age_days.admit(&age(created)))
    }

    fn admits_price(&self, shown: &Endpoint) -> bool {
        let base = shown
            .prices
            .as_ref()
            .map(|list| list.base)
            .unwrap_or_default();
        let admits = |bounds: &Bounds<i128>, price: Option<Price>| {
            !bounds.is_stated()
                || price.is_some_and(|price| bounds.admit(&i128::from(price.picos())))
        };
        admits(&self.prompt_picos, base.prompt) && admits(&self.completion_picos, base.completion)
    }

    /// Conditions that one and the same endpoint must meet.
    fn admits_endpoints(&self, catalog: &Catalog, model: &Model) -> bool {
        let is_about_endpoints =
            self.providers.is_some() || self.zero_data_retention || self.region.is_some();
        !is_about_endpoints
            || catalog.endpoints_of(model).any(|endpoint| {
                endpoint.prices.is_some()
                    && self
                        .providers
                        .as_ref()
                        .is_none_or(|some| some.contains(&endpoint.provider))
                    && (!self.zero_data_retention || endpoint.zero_data_retention)
                    && self.region.is_none_or(|region| region.holds(endpoint))
            })
    }
}

impl Region {
    /// Whether the endpoint is tied to the region. Provider regions are named in the clouds' own
    /// ways: `eu-west-1`, `europe-west4`, `us-central1`, `swedencentral`, `eastus2`.
    fn holds(self, endpoint: &Endpoint) -> bool {
        const EU_BY_COUNTRY: [&str; 8] = [
            "swedencentral",
            "francecentral",
            "germanywestcentral",
            "italynorth",
            "northeurope",
            "polandcentral",
            "spaincentral",
            "westeurope",
        ];
        let regions = endpoint.regions.iter().flatten();
        regions
            .map(|name| name.to_ascii_lowercase())
            .any(|name| match self {
                Self::Eu => {
                    name == "eu"
                        || name.starts_with("eu-")
                        || name.starts_with("europe-")
                        || EU_BY_COUNTRY.contains(&name.as_str())
                }
                Self::Us => {
                    name == "us"
                        || name.starts_with("us-")
                        || (name
                            .trim_end_matches(|c: char| c.is_ascii_digit())
                            .ends_with("us"))
                }
            })
    }
}

fn parameters(text: Option<&str>) -> Result<Parameters, PublicFailure> {
    entries(text.unwrap_or_default())
        .map(|name| {
            Parameter::from_name(name).ok_or_else(|| {
                let names: Vec<&str> = Parameter::ALL.iter().map(|one| one.as_str()).collect();
                unknown("supported_parameters", name, &names.join(", "))
            })
        })
        .collect()
}

fn output_modalities(text: Option<&str>) -> Result<Option<Modalities>, PublicFailure> {
    match text {
        None => Ok(Some(Modalities::EMPTY.with(Modality::Text))),
        Some(text) if entries(text).any(|entry| entry.eq_ignore_ascii_case("all")) => Ok(None),
        Some(text) => modalities("output_modalities", Some(text)).map(Some),
    }
}

fn modalities(parameter: &str, text: Option<&str>) -> Result<Modalities, PublicFailure> {
    entries(text.unwrap_or_default())
        .map(|name| {
            Modality::from_name(&name.to_ascii_lowercase()).ok_or_else(|| {
                let names: Vec<&str> = Modality::ALL.iter().map(|one| one.as_str()).collect();
                unknown(parameter, name, &names.join(", "))
            })
        })
        .collect()
}

fn search(text: Option<&str>) -> Result<Option<String>, PublicFailure> {
    match text {
        Some(text) if text.chars().count() > SEARCH_CHARS_MAX => {
            let problem = format!("is longer than {SEARCH_CHARS_MAX} characters");
            Err(error::bad_query("q", &problem))
        }
        text => Ok(text.map(|text| text.trim().to_lowercase())),
    }
}

fn mentions(model: &Model, search: &str) -> bool {
    [
        model.id.as_str(),
        &model.name,
        model.description.as_deref().unwrap_or_default(),
    ]
    .iter()
    .any(|text| text.to_lowercase().contains(search))
}

fn providers(text: &str, catalog: &Catalog) -> Result<Vec<usize>, PublicFailure> {
    entries(text)
        .map(|entry| {
            let is = |name: &str| name.eq_ignore_ascii_case(entry);
            catalog
                .providers
                .iter()
                .position(|provider| is(provider.slug.as_str()) || is(&provider.name))
                .ok_or_else(|| unknown("providers", entry, "those that GET /providers lists"))
        })
        .collect()
}

/// Categories and scores: checked, so that a slip is noticed, and met by no model.
fn asks_for_unknown_figures(query: &ModelsQuery) -> Result<bool, PublicFailure> {
    if let Some(category) = query.category.as_deref() {
        let allowed = CATEGORIES.map(|name| (name, ()));
        one_of("category", category, &allowed)?;
        return Ok(true);
    }
    let mut is_stated = false;
    for (name, bound) in query.score_bounds() {
        let Some(bound) = bound else { continue };
        let number: Result<f64, _> = bound.trim().parse();
        if !number.is_ok_and(f64::is_finite) {
            return Err(error::bad_query(name, "must be a number"));
        }
        is_stated = true;
    }
    Ok(is_stated)
}
