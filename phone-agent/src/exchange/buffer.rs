//! Bytes that are cleared, also when they move to grow.

use std::io::{Read, Write};

use zeroize::{Zeroize, Zeroizing};

/// Takes bytes, and clears the old place when it has to move them.
#[derive(Default)]
pub(super) struct Cleared(Zeroizing<Vec<u8>>);

impl Cleared {
    /// Room for this many bytes at first.
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self(Zeroizing::new(Vec::with_capacity(bytes)))
    }

    /// Adds these.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let needed = self.0.len() + bytes.len();
        if needed > self.0.capacity() {
            let mut larger = Vec::with_capacity(needed.max(self.0.capacity() * 2));
            larger.extend_from_slice(&self.0);
            self.0.zeroize();
            self.0 = Zeroizing::new(larger);
        }
        self.0.extend_from_slice(bytes);
    }

    /// All of a source, if it is no more than this many bytes; `Ok(None)` if
    /// it is.
    pub(super) fn read(source: &mut impl Read, limit: usize) -> std::io::Result<Option<Zeroizing<Vec<u8>>>> {
        let mut all = Self::with_capacity(64 * 1024);
        let mut piece = Zeroizing::new([0; 16 * 1024]);
        loop {
            let length = match source.read(piece.as_mut_slice()) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            if length == 0 {
                return Ok(Some(all.into_inner()));
            }
            if all.0.len() + length > limit {
                return Ok(None);
            }
            all.push(piece.get(..length).unwrap_or_default());
        }
    }

    /// Forgets what was taken, and keeps the room.
    pub(super) fn clear(&mut self) {
        let room = self.0.capacity();
        self.0.zeroize();
        self.0.reserve(room.min(4096));
    }

    /// What was taken.
    pub(super) fn as_slice(&self) -> &[u8] {
        &self.0
    }

    /// What was taken.
    pub(super) fn into_inner(self) -> Zeroizing<Vec<u8>> {
        self.0
    }
}

impl Write for Cleared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.push(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_given_back_and_no_more_than_the_limit() {
        let mut buffer = Cleared::with_capacity(1);
        for piece in [&b"abc"[..], b"", b"defghij"] {
            buffer.push(piece);
        }
        assert_eq!(buffer.as_slice(), b"abcdefghij");
        buffer.clear();
        buffer.push(b"x");
        assert_eq!(buffer.into_inner().as_slice(), b"x");
        let source = vec![7; 100_000];
        let whole = Cleared::read(&mut source.as_slice(), 100_000).unwrap().unwrap();
        assert_eq!(*whole, source);
        assert!(Cleared::read(&mut source.as_slice(), 99_999).unwrap().is_none());
    }
}
