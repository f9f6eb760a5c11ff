//! How preference lists name endpoints.

use switchyard_catalog::snapshot::{Endpoint, Provider};

/// How closely an entry of a preference list names an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Named {
    /// By its provider: slug or display name. Covers all the provider's variants and regions; a
    /// service tier still has to be asked for.
    ByProvider,
    /// By its own full tag, such as `openai/flex`.
    InFull,
}

/// Whether and how `entry` names the endpoint; letter case does not matter.
pub(crate) fn names(entry: &str, provider: &Provider, endpoint: &Endpoint) -> Option<Named> {
    let is = |name: &str| name.eq_ignore_ascii_case(entry);
    if is(provider.slug.as_str()) || is(&provider.name) {
        Some(Named::ByProvider)
    } else if is(&endpoint.tag) {
        Some(Named::InFull)
    } else {
        None
    }
}

/// The position of the first entry that names the endpoint.
pub(crate) fn position(list: &[String], provider: &Provider, endpoint: &Endpoint) -> Option<usize> {
    list.iter()
        .position(|entry| names(entry, provider, endpoint).is_some())
}

/// Whether any entry names the endpoint by its full tag.
pub(crate) fn is_named_in_full(list: &[String], provider: &Provider, endpoint: &Endpoint) -> bool {
    list.iter()
        .any(|entry| names(entry, provider, endpoint) == Some(Named::InFull))
}

/// A preference list that states something; an empty one is as good as absent.
pub(crate) fn stated(list: Option<&Vec<String>>) -> Option<&[String]> {
    list.map(Vec::as_slice)
        .filter(|entries| !entries.is_empty())
}

/// Entries of a list that a sentence shows before it breaks off.
const SHOWN: usize = 8;

/// A list for a sentence, such as `acme, bolt`.
pub(crate) fn in_words<S: AsRef<str>>(list: &[S]) -> String {
    if list.is_empty() {
        return "nobody".to_owned();
    }
    let mut words = list
        .iter()
        .take(SHOWN)
        .map(AsRef::as_ref)
        .collect::<Vec<&str>>()
        .join(", ");
    if list.len() > SHOWN {
        words.push_str(", …");
    }
    words
}
