//! Rules in a few words.

use switchyard_app::policies::{Rules, UnsupportedFeatures};

/// What is ruled: of what, and how.
pub(super) fn told(rules: &Rules) -> Vec<(&'static str, String)> {
    let may = |allowed: Option<bool>| {
        let allowed = allowed?;
        Some(if allowed { "Allowed" } else { "Not allowed" }.to_owned())
    };
    let list = |names: &[String]| (!names.is_empty()).then(|| names.join(", "));
    let only = |names: &Option<Vec<String>>| {
        let names = names.as_ref()?;
        Some(if names.is_empty() {
            "None".to_owned()
        } else {
            names.join(", ")
        })
    };
    let zdr = super::form::ZDR_GROUPS
        .iter()
        .filter(|(group, ..)| super::form::group(&rules.zdr, group))
        .map(|(_, name, _)| *name);
    let zdr: Vec<&str> = zdr.collect();
    [
        (
            "Zero data retention",
            (!zdr.is_empty()).then(|| zdr.join(", ")),
        ),
        ("Training by paid endpoints", may(rules.allow_paid_training)),
        ("Training by free endpoints", may(rules.allow_free_training)),
        (
            "Publication by free endpoints",
            may(rules.allow_free_publication),
        ),
        ("Only these providers", only(&rules.allowed_providers)),
        ("Never these providers", list(&rules.ignored_providers)),
        ("Only these models", only(&rules.allowed_models)),
        ("Never these models", list(&rules.ignored_models)),
        ("Only in these regions", only(&rules.allowed_data_regions)),
        (
            "Statements of zero data retention",
            rules
                .trust_declared_zdr
                .map(|trusted| if trusted { "Trusted" } else { "Not trusted" }.to_owned()),
        ),
        (
            "Default order",
            rules
                .default_sort
                .map(|sort| super::form::sort_name(sort).to_owned()),
        ),
        (
            "Features that an endpoint lacks",
            rules.unsupported_features.map(|rule| {
                match rule {
                    UnsupportedFeatures::Refuse => "The endpoint is not used",
                    UnsupportedFeatures::Drop => "Left out where nothing supports them",
                }
                .to_owned()
            }),
        ),
        (
            "Signed receipts",
            rules
                .signed_receipts
                .map(|wanted| if wanted { "Made" } else { "Not made" }.to_owned()),
        ),
    ]
    .into_iter()
    .filter_map(|(what, value)| Some((what, value?)))
    .collect()
}
