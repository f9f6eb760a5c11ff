//! From model names as written to models of the catalogue.

mod similar;

use switchyard_catalog::snapshot::{Catalog, Model};
use switchyard_domain::endpoint::ServiceTier;
use switchyard_interchange::{needs::Needs, preferences::SortKey};

use crate::{record::Route, select::NoCandidates};

/// A model to try, and what its written form asks of the order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chosen<'a> {
    pub(crate) model: &'a Model,
    pub(crate) shortcut: Option<Shortcut>,
}

/// A variant suffix that is short for a routing preference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shortcut {
    /// `:nitro`: by throughput, priority tier admitted.
    Nitro,
    /// `:floor`: by price, flex tier admitted.
    Floor,
    /// `:exacto`: by how well tools are called.
    Exacto,
}

impl Shortcut {
    fn from_suffix(suffix: &str) -> Option<Self> {
        match suffix {
            "nitro" => Some(Self::Nitro),
            "floor" => Some(Self::Floor),
            "exacto" => Some(Self::Exacto),
            _ => None,
        }
    }

    pub(crate) const fn sort(self) -> SortKey {
        match self {
            Self::Nitro => SortKey::Throughput,
            Self::Floor => SortKey::Price,
            Self::Exacto => SortKey::Exacto,
        }
    }

    /// The service tier it admits beside the ordinary one.
    pub(crate) const fn admits(self) -> Option<ServiceTier> {
        match self {
            Self::Nitro => Some(ServiceTier::Priority),
            Self::Floor => Some(ServiceTier::Flex),
            Self::Exacto => None,
        }
    }
}

/// The models a request may be served by, in the order they may be tried, each once.
#[derive(Debug)]
pub(crate) struct Resolved<'a> {
    /// At least one.
    pub(crate) models: Vec<Chosen<'a>>,
    pub(crate) route: Route,
}

/// Looks every name up; one that names nothing is the caller's error, wherever it stands.
pub(crate) fn resolve<'a>(
    needs: &Needs,
    catalog: &'a Catalog,
) -> Result<Resolved<'a>, NoCandidates> {
    let mut models: Vec<Chosen<'a>> = Vec::with_capacity(needs.models.len());
    for written in &needs.models {
        let chosen = resolve_one(written, catalog)?;
        if models
            .iter()
            .all(|earlier| earlier.model.id != chosen.model.id)
        {
            models.push(chosen);
        }
    }
    if models.is_empty() {
        return Err(NoCandidates::UnknownModel {
            model: String::new(),
            similar: Vec::new(),
        });
    }
    let route = match needs.models.as_slice() {
        [only] if only.starts_with('~') && only.contains("-latest") => Route::Latest,
        [only] if only.starts_with('~') => Route::Alias,
        [_] => Route::Direct,
        _ => Route::Fallback,
    };
    Ok(Resolved { models, route })
}

/// Variants that the catalogue keeps as rows (`:free`) are found as they are written; what is
/// left of a name after that are shortcuts, from the right. Where two contradict each other the
/// one written last decides.
fn resolve_one<'a>(written: &str, catalog: &'a Catalog) -> Result<Chosen<'a>, NoCandidates> {
    let mut name = written;
    let mut shortcut = None;
    loop {
        if let Some(model) = find(name, catalog) {
            return Ok(Chosen { model, shortcut });
        }
        let Some((base, suffix)) = name.rsplit_once(':') else {
            return Err(unknown_model(written, name, catalog));
        };
        let Some(found) = Shortcut::from_suffix(suffix) else {
            return Err(match find(base, catalog) {
                Some(model) => NoCandidates::UnknownVariant {
                    model: model.id.as_str().to_owned(),
                    variant: suffix.to_owned(),
                },
                None => unknown_model(written, base, catalog),
            });
        };
        shortcut = shortcut.or(Some(found));
        name = base;
    }
}

fn find<'a>(name: &str, catalog: &'a Catalog) -> Option<&'a Model> {
    if name.starts_with('~') {
        catalog.alias_target(name)
    } else {
        catalog.model(name)
    }
}

fn unknown_model(written: &str, bare: &str, catalog: &Catalog) -> NoCandidates {
    NoCandidates::UnknownModel {
        model: written.to_owned(),
        similar: similar::similar(bare, catalog),
    }
}
