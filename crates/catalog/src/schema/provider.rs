//! Rows of `providers.json`.

use switchyard_domain::provider::ProviderSlug;

use super::{blocked_countries, check_country, is_name, policy};
use crate::{
    address,
    reader::Reader,
    snapshot::{Family, Provider},
};

/// Wire formats that the data names and that cannot be spoken yet. Their endpoints are listed and
/// never called.
const FAMILIES_NOT_SPOKEN: [&str; 5] = ["cohere", "gemini", "oci", "voyage", "watsonx"];

pub(super) fn read(row: &Reader<'_>) -> Option<Provider> {
    let slug = row.required_text("slug")?;
    if !is_name(&slug, b".-_") {
        row.fault(
            "slug",
            "is not a slug",
            "use letters, digits, `.`, `-` and `_`",
        );
    }
    let family_name = row.text("api_family");
    let family = family_name.as_deref().and_then(|name| family(row, name));
    Some(Provider {
        name: row.text("name").unwrap_or_else(|| slug.clone()).into(),
        family,
        family_name,
        base_url: address::base_url(row),
        data_policy: policy::read(row).unwrap_or_default(),
        headquarters: row
            .text("headquarters")
            .inspect(|code| check_country(row, "headquarters", code)),
        datacenters: row.texts("datacenters").inspect(|codes| {
            for code in codes {
                check_country(row, "datacenters", code);
            }
        }),
        blocked_countries: blocked_countries(row),
        privacy_policy_url: address::link(row, "privacy_policy_url"),
        terms_of_service_url: address::link(row, "terms_of_service_url"),
        status_page_url: address::link(row, "status_page_url"),
        slug: ProviderSlug::new(slug),
    })
}

fn family(row: &Reader<'_>, name: &str) -> Option<Family> {
    match name {
        "openai" | "openai-compatible" => Some(Family::OpenAiCompatible),
        "anthropic" => Some(Family::Anthropic),
        "azure" => Some(Family::Azure),
        "bedrock" => Some(Family::Bedrock),
        "vertex" => Some(Family::Vertex),
        _ => {
            if !FAMILIES_NOT_SPOKEN.contains(&name) {
                let mut names = vec![
                    "openai",
                    "openai-compatible",
                    "anthropic",
                    "azure",
                    "bedrock",
                    "vertex",
                ];
                names.extend(FAMILIES_NOT_SPOKEN);
                row.unknown_name("api_family", name, &names);
            }
            None
        }
    }
}
