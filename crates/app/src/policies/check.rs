//! Reading rules that a person wrote, and saying where they went wrong.

use serde_json::Value;
use switchyard_catalog::snapshot::Catalog;
use switchyard_routing::{policy::Rules, record::Scope};

/// Rules that can be set, and what is odd about them.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedRules {
    pub rules: Rules,
    /// What its writer should look at: names that the catalogue does not have may be misspelt, or not
    /// there yet.
    pub warnings: Vec<String>,
}

/// Why a text is no rules.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct RulesFault {
    /// What is wrong, and where.
    pub problem: String,
}

/// Reads rules. What this version does not know is a fault: it may be a restriction. So is a list in
/// place of an object, which would pass for one whose members are all left out.
pub fn read_rules(text: &str) -> Result<Rules, RulesFault> {
    let fault = |problem: String| RulesFault { problem };
    let rules: Rules = serde_json::from_str(text).map_err(|error| fault(error.to_string()))?;
    let document: Value = serde_json::from_str(text).map_err(|error| fault(error.to_string()))?;
    let Value::Object(members) = document else {
        return Err(fault(
            "rules are an object, such as {\"zdr\": {\"other\": true}}".to_owned(),
        ));
    };
    if members.get("zdr").is_some_and(|zdr| !zdr.is_object()) {
        return Err(fault(
            "`zdr` is an object, such as {\"other\": true}".to_owned(),
        ));
    }
    Ok(rules)
}

/// Reads rules for a scope and looks at their names.
pub fn check_rules(
    text: &str,
    scope: Scope,
    catalog: &Catalog,
) -> Result<CheckedRules, RulesFault> {
    let rules = read_rules(text)?;
    let mut warnings = Vec::new();
    let allowed = rules.allowed_providers.as_deref().unwrap_or_default();
    for (field, names) in [
        ("allowed_providers", allowed),
        ("ignored_providers", &rules.ignored_providers),
    ] {
        warn_of(
            field,
            names,
            |name| has_provider(catalog, name),
            "provider",
            &mut warnings,
        );
    }
    let allowed = rules.allowed_models.as_deref().unwrap_or_default();
    for (field, names) in [
        ("allowed_models", allowed),
        ("ignored_models", &rules.ignored_models),
    ] {
        warn_of(
            field,
            names,
            |name| has_model(catalog, name),
            "model",
            &mut warnings,
        );
    }
    let regions = rules.allowed_data_regions.as_deref().unwrap_or_default();
    warn_of(
        "allowed_data_regions",
        regions,
        |name| has_region(catalog, name),
        "endpoint in a region",
        &mut warnings,
    );
    for (field, list) in [
        ("allowed_providers", &rules.allowed_providers),
        ("allowed_models", &rules.allowed_models),
        ("allowed_data_regions", &rules.allowed_data_regions),
    ] {
        if list.as_ref().is_some_and(Vec::is_empty) {
            warnings.push(format!("`{field}` is empty, so nothing at all is allowed"));
        }
    }
    if rules.trust_declared_zdr.is_some() && scope != Scope::Account {
        warnings.push("`trust_declared_zdr` is heard in the account's policy only".to_owned());
    }
    Ok(CheckedRules { rules, warnings })
}

fn warn_of(
    field: &str,
    names: &[String],
    is_known: impl Fn(&str) -> bool,
    what: &str,
    warnings: &mut Vec<String>,
) {
    for (index, name) in names.iter().enumerate() {
        if !is_known(name) {
            warnings.push(format!(
                "`{field}[{index}]`: the catalogue has no {what} `{name}`"
            ));
        }
    }
}

fn has_provider(catalog: &Catalog, name: &str) -> bool {
    let is = |other: &str| other.eq_ignore_ascii_case(name);
    catalog
        .providers
        .iter()
        .any(|provider| is(provider.slug.as_str()) || is(&provider.name))
        || catalog.endpoints.iter().any(|endpoint| is(&endpoint.tag))
}

fn has_model(catalog: &Catalog, name: &str) -> bool {
    match name.strip_suffix("/*") {
        Some(author) => catalog.models.iter().any(|model| {
            model
                .id
                .as_str()
                .split_once('/')
                .is_some_and(|(a, _)| a == author)
        }),
        None => catalog.model(name).is_some(),
    }
}

fn has_region(catalog: &Catalog, name: &str) -> bool {
    catalog
        .endpoints
        .iter()
        .flat_map(|endpoint| endpoint.regions.iter().flatten())
        .any(|region| region.eq_ignore_ascii_case(name))
}
