//! What rows get wrong about each other: the same name twice, or the name of something that is
//! not there.

use std::collections::{HashMap, HashSet};

use crate::{
    findings::{CatalogFile, Findings, Place, shorten},
    schema::{Row, Rows},
};

/// Notes every fault between rows.
pub(crate) fn check(rows: &Rows, findings: &Findings) {
    let providers = unique(
        CatalogFile::Providers,
        &rows.providers,
        findings,
        |provider| provider.slug.as_str(),
    );
    let models = unique(CatalogFile::Models, &rows.models, findings, |model| {
        model.id.as_str()
    });
    unique(
        CatalogFile::Endpoints,
        &rows.endpoints,
        findings,
        |endpoint| endpoint.id.as_str(),
    );
    unique(CatalogFile::Aliases, &rows.aliases, findings, |alias| {
        &alias.alias
    });
    check_endpoints(rows, &providers, &models, findings);
    check_models(rows, findings);
    check_aliases(rows, &models, findings);
}

/// The rows' names with the row each stands in; a name that stands in two rows is a fault.
fn unique<'r, T>(
    file: CatalogFile,
    rows: &'r [Row<T>],
    findings: &Findings,
    name: fn(&T) -> &str,
) -> HashMap<&'r str, usize> {
    let mut seen = HashMap::with_capacity(rows.len());
    for row in rows {
        let name = name(&row.value);
        let first = *seen.entry(name).or_insert(row.index);
        if first != row.index {
            findings.fault(
                Place::row(file, row.index, Some(name.to_owned())),
                format!("is named like {}[{first}]", file.rows_key()),
                "remove one of the two rows",
            );
        }
    }
    seen
}

fn check_endpoints(
    rows: &Rows,
    providers: &HashMap<&str, usize>,
    models: &HashMap<&str, usize>,
    findings: &Findings,
) {
    let free_models: HashSet<&str> = rows
        .models
        .iter()
        .filter(|row| row.value.free)
        .map(|row| row.value.id.as_str())
        .collect();
    for row in &rows.endpoints {
        let endpoint = &row.value;
        let place = Place::row(
            CatalogFile::Endpoints,
            row.index,
            Some(endpoint.id.as_str().to_owned()),
        );
        let (model, provider) = (endpoint.model.as_str(), endpoint.provider.as_str());
        if !providers.contains_key(provider) {
            findings.fault(
                place.clone().field("provider"),
                format!("there is no provider `{}`", shorten(provider)),
                "add it to providers.json, or correct the slug",
            );
        }
        if !models.contains_key(model) {
            findings.fault(
                place.field("model_id"),
                format!("there is no model `{}`", shorten(model)),
                "add it to models.json, or correct the id",
            );
        } else if endpoint.free != free_models.contains(model) {
            findings.fault(
                place.field("variant"),
                "and the model disagree on whether they are free",
                "put free endpoints on a model whose id ends in `:free`, and no others",
            );
        }
    }
}

fn check_models(rows: &Rows, findings: &Findings) {
    let served: HashSet<&str> = rows
        .endpoints
        .iter()
        .map(|row| row.value.model.as_str())
        .collect();
    for row in &rows.models {
        let id = row.value.id.as_str();
        if !served.contains(id) {
            findings.remark(
                Place::row(CatalogFile::Models, row.index, Some(id.to_owned())),
                "has no endpoint",
                "add one to endpoints.json, or remove the model",
            );
        }
    }
}

fn check_aliases(rows: &Rows, models: &HashMap<&str, usize>, findings: &Findings) {
    for row in &rows.aliases {
        let (alias, target) = (row.value.alias.as_str(), row.value.model.as_str());
        let place = Place::row(CatalogFile::Aliases, row.index, Some(alias.to_owned()));
        if models.contains_key(alias) {
            findings.fault(
                place.clone(),
                "is the id of a model",
                "choose a name that no model has",
            );
        }
        if !models.contains_key(target) {
            findings.fault(
                place.field("model_id"),
                format!("there is no model `{}`", shorten(target)),
                "point it at a model of models.json",
            );
        }
    }
}
