//! Reading more than the websocket library asks for.

use std::io::{self, Read, Write};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::Bytes;
use tokio::io::{AsyncRead, ReadBuf};

use crate::defaults;
use crate::wire::Wire;

/// Room for what is read ahead within one poll.
pub(super) type Room = [MaybeUninit<u8>; defaults::READ_AHEAD];

/// A [`Wire`] within one poll, as the websocket library reads it.
///
/// The library asks for 4 KiB at most, and a call of the system for each 4 KiB
/// of a long message costs more than all else about it. So once a message has
/// begun, what is there is taken by one call, into room that nobody keeps.
pub(super) struct Ahead<'a, 'b> {
    wire: &'a mut Wire,
    cx: &'a mut Context<'b>,
    /// From an earlier poll; goes first.
    kept: &'a mut Bytes,
    read: ReadBuf<'a>,
    /// How much of `read` the library has.
    taken: usize,
    /// How much had come when the last whole frame was read.
    whole: u64,
}

impl<'a, 'b> Ahead<'a, 'b> {
    pub(super) fn new(
        wire: &'a mut Wire,
        cx: &'a mut Context<'b>,
        kept: &'a mut Bytes,
        room: &'a mut Room,
        whole: u64,
    ) -> Self {
        Self { wire, cx, kept, read: ReadBuf::uninit(room), taken: 0, whole }
    }

    /// A whole frame was read. All that came so far is said to belong to it.
    pub(super) fn finished(&mut self) -> u64 {
        self.whole = self.wire.received();
        self.whole
    }

    /// Nothing more is read in this poll: keeps what the library did not want.
    pub(super) fn end(self) {
        if let Some(rest @ [_, ..]) = self.read.filled().get(self.taken..) {
            *self.kept = Bytes::copy_from_slice(rest);
        }
    }

    /// What is read already, as far as it fits.
    fn at_hand(&mut self, bytes: &mut [u8]) -> usize {
        if !self.kept.is_empty() {
            let some = self.kept.split_to(self.kept.len().min(bytes.len()));
            return fill(bytes, &some);
        }
        let filled = fill(bytes, self.read.filled().get(self.taken..).unwrap_or_default());
        self.taken += filled;
        filled
    }
}

impl Read for Ahead<'_, '_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let at_hand = self.at_hand(bytes);
        if at_hand > 0 {
            return Ok(at_hand);
        }
        // Most messages come whole with their first bytes.
        if self.wire.received() == self.whole {
            return self.wire.at_once(self.cx).read(bytes);
        }
        self.read.clear();
        self.taken = 0;
        match Pin::new(&mut *self.wire).poll_read(self.cx, &mut self.read) {
            Poll::Ready(read) => read.map(|()| self.at_hand(bytes)),
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

impl Write for Ahead<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.wire.at_once(self.cx).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.wire.at_once(self.cx).flush()
    }
}

/// Copies as much as fits.
fn fill(to: &mut [u8], from: &[u8]) -> usize {
    let length = to.len().min(from.len());
    if let (Some(to), Some(from)) = (to.get_mut(..length), from.get(..length)) {
        to.copy_from_slice(from);
    }
    length
}
