use super::*;

fn ticks(count: usize) -> Vec<Tick> {
    (0..count)
        .map(|tick| {
            Tick::new(format!("day {tick}")).lasting(tick.to_string(), (tick + 1).to_string())
        })
        .collect()
}

#[test]
fn the_table_says_what_the_bars_show() {
    let drawn = Chart::bars("Two <models>", Unit::Usd, ticks(2))
        .with(Series::new("a&b", vec![Some(1_500_000_000), None]))
        .with(Series::other(vec![Some(250_000_000), Some(0)]))
        .draw()
        .to_string();
    for part in [
        "Two &lt;models&gt;",
        r#"data-label="a&amp;b">$1.5000</td>"#,
        r#"data-label="a&amp;b">–</td>"#,
        r#"data-label="Other">$0.0000</td>"#,
        r#"class="bar s1""#,
        r#"class="bar s-other""#,
        r#"data-from="0" data-to="1""#,
    ] {
        assert!(drawn.contains(part), "{part} in {drawn}");
    }
}

#[test]
fn a_pair_of_lines_shares_its_colour() {
    let drawn = Chart::lines("Latency", Unit::Milliseconds, ticks(2))
        .with(Series::new("p50", vec![Some(100), Some(200)]))
        .with(Series::new("p95", vec![Some(300), Some(900)]).dashed())
        .draw()
        .to_string();
    assert!(drawn.contains(r#"class="line s1" d="M5"#), "{drawn}");
    assert!(drawn.contains(r#"class="line s1 dashed" d="M5"#), "{drawn}");
    assert!(
        drawn.contains("<span>1.20 s</span><span>900 ms</span>"),
        "{drawn}"
    );
}

#[test]
fn only_the_last_ticks_are_drawn() {
    let drawn = Chart::bars("Long", Unit::Count, ticks(TICKS_MAX + 5))
        .with(Series::new("all", vec![Some(1); TICKS_MAX + 5]))
        .draw()
        .to_string();
    assert!(!drawn.contains(">day 4<") && drawn.contains(">day 5<"));
    assert_eq!(
        drawn.matches("<rect class=\"bar").count(),
        TICKS_MAX + 1,
        "with the legend's"
    );
}

#[test]
fn nothing_at_all_is_drawn_too() {
    let drawn = Chart::bars("Nothing", Unit::Tokens, Vec::new())
        .draw()
        .to_string();
    assert!(drawn.contains("<tbody></tbody>"), "{drawn}");
}
