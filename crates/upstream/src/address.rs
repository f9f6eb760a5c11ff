//! Where a request goes: the catalogue's address, or one whose parts a credential fills in.
//!
//! Nothing a tenant wrote is ever put into a text that is then read as an address: a part becomes one
//! label of the host or one stretch of a path segment, whatever characters are in it, and the finished
//! address is read back and compared.

use http::{Uri, uri::Scheme};
use switchyard_interchange::failure::{Failure, FailureKind};
use switchyard_routing::credentials::CredentialUse;

use crate::{
    egress::EgressClass,
    host::{Host, is_label, percent_encode},
};

/// An address, and under which rules it is dialled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    uri: Uri,
    egress: EgressClass,
}

/// What stands for the `{placeholders}` of an address.
pub(crate) type Values<'v> = &'v [(&'v str, &'v str)];

impl Address {
    /// The catalogue's address with a family's path behind it.
    pub(crate) fn listed(base_url: &str, path: &str) -> Result<Self, Failure> {
        let uri = format!("{}{path}", base_url.trim_end_matches('/'));
        Ok(Self {
            uri: uri.try_into().map_err(|_| not_an_address())?,
            egress: EgressClass::Operator,
        })
    }

    /// The catalogue's address with a family's path behind it, both with `{placeholders}`. In the host
    /// a value must be one label; in the path it is percent-encoded. Where the credential's owner so
    /// decides the host, and is not the operator, the stricter rules hold.
    pub(crate) fn filled(
        base_url: &str,
        path: &str,
        values: Values<'_>,
        credential: CredentialUse,
    ) -> Result<Self, Failure> {
        let (scheme, rest) = base_url.split_once("://").ok_or_else(not_an_address)?;
        let (authority, prefix) = match rest.find('/') {
            Some(slash) => rest.split_at(slash),
            None => (rest, ""),
        };
        let egress = match credential {
            CredentialUse::Own(_) if authority.contains('{') => EgressClass::Tenant,
            CredentialUse::Own(_) | CredentialUse::Shared => EgressClass::Operator,
        };
        let mut host = String::with_capacity(rest.len() + 32);
        fill(authority, values, &mut host, |value, out| {
            is_label(value).then(|| out.push_str(value))
        })?;
        let mut whole_path = String::with_capacity(prefix.len() + path.len() + 64);
        for part in [prefix.trim_end_matches('/'), path] {
            fill(part, values, &mut whole_path, |value, out| {
                let is_safe = !matches!(value, "" | "." | "..");
                is_safe.then(|| out.push_str(&percent_encode(value)))
            })?;
        }
        Self::of_parts(scheme, &host, &whole_path, egress)
    }

    /// A host that the credential names. Always over TLS, always at its port.
    pub(crate) fn named(
        host: &Host,
        path: &str,
        credential: CredentialUse,
    ) -> Result<Self, Failure> {
        let egress = match credential {
            CredentialUse::Own(_) => EgressClass::Tenant,
            CredentialUse::Shared => EgressClass::Operator,
        };
        Self::of_parts(Scheme::HTTPS.as_str(), host.as_str(), path, egress)
    }

    fn of_parts(
        scheme: &str,
        authority: &str,
        path: &str,
        egress: EgressClass,
    ) -> Result<Self, Failure> {
        let uri = Uri::builder()
            .scheme(scheme)
            .authority(authority)
            .path_and_query(path)
            .build()
            .map_err(|_| not_an_address())?;
        let is_as_meant = uri.authority().is_some_and(|read| read == authority)
            && !authority.contains('@')
            && uri.path_and_query().is_some_and(|read| read == path);
        if is_as_meant {
            Ok(Self { uri, egress })
        } else {
            Err(not_an_address())
        }
    }

    pub(crate) fn egress(&self) -> EgressClass {
        self.egress
    }

    /// As the request line and the connection need it. A signature covers its host and its path.
    pub(crate) fn into_uri(self) -> Uri {
        self.uri
    }
}

/// Appends `template` with each `{name}` replaced by what `put` makes of its value.
fn fill(
    template: &str,
    values: Values<'_>,
    out: &mut String,
    put: impl Fn(&str, &mut String) -> Option<()>,
) -> Result<(), Failure> {
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, behind) = after.split_once('}').ok_or_else(not_an_address)?;
        let value = values.iter().find(|(known, _)| *known == name);
        let (_, value) = value.ok_or_else(not_an_address)?;
        out.push_str(before);
        put(value, out).ok_or_else(not_an_address)?;
        rest = behind;
    }
    out.push_str(rest);
    Ok(())
}

/// Nobody was asked, and another endpoint may do: what the catalogue or the credential says makes no
/// address.
fn not_an_address() -> Failure {
    Failure::new(
        FailureKind::Unsupported,
        "the endpoint's address in the catalogue, or what the credential puts into it, is invalid",
    )
}

#[cfg(test)]
mod tests;
