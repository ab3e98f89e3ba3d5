//! The cipher over the protected values: one stream of ChaCha20 over all of
//! them, in the order of the document.

use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher};
use sha2::{Digest, Sha512};
use zeroize::Zeroizing;

use super::super::Error;

/// The stream, at the place up to which it was used.
pub(super) struct Stream(ChaCha20);

impl Stream {
    /// key, nonce = SHA-512(secret)\[0..32\], \[32..44\]
    pub(super) fn new(secret: &[u8]) -> Result<Self, Error> {
        const WRONG: Error = Error::Damaged("the key of its protected values");
        let hash = Zeroizing::new(<[u8; 64]>::from(Sha512::digest(secret)));
        let (key, rest) = hash.split_first_chunk::<32>().ok_or(WRONG)?;
        let nonce = rest.first_chunk::<12>().ok_or(WRONG)?;
        Ok(Self(ChaCha20::new(key.into(), nonce.into())))
    }

    /// Hides or shows the next value, in place.
    ///
    /// # Errors
    /// [`Error::Damaged`] after 256 GiB.
    pub(super) fn apply(&mut self, value: &mut [u8]) -> Result<(), Error> {
        self.0.try_apply_keystream(value).map_err(|_| Error::Damaged("its protected values"))
    }
}
