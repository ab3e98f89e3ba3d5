//! Key derivations that files of others demand, bounded before they run.

use aes::Aes256;
use aes::cipher::{BlockEncrypt, KeyInit};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use hmac::Hmac;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::Error;
use crate::defaults;

/// A key of 32 bytes from a passphrase, or from what another step made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kdf {
    /// PBKDF2 with HMAC-SHA-256.
    Pbkdf2 {
        /// Its salt.
        salt: Vec<u8>,
        /// How often.
        iterations: u64,
    },
    /// Argon2.
    Argon2 {
        /// Argon2d, and not Argon2id.
        d: bool,
        /// Its salt.
        salt: Vec<u8>,
        /// Memory in KiB, passes, lanes.
        cost: Cost,
        /// 0x10 or 0x13.
        version: u32,
    },
    /// AES-KDF: AES-256 in ECB on itself, and SHA-256.
    Aes {
        /// The key of the cipher.
        seed: [u8; 32],
        /// How often.
        rounds: u64,
    },
}

/// What Argon2 costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Memory in KiB.
    pub memory_kib: u64,
    /// Passes.
    pub passes: u64,
    /// Lanes.
    pub lanes: u32,
}

impl Cost {
    /// For files that are written here: what Bitwarden proposes. As the vault
    /// itself, on more lanes.
    pub const STANDARD: Self = Self { memory_kib: 64 * 1024, passes: 3, lanes: 4 };
}

impl Kdf {
    /// Refuses what is beyond reason. Costs nothing.
    ///
    /// # Errors
    /// [`Error::KdfTooDear`]; [`Error::Damaged`] for what is no derivation.
    pub(super) fn bounded(self) -> Result<Self, Error> {
        let dear = match &self {
            Kdf::Pbkdf2 { iterations, .. } => *iterations > defaults::EXCHANGE_PBKDF2_ITERATIONS,
            Kdf::Aes { rounds, .. } => *rounds > defaults::EXCHANGE_AES_ROUNDS,
            Kdf::Argon2 { cost, .. } => {
                cost.memory_kib > defaults::EXCHANGE_ARGON2_KIB
                    || cost.lanes > defaults::EXCHANGE_ARGON2_LANES
                    || cost.passes.saturating_mul(cost.memory_kib) > defaults::EXCHANGE_ARGON2_WORK
            }
        };
        if dear { Err(Error::KdfTooDear) } else { Ok(self) }
    }

    /// The key. Slow on purpose.
    ///
    /// # Errors
    /// As [`Kdf::bounded`].
    pub(super) fn derive(self, secret: &[u8]) -> Result<Box<Zeroizing<[u8; 32]>>, Error> {
        const WRONG: Error = Error::Damaged("its key derivation");
        let mut key = Box::new(Zeroizing::new([0; 32]));
        match self.bounded()? {
            Kdf::Pbkdf2 { salt, iterations } => {
                let iterations = u32::try_from(iterations).ok().filter(|iterations| *iterations > 0);
                pbkdf2::pbkdf2::<Hmac<Sha256>>(secret, &salt, iterations.ok_or(WRONG)?, key.as_mut_slice())
                    .map_err(|_| WRONG)?;
            }
            Kdf::Argon2 { d, salt, cost, version } => {
                let number = |number: u64| u32::try_from(number).map_err(|_| WRONG);
                let (memory, passes) = (number(cost.memory_kib)?, number(cost.passes)?);
                let params = Params::new(memory, passes, cost.lanes, Some(32)).map_err(|_| WRONG)?;
                let algorithm = if d { Algorithm::Argon2d } else { Algorithm::Argon2id };
                let version = Version::try_from(version).map_err(|_| WRONG)?;
                // In a place of our own, to clear it; and a system that does not
                // have it says so.
                let mut memory: Zeroizing<Vec<Block>> = Zeroizing::default();
                let blocks = params.block_count();
                memory.try_reserve_exact(blocks).map_err(|_| Error::KdfTooDear)?;
                memory.resize(blocks, Block::default());
                Argon2::new(algorithm, version, params)
                    .hash_password_into_with_memory(secret, &salt, key.as_mut_slice(), memory.as_mut_slice())
                    .map_err(|_| WRONG)?;
            }
            Kdf::Aes { seed, rounds } => {
                if secret.len() != key.len() {
                    return Err(WRONG);
                }
                key.copy_from_slice(secret);
                let cipher = Aes256::new(&seed.into());
                let mut blocks = key.chunks_exact_mut(16).map(aes::Block::from_mut_slice);
                let (Some(left), Some(right)) = (blocks.next(), blocks.next()) else { return Err(WRONG) };
                for _ in 0..rounds {
                    cipher.encrypt_block(left);
                    cipher.encrypt_block(right);
                }
                let digest = Zeroizing::new(<[u8; 32]>::from(Sha256::digest(key.as_slice())));
                key.copy_from_slice(digest.as_slice());
            }
        }
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// RFC 7914, 11, and Argon2's own test program.
    #[test]
    fn known_answers() {
        let kdf = Kdf::Pbkdf2 { salt: b"salt".to_vec(), iterations: 1 };
        let expected = "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc";
        assert_eq!(
            hex(Kdf::derive(Kdf::Pbkdf2 { salt: b"salt".to_vec(), iterations: 1 }, b"passwd")
                .unwrap()
                .as_slice()),
            expected
        );
        assert!(kdf.derive(b"another").is_ok_and(|key| hex(key.as_slice()) != expected));
        let cost = Cost { memory_kib: 64 * 1024, passes: 2, lanes: 1 };
        let kdf = Kdf::Argon2 { d: false, salt: b"somesalt".to_vec(), cost, version: 0x13 };
        let expected = "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7";
        assert_eq!(hex(kdf.derive(b"password").unwrap().as_slice()), expected);
    }

    #[test]
    fn what_is_beyond_reason_is_refused_before_it_is_computed() {
        let argon = |memory_kib, passes, lanes| Kdf::Argon2 {
            d: true,
            salt: vec![0; 32],
            cost: Cost { memory_kib, passes, lanes },
            version: 0x13,
        };
        for kdf in [
            argon(4 << 20, 1, 1),
            argon(u64::MAX, u64::MAX, 1),
            argon(64 << 10, 1 << 40, 1),
            argon(1 << 20, 33, 1),
            argon(1024, 1, 65),
            Kdf::Pbkdf2 { salt: vec![], iterations: 1 << 40 },
            Kdf::Aes { seed: [0; 32], rounds: u64::MAX },
        ] {
            assert_eq!(kdf.derive(&[0; 32]).unwrap_err(), Error::KdfTooDear);
        }
        for kdf in [
            argon(0, 1, 1),
            argon(8, 0, 1),
            argon(8, 1, 0),
            argon(8, 1, 4),
            Kdf::Pbkdf2 { salt: vec![], iterations: 0 },
        ] {
            assert_eq!(kdf.derive(&[0; 32]).unwrap_err(), Error::Damaged("its key derivation"));
        }
    }
}
