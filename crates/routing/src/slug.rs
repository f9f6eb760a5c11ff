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

/// An endpoint's names. Lists are compared with every endpoint, and most names differ in length or
/// in their first letter, so those are compared before anything else.
struct Names<'a> {
    provider: &'a Provider,
    endpoint: &'a Endpoint,
    lengths: [usize; 3],
}

impl<'a> Names<'a> {
    fn of(provider: &'a Provider, endpoint: &'a Endpoint) -> Self {
        let names = [provider.slug.as_str(), &provider.name, &endpoint.tag];
        Self {
            provider,
            endpoint,
            lengths: names.map(str::len),
        }
    }

    #[inline(always)]
    fn include(&self, entry: &str) -> Option<Named> {
        let [slug, name, tag] = self.lengths;
        let length = entry.len();
        if length == slug || length == name || length == tag {
            self.compare(entry)
        } else {
            None
        }
    }

    #[inline(never)]
    fn compare(&self, entry: &str) -> Option<Named> {
        let is = |name: &str| is_same(entry, name);
        if is(self.provider.slug.as_str()) || is(&self.provider.name) {
            Some(Named::ByProvider)
        } else if is(&self.endpoint.tag) {
            Some(Named::InFull)
        } else {
            None
        }
    }
}

/// Whether and how `entry` names the endpoint; letter case does not matter.
pub(crate) fn names(entry: &str, provider: &Provider, endpoint: &Endpoint) -> Option<Named> {
    Names::of(provider, endpoint).include(entry)
}

/// Whether any entry names the provider, and with it all its endpoints.
pub(crate) fn names_provider(list: &[String], provider: &Provider) -> bool {
    let (slug, name) = (provider.slug.as_str(), &*provider.name);
    list.iter().any(|entry| {
        let length = entry.len();
        (length == slug.len() && is_same(entry, slug))
            || (length == name.len() && is_same(entry, name))
    })
}

/// As `eq_ignore_ascii_case`; most names differ in their first letter already.
fn is_same(entry: &str, name: &str) -> bool {
    /// The bit in which the two cases of a letter differ.
    const CASE: u8 = 0x20;
    let first = |text: &str| text.as_bytes().first().map(|byte| byte | CASE);
    first(name) == first(entry) && name.eq_ignore_ascii_case(entry)
}

/// The position of the first entry that names the endpoint.
pub(crate) fn position(list: &[String], provider: &Provider, endpoint: &Endpoint) -> Option<usize> {
    let names = Names::of(provider, endpoint);
    list.iter().position(|entry| names.include(entry).is_some())
}

/// Whether any entry names the endpoint by its full tag.
pub(crate) fn is_named_in_full(list: &[String], provider: &Provider, endpoint: &Endpoint) -> bool {
    let names = Names::of(provider, endpoint);
    list.iter()
        .any(|entry| names.include(entry) == Some(Named::InFull))
}

/// As `split_once('*')`, which takes longer to set out than most patterns are.
fn split_at_star(pattern: &str) -> Option<(&str, &str)> {
    let at = pattern.bytes().position(|byte| byte == b'*')?;
    Some((&pattern[..at], &pattern[at + 1..]))
}

/// Whether `pattern` names the model: its id, where each `*` stands for any characters, as in
/// `anthropic/*`. Letter case does not matter.
pub(crate) fn names_model(pattern: &str, id: &str) -> bool {
    let starts = |text: &str, part: &str| {
        let start = text.get(..part.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(part))
    };
    let Some((head, mut pattern)) = split_at_star(pattern) else {
        return pattern.eq_ignore_ascii_case(id);
    };
    if !starts(id, head) {
        return false;
    }
    let mut rest = &id[head.len()..];
    // Each middle part is taken where it first occurs: what follows has the more room.
    while let Some((part, after)) = split_at_star(pattern) {
        let Some(at) =
            (0..=rest.len()).find(|at| rest.get(*at..).is_some_and(|text| starts(text, part)))
        else {
            return false;
        };
        rest = &rest[at + part.len()..];
        pattern = after;
    }
    let at = rest.len().checked_sub(pattern.len());
    at.and_then(|at| rest.get(at..))
        .is_some_and(|end| end.eq_ignore_ascii_case(pattern))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_name_models() {
        for (pattern, id, is_named) in [
            ("lab/one", "lab/one", true),
            ("Lab/One", "lab/one", true),
            ("lab/one", "lab/one:free", false),
            ("lab/*", "lab/one:free", true),
            ("lab/*", "laboratory/one", false),
            ("*", "lab/one", true),
            ("*:free", "lab/one:free", true),
            ("*:free", "lab/one", false),
            ("lab/o*e*:free", "lab/one-e:free", true),
            ("lab/*one*one", "lab/one", false),
            ("lab/*é", "lab/é", true),
            ("", "lab/one", false),
        ] {
            assert_eq!(names_model(pattern, id), is_named, "{pattern} {id}");
        }
    }
}
