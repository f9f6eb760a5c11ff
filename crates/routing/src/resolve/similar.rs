//! "Did you mean": models whose names look like the one that was not found.

use switchyard_catalog::snapshot::Catalog;

/// How many suggestions a message has room for.
const SUGGESTIONS: usize = 3;
/// Names longer than any model's are not worth comparing.
const LONGEST_COMPARED: usize = 100;

/// Up to three ids or moving names that resemble `name`, best first.
pub(super) fn similar(name: &str, catalog: &Catalog) -> Vec<String> {
    if name.is_empty() || name.len() > LONGEST_COMPARED {
        return Vec::new();
    }
    let wanted = name.to_ascii_lowercase();
    let known = catalog
        .models
        .iter()
        .map(|model| model.id.as_str())
        .chain(catalog.aliases.iter().map(|alias| alias.alias.as_str()));
    let mut ranked: Vec<(usize, &str)> = known
        .filter_map(|known| Some((unlikeness(&wanted, &known.to_ascii_lowercase())?, known)))
        .collect();
    ranked.sort_unstable();
    ranked
        .into_iter()
        .take(SUGGESTIONS)
        .map(|(_, known)| known.to_owned())
        .collect()
}

/// How far apart two lower-case names are, or `None` when they have too little in common. People
/// forget or mistake the author as often as they misspell the model, so the part after the slash
/// is compared by itself too.
fn unlikeness(wanted: &str, known: &str) -> Option<usize> {
    let (wanted_slug, known_slug) = (after_slash(wanted), after_slash(known));
    if known_slug == wanted_slug {
        return Some(0);
    }
    let shorter = known_slug.len().min(wanted_slug.len());
    if shorter >= 3 && (known_slug.contains(wanted_slug) || wanted_slug.contains(known_slug)) {
        return Some(1 + known_slug.len().abs_diff(wanted_slug.len()) / 4);
    }
    let edits = edits(wanted_slug, known_slug);
    (edits * 3 <= wanted_slug.len().max(known_slug.len())).then_some(edits + 1)
}

fn after_slash(name: &str) -> &str {
    name.rsplit_once('/').map_or(name, |(_, slug)| slug)
}

/// Insertions, deletions and substitutions between two texts, by bytes.
fn edits(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, r) in right.bytes().enumerate() {
            let substitution = diagonal + usize::from(l != r);
            diagonal = row[j + 1];
            row[j + 1] = substitution.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_count_single_changes() {
        for (left, right, count) in [
            ("", "abc", 3),
            ("kitten", "sitting", 3),
            ("same", "same", 0),
        ] {
            assert_eq!(edits(left, right), count, "{left} {right}");
            assert_eq!(edits(right, left), count, "{right} {left}");
        }
    }
}
