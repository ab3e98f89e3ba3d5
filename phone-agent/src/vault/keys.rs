use std::fmt;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{Error, VaultId};
use crate::defaults;
use crate::passphrase::Passphrase;

/// What argon2id costs for this vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kdf {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Kdf {
    /// What every vault gets.
    pub const STANDARD: Self = defaults::KDF;
    /// As good as nothing, for tests that open a vault a thousand times.
    pub const DANGER_WEAK: Self = Self { memory_kib: 8, passes: 1, lanes: 1 };

    /// Whether guessing a passphrase is cheaper than it should be.
    pub fn is_weak(self) -> bool {
        self.memory_kib < Self::STANDARD.memory_kib || self.passes < Self::STANDARD.passes
    }

    /// The parameters for argon2, unless a header from nowhere asks for
    /// gigabytes or hours.
    pub(super) fn checked(self) -> Result<Params, Error> {
        let limit = defaults::KDF_MAX;
        if self.memory_kib > limit.memory_kib || self.passes > limit.passes || self.lanes > limit.lanes {
            return Err(Error::KdfOutOfRange);
        }
        Params::new(self.memory_kib, self.passes, self.lanes, Some(32)).map_err(|_| Error::KdfOutOfRange)
    }
}

/// The keys of an open vault.
pub(super) struct Keys {
    records: Box<Zeroizing<[u8; 32]>>,
    closing: Box<Zeroizing<[u8; 64]>>,
    check: [u8; 16],
}

impl Keys {
    /// root = argon2id(passphrase, salt); each key = HKDF-SHA-256(root,
    /// salt = vault id, info = "cablecar vault 1 " ‖ purpose)
    pub(super) fn derive(
        passphrase: &Passphrase,
        kdf: Kdf,
        salt: &[u8; 16],
        id: &VaultId,
    ) -> Result<Self, Error> {
        let params = kdf.checked()?;
        // Our own memory rather than argon2's, because it is cleared: the
        // root key can be computed from its last blocks.
        let mut memory = Zeroizing::new(vec![Block::default(); params.block_count()]);
        let mut root = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(
                passphrase.expose(),
                salt,
                root.as_mut_slice(),
                memory.as_mut_slice(),
            )
            .map_err(|_| Error::KdfOutOfRange)?;
        let hkdf = Hkdf::<Sha256>::new(Some(id), root.as_slice());
        let closing = Box::new(Zeroizing::new([0; 64]));
        let mut keys = Self { records: Box::default(), closing, check: [0; 16] };
        let expand = |purpose: &str, key: &mut [u8]| {
            hkdf.expand_multi_info(&[b"cablecar vault 1 ", purpose.as_bytes()], key)
                .map_err(|_| Error::KdfOutOfRange)
        };
        expand("records", keys.records.as_mut_slice())?;
        expand("closing", keys.closing.as_mut_slice())?;
        expand("key check", &mut keys.check)?;
        Ok(keys)
    }

    /// Seals and opens records.
    pub(super) fn records(&self) -> &[u8; 32] {
        &self.records
    }

    /// Makes the closing tag. As long as a block of SHA-256, the one length
    /// that HMAC takes as it is.
    pub(super) fn closing(&self) -> &[u8; 64] {
        &self.closing
    }

    /// Stands in the header; says whether the passphrase was the right one.
    pub(super) fn check(&self) -> &[u8; 16] {
        &self.check
    }

    /// The same keys, for the state of the vault that replaces this one.
    pub(super) fn again(&self) -> Self {
        Self { records: self.records.clone(), closing: self.closing.clone(), check: self.check }
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(..)")
    }
}
