//! A file is one idea, and one idea fits in 500 lines.

use crate::{
    finding::Finding,
    tree::{Tree, extension},
};

const LINES_MAX: usize = 500;
const WRITTEN_BY_HAND: [&str; 11] = [
    "css", "html", "js", "lua", "mjs", "py", "rs", "sh", "sql", "toml", "ts",
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.texts()
        .filter(|(path, _)| WRITTEN_BY_HAND.contains(&extension(path)))
        .filter(|(_, text)| text.lines().count() > LINES_MAX)
        .map(|(path, text)| {
            let says = format!(
                "{} lines; split it, at most {LINES_MAX}",
                text.lines().count()
            );
            Finding::about(path, "size", says)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_500() {
        for (path, lines, is_fine) in [
            ("a.rs", 500, true),
            ("a.rs", 501, false),
            ("a.css", 501, false),
            ("fixture.json", 501, true),
        ] {
            let text = "x\n".repeat(lines);
            let found = check(&Tree::of([(path, text.as_str())]));
            assert_eq!(found.is_empty(), is_fine, "{path} {lines}");
        }
    }
}
