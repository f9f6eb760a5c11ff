//! Charts drawn as SVG on the server: stacked bars and lines over time, each with its table.

use std::fmt::Write as _;

use crate::ui::{Markup, escaped};

const WIDTH: u64 = 1_000;
const HEIGHT: u64 = 160;

/// How values are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One on top of the other; nothing is zero.
    Stacked,
    /// Each by itself; nothing is a gap.
    Lines,
}

/// One series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Series {
    pub(crate) name: String,
    /// From 1 to 8, or 0 for the rest.
    pub(crate) colour: usize,
    pub(crate) is_dashed: bool,
    /// Where its rows are.
    pub(crate) href: Option<String>,
    /// All of it, written out.
    pub(crate) total: String,
}

/// One piece of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) label: String,
    /// The same page, about this piece alone.
    pub(crate) href: String,
    /// In a unit of the chart's own, one of each series.
    pub(crate) values: Vec<Option<u64>>,
    /// Written out.
    pub(crate) texts: Vec<String>,
    /// All series together, written out.
    pub(crate) sum: String,
}

/// A chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chart {
    /// States the fact.
    pub(crate) title: String,
    /// What values are, for the head of the table.
    pub(crate) measure: String,
    pub(crate) kind: Kind,
    pub(crate) series: Vec<Series>,
    pub(crate) pieces: Vec<Piece>,
    /// The greatest value, written out.
    pub(crate) top: String,
}

impl Chart {
    /// What the scale ends at.
    pub(crate) fn greatest(kind: Kind, pieces: &[Piece]) -> u64 {
        let of = |piece: &Piece| {
            let values = piece.values.iter().flatten().copied();
            match kind {
                Kind::Stacked => values.fold(0, u64::saturating_add),
                Kind::Lines => values.max().unwrap_or(0),
            }
        };
        pieces.iter().map(of).max().unwrap_or(0)
    }

    /// Whether nothing is drawn.
    pub(crate) fn is_flat(&self) -> bool {
        Self::greatest(self.kind, &self.pieces) == 0
    }

    /// Whether a key to the series is needed.
    pub(crate) fn has_legend(&self) -> bool {
        self.series.len() > 1
    }

    /// The first and the last label, and some between.
    pub(crate) fn labels(&self) -> Vec<&str> {
        let last = self.pieces.len().saturating_sub(1);
        let mut places = vec![0, last / 4, last / 2, last * 3 / 4, last];
        places.dedup();
        let labels = places.iter().filter_map(|place| self.pieces.get(*place));
        labels.map(|piece| piece.label.as_str()).collect()
    }

    /// The picture. Each piece is a link, of which the first is in the order of focus; a script moves
    /// between them with the arrow keys.
    pub(crate) fn svg(&self) -> Markup {
        let mut svg = format!(
            r#"<svg class="chart-picture" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" role="group" aria-label="{}">"#,
            escaped(&self.title)
        );
        for quarter in 1..4 {
            let y = HEIGHT * quarter / 4;
            let _ = write!(
                svg,
                r#"<path class="grid" d="M0 {y}H{WIDTH}" vector-effect="non-scaling-stroke"/>"#
            );
        }
        let greatest = Self::greatest(self.kind, &self.pieces).max(1);
        if self.kind == Kind::Lines {
            self.draw_lines(greatest, &mut svg);
        }
        for (place, piece) in self.pieces.iter().enumerate() {
            self.draw_piece(place, piece, greatest, &mut svg);
        }
        svg.push_str("</svg>");
        Markup::trusted(svg)
    }

    fn draw_piece(&self, place: usize, piece: &Piece, greatest: u64, svg: &mut String) {
        let (left, right) = (self.x(place), self.x(place + 1));
        let told = piece.texts.iter().zip(&self.series);
        let mut words = format!("{}: {}", piece.label, piece.sum);
        if self.has_legend() {
            let told = told.filter(|(text, _)| !text.is_empty());
            for (text, series) in told {
                let _ = write!(words, ", {} {text}", series.name);
            }
        }
        let words = escaped(&words);
        let focus = if place == 0 { "0" } else { "-1" };
        let _ = write!(
            svg,
            r#"<a class="piece" href="{href}" tabindex="{focus}" data-piece="{place}" aria-label="{words}"><title>{words}</title><rect class="hit" x="{left}" y="0" width="{width}" height="{HEIGHT}"/>"#,
            href = escaped(&piece.href),
            width = right - left,
        );
        if self.kind == Kind::Stacked {
            let gap = u64::from(right - left > 4);
            let mut top = HEIGHT;
            for (value, series) in piece.values.iter().zip(&self.series) {
                let value = value.unwrap_or(0);
                if value == 0 {
                    continue;
                }
                // Whatever is there is seen.
                let height = scaled(value, greatest).max(1).min(top);
                top -= height;
                let _ = write!(
                    svg,
                    r#"<rect class="s{colour}" x="{left}" y="{top}" width="{width}" height="{height}"/>"#,
                    colour = series.colour,
                    width = right - left - gap,
                );
            }
        }
        svg.push_str("</a>");
    }

    fn draw_lines(&self, greatest: u64, svg: &mut String) {
        for (index, series) in self.series.iter().enumerate() {
            let mut path = String::new();
            let mut is_drawing = false;
            for (place, piece) in self.pieces.iter().enumerate() {
                let Some(value) = piece.values.get(index).copied().flatten() else {
                    is_drawing = false;
                    continue;
                };
                let x = u64::midpoint(self.x(place), self.x(place + 1));
                let y = HEIGHT - scaled(value, greatest);
                let step = if is_drawing { "L" } else { "M" };
                // A point by itself is a short stroke.
                let stroke = if is_drawing { "" } else { "h1" };
                let _ = write!(path, "{step}{x} {y}{stroke}");
                is_drawing = true;
            }
            let dash = if series.is_dashed { " dashed" } else { "" };
            let _ = write!(
                svg,
                r#"<path class="line l{colour}{dash}" d="{path}" vector-effect="non-scaling-stroke"/>"#,
                colour = series.colour
            );
        }
    }

    fn x(&self, place: usize) -> u64 {
        let count = self.pieces.len().max(1);
        u64::try_from(place).unwrap_or(0) * WIDTH / u64::try_from(count).unwrap_or(1)
    }
}

fn scaled(value: u64, greatest: u64) -> u64 {
    let height = u128::from(value) * u128::from(HEIGHT) / u128::from(greatest.max(1));
    u64::try_from(height).unwrap_or(HEIGHT).min(HEIGHT)
}

/// A bar cut into parts, in place of a figure: how a prompt and its answer are made up.
pub(crate) fn composition(parts: &[(&str, usize, u64)]) -> Markup {
    let total: u64 = parts.iter().map(|(_, _, count)| count).sum();
    let words = parts.iter().filter(|(_, _, count)| *count > 0);
    let words: Vec<_> = words
        .map(|(name, _, count)| format!("{name} {}", crate::ui::count(*count)))
        .collect();
    let words = escaped(&words.join(", "));
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

    fn chart(kind: Kind, columns: &[&[Option<u64>]]) -> Chart {
        let pieces: Vec<_> = columns
            .iter()
            .map(|values| Piece {
                label: "1 Nov".to_owned(),
                href: "/logs?a=1&b=2".to_owned(),
                values: values.to_vec(),
                texts: values.iter().map(|one| format!("{one:?}")).collect(),
                sum: "some".to_owned(),
            })
            .collect();
        let series = |colour| Series {
            name: format!("<{colour}>"),
            colour,
            is_dashed: colour == 2,
            href: None,
            total: String::new(),
        };
        Chart {
            title: "A \"fact\"".to_owned(),
            measure: "Requests".to_owned(),
            kind,
            series: vec![series(1), series(2)],
            top: Chart::greatest(kind, &pieces).to_string(),
            pieces,
        }
    }

    #[test]
    fn bars_stand_on_each_other() {
        let chart = chart(Kind::Stacked, &[&[Some(1), Some(3)], &[None, Some(8)]]);
        assert_eq!(chart.top, "8");
        let svg = chart.svg().to_string();
        for rect in [
            r#"<rect class="s1" x="0" y="140" width="499" height="20"/>"#,
            r#"<rect class="s2" x="0" y="80" width="499" height="60"/>"#,
            r#"<rect class="s2" x="500" y="0" width="499" height="160"/>"#,
        ] {
            assert!(svg.contains(rect), "{rect} in {svg}");
        }
    }

    #[test]
    fn lines_have_gaps_where_nothing_was() {
        let columns: [&[Option<u64>]; 4] = [
            &[Some(4), None],
            &[None, None],
            &[Some(2), Some(4)],
            &[Some(4), Some(1)],
        ];
        let svg = chart(Kind::Lines, &columns).svg().to_string();
        assert!(svg.contains(r#"class="line l1" d="M125 0h1M625 80h1L875 0""#), "{svg}");
        assert!(svg.contains(r#"class="line l2 dashed" d="M625 0h1L875 120""#), "{svg}");
    }

    #[test]
    fn names_are_inert() {
        let svg = chart(Kind::Stacked, &[&[Some(1), Some(3)]]).svg().to_string();
        assert!(svg.contains("&lt;1&gt;") && !svg.contains("<1>"));
        assert!(svg.contains("A &quot;fact&quot;") && svg.contains("a=1&amp;b=2"));
    }

    #[test]
    fn parts_of_a_bar_fill_it() {
        let bar = composition(&[("fresh", 1, 1), ("read", 2, 97), ("out", 4, 2)]).to_string();
        assert!(bar.contains(r#"<rect class="s2" x="1" y="0" width="97" height="8"/>"#));
        assert!(bar.contains(r#"<rect class="s4" x="98" y="0" width="2" height="8"/>"#));
        assert!(bar.contains("fresh 1, read 97, out 2"));
    }
}
