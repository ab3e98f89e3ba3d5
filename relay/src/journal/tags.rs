//! Names of tunnels in the log, that mean nothing outside of it.

use std::fmt;

use hmac::{Hmac, Mac};
use rand_core::{OsRng, RngCore};
use sha2::Sha256;

use crate::error::Error;
use crate::observer::Serial;

/// Names a tunnel by 32 bits of HMAC-SHA-256 over its number in this process,
/// under a key that is drawn at the start and never written anywhere.
///
/// Over the number and not over the tunnel id: so no id comes near the log,
/// whoever knows an id cannot find its tunnel even with the key, and an id
/// that is opened twice has two names. A plain number would say in every
/// excerpt of a log how many people use the relay.
pub(super) struct Tags {
    key: [u8; 32],
}

/// Eight hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tag(u32);

impl Tags {
    pub(super) fn random() -> Result<Self, Error> {
        let mut key = [0; 32];
        OsRng.try_fill_bytes(&mut key).map_err(|error| Error::System(error.to_string()))?;
        Ok(Self { key })
    }

    pub(super) fn of(&self, tunnel: Serial) -> Tag {
        // A MAC takes a key of any length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else { return Tag(0) };
        mac.update(&tunnel.0.to_be_bytes());
        let digest = mac.finalize().into_bytes();
        Tag(digest.iter().take(4).fold(0, |tag, byte| tag << 8 | u32::from(*byte)))
    }
}

impl fmt::Debug for Tags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tags(..)")
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_the_head_of_the_mac() {
        // Computed by Python's hmac.new(bytes(32), (7).to_bytes(8), "sha256").
        assert_eq!(Tags { key: [0; 32] }.of(Serial(7)).to_string(), "fd6c2087");
        assert_eq!(format!("{:?}", Tags { key: [7; 32] }), "Tags(..)");
    }

    #[test]
    fn tags_differ_by_tunnel_and_by_run() {
        let (one, other) = (Tags::random().unwrap(), Tags::random().unwrap());
        assert_eq!(one.of(Serial(1)), one.of(Serial(1)));
        assert_ne!(one.of(Serial(1)), one.of(Serial(2)));
        assert_ne!(one.of(Serial(1)), other.of(Serial(1)));
    }
}
