//! Charts, drawn on the server: stacked bars and lines over time, with a table that says the same.
//!
//! ```text
//! Chart::bars("Spend rose to $3.20 on Tuesday", Unit::Usd, ticks)
//!     .with(Series::new("openai/gpt-6-sol", nanos))
//!     .with(Series::other(rest))
//!     .zoomed_by("/activity?from={from}&to={to}")
//!     .draw()
//! ```

mod unit;

#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use super::{
    Markup, escaped,
    plot::{HEIGHT, Layer, STEP, Scale, gaps, lines, stacks},
};

pub(crate) use unit::Unit;

/// More is not drawn.
const TICKS_MAX: usize = 200;
/// Colours there are; whatever comes behind is for the caller to sum up as [`Series::other`].
const SERIES_MAX: usize = 8;
/// Labels below the axis.
const LABELS: usize = 6;

/// One place on the axis of time.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tick {
    label: String,
    stretch: Option<(String, String)>,
    href: Option<String>,
}

impl Tick {
    /// `label` as it stands in the table.
    pub(crate) fn new(label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            ..Self::default()
        }
    }

    /// The same, lasting `from` one instant `to` another, as addresses write them.
    pub(crate) fn lasting(mut self, from: impl Into<String>, to: impl Into<String>) -> Self {
        self.stretch = Some((from.into(), to.into()));
        self
    }

    /// The same, leading to its rows.
    pub(crate) fn linked(mut self, href: impl Into<String>) -> Self {
        self.href = Some(href.into());
        self
    }
}

/// One value for each tick; `None` is no data, which is not nothing.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    name: String,
    values: Vec<Option<u64>>,
    is_dashed: bool,
    is_other: bool,
    href: Option<String>,
}

impl Series {
    /// A series; its colour is the next one.
    pub(crate) fn new(name: impl Into<String>, values: Vec<Option<u64>>) -> Self {
        Self {
            name: name.into(),
            values,
            is_dashed: false,
            is_other: false,
            href: None,
        }
    }

    /// All the rest.
    pub(crate) fn other(values: Vec<Option<u64>>) -> Self {
        Self {
            is_other: true,
            ..Self::new("Other", values)
        }
    }

    /// The same under another name.
    pub(crate) fn called(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The same, dashed: the second of a pair, such as p95 beside p50.
    pub(crate) fn dashed(mut self) -> Self {
        self.is_dashed = true;
        self
    }

    /// The same, its name leading to its rows.
    pub(crate) fn linked(mut self, href: impl Into<String>) -> Self {
        self.href = Some(href.into());
        self
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Bars,
    Lines,
}

/// A chart that is being put together.
#[derive(Debug, Clone)]
pub(crate) struct Chart {
    title: String,
    shape: Shape,
    unit: Unit,
    ticks: Vec<Tick>,
    series: Vec<Series>,
    zoom: Option<String>,
    heading: String,
    is_low: bool,
}

impl Chart {
    fn new(title: impl Into<String>, shape: Shape, unit: Unit, ticks: Vec<Tick>) -> Self {
        Self {
            title: title.into(),
            shape,
            unit,
            ticks,
            series: Vec::new(),
            zoom: None,
            heading: "Time (UTC)".to_owned(),
            is_low: false,
        }
    }

    /// Stacked bars, for what adds up. The title states the fact.
    pub(crate) fn bars(title: impl Into<String>, unit: Unit, ticks: Vec<Tick>) -> Self {
        Self::new(title, Shape::Bars, unit, ticks)
    }

    /// Lines, for what does not add up: latencies and rates.
    pub(crate) fn lines(title: impl Into<String>, unit: Unit, ticks: Vec<Tick>) -> Self {
        Self::new(title, Shape::Lines, unit, ticks)
    }

    /// With one more series.
    pub(crate) fn with(mut self, series: Series) -> Self {
        self.series.push(series);
        self
    }

    /// Lets people look closer: an address with `{from}` and `{to}`, filled from the ticks.
    pub(crate) fn zoomed_by(mut self, address: impl Into<String>) -> Self {
        self.zoom = Some(address.into());
        self
    }

    /// What the first column of the table is called.
    pub(crate) fn headed(mut self, heading: impl Into<String>) -> Self {
        self.heading = heading.into();
        self
    }

    /// Half as high, for a histogram above a list.
    pub(crate) fn low(mut self) -> Self {
        self.is_low = true;
        self
    }

    /// The chart with its legend and its table.
    pub(crate) fn draw(mut self) -> Markup {
        let surplus = self.ticks.len().saturating_sub(TICKS_MAX);
        self.ticks.drain(..surplus);
        for series in &mut self.series {
            series.values.drain(..surplus.min(series.values.len()));
            series.values.resize(self.ticks.len(), None);
        }
        let mut html = String::new();
        let low = if self.is_low { " low" } else { "" };
        let zoom = self.zoom.as_ref().map_or(String::new(), |address| {
            format!(r#" data-zoom="{}""#, escaped(address))
        });
        let hint = self.hint();
        let title = escaped(&self.title);
        let _ = write!(
            html,
            r#"<figure class="chart{low}"{zoom}><figcaption><h3>{title}</h3><output class="readout needs-script" aria-live="polite" data-hint="{hint}"></output></figcaption>"#
        );
        html.push_str(&self.plot());
        html.push_str(&self.legend());
        html.push_str(&self.table());
        html.push_str("</figure>");
        Markup::trusted(html)
    }

    fn hint(&self) -> &'static str {
        if self.zoom.is_some() {
            "Arrow keys read it, Shift and arrow keys choose a stretch, Enter looks closer."
        } else {
            "Arrow keys read it."
        }
    }

    /// The most there is at a tick, and with it the scale.
    fn scale(&self) -> Scale {
        let at = |tick: usize| {
            let values = self.series.iter().map(move |series| series.values[tick]);
            values.map(Option::unwrap_or_default)
        };
        let ticks = 0..self.ticks.len();
        let most = match self.shape {
            Shape::Bars => ticks
                .map(|tick| at(tick).fold(0, u64::saturating_add))
                .max(),
            Shape::Lines => ticks.flat_map(at).max(),
        };
        Scale::over(most.unwrap_or(0))
    }

    fn is_blank(&self) -> bool {
        let mut values = self.series.iter().flat_map(|series| &series.values);
        values.all(Option::is_none)
    }

    fn layers(&self) -> Vec<Layer<'_>> {
        let classes = self.classes();
        let layers = self.series.iter().zip(classes);
        layers
            .map(|(series, class)| Layer {
                class,
                is_dashed: series.is_dashed,
                values: &series.values,
            })
            .collect()
    }

    /// A dashed series shares the colour of the one before it.
    fn classes(&self) -> Vec<&'static str> {
        const CLASSES: [&str; SERIES_MAX] = ["s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8"];
        let mut next = 0;
        let class = |series: &Series| {
            if series.is_other {
                return "s-other";
            }
            if !series.is_dashed || next == 0 {
                next += 1;
            }
            CLASSES.get(next - 1).copied().unwrap_or("s-other")
        };
        self.series.iter().map(class).collect()
    }

    fn plot(&self) -> String {
        let (scale, layers) = (self.scale(), self.layers());
        let (ticks, width) = (self.ticks.len(), self.ticks.len().max(1) * STEP);
        let drawn = match self.shape {
            Shape::Bars => stacks(&layers, ticks, scale),
            Shape::Lines => lines(&layers, scale),
        };
        let grid: String = (0..4)
            .map(|line| {
                let y = line * HEIGHT / 4;
                format!(r#"<line class="grid" x1="0" y1="{y}" x2="{width}" y2="{y}"/>"#)
            })
            .collect();
        // An axis of nothing has no figures on it.
        let marks: String = scale
            .lines()
            .iter()
            .filter(|_| !self.is_blank())
            .map(|value| {
                format!(
                    "<span>{}</span>",
                    escaped(&self.unit.on_axis(*value, scale.top))
                )
            })
            .collect();
        format!(
            r#"<div class="plot" tabindex="0" role="img" aria-label="{title}. The table below says the same."><div class="axis-y" aria-hidden="true">{marks}</div><svg viewBox="0 0 {width} {HEIGHT}" preserveAspectRatio="none" aria-hidden="true">{gaps}{grid}{drawn}<line class="base" x1="0" y1="{HEIGHT}" x2="{width}" y2="{HEIGHT}"/><rect class="chosen" x="0" y="0" width="{STEP}" height="{HEIGHT}" visibility="hidden"/><rect class="cursor" x="0" y="0" width="{STEP}" height="{HEIGHT}" visibility="hidden"/></svg>{nothing}<div class="axis-x" aria-hidden="true">{labels}</div></div>"#,
            title = escaped(&self.title),
            gaps = gaps(&layers, ticks),
            nothing = if self.is_blank() {
                r#"<p class="no-data">No data</p>"#
            } else {
                ""
            },
            labels = self.labels(),
        )
    }

    /// Few enough to stand beside each other; the first and the last among them.
    fn labels(&self) -> String {
        let last = self.ticks.len().saturating_sub(1);
        let count = LABELS.min(self.ticks.len());
        let places = (0..count).map(|place| {
            if count > 1 {
                place * last / (count - 1)
            } else {
                0
            }
        });
        places
            .map(|place| format!("<span>{}</span>", escaped(&self.ticks[place].label)))
            .collect()
    }

    fn legend(&self) -> String {
        let mut html = String::from(r#"<ul class="legend">"#);
        for (series, class) in self.series.iter().zip(self.classes()) {
            let key = match self.shape {
                Shape::Bars => {
                    format!(r#"<rect class="bar {class}" width="10" height="10" rx="2"/>"#)
                }
                Shape::Lines => {
                    let dashed = if series.is_dashed { " dashed" } else { "" };
                    format!(r#"<path class="line {class}{dashed}" d="M0 5h14"/>"#)
                }
            };
            let name = linked(&escaped(&series.name), series.href.as_deref());
            let _ = write!(
                html,
                r#"<li><svg viewBox="0 0 14 10" aria-hidden="true">{key}</svg>{name}</li>"#
            );
        }
        html.push_str("</ul>");
        html
    }

    fn table(&self) -> String {
        let mut html = format!(
            r#"<details class="more twin"><summary>As a table</summary><div class="table"><table><thead><tr><th scope="col">{}</th>"#,
            escaped(&self.heading)
        );
        for series in &self.series {
            let _ = write!(
                html,
                r#"<th scope="col" class="number">{}</th>"#,
                escaped(&series.name)
            );
        }
        html.push_str("</tr></thead><tbody>");
        let top = self.scale().top;
        for (place, tick) in self.ticks.iter().enumerate() {
            let stretch = tick.stretch.as_ref().map_or(String::new(), |(from, to)| {
                format!(
                    r#" data-from="{}" data-to="{}""#,
                    escaped(from),
                    escaped(to)
                )
            });
            let label = linked(&escaped(&tick.label), tick.href.as_deref());
            let _ = write!(html, r#"<tr{stretch}><th scope="row">{label}</th>"#);
            for series in &self.series {
                let text = series.values[place].map_or("\u{2013}".to_owned(), |value| {
                    self.unit.in_table(value, top)
                });
                let _ = write!(
                    html,
                    r#"<td class="number" data-label="{}">{}</td>"#,
                    escaped(&series.name),
                    escaped(&text)
                );
            }
            html.push_str("</tr>");
        }
        html.push_str("</tbody></table></div></details>");
        html
    }
}

/// Text, which is escaped already, as a link where it leads somewhere.
fn linked(text: &str, href: Option<&str>) -> String {
    match href {
        Some(href) => format!(r#"<a href="{}">{text}</a>"#, escaped(href)),
        None => text.to_owned(),
    }
}
