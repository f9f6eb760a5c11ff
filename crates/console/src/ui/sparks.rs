//! Small drawings inside a line or a cell: a spark, days of uptime, what something is composed of, and a
//! ranking. Each says in words what it shows.

use std::fmt::Write as _;

use super::{
    Markup,
    chart::Unit,
    count, escaped, percent,
    plot::{Layer, STEP, Scale, lines},
};

/// A line without axes, for the shape of something. `label` says the fact.
pub(crate) fn spark(values: &[Option<u64>], label: &str) -> Markup {
    let most = values.iter().flatten().max().copied().unwrap_or(0);
    let layer = Layer {
        class: "spark-line",
        is_dashed: false,
        values,
    };
    // A little more than the most, so that the top of the line is not cut.
    let drawn = lines(&[layer], Scale { top: most.max(1) });
    Markup::trusted(format!(
        r#"<svg class="spark" viewBox="0 -40 {width} 1080" preserveAspectRatio="none" role="img" aria-label="{label}">{drawn}</svg>"#,
        width = values.len().max(1) * STEP,
        label = escaped(label)
    ))
}

/// A bar for each day: thousandths of it that were up, or `None` where nothing is known.
pub(crate) fn uptime(days: &[Option<u32>], label: &str) -> Markup {
    let mut svg = format!(
        r#"<svg class="uptime" viewBox="0 0 {width} 28" preserveAspectRatio="none" role="img" aria-label="{label}">"#,
        width = days.len().max(1) * 4,
        label = escaped(label)
    );
    for (day, up) in days.iter().enumerate() {
        let class = match up {
            None => "unknown",
            Some(995..) => "up",
            Some(900..995) => "part",
            Some(_) => "down",
        };
        let _ = write!(
            svg,
            r#"<rect class="{class}" x="{}" width="3" height="28"/>"#,
            day * 4
        );
    }
    svg.push_str("</svg>");
    Markup::trusted(svg)
}

/// Parts of a whole, side by side: a name and an amount each, in the colours of the series.
pub(crate) fn composition(parts: &[(&str, u64)], unit: &str) -> Markup {
    let whole: u64 = parts.iter().map(|(_, amount)| amount).sum();
    let said: Vec<String> = parts
        .iter()
        .filter(|(_, amount)| *amount > 0)
        .map(|(name, amount)| format!("{name} {} ({})", count(*amount), percent(*amount, whole)))
        .collect();
    let said = format!("{unit}: {}", said.join(", "));
    let mut svg = format!(
        r#"<svg class="composition" viewBox="0 0 {width} 8" preserveAspectRatio="none" role="img" aria-label="{said}"><title>{said}</title>"#,
        width = whole.max(1),
        said = escaped(&said)
    );
    let mut at = 0;
    for (place, (_, amount)) in parts.iter().enumerate() {
        if *amount > 0 {
            let _ = write!(
                svg,
                r#"<rect class="bar s{}" x="{at}" width="{amount}" height="8"/>"#,
                place % 8 + 1
            );
        }
        at += amount;
    }
    svg.push_str("</svg>");
    Markup::trusted(svg)
}

/// One row of a ranking.
#[derive(Debug, Clone)]
pub(crate) struct Ranked {
    pub(crate) name: String,
    pub(crate) value: u64,
    /// Its rows.
    pub(crate) href: String,
}

/// Bars from the largest down, as a table.
pub(crate) fn ranking(title: &str, heading: &str, unit: Unit, rows: &[Ranked]) -> Markup {
    let most = rows.iter().map(|row| row.value).max().unwrap_or(0).max(1);
    let mut html = format!(
        r#"<figure class="chart"><figcaption><h3>{title}</h3></figcaption><table class="bars"><thead class="visually-hidden"><tr><th scope="col">{heading}</th><th scope="col">Share</th><th scope="col">Amount</th></tr></thead><tbody>"#,
        title = escaped(title),
        heading = escaped(heading)
    );
    for row in rows {
        let width = u128::from(row.value) * 1_000 / u128::from(most);
        let _ = write!(
            html,
            r#"<tr><th scope="row"><a href="{href}">{name}</a></th><td><svg viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true"><rect class="bar s1" width="{width}" height="10"/></svg></td><td class="number">{value}</td></tr>"#,
            href = escaped(&row.href),
            name = escaped(&row.name),
            width = width.max(2),
            value = escaped(&unit.in_table(row.value, most)),
        );
    }
    html.push_str("</tbody></table></figure>");
    Markup::trusted(html)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_composition_says_its_shares() {
        let drawn =
            composition(&[("fresh", 250), ("cache", 750), ("none", 0)], "Tokens").to_string();
        assert!(
            drawn.contains("Tokens: fresh 250 (25.0%), cache 750 (75.0%)"),
            "{drawn}"
        );
        assert!(drawn.contains(r#"s2" x="250" width="750""#), "{drawn}");
        assert!(!drawn.contains("s3"), "{drawn}");
    }

    #[test]
    fn days_without_data_are_grey() {
        let drawn = uptime(&[Some(1_000), None, Some(940), Some(0)], "Four days").to_string();
        let classes = ["up", "unknown", "part", "down"];
        let places = classes.map(|class| drawn.find(&format!("\"{class}\"")).expect(class));
        assert!(places.is_sorted(), "{drawn}");
    }

    #[test]
    fn a_ranking_is_measured_by_its_first() {
        let row = |name: &str, value| Ranked {
            name: name.to_owned(),
            value,
            href: "/logs?model=a".to_owned(),
        };
        let rows = [row("a", 400), row("b<", 100)];
        let drawn = ranking("Two", "Model", Unit::Count, &rows).to_string();
        assert!(drawn.contains(r#"width="1000" height="10""#), "{drawn}");
        assert!(drawn.contains(r#"width="250" height="10""#), "{drawn}");
        assert!(drawn.contains("b&lt;</a>"), "{drawn}");
    }
}
