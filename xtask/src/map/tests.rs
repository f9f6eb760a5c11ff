use super::*;

const GOOD: [(&str, &str); 9] = [
    ("crates/edge/Cargo.toml", ""),
    ("crates/edge/src/routes.rs", ""),
    ("bench/Cargo.toml", ""),
    ("xtask/Cargo.toml", ""),
    (SETTINGS, "[server]\nlisten = \"\"\n"),
    (
        MAKEFILE,
        "help: ## List\nrun: ## Serve\n\tcargo run\ntest: ## Test\n\ttests/tools/all\n",
    ),
    (CHANGELOG, "# Changelog\n\n## Unreleased\n\n- It answers.\n"),
    (
        README,
        "# Switchyard\n`make run`, `make test`\nSee [the map](ARCHITECTURE.md). `server.listen`\n",
    ),
    (
        ARCHITECTURE,
        "`crates/edge` `bench` `xtask/`\n```\n`crates/gone`\n```\n`crates/edge/src/routes.rs`\n",
    ),
];

/// The findings when one file is replaced.
fn findings(path: &str, text: &str) -> Vec<String> {
    let others = GOOD.into_iter().filter(|(other, _)| *other != path);
    let tree = Tree::of(others.chain([(path, text)]));
    check(&tree)
        .into_iter()
        .map(|finding| finding.says)
        .collect()
}

#[test]
fn kept_promises_pass() {
    assert_eq!(findings("crates/edge/src/lib.rs", ""), Vec::<String>::new());
}

fn check_says(cases: &[(&str, &str, &str)]) {
    for (path, text, says) in cases {
        assert_eq!(findings(path, text), [*says], "{path}: {text}");
    }
}

#[test]
fn what_the_map_names_exists_and_what_exists_is_named() {
    let missing = |named: &str| format!("`crates/edge` `bench` `xtask`\n{named}\n");
    check_says(&[
        (
            "crates/attic/Cargo.toml",
            "",
            "does not name `crates/attic`",
        ),
        (
            ARCHITECTURE,
            "`crates/edge` `bench`",
            "does not name `xtask`",
        ),
        (
            ARCHITECTURE,
            &missing("`crates/cellar`"),
            "`crates/cellar` does not exist",
        ),
        (
            ARCHITECTURE,
            &missing("`crates/edge/src/route.rs`"),
            "`crates/edge/src/route.rs` does not exist",
        ),
        (
            ARCHITECTURE,
            &missing("`GUIDE.md`"),
            "`GUIDE.md` does not exist",
        ),
        (
            ARCHITECTURE,
            &missing("[a](doc/a.md)"),
            "`doc/a.md` does not exist",
        ),
        (
            "crates/edge/NOTES.md",
            "[a](../../../a.md)",
            "`../../../a.md` does not exist",
        ),
    ]);
}

#[test]
fn the_readme_starts_with_the_two_commands_and_names_what_exists() {
    let late = format!("`make test`{}`make run`", "\n".repeat(FIRST_SCREEN_LINES));
    check_says(&[
        (
            README,
            "`make run`",
            "`make test` must stand on the first screen",
        ),
        (README, &late, "`make run` must stand on the first screen"),
        (
            README,
            "`make run` `make test` `make cake`",
            "the Makefile has no target `cake`",
        ),
        (
            README,
            "`make run` `make test` `server.port`",
            "there is no setting `server.port`",
        ),
    ]);
}

#[test]
fn the_changelog_says_what_is_unreleased() {
    check_says(&[
        (
            CHANGELOG,
            "# Changelog\n\n## 0.1.0\n\n- x\n",
            "has no section `## Unreleased`",
        ),
        (
            CHANGELOG,
            "# Changelog\n\n## Unreleased\n\n## 0.1.0\n\n- x\n",
            "nothing is said under Unreleased",
        ),
    ]);
}

#[test]
fn targets_say_what_they_are_for() {
    check_says(&[(
        MAKEFILE,
        "run: ## Serve\ntest: ## Test\nfmt:\n\tcargo fmt\n",
        "`fmt` does not say what it is for: `fmt: ## …`",
    )]);
}

#[test]
fn ten_targets_are_enough() {
    let target = |letter: u8| format!("t{}: ## x\n", char::from(letter));
    let makefile: String = (b'a'..=b'i')
        .map(target)
        .chain(["run: ## x\ntest: ## x\n".to_owned()])
        .collect();
    assert_eq!(findings(MAKEFILE, &makefile), ["11 targets; at most 10"]);
}
