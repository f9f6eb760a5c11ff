//! Where a service is.

use std::{fmt, net::IpAddr, str::FromStr};

use http::{
    Uri,
    uri::{Authority, Scheme},
};

/// The address of a key service: scheme, host and perhaps a port, such as
/// `https://vault.example:8200`. Plain `http` reaches this machine only, where local agents listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceAddress {
    scheme: Scheme,
    authority: Authority,
}

/// Why an address cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAddress {
    /// Something is missing or too much.
    #[error("must be a scheme, a host and perhaps a port, such as https://vault.example:8200")]
    Malformed,
    /// Keys would cross a network in the clear.
    #[error("must begin with https://; plain http only reaches 127.0.0.1 and [::1]")]
    Unprotected,
}

impl ServiceAddress {
    /// Whether it is this machine, by number.
    pub fn is_loopback(&self) -> bool {
        let host = self.authority.host();
        host.trim_start_matches('[')
            .trim_end_matches(']')
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
    }

    pub(crate) fn is_https(&self) -> bool {
        self.scheme == Scheme::HTTPS
    }

    /// The `Host` header's value; a port that the scheme implies is left out, as it is on the wire.
    pub(crate) fn host(&self) -> &str {
        let implied = if self.is_https() { 443 } else { 80 };
        if self.authority.port_u16() == Some(implied) {
            self.authority.host()
        } else {
            self.authority.as_str()
        }
    }

    /// The address with a path, which begins with `/` and needs no encoding.
    pub(crate) fn with_path(&self, path: &str) -> Uri {
        Uri::builder()
            .scheme(self.scheme.clone())
            .authority(self.authority.clone())
            .path_and_query(path)
            .build()
            .expect("paths are made of checked segments")
    }
}

impl fmt::Display for ServiceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.authority)
    }
}

impl FromStr for ServiceAddress {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The parser drops fragments and would keep user names.
        if text.contains(['#', '@', '?', '\\']) {
            return Err(InvalidAddress::Malformed);
        }
        let uri: Uri = text.parse().map_err(|_| InvalidAddress::Malformed)?;
        let parts = uri.into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
            return Err(InvalidAddress::Malformed);
        };
        let has_path = parts.path_and_query.is_some_and(|path| path != "/");
        let has_empty_port = authority.as_str().ends_with(':');
        if has_path || has_empty_port || authority.host().is_empty() {
            return Err(InvalidAddress::Malformed);
        }
        let address = Self { scheme, authority };
        match address.scheme.as_str() {
            "https" => Ok(address),
            "http" if address.is_loopback() => Ok(address),
            _ => Err(InvalidAddress::Unprotected),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_spoken_to_in_the_clear() {
        for (text, expected) in [
            ("https://vault.example:8200", Ok("vault.example:8200")),
            ("https://vault.example:443/", Ok("vault.example")),
            ("https://[2001:db8::1]:8200", Ok("[2001:db8::1]:8200")),
            ("http://127.0.0.1:8100", Ok("127.0.0.1:8100")),
            ("http://[::1]:8100", Ok("[::1]:8100")),
            ("http://127.0.0.1:80", Ok("127.0.0.1")),
            ("http://vault.example", Err(InvalidAddress::Unprotected)),
            ("http://localhost:8200", Err(InvalidAddress::Unprotected)),
            ("http://127.1:8200", Err(InvalidAddress::Unprotected)),
            ("http://10.0.0.1", Err(InvalidAddress::Unprotected)),
            ("ftp://127.0.0.1", Err(InvalidAddress::Unprotected)),
            ("https://vault.example/v1", Err(InvalidAddress::Malformed)),
            ("https://a@vault.example", Err(InvalidAddress::Malformed)),
            ("https://vault.example#x", Err(InvalidAddress::Malformed)),
            ("https://vault.example?x", Err(InvalidAddress::Malformed)),
            ("https://vault.example:", Err(InvalidAddress::Malformed)),
            ("https:\\\\vault.example", Err(InvalidAddress::Malformed)),
            ("vault.example:8200", Err(InvalidAddress::Malformed)),
            ("https://", Err(InvalidAddress::Malformed)),
            ("", Err(InvalidAddress::Malformed)),
        ] {
            let parsed = text.parse::<ServiceAddress>();
            let host = parsed.as_ref().map(ServiceAddress::host);
            assert_eq!(host.map_err(|error| *error), expected, "{text}");
        }
    }
}
