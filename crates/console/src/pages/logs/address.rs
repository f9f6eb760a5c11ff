//! The address of a page as something that can be changed: filters, ranges and places in a list live in it.

use std::fmt;

use url::form_urlencoded;

/// A path with the pairs of its query, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Address {
    path: String,
    pairs: Vec<(String, String)>,
}

impl Address {
    /// From a path with or without a query. Pairs without a value say nothing.
    pub(crate) fn parse(text: &str) -> Self {
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        let pairs = form_urlencoded::parse(query.as_bytes()).into_owned();
        Self {
            path: path.to_owned(),
            pairs: pairs.filter(|(_, value)| !value.is_empty()).collect(),
        }
    }

    /// The first value of a name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.pairs.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Every value of a name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let pairs = self.pairs.iter();
        pairs
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// All pairs, for forms that keep them.
    pub(crate) fn pairs(&self) -> &[(String, String)] {
        &self.pairs
    }

    /// With the same query elsewhere.
    pub(crate) fn at(&self, path: &str) -> Self {
        Self {
            path: path.to_owned(),
            pairs: self.pairs.clone(),
        }
    }

    /// With this as the only value of a name.
    pub(crate) fn with(&self, name: &str, value: &str) -> Self {
        let mut changed = self.without(&[name]);
        changed.pairs.push((name.to_owned(), value.to_owned()));
        changed
    }

    /// With this value of a name beside others.
    pub(crate) fn and(&self, name: &str, value: &str) -> Self {
        let mut changed = self.without_pair(name, value);
        changed.pairs.push((name.to_owned(), value.to_owned()));
        changed
    }

    /// Without any value of these names.
    pub(crate) fn without(&self, names: &[&str]) -> Self {
        let mut changed = self.clone();
        changed
            .pairs
            .retain(|(key, _)| !names.contains(&key.as_str()));
        changed
    }

    /// Without this value of a name.
    pub(crate) fn without_pair(&self, name: &str, value: &str) -> Self {
        let mut changed = self.clone();
        changed
            .pairs
            .retain(|(key, has)| key != name || has != value);
        changed
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        if self.pairs.is_empty() {
            return Ok(());
        }
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&self.pairs);
        write!(f, "?{}", query.finish())
    }
}

/// A text as one segment of a path.
pub(crate) fn segment(text: &str) -> String {
    let mut path = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            path.push(char::from(byte));
        } else {
            path.push_str(&format!("%{byte:02X}"));
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_changed_pair_by_pair() {
        let address = Address::parse("/logs?model=a%2Fb&model=c&empty=&range=7d");
        assert_eq!(address.to_string(), "/logs?model=a%2Fb&model=c&range=7d");
        assert_eq!(address.all("model").collect::<Vec<_>>(), ["a/b", "c"]);
        assert_eq!(
            address
                .without_pair("model", "c")
                .with("range", "1h")
                .to_string(),
            "/logs?model=a%2Fb&range=1h"
        );
        assert_eq!(
            address
                .and("model", "c")
                .without(&["range"])
                .at("/x")
                .to_string(),
            "/x?model=a%2Fb&model=c"
        );
        assert_eq!(Address::parse("/logs").without(&["a"]).to_string(), "/logs");
    }

    #[test]
    fn segments_name_nothing_but_themselves() {
        assert_eq!(segment("a b/../ü?"), "a%20b%2F..%2F%C3%BC%3F");
    }
}
