//! Replacing the catalogue while it is in use.

use serde_json::json;
use switchyard_catalog::cell::{CatalogCell, Changes};

use crate::fixture::{Files, at, endpoint, noon, scratch, sound};

fn second() -> Files {
    let mut files = sound();
    files.endpoints[0]["pricing"]["prompt"] = json!("0.000003");
    let mut other = files.endpoints[0].clone();
    other["id"] = json!("zoo/owl|acme/turbo");
    other["tag"] = json!("acme/turbo");
    files.endpoints.as_array_mut().expect("a list").push(other);
    files
}

#[test]
fn new_files_replace_the_catalogue_and_held_snapshots_stay() {
    let dir = scratch("replace");
    sound().write(&dir);
    let cell = CatalogCell::load(&dir, noon()).expect("sound files");
    let held = cell.current();

    second().write(&dir);
    let later = at("2026-11-23T00:00:00Z");
    let report = cell.reload(later).expect("sound files");

    assert!(report.is_change());
    assert_eq!(report.version_before, held.version);
    assert_eq!(report.version_after, cell.current().version);
    let endpoints = Changes {
        added: 1,
        removed: 0,
        total: 2,
    };
    assert_eq!(report.endpoints, endpoints);
    assert_eq!(
        report.models,
        Changes {
            added: 0,
            removed: 0,
            total: 1
        }
    );
    assert_eq!(report.repriced_endpoints, 1);
    assert_eq!(cell.current().loaded_at, later);
    assert_eq!(held.endpoints.len(), 1);
    let price = |catalog| endpoint(catalog, "zoo/owl|acme").price_snapshot_id.clone();
    assert_ne!(price(&held), price(&cell.current()));

    sound().write(&dir);
    let report = cell.reload(later).expect("sound files");
    assert_eq!(
        report.endpoints,
        Changes {
            added: 0,
            removed: 1,
            total: 1
        }
    );
    assert_eq!(cell.current().version, held.version);
}

#[test]
fn faults_keep_the_last_good_catalogue() {
    let dir = scratch("keep");
    sound().write(&dir);
    let cell = CatalogCell::load(&dir, noon()).expect("sound files");
    let good = cell.current();

    let mut broken = second();
    broken.endpoints[1]["provider"] = json!("nobody");
    broken.endpoints[0]["pricing"]["prompt"] = json!("-1");
    broken.write(&dir);
    let faults = cell.reload(noon()).expect_err("two faults at least");
    assert!(faults.faults.len() >= 2, "{faults}");
    assert!(std::ptr::eq(&*good, &*cell.current()));

    std::fs::remove_file(dir.join("aliases.json")).expect("it was written");
    let faults = cell.reload(noon()).expect_err("a file is missing");
    assert!(
        faults.to_string().contains("aliases.json: cannot be read"),
        "{faults}"
    );
    assert!(std::ptr::eq(&*good, &*cell.current()));

    second().write(&dir);
    assert!(cell.reload(noon()).expect("sound again").is_change());
}

#[test]
fn the_same_files_change_nothing() {
    let dir = scratch("same");
    sound().write(&dir);
    let cell = CatalogCell::load(&dir, noon()).expect("sound files");
    let before = cell.current();
    let report = cell
        .reload(at("2027-01-01T00:00:00Z"))
        .expect("sound files");
    assert!(!report.is_change());
    assert!(std::ptr::eq(&*before, &*cell.current()));
}
