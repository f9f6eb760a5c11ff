//! The documents keep their word: what they name exists, and what exists is named.

use crate::{
    finding::Finding,
    tree::{Tree, extension},
};

const ARCHITECTURE: &str = "ARCHITECTURE.md";
const README: &str = "README.md";
const CHANGELOG: &str = "CHANGELOG.md";
const MAKEFILE: &str = "Makefile";
const SETTINGS: &str = "crates/switchyard/config.default.toml";
const DOCUMENTS: [&str; 2] = [README, ARCHITECTURE];
const RULE: &str = "map";

/// What a reader sees of the README without scrolling.
const FIRST_SCREEN_LINES: usize = 40;
const TARGETS_MAX: usize = 10;

/// All promises of all documents.
pub fn check(tree: &Tree) -> Vec<Finding> {
    [
        crates_are_named,
        paths_exist,
        links_lead_somewhere,
        readme,
        changelog,
        makefile,
        settings,
    ]
    .iter()
    .flat_map(|check| check(tree))
    .collect()
}

fn crates_are_named(tree: &Tree) -> Vec<Finding> {
    let text = tree.text(ARCHITECTURE).unwrap_or_default();
    let named: Vec<&str> = quoted(text)
        .map(|(_, word)| word.trim_end_matches('/'))
        .collect();
    let folders = tree
        .crate_folders()
        .into_iter()
        .map(|name| format!("crates/{name}"));
    folders
        .chain(
            ["bench".to_owned(), "xtask".to_owned()]
                .into_iter()
                .filter(|path| tree.has(path)),
        )
        .filter(|folder| !named.contains(&folder.as_str()))
        .map(|folder| Finding::about(ARCHITECTURE, RULE, format!("does not name `{folder}`")))
        .collect()
}

/// Whatever a document writes as code and looks like a path of this tree.
fn paths_exist(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for document in DOCUMENTS {
        for (line, word) in quoted(tree.text(document).unwrap_or_default()) {
            if is_path(tree, word) && !tree.has(word) {
                findings.push(Finding::at(
                    document,
                    line,
                    RULE,
                    format!("`{word}` does not exist"),
                ));
            }
        }
    }
    findings
}

fn is_path(tree: &Tree, word: &str) -> bool {
    let is_plain = word
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
    let below_known = word
        .split_once('/')
        .is_some_and(|(top, _)| tree.has(top) && !top.is_empty());
    let is_file = matches!(
        extension(word),
        "md" | "rs" | "sh" | "sql" | "toml" | "yaml"
    );
    is_plain && (below_known || is_file)
}

fn links_lead_somewhere(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts().filter(|(path, _)| extension(path) == "md") {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for (at, _) in text.match_indices("](") {
            let target = text[at + 2..]
                .split([')', '#', ' '])
                .next()
                .unwrap_or_default();
            let is_ours = !target.is_empty() && !target.contains(':');
            if is_ours && resolve(folder, target).is_none_or(|resolved| !tree.has(&resolved)) {
                let line = 1 + text[..at].matches('\n').count();
                findings.push(Finding::at(
                    path,
                    line,
                    RULE,
                    format!("`{target}` does not exist"),
                ));
            }
        }
    }
    findings
}

fn resolve(folder: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

fn readme(tree: &Tree) -> Vec<Finding> {
    let text = tree.text(README).unwrap_or_default();
    let first: Vec<&str> = text.lines().take(FIRST_SCREEN_LINES).collect();
    let mut findings = Vec::new();
    for command in ["make run", "make test"] {
        if !first.iter().any(|line| line.contains(command)) {
            let says = format!("`{command}` must stand on the first screen");
            findings.push(Finding::about(README, RULE, says));
        }
    }
    let targets = targets(tree.text(MAKEFILE).unwrap_or_default());
    for document in DOCUMENTS {
        for (line, word) in quoted(tree.text(document).unwrap_or_default()) {
            let target = word
                .strip_prefix("make ")
                .and_then(|rest| rest.split(' ').next());
            if let Some(target) = target
                && !targets.iter().any(|(_, name, _)| *name == target)
            {
                let says = format!("the Makefile has no target `{target}`");
                findings.push(Finding::at(document, line, RULE, says));
            }
        }
    }
    findings
}

fn changelog(tree: &Tree) -> Vec<Finding> {
    let text = tree.text(CHANGELOG).unwrap_or_default();
    let unreleased = text
        .split("\n## ")
        .find(|section| section.starts_with("Unreleased"));
    match unreleased {
        Some(section) if section.contains("\n- ") => Vec::new(),
        Some(_) => vec![Finding::about(
            CHANGELOG,
            RULE,
            "nothing is said under Unreleased",
        )],
        None => vec![Finding::about(
            CHANGELOG,
            RULE,
            "has no section `## Unreleased`",
        )],
    }
}

fn makefile(tree: &Tree) -> Vec<Finding> {
    let targets = targets(tree.text(MAKEFILE).unwrap_or_default());
    let mut findings = Vec::new();
    if targets.len() > TARGETS_MAX {
        let says = format!("{} targets; at most {TARGETS_MAX}", targets.len());
        findings.push(Finding::about(MAKEFILE, RULE, says));
    }
    for (line, name, rest) in targets {
        if !rest.contains("## ") {
            let says = format!("`{name}` does not say what it is for: `{name}: ## …`");
            findings.push(Finding::at(MAKEFILE, line, RULE, says));
        }
    }
    findings
}

/// Line, name and what follows of each target.
fn targets(makefile: &str) -> Vec<(usize, &str, &str)> {
    let numbered = makefile.lines().enumerate();
    numbered
        .filter_map(|(index, line)| {
            let (name, rest) = line.split_once(':')?;
            let is_target = !name.is_empty()
                && name.chars().all(|c| c.is_ascii_lowercase() || c == '-')
                && !rest.starts_with('=');
            is_target.then_some((index + 1, name, rest))
        })
        .collect()
}

/// Settings that the README names are settings.
fn settings(tree: &Tree) -> Vec<Finding> {
    let Some(table) = tree
        .text(SETTINGS)
        .and_then(|text| toml::from_str::<toml::Table>(text).ok())
    else {
        return vec![Finding::about(SETTINGS, RULE, "cannot be read")];
    };
    quoted(tree.text(README).unwrap_or_default())
        .filter_map(|(line, word)| {
            let (section, name) = word.split_once('.')?;
            let section = table.get(section)?.as_table()?;
            (!section.contains_key(name))
                .then(|| Finding::at(README, line, RULE, format!("there is no setting `{word}`")))
        })
        .collect()
}

/// What stands between single backticks outside of fenced blocks, with its line.
fn quoted(markdown: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut is_fenced = false;
    markdown
        .lines()
        .enumerate()
        .filter(move |(_, line)| {
            let is_fence = line.trim_start().starts_with("```");
            is_fenced ^= is_fence;
            !is_fenced && !is_fence
        })
        .flat_map(|(index, line)| {
            line.split('`')
                .skip(1)
                .step_by(2)
                .map(move |word| (index + 1, word))
        })
}

#[cfg(test)]
mod tests;
