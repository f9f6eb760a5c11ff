//! Which addresses may be dialled. The check sits in the connector, behind name resolution, so no
//! route can go around it and a name that resolves differently the second time changes nothing.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use http::{Uri, uri::Scheme};

use crate::host::{Host, NoHost};

/// The one port that tenants' addresses are called at.
const HTTPS_PORT: u16 = 443;

/// A range of addresses in CIDR form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr {
    address: IpAddr,
    prefix_bits: u8,
}

/// Not a CIDR range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a CIDR range such as 10.0.0.0/8")]
pub struct InvalidCidr(String);

impl std::str::FromStr for Cidr {
    type Err = InvalidCidr;

    fn from_str(text: &str) -> Result<Self, InvalidCidr> {
        let invalid = || InvalidCidr(text.to_owned());
        let (address, bits) = text.split_once('/').ok_or_else(invalid)?;
        let address: IpAddr = address.parse().map_err(|_| invalid())?;
        let prefix_bits: u8 = bits.parse().map_err(|_| invalid())?;
        let widest = if address.is_ipv4() { 32 } else { 128 };
        if prefix_bits > widest {
            return Err(invalid());
        }
        Ok(Self {
            address,
            prefix_bits,
        })
    }
}

impl Cidr {
    /// Whether `address` lies in the range.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(range), IpAddr::V4(given)) => {
                let mask = u32::MAX
                    .checked_shl(32 - u32::from(self.prefix_bits))
                    .unwrap_or(0);
                range.to_bits() & mask == given.to_bits() & mask
            }
            (IpAddr::V6(range), IpAddr::V6(given)) => {
                let mask = u128::MAX
                    .checked_shl(128 - u32::from(self.prefix_bits))
                    .unwrap_or(0);
                range.to_bits() & mask == given.to_bits() & mask
            }
            _ => false,
        }
    }
}

/// Who decided that an address is dialled. Each class has its own rules, connections and pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EgressClass {
    /// The operator, in the catalogue or with a credential of their own: public addresses, and those
    /// private ranges that the configuration names.
    Operator,
    /// A customer, with a credential: public addresses alone, over TLS, at port 443, under a public
    /// name.
    Tenant,
}

impl EgressClass {
    /// The name in logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Tenant => "tenant",
        }
    }
}

/// What the operator allows beyond public addresses.
#[derive(Debug, Clone, Default)]
pub struct EgressPolicy {
    /// Private ranges that the operator's own addresses may lie in.
    pub private_cidrs: Vec<Cidr>,
}

impl EgressPolicy {
    /// Whether `address` may be dialled for `class`.
    pub fn allows(&self, class: EgressClass, address: IpAddr) -> bool {
        let canonical = address.to_canonical();
        let is_named = || {
            let mut ranges = self.private_cidrs.iter();
            ranges.any(|cidr| cidr.contains(canonical))
        };
        is_public(canonical) || (class == EgressClass::Operator && is_named())
    }
}

/// An address that the rules do not allow. Whoever chose it must choose another: it says nothing about
/// the provider.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("egress rules for {} addresses do not allow `{host}`: {problem}", class.as_str())]
pub(crate) struct Blocked {
    pub(crate) class: EgressClass,
    /// As it was to be dialled.
    pub(crate) host: String,
    pub(crate) problem: Problem,
}

/// What the rules hold against an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Problem {
    #[error("it is not called over TLS")]
    Plain,
    #[error("its port is not 443")]
    Port,
    #[error("a name or password stands before the host")]
    UserInfo,
    #[error("the host {0}")]
    Host(#[from] NoHost),
    #[error("its address is not public")]
    Private,
}

/// The rules for one class of addresses.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub(crate) class: EgressClass,
    pub(crate) policy: Arc<EgressPolicy>,
}

impl Rules {
    /// What can be said before the name is resolved.
    pub(crate) fn check_uri(&self, uri: &Uri) -> Result<(), Blocked> {
        let host = uri.host().unwrap_or_default();
        let problem = self.problem_of_uri(uri, host);
        problem.map_or(Ok(()), |problem| Err(self.blocked(host, problem)))
    }

    fn problem_of_uri(&self, uri: &Uri, host: &str) -> Option<Problem> {
        if uri
            .authority()
            .is_none_or(|whole| whole.as_str().contains('@'))
        {
            return Some(Problem::UserInfo);
        }
        // A literal address never reaches a resolver.
        let literal = host.trim_start_matches('[').trim_end_matches(']');
        let is_refused = |address| !self.policy.allows(self.class, address);
        if literal.parse::<IpAddr>().is_ok_and(is_refused) {
            return Some(Problem::Private);
        }
        match self.class {
            EgressClass::Operator => None,
            EgressClass::Tenant if uri.scheme() != Some(&Scheme::HTTPS) => Some(Problem::Plain),
            EgressClass::Tenant if uri.port_u16().is_some_and(|port| port != HTTPS_PORT) => {
                Some(Problem::Port)
            }
            EgressClass::Tenant => Host::parse(host).err().map(Problem::Host),
        }
    }

    /// The addresses that `host` may be dialled at, of those that it was resolved to. For tenants, a
    /// name that leads anywhere private leads nowhere: that is no accident.
    pub(crate) fn check_addresses(
        &self,
        host: &str,
        mut addresses: Vec<SocketAddr>,
    ) -> Result<Vec<SocketAddr>, Blocked> {
        let found = addresses.len();
        addresses.retain(|address| self.policy.allows(self.class, address.ip()));
        let is_refused = match self.class {
            EgressClass::Operator => addresses.is_empty(),
            EgressClass::Tenant => addresses.is_empty() || addresses.len() < found,
        };
        if is_refused {
            return Err(self.blocked(host, Problem::Private));
        }
        Ok(addresses)
    }

    fn blocked(&self, host: &str, problem: Problem) -> Blocked {
        Blocked {
            class: self.class,
            host: host.to_owned(),
            problem,
        }
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let carrier_grade_nat = a == 100 && (64..128).contains(&b);
    let benchmarking = a == 198 && (b == 18 || b == 19);
    let protocol_assignments = a == 192 && b == 0 && c == 0;
    let relay_anycast = a == 192 && b == 88 && c == 99;
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || a == 0
        || a >= 224
        || carrier_grade_nat
        || benchmarking
        || protocol_assignments
        || relay_anycast)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    // 2000::/3 is all that is routed; inside it, documentation, Teredo and 6to4 lead elsewhere,
    // and 64:ff9b::/96 (outside it anyway) reaches IPv4 through a translator.
    let routed = segments[0] & 0xE000 == 0x2000;
    let documentation = (segments[0] == 0x2001 && segments[1] == 0x0DB8)
        || (segments[0] == 0x3FFF && segments[1] < 0x1000);
    let protocol_assignments = segments[0] == 0x2001 && segments[1] < 0x0200;
    let six_to_four = segments[0] == 0x2002;
    routed && !documentation && !protocol_assignments && !six_to_four
}

#[cfg(test)]
mod tests;
