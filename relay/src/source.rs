//! Whom a connection is counted against, and the networks that are not
//! counted at all.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// Where a connection comes from, as coarse as one subscriber: an IPv4
/// address, or an IPv6 /64. Prints nothing of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Source(IpAddr);

impl Source {
    /// The source that this address belongs to. IPv4 inside IPv6 is IPv4:
    /// otherwise all of it would be one /64.
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            v4 @ IpAddr::V4(_) => Self(v4),
            IpAddr::V6(v6) => Self(IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask(64, 128)))),
        }
    }

    /// The network around it that may be logged, or told to whoever decides:
    /// an IPv4 /24, an IPv6 /48.
    pub(crate) fn network(&self) -> Network {
        let (bits, v4) = bits_of(self.0);
        let mask = if v4 { mask(24, 32) } else { mask(48, 128) };
        Network { bits: bits & mask, mask, v4 }
    }

    /// The one source that all shares once too many are being counted.
    pub(crate) const fn crowd() -> Self {
        Self(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Source(..)")
    }
}

/// A named network: `192.0.2.0/24`, `2001:db8::/32`, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    bits: u128,
    mask: u128,
    v4: bool,
}

impl Network {
    /// Whether the address lies in this network.
    pub fn contains(&self, address: IpAddr) -> bool {
        let (bits, v4) = bits_of(address);
        v4 == self.v4 && bits & self.mask == self.bits
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = match u32::try_from(self.bits) {
            Ok(bits) if self.v4 => IpAddr::V4(Ipv4Addr::from_bits(bits)),
            _ => IpAddr::V6(Ipv6Addr::from_bits(self.bits)),
        };
        write!(f, "{address}/{}", self.mask.count_ones())
    }
}

/// Why a text is no [`Network`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// Not an address, or not a number after the slash.
    #[error("not an address, or address/prefix")]
    Form,
    /// More bits than the address has.
    #[error("the prefix is longer than the address")]
    Prefix,
    /// Bits are set that the prefix does not cover: probably a typing error.
    #[error("the address has bits beyond its prefix")]
    HostBits,
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NetworkError::Form)?;
        let (bits, v4) = bits_of(address);
        let width = if v4 { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(width), str::parse).map_err(|_| NetworkError::Form)?;
        if prefix > width {
            return Err(NetworkError::Prefix);
        }
        let mask = mask(prefix, width);
        if bits & !mask != 0 {
            return Err(NetworkError::HostBits);
        }
        Ok(Self { bits, mask, v4 })
    }
}

fn bits_of(address: IpAddr) -> (u128, bool) {
    match address.to_canonical() {
        IpAddr::V4(v4) => (u128::from(v4.to_bits()), true),
        IpAddr::V6(v6) => (v6.to_bits(), false),
    }
}

/// The `prefix` highest of `width` bits.
fn mask(prefix: u32, width: u32) -> u128 {
    let all = u128::MAX >> (128 - width);
    all & !(all.checked_shr(prefix).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_source_is_an_address_or_a_64() {
        assert_ne!(Source::of(ip("192.0.2.1")), Source::of(ip("192.0.2.2")));
        assert_eq!(Source::of(ip("::ffff:192.0.2.1")), Source::of(ip("192.0.2.1")));
        assert_eq!(Source::of(ip("2001:db8:0:1::1")), Source::of(ip("2001:db8:0:1:ffff::2")));
        assert_ne!(Source::of(ip("2001:db8:0:1::1")), Source::of(ip("2001:db8:0:2::1")));
        assert_eq!(format!("{:?}", Source::of(ip("192.0.2.1"))), "Source(..)");
    }

    #[test]
    fn a_network_holds_its_addresses_and_no_others() {
        let contains =
            |network: &str, address: &str| network.parse::<Network>().unwrap().contains(ip(address));
        assert!(contains("192.0.2.0/24", "192.0.2.255"));
        assert!(contains("192.0.2.0/24", "::ffff:192.0.2.7"));
        assert!(!contains("192.0.2.0/24", "192.0.3.0"));
        assert!(contains("0.0.0.0/0", "203.0.113.9"));
        assert!(!contains("0.0.0.0/0", "::1"));
        assert!(contains("::1", "::1") && !contains("::1", "::2"));
        assert!(
            contains("2001:db8::/33", "2001:db8:7fff::") && !contains("2001:db8::/33", "2001:db8:8000::")
        );
    }

    #[test]
    fn what_may_be_told_is_a_network_of_many() {
        for (address, network) in [
            ("192.0.2.77", "192.0.2.0/24"),
            ("::ffff:192.0.2.77", "192.0.2.0/24"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
            ("2001:db8:1:2:3::4", "2001:db8:1::/48"),
        ] {
            assert_eq!(Source::of(ip(address)).network().to_string(), network);
        }
    }

    #[test]
    fn a_network_is_written_as_it_is_read() {
        for text in ["192.0.2.0/24", "0.0.0.0/0", "203.0.113.9/32", "2001:db8::/33", "::/0", "::1/128"] {
            assert_eq!(text.parse::<Network>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_network_with_a_typing_error_is_refused() {
        let error = |text: &str| text.parse::<Network>().unwrap_err();
        assert_eq!(error("192.0.2.1/24"), NetworkError::HostBits);
        assert_eq!(error("192.0.2.0/33"), NetworkError::Prefix);
        for text in ["", "/", "192.0.2.0/", "192.0.2/24", "192.0.2.0/-1", "host/8"] {
            assert_eq!(error(text), NetworkError::Form, "{text}");
        }
    }
}
