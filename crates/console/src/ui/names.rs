//! Icons, the letters of a provider, the parts of a model's name, and small marks.

use super::{Markup, escaped};
use crate::assets;

/// One value of a facet, which is a link that switches it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FacetOption {
    pub(crate) name: String,
    /// The page with the value switched.
    pub(crate) href: String,
    pub(crate) is_on: bool,
    /// How many there would be.
    pub(crate) count: Option<u64>,
}

/// An icon of `assets/icons.svg`, beside a word that says the same.
pub(crate) fn icon(name: &str) -> Markup {
    drawn(name, "icon")
}

/// The same, the size of small text.
pub(crate) fn icon_small(name: &str) -> Markup {
    drawn(name, "icon icon-small")
}

/// The icon of a kind of message: ok, warn, danger, or anything else.
pub(crate) fn icon_of(kind: &str) -> Markup {
    icon(match kind {
        "ok" => "check",
        "warn" | "danger" => "alert",
        _ => "info",
    })
}

fn drawn(name: &str, class: &str) -> Markup {
    let file = assets::address("icons.svg");
    Markup::trusted(format!(
        r##"<svg class="{class}" aria-hidden="true"><use href="{file}#{name}"></use></svg>"##,
        name = escaped(name)
    ))
}

/// Two letters that stand for a provider.
pub(crate) fn letters(name: &str) -> String {
    let mut words = name
        .split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty());
    let (first, second) = (words.next().unwrap_or("?"), words.next());
    let letters: String = match second {
        Some(second) => first
            .chars()
            .take(1)
            .chain(second.chars().take(1))
            .collect(),
        None => first.chars().take(2).collect(),
    };
    letters.to_uppercase()
}

/// A model's name with its author's part set back.
pub(crate) fn model_parts(id: &str) -> Markup {
    let Some((author, name)) = id.split_once('/') else {
        return Markup::trusted(format!("<span>{}</span>", escaped(id)));
    };
    Markup::trusted(format!(
        r#"<span class="mark" aria-hidden="true">{letters}</span><span><span class="author">{author}/</span>{name}</span>"#,
        letters = escaped(&letters(author)),
        author = escaped(author),
        name = escaped(name)
    ))
}

/// How much of a limit is used: a warning from four fifths on, an alarm when nothing is left.
pub(crate) fn meter(label: &str, used: &u64, limit: &u64) -> Markup {
    let (used, limit) = (*used, (*limit).max(1));
    // Less is better: below `low` all is well, above `high` it is not.
    let (low, high) = (limit / 5 * 4, limit.saturating_sub(1));
    Markup::trusted(format!(
        r#"<meter min="0" max="{limit}" low="{low}" high="{high}" optimum="0" value="{value}" aria-label="{label}"></meter>"#,
        low = low.min(high),
        value = used.min(limit),
        label = escaped(label)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn providers_have_letters() {
        for (name, text) in [
            ("OpenAI", "OP"),
            ("Amazon Bedrock", "AB"),
            ("z-ai", "ZA"),
            ("", "?"),
        ] {
            assert_eq!(letters(name), text);
        }
    }

    #[test]
    fn names_with_markup_stay_text() {
        let markup = model_parts("<b>/<i>").to_string();
        assert!(
            !markup.contains("<b>") && !markup.contains("<i>"),
            "{markup}"
        );
    }
}
