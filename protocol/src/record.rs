//! One direction of a session: padding, counter and seal.

use aes_gcm::aead::AeadInPlace;
use aes_gcm::aead::consts::U12;
use aes_gcm::{Aes256Gcm, KeyInit, Nonce, Tag};
use zeroize::Zeroizing;

use crate::error::{Error, How, What, Which};
use crate::secrets::{TrafficKey, scrubbed};
use crate::tunnel::MAX_MESSAGE;

/// Messages are padded to a multiple of this.
pub(crate) const GRANULARITY: usize = 32;
/// The last counter that is used; Chromium stops there too.
pub const LAST_COUNTER: u32 = (1 << 24) - 1;
/// Bytes of a tag.
const TAG: usize = 16;
/// The longest message that fits a websocket message when padded and sealed.
pub const LONGEST_MESSAGE: usize = MAX_MESSAGE - TAG - GRANULARITY;

/// Seals the messages of one direction.
#[derive(Debug)]
pub(crate) struct Sealer(Direction);

impl Sealer {
    pub(crate) fn new(key: TrafficKey) -> Self {
        Self(Direction { key, counter: 0 })
    }

    #[cfg(feature = "danger")]
    pub(crate) fn at(key: TrafficKey, counter: u32) -> Self {
        Self(Direction { key, counter })
    }

    pub(crate) fn seal(&mut self, message: &[u8]) -> Result<Vec<u8>, Error> {
        if message.len() > LONGEST_MESSAGE {
            return Err(Error::Misuse(Which::TooLarge));
        }
        let nonce = self.0.nonce().ok_or(Error::Misuse(Which::Exhausted))?;
        let padded = (message.len() / GRANULARITY + 1) * GRANULARITY;
        let zeros = padded - message.len() - 1;
        let mut record = Vec::with_capacity(padded + TAG);
        record.extend_from_slice(message);
        record.resize(padded - 1, 0);
        // Below the granularity, so it fits.
        record.push(u8::try_from(zeros).unwrap_or(0));
        let tag = scrubbed(|| self.0.encrypt(&nonce, &mut record))?;
        record.extend_from_slice(&tag);
        self.0.counter += 1;
        Ok(record)
    }
}

/// Opens the records of one direction.
#[derive(Debug)]
pub(crate) struct Opener(Direction);

impl Opener {
    pub(crate) fn new(key: TrafficKey) -> Self {
        Self(Direction { key, counter: 0 })
    }

    #[cfg(feature = "danger")]
    pub(crate) fn at(key: TrafficKey, counter: u32) -> Self {
        Self(Direction { key, counter })
    }

    /// Whether the next record could be this one.
    pub(crate) fn would_open(&self, record: &[u8]) -> bool {
        scrubbed(|| self.0.decrypt(record)).is_ok()
    }

    /// The message of the next record. Only the last byte of the padding is
    /// looked at: some send 32·k + 1 bytes, and nobody checks the zeros.
    pub(crate) fn open(&mut self, record: &[u8]) -> Result<Vec<u8>, Error> {
        let padded = scrubbed(|| self.0.decrypt(record))?;
        self.0.counter += 1;
        // One error for every fault behind the tag.
        let zeros = padded.last().copied().map(usize::from);
        let end = zeros.and_then(|zeros| padded.len().checked_sub(zeros + 1));
        let message = end.and_then(|end| padded.get(..end)).ok_or(Error::Malformed(What::Record))?;
        Ok(message.to_vec())
    }
}

#[derive(Debug)]
struct Direction {
    key: TrafficKey,
    counter: u32,
}

impl Direction {
    // The cipher holds the key once more, on the stack: see [`scrubbed`].
    fn encrypt(&self, nonce: &Nonce<U12>, padded: &mut [u8]) -> Result<Tag, Error> {
        let cipher = Aes256Gcm::new(self.key.expose().into());
        cipher.encrypt_in_place_detached(nonce, &[], padded).map_err(|_| Error::Misuse(Which::TooLarge))
    }

    fn decrypt(&self, record: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let nonce = self.nonce().ok_or(Error::Misbehaved(How::TooManyMessages))?;
        let length = record.len().checked_sub(TAG).ok_or(Error::Decrypt)?;
        let (sealed, tag) = record.split_at_checked(length).ok_or(Error::Decrypt)?;
        let mut padded = Zeroizing::new(sealed.to_vec());
        Aes256Gcm::new(self.key.expose().into())
            .decrypt_in_place_detached(&nonce, &[], &mut padded, Tag::from_slice(tag))
            .map_err(|_| Error::Decrypt)?;
        Ok(padded)
    }

    /// 8 zero bytes ‖ counter, big-endian; nothing once the counters are used up.
    fn nonce(&self) -> Option<Nonce<U12>> {
        (self.counter <= LAST_COUNTER).then(|| {
            let mut nonce = Nonce::default();
            nonce.iter_mut().skip(8).zip(self.counter.to_be_bytes()).for_each(|(to, from)| *to = from);
            nonce
        })
    }
}
