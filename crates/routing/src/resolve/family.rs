//! Moving names that the catalogue does not list: `~author/family-latest` is the newest member of
//! a family of models, and their ids tell the family.
//!
//! An id's words are cut at its dashes. A word of digits and dots, with or without a `v` before
//! it, is a version or a date: `6`, `4.5`, `v4.1`, `0731`. A model belongs to a family when leaving
//! out versions makes its id the family's name, so `gpt-6-astra` and `gpt-5.6-astra` belong to
//! `gpt-astra`, and `glm-5.3-flash` belongs to `glm-flash`, not to `glm`. Sizes (`70b`) are no
//! versions, nor are names such as `4o`.

use switchyard_catalog::snapshot::{Catalog, Model};
use switchyard_domain::clock::Timestamp;

/// The newest member of the family that a moving name names, which has not been withdrawn and is
/// no variant of another. One that cannot be called is meant only where the whole family is so.
pub(super) fn newest<'a>(name: &str, catalog: &'a Catalog, now: Timestamp) -> Option<&'a Model> {
    let (author, family) = name.strip_prefix('~')?.split_once('/')?;
    let family = family.strip_suffix("-latest")?;
    let belongs = |model: &&Model| {
        let slug = model.id.as_str().split_once('/').map(|(_, slug)| slug);
        model.author == author && slug.is_some_and(|slug| is_member(family, slug))
    };
    let can_be_called = |model: &Model| {
        let mut endpoints = catalog.endpoints_of(model);
        endpoints.any(|endpoint| endpoint.is_callable(catalog.provider_of(endpoint)))
    };
    catalog
        .models
        .iter()
        .filter(|model| belongs(model) && !model.is_expired(now))
        .max_by_key(|model| {
            (
                can_be_called(model),
                model.created,
                std::cmp::Reverse(&model.id),
            )
        })
}

/// Whether a slug is the family's name but for versions.
fn is_member(family: &str, slug: &str) -> bool {
    let mut family = family.split('-').peekable();
    slug.split('-').all(|word| {
        let is_next = family.peek() == Some(&word);
        if is_next {
            family.next();
        }
        is_next || is_version(word)
    }) && family.next().is_none()
}

fn is_version(word: &str) -> bool {
    let number = word.strip_prefix('v').unwrap_or(word);
    number.starts_with(|first: char| first.is_ascii_digit())
        && number
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_differ_in_versions_only() {
        for (family, slug, belongs) in [
            ("gpt-astra", "gpt-6-astra", true),
            ("gpt-astra", "gpt-astra", true),
            ("gpt-astra", "gpt-6-luna", false),
            ("glm", "glm-5.3-flash", false),
            ("deepseek-flash", "deepseek-v4-flash-0731", true),
            ("deepseek-v4-flash", "deepseek-v4-flash-0731", true),
            ("deepseek-v4-flash", "deepseek-v4.1-flash", false),
            ("gpt-4o", "gpt-4o-2024-08-06", true),
            ("gpt", "gpt-4o", false),
            ("llama-instruct", "llama-3.3-70b-instruct", false),
            ("llama-70b-instruct", "llama-3.3-70b-instruct", true),
            ("gpt", "gpt-6:free", false),
            ("", "gpt-6", false),
        ] {
            assert_eq!(is_member(family, slug), belongs, "{family} {slug}");
        }
    }
}
