//! Where a request comes from and where it is served.

use super::{Objection, Question};
use crate::{
    record::{Figures, Scope},
    slug::in_words,
};

/// Providers and authors that are not offered in the country a request comes from. A country that
/// nobody states binds nobody.
pub(super) fn geo(question: &Question<'_>) -> Option<Objection> {
    let country = question.asked.country?;
    let blocks = |blocked: &[String]| {
        let code = blocked
            .iter()
            .find(|code| code.eq_ignore_ascii_case(country))?;
        <[u8; 2]>::try_from(code.as_bytes()).ok()
    };
    let figures = blocks(&question.provider.blocked_countries)
        .map(Figures::ProviderCountry)
        .or_else(|| blocks(&question.asked.model.blocked_countries).map(Figures::ModelCountry))?;
    Some(Objection::new(Scope::Catalog, "country", figures))
}

/// Every region that the endpoint may serve in must be allowed by every scope that names regions.
/// Where nobody knows the region, none is.
pub(super) fn data_region(question: &Question<'_>) -> Option<Objection> {
    const FIELD: &str = "allowed_data_regions";
    let regions = question.endpoint.regions.as_deref().unwrap_or_default();
    let is_allowed = |allowed: &[String]| {
        let covers = |region: &String| allowed.iter().any(|name| region_includes(name, region));
        !regions.is_empty() && regions.iter().all(covers)
    };
    let layer = question.asked.policy.first(|rules| {
        let allowed = rules.allowed_data_regions.as_deref();
        allowed.is_some_and(|allowed| !is_allowed(allowed))
    })?;
    let allowed = layer
        .rules
        .allowed_data_regions
        .as_deref()
        .unwrap_or_default();
    let scope = layer.scope;
    let served = match regions {
        [] => "",
        [one] => one,
        _ => question.endpoint.tag.as_str(),
    };
    let detail = question
        .notes
        .wording
        .of(scope, FIELD, allowed, served, || {
            let whose = scope.as_str();
            let allowed = in_words(allowed);
            if regions.is_empty() {
                format!("where it serves is not known, and the {whose} allows {allowed}")
            } else {
                format!(
                    "it serves in {}, and the {whose} allows {allowed}",
                    in_words(regions)
                )
            }
        });
    Some(Objection::new(scope, FIELD, detail))
}

/// The clouds' own regions in the European Union. Their names do not tell: `eu-west-2` is London,
/// `eu-central-2` Zurich.
const EU: &[&str] = &[
    "eu-central-1",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-3",
    "europe-central2",
    "europe-north1",
    "europe-north2",
    "europe-southwest1",
    "europe-west1",
    "europe-west10",
    "europe-west12",
    "europe-west3",
    "europe-west4",
    "europe-west8",
    "europe-west9",
    "francecentral",
    "germanywestcentral",
    "italynorth",
    "northeurope",
    "polandcentral",
    "spaincentral",
    "swedencentral",
    "westeurope",
    "austriaeast",
];

/// Azure's regions in the United States; those of other clouds begin with `us-`.
const US: &[&str] = &[
    "centralus",
    "eastus",
    "eastus2",
    "northcentralus",
    "southcentralus",
    "westcentralus",
    "westus",
    "westus2",
    "westus3",
];

/// Whether the allowed region is `region` or includes it, as `eu` includes `eu-west-1`.
pub fn region_includes(allowed: &str, region: &str) -> bool {
    let is_one_of = |names: &[&str]| names.iter().any(|name| name.eq_ignore_ascii_case(region));
    let begins_with_us = region
        .get(..3)
        .is_some_and(|start| start.eq_ignore_ascii_case("us-"));
    allowed.eq_ignore_ascii_case(region)
        || (allowed.eq_ignore_ascii_case("eu") && is_one_of(EU))
        || (allowed.eq_ignore_ascii_case("us") && (begins_with_us || is_one_of(US)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_regions_include_what_is_known_to_lie_in_them() {
        for (allowed, region, is_included) in [
            ("eu", "eu", true),
            ("EU", "eu-west-1", true),
            ("eu", "swedencentral", true),
            ("eu", "eu-west-2", false),
            ("eu", "europe-west6", false),
            ("eu", "europe-west99", false),
            ("us", "us-east5", true),
            ("us", "westus3", true),
            ("us", "usnowhere", false),
            ("us", "global", false),
            ("global", "us", false),
            ("eu-west-1", "eu", false),
            ("eu-west-1", "EU-West-1", true),
        ] {
            assert_eq!(
                region_includes(allowed, region),
                is_included,
                "{allowed} {region}"
            );
        }
    }
}
