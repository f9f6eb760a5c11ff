//! The catalogue in use. It is replaced as a whole while requests go on with the snapshot they
//! hold; when new files do not hold together, the last good catalogue stays.

use std::{
    collections::HashMap,
    hash::Hash,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::ArcSwap;
use switchyard_domain::clock::Timestamp;

use crate::{
    findings::{CatalogFaults, Finding},
    load,
    snapshot::{Catalog, Endpoint},
};

/// Holds the current [`Catalog`] and replaces it from the folder it came from.
#[derive(Debug)]
pub struct CatalogCell {
    dir: PathBuf,
    current: ArcSwap<Catalog>,
    /// Held during a reload, so that of two at once the later does not lose to the earlier.
    reloading: Mutex<()>,
}

/// What a reload changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReloadReport {
    pub version_before: String,
    pub version_after: String,
    pub models: Changes,
    pub endpoints: Changes,
    /// Endpoints, there before and after, whose prices are different now.
    pub repriced_endpoints: usize,
    /// What the new files give cause to remark.
    pub remarks: Vec<Finding>,
}

/// How many rows came, went and are there now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changes {
    pub added: usize,
    pub removed: usize,
    pub total: usize,
}

impl CatalogCell {
    /// Loads the catalogue in a folder for the first time. Blocks on the file system.
    pub fn load(dir: &Path, now: Timestamp) -> Result<Self, CatalogFaults> {
        let catalog = load::load(dir, now)?;
        Ok(Self::new(dir, catalog))
    }

    /// Starts from a catalogue that is loaded already; reloads read `dir`.
    pub fn new(dir: &Path, catalog: Catalog) -> Self {
        Self {
            dir: dir.to_owned(),
            current: ArcSwap::from_pointee(catalog),
            reloading: Mutex::new(()),
        }
    }

    /// The catalogue as it is now. A caller keeps the snapshot for the whole of a request.
    pub fn current(&self) -> Arc<Catalog> {
        self.current.load_full()
    }

    /// Loads the folder again. On any fault the current catalogue stays as it is. Blocks on the
    /// file system: call it where blocking is allowed.
    pub fn reload(&self, now: Timestamp) -> Result<ReloadReport, CatalogFaults> {
        let _turn = self
            .reloading
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let before = self.current();
        let after = Arc::new(load::load(&self.dir, now)?);
        let report = ReloadReport::between(&before, &after);
        if report.is_change() {
            self.current.store(after);
        }
        Ok(report)
    }
}

impl ReloadReport {
    /// Whether the files differ from those in use before.
    pub fn is_change(&self) -> bool {
        self.version_before != self.version_after
    }

    fn between(before: &Catalog, after: &Catalog) -> Self {
        let endpoints_before = endpoints_by_id(before);
        let endpoints_after = endpoints_by_id(after);
        let repriced = endpoints_after.iter().filter(|(id, after)| {
            endpoints_before
                .get(*id)
                .is_some_and(|before| before.price_snapshot_id != after.price_snapshot_id)
        });
        Self {
            version_before: before.version.clone(),
            version_after: after.version.clone(),
            models: Changes::between(&before.models_by_id, &after.models_by_id),
            repriced_endpoints: repriced.count(),
            endpoints: Changes::between(&endpoints_before, &endpoints_after),
            remarks: after.remarks.clone(),
        }
    }
}

impl Changes {
    fn between<K: Eq + Hash, V>(before: &HashMap<K, V>, after: &HashMap<K, V>) -> Self {
        let missing_in = |from: &HashMap<K, V>, here: &HashMap<K, V>| {
            here.keys().filter(|key| !from.contains_key(*key)).count()
        };
        Self {
            added: missing_in(before, after),
            removed: missing_in(after, before),
            total: after.len(),
        }
    }
}

fn endpoints_by_id(catalog: &Catalog) -> HashMap<&str, &Endpoint> {
    let endpoints = catalog.endpoints.iter();
    endpoints
        .map(|endpoint| (endpoint.id.as_str(), endpoint))
        .collect()
}
