//! The PIN/UV auth protocols one and two: CTAP 2.1, 6.5.4 to 6.5.7. What a
//! platform and this authenticator agree on is here; what a PIN is, and when
//! one may be tried, is in [`client_pin`](super::client_pin).

use std::fmt;

use aes::Aes256;
use cablecar_protocol::cbor::{Item, Map, Writer};
use cablecar_protocol::ctap::Status;
use cbc::cipher::{Block, BlockDecryptMut, BlockEncryptMut, KeyIvInit};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use p256::elliptic_curve::sec1::{FromEncodedPoint, ToEncodedPoint};
use p256::{EncodedPoint, PublicKey, SecretKey};
use rand_core::CryptoRngCore;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::device::{Device, Moment};
use super::token::{Permissions, Token};
use crate::defaults;
use crate::vault::{self, Algorithm, PrivateKey};

/// AES's block, in bytes.
const BLOCK: usize = 16;

/// Which of the two protocols.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// pinUvAuthProtocol 1
    One,
    /// pinUvAuthProtocol 2
    Two,
}

impl Protocol {
    /// The protocol with this number.
    pub(super) fn from_number(number: u64) -> Option<Self> {
        match number {
            1 => Some(Protocol::One),
            2 => Some(Protocol::Two),
            _ => None,
        }
    }

    /// The bytes of `authenticate`.
    fn tag_length(self) -> usize {
        match self {
            Protocol::One => 16,
            Protocol::Two => 32,
        }
    }

    /// Whether `tag` is the one that `key` gives the message.
    fn verify(self, key: &[u8], message: &[u8], tag: &[u8]) -> bool {
        // HMAC takes a key of any length.
        let Ok(mac) = <Hmac<Sha256> as Mac>::new_from_slice(key) else { return false };
        let expected = mac.chain_update(message).finalize().into_bytes();
        let expected = expected.get(..self.tag_length()).unwrap_or_default();
        bool::from(expected.ct_eq(tag))
    }
}

/// What the protocols remember until power is lost.
#[derive(Debug)]
pub(super) struct PinUv {
    one: SecretKey,
    two: SecretKey,
    token: Option<Token>,
    mismatches: u8,
}

impl PinUv {
    /// initialize: at power-up.
    ///
    /// # Errors
    /// [`vault::Error::NoRandomness`].
    pub(super) fn new(rng: &mut dyn CryptoRngCore) -> Result<Self, vault::Error> {
        Ok(Self { one: key_pair(rng)?, two: key_pair(rng)?, token: None, mismatches: 0 })
    }

    /// getPublicKey, as a COSE key.
    pub(super) fn write_public_key(&self, protocol: Protocol, writer: &mut Writer) {
        let point = self.key(protocol).public_key().to_encoded_point(false);
        let coordinate = |bytes: Option<&p256::FieldBytes>| bytes.copied().unwrap_or_default();
        writer.map(|map| {
            map.entry(1, |w| w.unsigned(2));
            map.entry(3, |w| w.int(ECDH_ES_HKDF_256));
            map.entry(-1, |w| w.unsigned(1));
            map.entry(-2, |w| w.bytes(&coordinate(point.x())));
            map.entry(-3, |w| w.bytes(&coordinate(point.y())));
        });
    }

    /// decapsulate: what this authenticator and whoever has this COSE key
    /// agree on.
    ///
    /// # Errors
    /// [`Status::CBOR_UNEXPECTED_TYPE`] if it is no map,
    /// [`Status::INVALID_PARAMETER`] if it is no COSE key of the kind that the
    /// specification demands, or no point of P-256.
    pub(super) fn shared_secret(&self, protocol: Protocol, peer: Item<'_>) -> Result<SharedSecret, Status> {
        let map = peer.as_map().ok_or(Status::CBOR_UNEXPECTED_TYPE)?;
        let peer = read_public_key(&map).ok_or(Status::INVALID_PARAMETER)?;
        let own = self.key(protocol).to_nonzero_scalar();
        let z = p256::ecdh::diffie_hellman(own, peer.as_affine());
        Ok(SharedSecret::derive(protocol, z.raw_secret_bytes()))
    }

    fn key(&self, protocol: Protocol) -> &SecretKey {
        match protocol {
            Protocol::One => &self.one,
            Protocol::Two => &self.two,
        }
    }

    /// regenerate: a new key pair.
    ///
    /// # Errors
    /// [`vault::Error::NoRandomness`].
    pub(super) fn regenerate(
        &mut self,
        protocol: Protocol,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<(), vault::Error> {
        let key = key_pair(rng)?;
        match protocol {
            Protocol::One => self.one = key,
            Protocol::Two => self.two = key,
        }
        Ok(())
    }

    /// resetPinUvAuthToken for both protocols: no token is good any more.
    pub(super) fn reset_tokens(&mut self) {
        self.token = None;
    }

    /// Draws a token, which is the only good one from now on, and gives it
    /// encrypted.
    ///
    /// # Errors
    /// [`vault::Error::NoRandomness`].
    pub(super) fn issue_token(
        &mut self,
        shared: &SharedSecret,
        permissions: Permissions,
        rp_id: Option<String>,
        now: Moment,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<Vec<u8>, vault::Error> {
        self.reset_tokens();
        let mut secret = Box::new(Zeroizing::new([0; 32]));
        rng.try_fill_bytes(secret.as_mut_slice()).map_err(|_| vault::Error::NoRandomness)?;
        let encrypted = shared.encrypt(secret.as_slice(), rng)?;
        self.token = Some(Token::new(shared.protocol, secret, permissions, rp_id, now.since_power_up));
        Ok(encrypted)
    }

    /// The token in use, if any.
    pub(super) fn token(&mut self, now: Moment) -> Option<&mut Token> {
        if self.token.as_ref().is_some_and(|token| token.expired(now.since_power_up)) {
            self.token = None;
        }
        let token = self.token.as_mut()?;
        Some(token)
    }

    /// The token by which `param` authenticates the message.
    ///
    /// # Errors
    /// [`Status::PIN_AUTH_INVALID`].
    pub(super) fn verify(
        &mut self,
        protocol: Protocol,
        param: &[u8],
        message: &[u8],
        now: Moment,
    ) -> Result<&mut Token, Status> {
        let token = self.token(now).filter(|token| token.protocol() == protocol);
        let token = token.ok_or(Status::PIN_AUTH_INVALID)?;
        if !protocol.verify(token.secret(), message, param) {
            return Err(Status::PIN_AUTH_INVALID);
        }
        token.mark_used();
        Ok(token)
    }

    /// A wrong PIN: one more in a row.
    pub(super) fn count_mismatch(&mut self) {
        self.mismatches = self.mismatches.saturating_add(1);
    }

    /// The right PIN: the row is over.
    pub(super) fn forget_mismatches(&mut self) {
        self.mismatches = 0;
    }

    /// Whether so many PINs in a row were wrong that none is taken before the
    /// next power cycle.
    pub(super) fn blocked(&self) -> bool {
        self.mismatches >= defaults::PIN_MISMATCHES
    }
}

/// ECDH-ES + HKDF-256: not what is done, but what the specification says to
/// write.
const ECDH_ES_HKDF_256: i64 = -25;

fn key_pair(rng: &mut dyn CryptoRngCore) -> Result<SecretKey, vault::Error> {
    let key = PrivateKey::random(Algorithm::Es256, rng)?;
    SecretKey::from_slice(key.expose()).map_err(|_| vault::Error::NoRandomness)
}

/// A COSE key, if it has what it must and its point is on the curve.
fn read_public_key(map: &Map<'_>) -> Option<PublicKey> {
    let is = |key, value| map.get(key).and_then(|item| item.as_int()) == Some(value);
    if !(is(1, 2) && is(3, ECDH_ES_HKDF_256) && is(-1, 1)) {
        return None;
    }
    let coordinate = |key| map.get(key).and_then(|item| item.as_array_of::<32>());
    let (x, y) = (coordinate(-2)?, coordinate(-3)?);
    let point = EncodedPoint::from_affine_coordinates(&x.into(), &y.into(), false);
    Option::from(PublicKey::from_encoded_point(&point))
}

/// What a platform and this authenticator share for one exchange.
pub(super) struct SharedSecret {
    protocol: Protocol,
    /// The key of HMAC and then that of AES, 32 bytes each; with protocol one
    /// they are the same.
    keys: Box<Zeroizing<[u8; 64]>>,
}

impl SharedSecret {
    /// kdf: from the x-coordinate of the agreed point.
    fn derive(protocol: Protocol, z: &[u8]) -> Self {
        let mut keys: Box<Zeroizing<[u8; 64]>> = Box::new(Zeroizing::new([0; 64]));
        let (mac, aes) = keys.split_at_mut(32);
        match protocol {
            Protocol::One => {
                let digest: Zeroizing<[u8; 32]> = Zeroizing::new(Sha256::digest(z).into());
                mac.copy_from_slice(digest.as_slice());
                aes.copy_from_slice(digest.as_slice());
            }
            Protocol::Two => {
                let hkdf = Hkdf::<Sha256>::new(Some(&[0; 32]), z);
                for (info, key) in [("CTAP2 HMAC key", mac), ("CTAP2 AES key", aes)] {
                    // HKDF gives up to 255 times 32 bytes.
                    let _ = hkdf.expand(info.as_bytes(), key);
                }
            }
        }
        Self { protocol, keys }
    }

    fn mac_key(&self) -> &[u8] {
        self.keys.split_at(32).0
    }

    fn aes_key(&self) -> &[u8] {
        self.keys.split_at(32).1
    }

    /// Whether the tag is the message's.
    pub(super) fn verify(&self, message: &[u8], tag: &[u8]) -> bool {
        self.protocol.verify(self.mac_key(), message, tag)
    }

    /// AES-256-CBC without padding, the IV zero or in front.
    ///
    /// # Errors
    /// [`Status::INVALID_PARAMETER`] if it is not of whole blocks, or too short
    /// for its IV.
    pub(super) fn decrypt(&self, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, Status> {
        let (iv, body) = match self.protocol {
            Protocol::One => ([0; BLOCK].as_slice(), ciphertext),
            Protocol::Two => ciphertext.split_at_checked(BLOCK).ok_or(Status::INVALID_PARAMETER)?,
        };
        let decryptor = cbc::Decryptor::<Aes256>::new_from_slices(self.aes_key(), iv);
        let mut decryptor = decryptor.map_err(|_| Status::INVALID_PARAMETER)?;
        if body.len() % BLOCK != 0 {
            return Err(Status::INVALID_PARAMETER);
        }
        let mut plaintext = Zeroizing::new(body.to_vec());
        for block in plaintext.chunks_exact_mut(BLOCK) {
            decryptor.decrypt_block_mut(Block::<Aes256>::from_mut_slice(block));
        }
        Ok(plaintext)
    }

    /// The same the other way. A last block that is not whole is filled with
    /// zeros.
    ///
    /// # Errors
    /// [`vault::Error::NoRandomness`].
    pub(super) fn encrypt(
        &self,
        plaintext: &[u8],
        rng: &mut dyn CryptoRngCore,
    ) -> Result<Vec<u8>, vault::Error> {
        let mut iv = [0; BLOCK];
        let mut out = Vec::with_capacity(BLOCK + plaintext.len());
        if self.protocol == Protocol::Two {
            rng.try_fill_bytes(&mut iv).map_err(|_| vault::Error::NoRandomness)?;
            out.extend_from_slice(&iv);
        }
        let encryptor = cbc::Encryptor::<Aes256>::new_from_slices(self.aes_key(), &iv);
        let mut encryptor = encryptor.map_err(|_| vault::Error::NoRandomness)?;
        for block in plaintext.chunks(BLOCK) {
            // Encrypted before it is put among what may leave.
            let mut room = Zeroizing::new([0; BLOCK]);
            room.get_mut(..block.len()).unwrap_or_default().copy_from_slice(block);
            encryptor.encrypt_block_mut(Block::<Aes256>::from_mut_slice(room.as_mut_slice()));
            out.extend_from_slice(room.as_slice());
        }
        Ok(out)
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedSecret(..)")
    }
}

impl Device {
    /// Checks a pinUvAuthParam against the token: that it authenticates the
    /// message, that the token allows this, that it is for this RP ID (and
    /// for it alone from now on), and that it stands for a verified user.
    ///
    /// # Errors
    /// [`Status::PIN_AUTH_INVALID`].
    pub(super) fn authorise(
        &mut self,
        protocol: Protocol,
        param: &[u8],
        message: &[u8],
        permission: Permissions,
        rp_id: &str,
        now: Moment,
    ) -> Result<(), Status> {
        let token = self.pin_uv.verify(protocol, param, message, now)?;
        let fits = token.permits(permission)
            && token.rp_id().is_none_or(|bound| bound == rp_id)
            && token.user_verified();
        if fits && token.bind(rp_id) { Ok(()) } else { Err(Status::PIN_AUTH_INVALID) }
    }

    /// To be called once a person said yes to a request: the token loses its
    /// flags and every permission but the one to write large blobs.
    pub(super) fn after_use(&mut self) {
        self.pin_uv.after_use();
    }
}

impl PinUv {
    fn after_use(&mut self) {
        if let Some(token) = &mut self.token {
            token.after_use();
        }
    }
}

#[cfg(test)]
mod tests;
