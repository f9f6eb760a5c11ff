//! Which addresses may be dialled. The check sits in the connector, behind name resolution, so no
//! route can go around it and a name that resolves differently the second time changes nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

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

/// The rules for addresses that operators put into the catalogue: public ones, and those private
/// ranges that the configuration names.
#[derive(Debug, Clone, Default)]
pub struct EgressPolicy {
    pub private_cidrs: Vec<Cidr>,
}

impl EgressPolicy {
    /// Whether `address` may be dialled.
    pub fn allows(&self, address: IpAddr) -> bool {
        let canonical = match address {
            IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
            IpAddr::V4(_) => address,
        };
        is_public(canonical)
            || self
                .private_cidrs
                .iter()
                .any(|cidr| cidr.contains(canonical))
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
    let documentation = segments[0] == 0x2001 && segments[1] == 0x0DB8;
    let protocol_assignments = segments[0] == 0x2001 && segments[1] < 0x0200;
    let six_to_four = segments[0] == 0x2002;
    routed && !documentation && !protocol_assignments && !six_to_four
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(private_cidrs: &[&str], allowed: &[&str], refused: &[&str]) {
        let policy = EgressPolicy {
            private_cidrs: private_cidrs
                .iter()
                .map(|c| c.parse().expect("a range"))
                .collect(),
        };
        for (addresses, expected) in [(allowed, true), (refused, false)] {
            for address in addresses {
                let parsed = address.parse().expect("an address");
                assert_eq!(policy.allows(parsed), expected, "{address}");
            }
        }
    }

    #[test]
    fn only_public_addresses_by_default() {
        check(
            &[],
            &["8.8.8.8", "2606:4700::1111", "100.128.0.1"],
            &[
                "127.0.0.1",
                "10.1.2.3",
                "192.168.0.1",
                "169.254.169.254",
                "100.64.0.1",
                "0.0.0.0",
                "224.0.0.1",
                "255.255.255.255",
                "::1",
                "::ffff:127.0.0.1",
                "fe80::1",
                "fc00::1",
                "64:ff9b::7f00:1",
                "2002:7f00:1::",
                "2001:db8::1",
            ],
        );
    }

    #[test]
    fn named_ranges_open_just_themselves() {
        check(
            &["127.0.0.0/8", "10.1.0.0/16"],
            &["127.0.0.1", "10.1.9.9", "::ffff:10.1.0.1"],
            &["10.2.0.1", "::1"],
        );
        assert!("10.0.0.0/33".parse::<Cidr>().is_err());
        assert!("10.0.0.0".parse::<Cidr>().is_err());
    }
}
