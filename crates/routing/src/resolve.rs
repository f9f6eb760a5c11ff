//! From model names as written to models of the catalogue.

mod family;
mod router;
mod similar;

use switchyard_catalog::snapshot::{Catalog, Model};
use switchyard_domain::{clock::Timestamp, endpoint::ServiceTier};
use switchyard_interchange::{needs::Needs, preferences::SortKey};

use self::router::Router;
use crate::{
    record::Route,
    select::{NoCandidates, Situation, TryWhen},
};

/// A model to try, and what its written form asks of the order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chosen<'a> {
    pub(crate) model: &'a Model,
    pub(crate) shortcut: Option<Shortcut>,
    /// What must have happened before it is tried.
    pub(crate) when: TryWhen,
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

/// The models a request may be served by, in the order they may be tried, each once; those that
/// wait for a certain failure come last.
#[derive(Debug)]
pub(crate) struct Resolved<'a> {
    /// At least one, and the first waits for nothing.
    pub(crate) models: Vec<Chosen<'a>>,
    pub(crate) route: Route,
}

/// Looks every name up; one that names nothing is the caller's error, wherever it stands.
pub(crate) fn resolve<'a>(
    needs: &'a Needs,
    situation: &'a Situation<'a>,
) -> Result<Resolved<'a>, NoCandidates> {
    let mut models: Vec<Chosen<'a>> = Vec::with_capacity(needs.models.len());
    let lists = [
        (&needs.models, TryWhen::Always),
        (&needs.context_window_fallbacks, TryWhen::AfterContextLength),
        (&needs.content_policy_fallbacks, TryWhen::AfterContentPolicy),
    ];
    for (written, when) in lists {
        for written in written {
            resolve_one(written, needs, situation, |model, shortcut| {
                let covers = |earlier: &Chosen<'_>| {
                    earlier.model.id == model.id
                        && (earlier.when == when || earlier.when == TryWhen::Always)
                };
                if !models.iter().any(covers) {
                    models.push(Chosen {
                        model,
                        shortcut,
                        when,
                    });
                }
            })?;
        }
    }
    if needs.models.is_empty() {
        return Err(NoCandidates::UnknownModel {
            model: String::new(),
            similar: Vec::new(),
        });
    }
    let route = route(&needs.models);
    Ok(Resolved { models, route })
}

fn route(models: &[String]) -> Route {
    let [only] = models else {
        return Route::Fallback;
    };
    match Router::named(base_of(only)) {
        Some(Router::Auto) => Route::Auto,
        Some(Router::Free) => Route::Free,
        None if only.starts_with('~') && only.contains("-latest") => Route::Latest,
        None if only.starts_with('~') => Route::Alias,
        None => Route::Direct,
    }
}

/// A name without its variants.
fn base_of(name: &str) -> &str {
    name.split_once(':').map_or(name, |(base, _)| base)
}

/// Adds the model that a name means, or those that a router model chooses.
fn resolve_one<'a>(
    written: &str,
    needs: &'a Needs,
    situation: &'a Situation<'a>,
    mut add: impl FnMut(&'a Model, Option<Shortcut>),
) -> Result<(), NoCandidates> {
    let catalog: &'a Catalog = situation.catalog;
    if let Some(model) = find(written, catalog, situation.now) {
        add(model, None);
        return Ok(());
    }
    let name = Name::parse(written);
    if let Some(router) = Router::named(name.base)
        && name.variants.is_empty()
    {
        let chosen = router.choose(needs, situation, name.shortcut)?;
        chosen
            .into_iter()
            .for_each(|model| add(model, name.shortcut));
        return Ok(());
    }
    add(name.model(written, situation)?, name.shortcut);
    Ok(())
}

/// A name taken apart. Variants may be stacked in any order: those that the catalogue keeps as
/// rows of their own (`:free`), and shortcuts.
struct Name<'a> {
    base: &'a str,
    /// Suffixes that are no shortcuts, in their order.
    variants: Vec<&'a str>,
    /// Where two contradict each other, the one written last.
    shortcut: Option<Shortcut>,
}

impl<'a> Name<'a> {
    fn parse(written: &'a str) -> Self {
        let mut parts = written.split(':');
        let mut name = Self {
            base: parts.next().unwrap_or_default(),
            variants: Vec::new(),
            shortcut: None,
        };
        for suffix in parts {
            match Shortcut::from_suffix(suffix) {
                Some(shortcut) => name.shortcut = Some(shortcut),
                None => name.variants.push(suffix),
            }
        }
        name
    }

    /// The row that the base and its variants name together.
    fn model<'c>(
        &self,
        written: &str,
        situation: &'c Situation<'c>,
    ) -> Result<&'c Model, NoCandidates> {
        let catalog: &'c Catalog = situation.catalog;
        let Some(base) = find(self.base, catalog, situation.now) else {
            return Err(NoCandidates::UnknownModel {
                model: written.to_owned(),
                similar: similar::similar(self.base, catalog),
            });
        };
        let mut model = base;
        for (at, variant) in self.variants.iter().enumerate() {
            let id = format!("{}:{}", base.id, self.variants[..=at].join(":"));
            model = match catalog.model(&id) {
                Some(row) => row,
                None if *variant == "online" => {
                    return Err(NoCandidates::WebSearchNotOffered {
                        model: model.id.to_string(),
                    });
                }
                None => {
                    return Err(NoCandidates::UnknownVariant {
                        model: model.id.to_string(),
                        variant: (*variant).to_owned(),
                    });
                }
            };
        }
        Ok(model)
    }
}

/// The model with this id, or the one that a moving name means now: what the catalogue says, or
/// else the newest of the family.
fn find<'a>(name: &str, catalog: &'a Catalog, now: Timestamp) -> Option<&'a Model> {
    if name.starts_with('~') {
        catalog
            .alias_target(name)
            .or_else(|| family::newest(name, catalog, now))
    } else {
        catalog.model(name)
    }
}
