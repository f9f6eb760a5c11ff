//! The checks, on the real tree.

use std::path::Path;

use xtask::{
    finding::{Finding, report},
    layering, map, tidy,
    tree::Tree,
};

fn check(rule: fn(&Tree) -> Vec<Finding>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let tree = Tree::read(&root).expect("the repository can be read");
    assert!(
        tree.has("crates/domain/src/lib.rs"),
        "the tree is the repository"
    );
    let findings = rule(&tree);
    assert!(findings.is_empty(), "\n{}", report(findings));
}

#[test]
fn nobody_depends_through_a_wall() {
    check(layering::check);
}

#[test]
fn heavy_dependencies_have_one_home() {
    check(layering::outside_walls);
}

#[test]
fn pure_crates_are_pure() {
    check(layering::purity);
}

#[test]
fn files_are_tidy() {
    check(tidy::check);
}

#[test]
fn documents_keep_their_word() {
    check(map::check);
}
