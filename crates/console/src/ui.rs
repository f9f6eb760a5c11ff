//! How amounts, instants and counts are written, everywhere the same; and the components that a template's
//! macro alone cannot make. `chart.rs` and `waterfall.rs` draw; `api_call.rs` says a form as a call.

pub(crate) mod api_call;
pub(crate) mod chart;
mod counts;
mod money;
mod names;
mod plot;
mod sparks;
pub(crate) mod waterfall;
mod when;

pub(crate) use api_call::ApiCall;
pub(crate) use counts::{count, milliseconds, percent, short_tokens, tokens};
pub(crate) use money::{Places, usd, usd_exact, usd_fixed, usd_ledger, usd_per_million, usd_plain};
pub(crate) use names::{FacetOption, icon, icon_of, icon_small, letters, meter, model_parts};
pub(crate) use sparks::{Ranked, composition, ranking, spark, uptime};
pub(crate) use when::when;

use std::fmt;

/// Markup that was written here and is therefore not escaped again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Markup(String);

impl Markup {
    /// Takes markup in which everything foreign was escaped.
    pub(crate) const fn trusted(html: String) -> Self {
        Self(html)
    }
}

impl fmt::Display for Markup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl askama::FastWritable for Markup {
    fn write_into(&self, dest: &mut dyn fmt::Write, _: &dyn askama::Values) -> askama::Result<()> {
        Ok(dest.write_str(&self.0)?)
    }
}

impl askama::filters::HtmlSafe for Markup {}

/// Text with what HTML reads as markup escaped.
pub(crate) fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
    html
}
