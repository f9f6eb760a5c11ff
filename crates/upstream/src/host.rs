//! Host names as tenants write them, brought into one form before anything is decided by them.

use std::{borrow::Cow, fmt};

use idna::{AsciiDenyList, domain_to_ascii_cow};

/// Names by which machines on our side of the wall go. They resolve to whatever the network at hand
/// says, so a tenant may not choose them.
const INTERNAL_SUFFIXES: [&str; 14] = [
    "localhost",
    "localdomain",
    "local",
    "internal",
    "intranet",
    "private",
    "corp",
    "home",
    "lan",
    "svc",
    "arpa",
    "onion",
    "invalid",
    "test",
];

/// A public host name in its one form: lower case, international labels in their ASCII form, no dot
/// at the end. It has at least two labels, is no spelling of an address, and is none of the names that
/// networks use for their own machines.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Host(String);

/// Why a text is no public host name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoHost {
    #[error("is not a host name")]
    Malformed,
    #[error("is an address, and a host name is needed")]
    Address,
    #[error("is a name for machines inside a network")]
    Internal,
}

impl Host {
    /// Reads a host name, however it is spelled.
    pub(crate) fn parse(text: &str) -> Result<Self, NoHost> {
        if text.starts_with('[') || text.contains(':') {
            return Err(NoHost::Address);
        }
        let ascii = domain_to_ascii_cow(text.as_bytes(), AsciiDenyList::URL)
            .map_err(|_| NoHost::Malformed)?;
        let name = ascii.strip_suffix('.').unwrap_or(&ascii);
        if name.len() > 253 || !name.split('.').all(is_label) {
            return Err(NoHost::Malformed);
        }
        if ends_in_number(name) {
            return Err(NoHost::Address);
        }
        let is_internal = |suffix: &str| {
            name.strip_suffix(suffix)
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        if !name.contains('.') || INTERNAL_SUFFIXES.into_iter().any(is_internal) {
            return Err(NoHost::Internal);
        }
        Ok(Self(name.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is a name directly or further below `domain`.
    pub(crate) fn is_below(&self, domain: &str) -> bool {
        self.0
            .strip_suffix(domain)
            .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a text is one label of a host name, in lower case: what may stand for `{resource}` or
/// `{region}` in an address without becoming another address.
pub(crate) fn is_label(text: &str) -> bool {
    let letters = text.as_bytes();
    let is_inner = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=63).contains(&letters.len())
        && letters.iter().all(|byte| is_inner(byte) || *byte == b'-')
        && letters.first().is_some_and(is_inner)
        && letters.last().is_some_and(is_inner)
}

/// Whether resolvers would read the name as an IPv4 address: in decimal, octal or hexadecimal, in one
/// number or up to four. What counts is its last label, as in the URL standard.
fn ends_in_number(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    let is_hex = last
        .strip_prefix("0x")
        .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    is_hex || last.bytes().all(|byte| byte.is_ascii_digit())
}

/// Percent-encodes all but unreserved characters, so that the text is part of one path segment.
pub(crate) fn percent_encode(text: &str) -> Cow<'_, str> {
    let is_unreserved =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    if text.bytes().all(is_unreserved) {
        return Cow::Borrowed(text);
    }
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut encoded = String::with_capacity(3 * text.len());
    for byte in text.bytes() {
        if is_unreserved(byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push(char::from(DIGITS[usize::from(byte >> 4)]));
            encoded.push(char::from(DIGITS[usize::from(byte & 0xF)]));
        }
    }
    Cow::Owned(encoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_form() {
        for (text, expected) in [
            ("api.example.com", Ok("api.example.com")),
            ("API.Example.COM.", Ok("api.example.com")),
            ("bücher.example.com", Ok("xn--bcher-kva.example.com")),
            ("BÜCHER.example.com", Ok("xn--bcher-kva.example.com")),
            ("ａｐｉ.example.com", Ok("api.example.com")),
            ("api。example。com", Ok("api.example.com")),
            ("api.exa\u{ad}mple.com", Ok("api.example.com")),
            ("1.2.3.example", Ok("1.2.3.example")),
            ("１２７.0.0.1", Err(NoHost::Address)),
            ("127。0。0。1", Err(NoHost::Address)),
            ("①②⑦.0.0.1", Err(NoHost::Address)),
            ("ｌｏｃａｌｈｏｓｔ", Err(NoHost::Internal)),
            ("LocalHost.", Err(NoHost::Internal)),
            ("x.home.arpa", Err(NoHost::Internal)),
            ("example.0x1", Err(NoHost::Address)),
            ("::1", Err(NoHost::Address)),
            ("", Err(NoHost::Malformed)),
            (".", Err(NoHost::Malformed)),
            ("a.b..", Err(NoHost::Malformed)),
            ("xn--\u{0}.example.com", Err(NoHost::Malformed)),
            ("a b.example.com", Err(NoHost::Malformed)),
            ("a%2eb.example.com", Err(NoHost::Malformed)),
            ("a/b.example.com", Err(NoHost::Malformed)),
            ("me@example.com", Err(NoHost::Malformed)),
        ] {
            let found = Host::parse(text);
            assert_eq!(
                found.as_ref().map(Host::as_str),
                expected.as_ref().copied(),
                "{text:?}"
            );
        }
        assert_eq!(Host::parse(&"a.".repeat(200)), Err(NoHost::Malformed));
    }

    #[test]
    fn below_a_domain_is_behind_a_dot() {
        let host = Host::parse("a.b.example.com").expect("a host");
        for (domain, is_below) in [
            ("example.com", true),
            ("b.example.com", true),
            ("a.b.example.com", false),
            ("xample.com", false),
        ] {
            assert_eq!(host.is_below(domain), is_below, "{domain}");
        }
    }
}
