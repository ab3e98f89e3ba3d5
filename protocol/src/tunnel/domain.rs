use sha2::{Digest, Sha256};

use crate::error::{Error, What};

/// Names a tunnel service in two bytes of an advert.
///
/// | id | host |
/// |---|---|
/// | 0, 1 | assigned: `cable.ua5v.com`, `cable.auth.com` |
/// | 2..=255 | assigned range, nobody yet: not a domain |
/// | 256..=65535 | `cable.` label `.` tld, computed below |
///
/// digest = SHA-256("caBLEv2 tunnel server domain" ‖ id, little-endian ‖ 00);
/// v = its first 8 bytes, little-endian; tld = (com, org, net, info)\[v mod 4\];
/// label = the rest of v in groups of 5 bits, least significant first, in the
/// alphabet of base32, until nothing is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TunnelServiceDomain(u16);

impl TunnelServiceDomain {
    /// Number of assigned domains that this client knows: key 2 of the QR map.
    pub const KNOWN_ASSIGNED: u64 = 2;
    /// The first id whose host is computed.
    pub const FIRST_HASHED: u16 = 256;

    /// The domain with this id.
    ///
    /// # Errors
    /// [`What::Domain`] for 2..=255, which nobody has been given.
    pub const fn new(id: u16) -> Result<Self, Error> {
        match id {
            0 | 1 | Self::FIRST_HASHED..=u16::MAX => Ok(Self(id)),
            _ => Err(Error::Malformed(What::Domain)),
        }
    }

    /// The id as it stands in an advert.
    pub const fn id(self) -> u16 {
        self.0
    }

    /// The host name, without scheme and port.
    pub fn host(self) -> String {
        match self.0 {
            0 => "cable.ua5v.com".into(),
            1 => "cable.auth.com".into(),
            id => hashed_host(id),
        }
    }

    /// Every domain whose host is computed, 65,280 of them: the names among
    /// which whoever runs a tunnel service must choose.
    pub fn all_hashed() -> impl Iterator<Item = Self> {
        (Self::FIRST_HASHED..=u16::MAX).map(Self)
    }

    /// The domain of this host name, if it is one that clients can reach.
    /// Computes all names; meant for people, not for a hot path.
    pub fn of_host(host: &str) -> Option<Self> {
        [Self(0), Self(1)]
            .into_iter()
            .chain(Self::all_hashed())
            .find(|domain| domain.host().eq_ignore_ascii_case(host))
    }
}

fn hashed_host(id: u16) -> String {
    let digest = Sha256::new()
        .chain_update(b"caBLEv2 tunnel server domain")
        .chain_update(id.to_le_bytes())
        .chain_update([0])
        .finalize();
    let mut v = digest.iter().take(8).rev().fold(0u64, |v, byte| v << 8 | u64::from(*byte));
    let tld = match v & 3 {
        0 => "com",
        1 => "org",
        2 => "net",
        _ => "info",
    };
    v >>= 2;
    let mut host = String::from("cable.");
    while v != 0 {
        host.push(base32_letter(v & 31));
        v >>= 5;
    }
    host.push('.');
    host.push_str(tld);
    host
}

/// `abcdefghijklmnopqrstuvwxyz234567`\[value\]
fn base32_letter(value: u64) -> char {
    let value = u8::try_from(value & 31).unwrap_or(0);
    char::from(if value < 26 { b'a' + value } else { b'2' + (value - 26) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unassigned_range_is_no_domain() {
        assert!((2..=255).all(|id| TunnelServiceDomain::new(id).is_err()));
    }

    #[test]
    fn a_host_is_found_again() {
        let domain = TunnelServiceDomain::new(266).unwrap();
        assert_eq!(domain.host(), "cable.wufkweyy3uaxb.com");
        assert_eq!(TunnelServiceDomain::of_host("Cable.wufkweyy3uaxb.COM"), Some(domain));
        assert_eq!(TunnelServiceDomain::of_host("cable.example.com"), None);
    }
}
