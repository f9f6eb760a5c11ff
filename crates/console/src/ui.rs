//! How amounts, instants and counts are written, everywhere the same.

mod counts;
mod money;
mod when;

pub(crate) use counts::{count, milliseconds, percent, tokens};
pub(crate) use money::{Places, usd, usd_exact, usd_fixed, usd_per_million};
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
