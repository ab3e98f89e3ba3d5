use std::fmt;

use cablecar_protocol::ctap::{EDDSA, ES256};
use ecdsa::hazmat::SignPrimitive;
use ed25519_dalek::Signer;
use p256::elliptic_curve::sec1::ToEncodedPoint;
use rand_core::CryptoRngCore;
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{Error, fill};

/// How a passkey signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

impl Algorithm {
    /// Its number in COSE: −7 or −8.
    pub fn cose(self) -> i64 {
        match self {
            Algorithm::Es256 => ES256,
            Algorithm::EdDsa => EDDSA,
        }
    }

    /// The algorithm with this number, if it is one of ours.
    pub fn from_cose(number: i64) -> Option<Self> {
        [Algorithm::Es256, Algorithm::EdDsa].into_iter().find(|one| one.cose() == number)
    }
}

/// The public key of a passkey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicKey {
    /// A point of P-256.
    P256 {
        /// Big-endian.
        x: [u8; 32],
        /// Big-endian.
        y: [u8; 32],
    },
    /// A point of Ed25519, compressed.
    Ed25519([u8; 32]),
}

/// The private key of a passkey: a scalar of P-256, big-endian, or a seed of
/// Ed25519.
pub struct PrivateKey {
    algorithm: Algorithm,
    secret: Box<[u8; 32]>,
}

impl PrivateKey {
    /// Draws a key.
    ///
    /// # Errors
    /// [`Error::NoRandomness`].
    pub fn random(algorithm: Algorithm, rng: &mut dyn CryptoRngCore) -> Result<Self, Error> {
        // A draw fails to be a scalar once in 2^32.
        let mut key = Self { algorithm, secret: Box::new([0; 32]) };
        for _ in 0..64 {
            fill(rng, key.secret.as_mut_slice())?;
            if key.is_possible() {
                return Ok(key);
            }
        }
        Err(Error::NoRandomness)
    }

    /// The key with this secret of 32 bytes, unless it is for P-256 and 0 or
    /// not below the group's order.
    pub fn from_secret(algorithm: Algorithm, secret: &[u8]) -> Option<Self> {
        // Copied into its place and nowhere else, so that it can be cleared.
        let mut key = Self { algorithm, secret: Box::new([0; 32]) };
        if secret.len() != key.secret.len() {
            return None;
        }
        key.secret.copy_from_slice(secret);
        key.is_possible().then_some(key)
    }

    fn is_possible(&self) -> bool {
        match self.algorithm {
            Algorithm::Es256 => p256::SecretKey::from_slice(self.expose()).is_ok(),
            Algorithm::EdDsa => true,
        }
    }

    /// How it signs.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The secret, for whoever must have it.
    pub fn expose(&self) -> &[u8; 32] {
        &self.secret
    }

    /// Its public key.
    pub fn public(&self) -> Option<PublicKey> {
        match self.algorithm {
            Algorithm::Es256 => {
                let key = p256::SecretKey::from_slice(self.expose()).ok()?;
                let point = key.public_key().to_encoded_point(false);
                Some(PublicKey::P256 { x: (*point.x()?).into(), y: (*point.y()?).into() })
            }
            Algorithm::EdDsa => {
                let key = ed25519_dalek::SigningKey::from_bytes(self.expose());
                Some(PublicKey::Ed25519(key.verifying_key().to_bytes()))
            }
        }
    }

    /// The signature of the message, in WebAuthn's form: DER for ES256, 64
    /// bytes for EdDSA. Deterministic (RFC 6979, RFC 8032): a source of
    /// randomness that fails costs no key.
    pub fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        match self.algorithm {
            Algorithm::Es256 => {
                // By the scalar: a `SigningKey` first computes the public key,
                // which costs as much as the signature.
                let key = p256::SecretKey::from_slice(self.expose()).ok()?;
                let scalar = Zeroizing::new(*key.to_nonzero_scalar());
                let digest = Sha256::digest(message);
                let (signature, _) = scalar.try_sign_prehashed_rfc6979::<Sha256>(&digest, &[]).ok()?;
                Some(signature.to_der().as_bytes().to_vec())
            }
            Algorithm::EdDsa => {
                let key = ed25519_dalek::SigningKey::from_bytes(self.expose());
                Some(key.sign(message).to_bytes().to_vec())
            }
        }
    }

    pub(super) fn again(&self) -> Self {
        Self { algorithm: self.algorithm, secret: self.secret.clone() }
    }
}

impl Drop for PrivateKey {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

impl ZeroizeOnDrop for PrivateKey {}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(..)")
    }
}
