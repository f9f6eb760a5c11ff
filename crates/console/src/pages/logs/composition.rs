//! A bar that shows what a prompt and its answer are made up of.

use std::fmt::Write as _;

use crate::ui::{Markup, count, escaped};

/// A bar cut into parts, in place of a figure: how a prompt and its answer are made up.
pub(crate) fn composition(parts: &[(&str, usize, u64)]) -> Markup {
    let total: u64 = parts.iter().map(|(_, _, count)| count).sum();
    let words = parts.iter().filter(|(_, _, count)| *count > 0);
    let words: Vec<_> = words
        .map(|(name, _, size)| format!("{name} {}", count(*size)))
        .collect();
    let words = match words.as_slice() {
        [] => "no tokens".to_owned(),
        words => escaped(&words.join(", ")),
    };
    let mut svg = format!(
        r#"<svg class="composition" viewBox="0 0 100 8" preserveAspectRatio="none" role="img" aria-label="{words}"><title>{words}</title>"#
    );
    let (mut before, mut x) = (0_u64, 0);
    for (_, colour, count) in parts {
        before += count;
        let end = u128::from(before) * 100 / u128::from(total.max(1));
        let end = u64::try_from(end).unwrap_or(100);
        if end > x {
            let _ = write!(
                svg,
                r#"<rect class="s{colour}" x="{x}" y="0" width="{width}" height="8"/>"#,
                width = end - x
            );
            x = end;
        }
    }
    svg.push_str("</svg>");
    Markup::trusted(svg)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_bar_fill_it() {
        let bar = composition(&[("fresh", 1, 1), ("read", 2, 97), ("out", 4, 2)]).to_string();
        assert!(bar.contains(r#"<rect class="s2" x="1" y="0" width="97" height="8"/>"#));
        assert!(bar.contains(r#"<rect class="s4" x="98" y="0" width="2" height="8"/>"#));
        assert!(bar.contains("fresh 1, read 97, out 2"));
    }
}
