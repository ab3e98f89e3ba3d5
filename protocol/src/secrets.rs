//! Secrets as types: cleared on drop, never printed, never cloned by
//! accident, compared in constant time, read only through `expose`.

use std::fmt;

use p256::elliptic_curve::sec1::ToEncodedPoint;
use p256::elliptic_curve::zeroize::ZeroizeOnDrop;
use rand_core::CryptoRngCore;
use subtle::{Choice, ConstantTimeEq};
use zeroize::{Zeroize, Zeroizing};

use crate::error::{Error, What, Which};

macro_rules! secret {
    ($(#[$doc:meta])* $vis:vis $name:ident, $length:literal) => {
        $(#[$doc])*
        $vis struct $name(Box<[u8; $length]>);

        impl $name {
            /// Length in bytes.
            pub const LENGTH: usize = $length;

            /// Takes the bytes over. The array given is a copy, which the
            /// caller clears.
            pub fn new(bytes: &[u8; $length]) -> Self {
                Self(Box::new(*bytes))
            }

            /// Draws a fresh one.
            ///
            /// # Errors
            /// [`Which::NoRandomness`] if the source fails.
            pub fn random(rng: &mut dyn CryptoRngCore) -> Result<Self, Error> {
                let mut secret = Self(Box::new([0; $length]));
                fill(rng, secret.0.as_mut())?;
                Ok(secret)
            }

            /// The bytes, for whoever must have them.
            pub fn expose(&self) -> &[u8; $length] {
                &self.0
            }
        }

        impl Drop for $name {
            fn drop(&mut self) {
                self.0.zeroize();
            }
        }

        impl ZeroizeOnDrop for $name {}

        impl ConstantTimeEq for $name {
            fn ct_eq(&self, other: &Self) -> Choice {
                self.0.as_slice().ct_eq(other.0.as_slice())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    };
}

secret! {
    /// The 16 random bytes in a QR code from which both sides derive the rest.
    pub QrSecret, 16
}
secret! {
    /// The 32 bytes that both ends of a link keep.
    pub LinkSecret, 32
}
secret! {
    /// Opens and seals adverts: 32 bytes for AES-256, then 32 for HMAC-SHA-256.
    pub EidKey, 64
}
secret! {
    /// The pre-shared key of the handshake, 32 bytes. Exists only where an
    /// advert was opened or made.
    pub Psk, 32
}
secret! {
    /// The 32 bytes from which an authenticator derives all that it needs for
    /// links without storing any.
    pub RootSecret, 32
}
secret! {
    /// The key of one direction of a session, AES-256.
    pub TrafficKey, 32
}

/// Fills a buffer with randomness or says that there is none.
pub(crate) fn fill(rng: &mut dyn CryptoRngCore, into: &mut [u8]) -> Result<(), Error> {
    rng.try_fill_bytes(into).map_err(|_| Error::Misuse(Which::NoRandomness))
}

/// How far below the caller the stack is overwritten, in bytes: several times
/// what the deepest of our calls takes, and an eighth of the smallest stack.
const SCRUBBED: usize = 256 * 1024;

/// Overwrites the stack below the caller with zeros.
///
/// Secrets live on the heap and are cleared there, but arithmetic on them
/// leaves copies in the frames of functions that have returned, our own and
/// those of libraries. Called where a piece of work with secrets ends, by the
/// function that began it. It cannot reach the caller's own frame.
#[inline(never)]
pub fn scrub_stack() {
    let mut area = [0_u8; SCRUBBED];
    // Nobody may find out that nobody reads it.
    std::hint::black_box(&mut area);
}

/// What a piece of work with keys gives, the stack below overwritten.
///
/// At once and not when all is over: a value that is only partly filled, such
/// as a future, takes with it what lay on the stack when it moves to the heap,
/// and there nobody can clear it. Round keys came to stay that way.
pub(crate) fn scrubbed<T>(work: impl FnOnce() -> T) -> T {
    #[inline(never)]
    fn below<T>(work: impl FnOnce() -> T) -> T {
        work()
    }
    let done = below(work);
    scrub_stack();
    done
}

/// A P-256 public key, known to be a point on the curve.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(p256::PublicKey);

impl PublicKey {
    /// `04 ‖ X ‖ Y`, 65 bytes.
    ///
    /// # Errors
    /// [`What::PublicKey`] for any other length or first byte, a coordinate
    /// that is not below p, or a point off the curve.
    pub fn from_uncompressed(bytes: &[u8]) -> Result<Self, Error> {
        Self::read(bytes, 65, &[4])
    }

    /// `02 or 03 ‖ X`, 33 bytes.
    ///
    /// # Errors
    /// [`What::PublicKey`] for any other length or first byte, or an X that
    /// belongs to no point.
    pub fn from_compressed(bytes: &[u8]) -> Result<Self, Error> {
        Self::read(bytes, 33, &[2, 3])
    }

    /// The library also reads the identity and compact points; here only the
    /// form that was asked for is good.
    fn read(bytes: &[u8], length: usize, first: &[u8]) -> Result<Self, Error> {
        let form = bytes.len() == length && bytes.first().is_some_and(|b| first.contains(b));
        let point = form.then(|| p256::PublicKey::from_sec1_bytes(bytes).ok()).flatten();
        point.map(Self).ok_or(Error::Malformed(What::PublicKey))
    }

    /// `04 ‖ X ‖ Y`.
    pub fn to_uncompressed(&self) -> [u8; 65] {
        let mut out = [0; 65];
        let point = self.0.to_encoded_point(false);
        out.iter_mut().zip(point.as_bytes()).for_each(|(to, from)| *to = *from);
        out
    }

    /// `02 or 03 ‖ X`.
    pub fn to_compressed(&self) -> [u8; 33] {
        let mut out = [0; 33];
        let point = self.0.to_encoded_point(true);
        out.iter_mut().zip(point.as_bytes()).for_each(|(to, from)| *to = *from);
        out
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicKey(..)")
    }
}

/// A P-256 key pair: the client's in a QR code, or an authenticator's for its
/// links. The public half is computed once, because that is a scalar
/// multiplication, the dearest thing this crate does.
pub struct IdentityKey {
    secret: Box<p256::SecretKey>,
    public: PublicKey,
}

impl IdentityKey {
    /// Draws a fresh pair.
    ///
    /// # Errors
    /// [`Which::NoRandomness`] if the source fails.
    pub fn random(rng: &mut dyn CryptoRngCore) -> Result<Self, Error> {
        Self::from_scalar(&*random_scalar(rng)?)
    }

    /// The pair of a scalar, 32 bytes big-endian.
    ///
    /// # Errors
    /// [`What::PublicKey`] if it is 0 or not below the group's order.
    pub fn from_scalar(scalar: &[u8; 32]) -> Result<Self, Error> {
        let secret = p256::SecretKey::from_slice(scalar).map_err(|_| Error::Malformed(What::PublicKey))?;
        let public = PublicKey(secret.public_key());
        Ok(Self { secret: Box::new(secret), public })
    }

    /// The pair made of an authenticator's derived seed
    /// ([`Purpose::IdentityKeySeed`](crate::derive::Purpose)): the seed as a
    /// scalar, drawn on by hashing in the one case in 2^32 that it is none.
    /// Invisible to every peer.
    ///
    /// # Errors
    /// [`What::PublicKey`] never in practice: it would take 2^64 tries.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, Error> {
        use sha2::{Digest, Sha256};
        let mut candidate = Zeroizing::new(*seed);
        for _ in 0..64 {
            match Self::from_scalar(&candidate) {
                Err(_) => candidate = Zeroizing::new(Sha256::digest(*candidate).into()),
                found => return found,
            }
        }
        Err(Error::Malformed(What::PublicKey))
    }

    /// The public half.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The scalar, for whoever must have it.
    pub fn expose(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.secret.to_bytes().into())
    }

    /// ECDH: the X coordinate of the shared point, 32 bytes big-endian,
    /// leading zeros kept.
    pub(crate) fn agree(&self, with: &PublicKey) -> Zeroizing<[u8; 32]> {
        let shared = p256::ecdh::diffie_hellman(self.secret.to_nonzero_scalar(), with.0.as_affine());
        let mut out = Zeroizing::new([0; 32]);
        out.copy_from_slice(shared.raw_secret_bytes());
        out
    }
}

impl ZeroizeOnDrop for IdentityKey {}

impl fmt::Debug for IdentityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdentityKey(..)")
    }
}

/// A scalar from 1 to n − 1, by drawing until one fits: the odds of a second
/// draw are 2^-32.
pub(crate) fn random_scalar(rng: &mut dyn CryptoRngCore) -> Result<Zeroizing<[u8; 32]>, Error> {
    let mut scalar = Zeroizing::new([0; 32]);
    for _ in 0..64 {
        fill(rng, scalar.as_mut_slice())?;
        if p256::SecretKey::from_slice(scalar.as_slice()).is_ok() {
            return Ok(scalar);
        }
    }
    Err(Error::Misuse(Which::NoRandomness))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_prints_itself() {
        assert_eq!(format!("{:?}", QrSecret::new(&[7; 16])), "QrSecret(..)");
        assert_eq!(format!("{:?}", IdentityKey::from_scalar(&[7; 32]).unwrap()), "IdentityKey(..)");
    }

    #[test]
    fn scalars_outside_the_group_are_refused() {
        assert!(IdentityKey::from_scalar(&[0; 32]).is_err());
        assert!(IdentityKey::from_scalar(&[0xff; 32]).is_err());
        assert!(IdentityKey::from_seed(&[0xff; 32]).is_ok());
    }

    #[test]
    fn a_source_that_gives_only_zeros_is_named() {
        struct Zeros;
        impl rand_core::CryptoRng for Zeros {}
        impl rand_core::RngCore for Zeros {
            fn next_u32(&mut self) -> u32 {
                0
            }
            fn next_u64(&mut self) -> u64 {
                0
            }
            fn fill_bytes(&mut self, dest: &mut [u8]) {
                dest.fill(0);
            }
            fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), rand_core::Error> {
                dest.fill(0);
                Ok(())
            }
        }
        assert_eq!(IdentityKey::random(&mut Zeros).unwrap_err(), Error::Misuse(Which::NoRandomness));
    }
}
