//! Address ranges.

use std::net::{IpAddr, Ipv6Addr};

/// An address range: `172.28.0.0/16`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Subnet {
    pub(super) address: IpAddr,
    pub(super) bits: u8,
}

impl Subnet {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/')?;
        let (address, bits): (IpAddr, u8) = (address.parse().ok()?, bits.parse().ok()?);
        let most = if address.is_ipv4() { 32 } else { 128 };
        (bits <= most).then_some(Self { address, bits })
    }

    pub(super) fn overlaps(&self, other: &Self) -> bool {
        let bits = self.bits.min(other.bits);
        match (self.address, other.address) {
            (IpAddr::V4(a), IpAddr::V4(b)) => {
                prefix(u128::from(a.to_bits()), 32, bits) == prefix(u128::from(b.to_bits()), 32, bits)
            }
            (IpAddr::V6(a), IpAddr::V6(b)) => {
                prefix(Ipv6Addr::to_bits(a), 128, bits) == prefix(Ipv6Addr::to_bits(b), 128, bits)
            }
            _ => false,
        }
    }
}

fn prefix(address: u128, width: u8, bits: u8) -> u128 {
    address.checked_shr(u32::from(width - bits)).unwrap_or(0)
}

impl std::fmt::Display for Subnet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subnet(text: &str) -> Subnet {
        Subnet::parse(text).unwrap()
    }

    #[test]
    fn ranges_overlap_when_one_holds_the_other() {
        assert!(subnet("172.20.0.0/24").overlaps(&subnet("172.20.0.0/16")));
        assert!(subnet("172.28.0.0/16").overlaps(&subnet("172.28.5.0/24")));
        assert!(!subnet("172.20.0.0/24").overlaps(&subnet("172.20.1.0/24")));
        assert!(subnet("fd00::/64").overlaps(&subnet("fd00::1:0/112")));
        assert!(!subnet("fd00::/64").overlaps(&subnet("172.20.0.0/16")));
        assert_eq!(Subnet::parse("172.20.0.0/64"), None);
        assert_eq!(Subnet::parse(""), None);
    }
}
