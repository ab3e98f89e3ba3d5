//! The EID and the advert that carries it: the proof that two devices are
//! near each other.
//!
//! ```text
//! EID      16 bytes   00 ‖ nonce (10) ‖ routing id (3) ‖ domain (2, little-endian)
//! advert   20 bytes   AES-256(EID key[0..32], EID) ‖ HMAC-SHA-256(EID key[32..64], ciphertext)[0..4]
//! service data        advert ‖ suffix (CTAP 2.3, a CBOR map of channels, not authenticated)
//! ```
//!
//! In a linked transaction the 15 bytes after the zero are all random.

use std::fmt;

use aes::Aes256;
use aes::cipher::{BlockDecrypt, BlockEncrypt, KeyInit};
use hmac::{Hmac, Mac};
use rand_core::CryptoRngCore;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::cbor;
use crate::error::{Error, Which};
use crate::ids::RoutingId;
use crate::secrets::{EidKey, fill};
use crate::tunnel::TunnelServiceDomain;

/// The 16-bit UUID under which adverts are sent and heard (FIDO).
pub const SERVICE_UUID: u16 = 0xfff9;
/// A second UUID under which adverts are heard (Google; iOS 16, old Chromium).
pub const SERVICE_UUID_OLD: u16 = 0xfde2;

/// The plaintext of an advert. Salt of the PSK, so it is kept like a secret.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Eid([u8; 16]);

impl Eid {
    /// 00 ‖ nonce ‖ routing id ‖ domain, with a fresh nonce of 10 bytes.
    ///
    /// # Errors
    /// [`Which::NoRandomness`] if the source fails.
    pub fn routed(
        routing: RoutingId,
        domain: TunnelServiceDomain,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<Self, Error> {
        let mut nonce = [0; 10];
        fill(rng, &mut nonce)?;
        Ok(Self::from_parts(nonce, routing, domain))
    }

    /// The EID of these parts.
    pub fn from_parts(nonce: [u8; 10], routing: RoutingId, domain: TunnelServiceDomain) -> Self {
        let mut bytes = [0; 16];
        let parts = [0].into_iter().chain(nonce).chain(*routing.as_bytes()).chain(domain.id().to_le_bytes());
        bytes.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
        Self(bytes)
    }

    /// 00 ‖ 15 random bytes, for a linked transaction.
    ///
    /// Redrawn until the last two, read as a domain, are 256 or more:
    /// Chromium refuses the unassigned range in both doors.
    ///
    /// # Errors
    /// [`Which::NoRandomness`] if the source fails.
    pub fn linked(rng: &mut dyn CryptoRngCore) -> Result<Self, Error> {
        let mut eid = Self([0; 16]);
        // A fair source misses 2^-8 of the time; 64 misses are a broken one.
        for _ in 0..64 {
            let [zero, rest @ ..] = &mut eid.0;
            *zero = 0;
            fill(rng, rest)?;
            if eid.domain_id() >= TunnelServiceDomain::FIRST_HASHED {
                return Ok(eid);
            }
        }
        Err(Error::Misuse(Which::NoRandomness))
    }

    /// The EID with these bytes, unless the first is not zero.
    pub fn from_bytes(bytes: [u8; 16]) -> Option<Self> {
        matches!(bytes, [0, ..]).then_some(Self(bytes))
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Where the tunnel is. Means nothing in a linked transaction.
    pub fn routing_id(&self) -> RoutingId {
        let [.., a, b, c, _, _] = self.0;
        RoutingId::new([a, b, c])
    }

    /// At which tunnel service. Means nothing in a linked transaction.
    ///
    /// # Errors
    /// [`What::Domain`](crate::error::What) for an id in the unassigned range.
    pub fn domain(&self) -> Result<TunnelServiceDomain, Error> {
        TunnelServiceDomain::new(self.domain_id())
    }

    fn domain_id(&self) -> u16 {
        let [.., low, high] = self.0;
        u16::from_le_bytes([low, high])
    }

    /// AES-256(key\[0..32\], EID) ‖ HMAC-SHA-256(key\[32..64\], ciphertext)\[0..4\]
    pub fn seal(&self, key: &EidKey) -> Advert {
        let mut block = self.0.into();
        cipher(key).encrypt_block(&mut block);
        let mut advert = [0; 20];
        advert.iter_mut().zip(block.iter().chain(&tag(key, &block))).for_each(|(to, from)| *to = *from);
        Advert(advert)
    }
}

impl fmt::Debug for Eid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Eid(..)")
    }
}

/// A sealed EID: what the authenticator advertises, exactly 20 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Advert([u8; 20]);

impl Advert {
    /// Length in bytes.
    pub const LENGTH: usize = 20;

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }
}

impl fmt::Debug for Advert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Advert(..)")
    }
}

/// What the radio gave under one of the two UUIDs: an advert, perhaps ours,
/// and the suffix of CTAP 2.3 if it has one.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ServiceData {
    advert: [u8; 20],
    suffix: Suffix,
}

/// What follows the 20 bytes of an advert. Anybody near can attach one to a
/// replayed advert, so it is a suggestion and never more.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Suffix {
    /// The bytes as they came, empty if there were none.
    pub bytes: Vec<u8>,
    /// The protocol/service multiplexer of an L2CAP channel (channel 1).
    pub psm: Option<u16>,
}

impl ServiceData {
    /// Takes 20 bytes or more. Shorter data is nobody's advert: `None`. A
    /// suffix that cannot be read is kept as bytes and otherwise ignored.
    pub fn new(data: &[u8]) -> Option<Self> {
        let (advert, suffix) = data.split_first_chunk::<20>()?;
        Some(Self { advert: *advert, suffix: Suffix { bytes: suffix.to_vec(), psm: read_psm(suffix) } })
    }

    /// What follows the advert.
    pub fn suffix(&self) -> &Suffix {
        &self.suffix
    }

    /// Opens the advert of a QR-initiated transaction. `None`: somebody
    /// else's, which is no error.
    pub fn open(&self, key: &EidKey) -> Option<Eid> {
        self.open_linked(key).filter(|eid| eid.domain().is_ok())
    }

    /// Opens the advert of a linked transaction, in which the last bytes name
    /// no domain. `None`: somebody else's, which is no error.
    pub fn open_linked(&self, key: &EidKey) -> Option<Eid> {
        let (block, expected) = self.advert.split_first_chunk::<16>()?;
        if !bool::from(tag(key, block).as_slice().ct_eq(expected)) {
            return None;
        }
        let mut block = (*block).into();
        cipher(key).decrypt_block(&mut block);
        Eid::from_bytes(block.into())
    }
}

impl From<Advert> for ServiceData {
    fn from(advert: Advert) -> Self {
        Self { advert: advert.0, suffix: Suffix::default() }
    }
}

impl fmt::Debug for ServiceData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServiceData(..)")
    }
}

/// `{1: PSM}` among channels that may be unknown.
fn read_psm(suffix: &[u8]) -> Option<u16> {
    let map = cbor::parse(suffix, cbor::QR_DEPTH).ok()?.as_map()?;
    u16::try_from(map.get(1)?.as_unsigned()?).ok()
}

fn cipher(key: &EidKey) -> Aes256 {
    let (aes_key, _) = key.expose().split_at(32);
    Aes256::new(aes_key.into())
}

fn tag(key: &EidKey, ciphertext: &[u8]) -> [u8; 4] {
    let (_, mac_key) = key.expose().split_at(32);
    // HMAC takes a key of any length.
    let mac =
        <Hmac<Sha256> as Mac>::new_from_slice(mac_key).map(|mac| mac.chain_update(ciphertext).finalize());
    let mac = mac.map(|mac| mac.into_bytes()).unwrap_or_default();
    mac.first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_advert_opens_under_its_key_and_no_other(
            key in any::<[u8; 32]>(), other in any::<[u8; 32]>(),
            nonce in any::<[u8; 10]>(), routing in any::<[u8; 3]>(), domain in 256u16..,
        ) {
            prop_assume!(key != other);
            let both = |half: [u8; 32]| EidKey::new(&std::array::from_fn(|i| half[i % 32] ^ u8::from(i >= 32)));
            let domain = TunnelServiceDomain::new(domain).unwrap();
            let eid = Eid::from_parts(nonce, RoutingId::new(routing), domain);
            let heard = ServiceData::from(eid.seal(&both(key)));
            let opened = heard.open(&both(key)).unwrap();
            prop_assert_eq!(opened.as_bytes(), eid.as_bytes());
            prop_assert_eq!(opened.domain(), Ok(domain));
            prop_assert!(heard.open(&both(other)).is_none());
        }

        #[test]
        fn no_service_data_panics(data in proptest::collection::vec(any::<u8>(), 0..64)) {
            if let Some(heard) = ServiceData::new(&data) {
                let _ = heard.open(&EidKey::new(&[0; 64]));
            }
        }
    }

    #[test]
    fn a_linked_eid_never_ends_in_the_unassigned_range() {
        for _ in 0..2_000 {
            let eid = Eid::linked(&mut rand_core::OsRng).unwrap();
            assert!(eid.domain_id() >= 256 && eid.as_bytes()[0] == 0);
        }
    }
}
