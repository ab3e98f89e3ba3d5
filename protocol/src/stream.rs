//! Messages on a byte stream: the form of the BLE L2CAP channel (CTAP 2.3).
//!
//! Each message is followed by `0d 0a`. Sealed bytes may hold `0d 0a` too, so
//! the end of a record is where it opens: the tag decides, not the delimiter.
//! Experimental, as the framing is; nothing here dials anything.

use crate::error::{Error, What};
use crate::handshake::HANDSHAKE_MESSAGE;

const DELIMITER: [u8; 2] = *b"\r\n";
/// Delimiters inside one record that are tried before giving up. By chance
/// one record of 300 bytes in two hundred holds one.
const MAX_CANDIDATES: usize = 8;
/// The longest record on a stream.
const MAX_RECORD: usize = 64 * 1024;

/// message ‖ `0d 0a`, to be written at once.
pub fn frame(message: &[u8]) -> Vec<u8> {
    let mut framed = Vec::with_capacity(message.len() + DELIMITER.len());
    framed.extend_from_slice(message);
    framed.extend_from_slice(&DELIMITER);
    framed
}

/// Takes a stream apart.
#[derive(Debug, Default)]
pub struct Deframer {
    buffer: Vec<u8>,
}

impl Deframer {
    /// Adds what arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The handshake message, 81 bytes by definition, once it is there.
    ///
    /// # Errors
    /// [`What::Handshake`] if no delimiter follows it.
    pub fn handshake_message(&mut self) -> Result<Option<Vec<u8>>, Error> {
        match self.buffer.get(HANDSHAKE_MESSAGE..HANDSHAKE_MESSAGE + DELIMITER.len()) {
            None => Ok(None),
            Some(end) if *end == DELIMITER => Ok(Some(self.take(HANDSHAKE_MESSAGE))),
            Some(_) => Err(Error::Malformed(What::Handshake)),
        }
    }

    /// The next record, once one is there that `opens` says would open.
    ///
    /// # Errors
    /// [`Error::Decrypt`] after 8 delimiters or 64 KiB without one.
    pub fn record(&mut self, opens: impl Fn(&[u8]) -> bool) -> Result<Option<Vec<u8>>, Error> {
        let mut candidates = 0;
        for (end, _) in self.buffer.windows(2).enumerate().filter(|(_, pair)| *pair == DELIMITER) {
            if self.buffer.get(..end).is_some_and(&opens) {
                return Ok(Some(self.take(end)));
            }
            candidates += 1;
        }
        if candidates >= MAX_CANDIDATES || self.buffer.len() > MAX_RECORD {
            return Err(Error::Decrypt);
        }
        Ok(None)
    }

    /// Takes a message off the front, and the delimiter behind it.
    fn take(&mut self, length: usize) -> Vec<u8> {
        let rest = self.buffer.split_off((length + DELIMITER.len()).min(self.buffer.len()));
        let mut message = std::mem::replace(&mut self.buffer, rest);
        message.truncate(length);
        message
    }
}
