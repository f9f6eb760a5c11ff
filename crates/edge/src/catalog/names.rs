//! From a name in a path to a model.

use axum::extract::{Path, rejection::PathRejection};
use switchyard_catalog::snapshot::{Catalog, Model};
use switchyard_interchange::reply::PublicFailure;

use crate::error;

/// Suffixes that are no rows of the catalogue but wishes to routing; the model is the same.
const SHORTCUTS: [&str; 2] = ["nitro", "floor"];

/// The two path segments of a model's name.
pub(super) type NamePath = Result<Path<(String, String)>, PathRejection>;

/// A model with how it was found.
pub(super) struct Named<'a> {
    pub(super) model: &'a Model,
    /// The name was a moving one.
    pub(super) by_alias: bool,
}

/// The name that a path holds.
pub(super) fn name_in(path: NamePath) -> Result<String, PublicFailure> {
    match path {
        Ok(Path((author, slug))) => Ok(format!("{author}/{slug}")),
        Err(_) => Err(error::not_found("This model")),
    }
}

/// The model with this name: an id, a dated slug, a moving name, with shortcuts behind it.
pub(super) fn find<'a>(catalog: &'a Catalog, name: &str) -> Result<Named<'a>, PublicFailure> {
    let mut bare = name;
    loop {
        if let Some(model) = catalog.model(bare) {
            return Ok(Named {
                model,
                by_alias: false,
            });
        }
        if let Some(model) = catalog.alias_target(bare) {
            return Ok(Named {
                model,
                by_alias: true,
            });
        }
        match bare.rsplit_once(':') {
            Some((base, suffix)) if SHORTCUTS.contains(&suffix) => bare = base,
            Some(_) | None => break,
        }
    }
    let dated = catalog
        .models
        .iter()
        .find(|model| !model.free && model.canonical_slug == bare);
    match dated {
        Some(model) => Ok(Named {
            model,
            by_alias: false,
        }),
        None => Err(error::not_found(&format!("Model `{}`", shown(name)))),
    }
}

/// A name fit for a message.
fn shown(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(100).collect()
}
