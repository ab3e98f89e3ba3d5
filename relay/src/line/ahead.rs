//! Reading more than the websocket library asks for.

use std::io::{self, Read, Write};
use std::mem::MaybeUninit;
use std::task::Context;

use hyper::body::{Buf, Bytes};
use tokio::io::ReadBuf;

use crate::defaults;
use crate::wire::Wire;

/// Room for what is read ahead within one poll.
pub(super) type Room = [MaybeUninit<u8>; defaults::READ_AHEAD];

/// A [`Wire`] within one poll, as the websocket library reads it.
///
/// The library asks for 4 KiB at most, and a call of the system for each 4 KiB
/// of a long message costs more than all else about it. So once a message has
/// begun, what is there is taken by one call, into room that lasts for this poll.
pub(super) struct Ahead<'a, 'b> {
    wire: &'a mut Wire,
    cx: &'a mut Context<'b>,
    /// From an earlier poll; goes first.
    kept: &'a mut Bytes,
    read: ReadBuf<'a>,
    /// How much of `read` the library has.
    taken: usize,
    /// How much had come when the last whole frame was read.
    whole: &'a mut u64,
}

impl<'a, 'b> Ahead<'a, 'b> {
    pub(super) fn new(
        wire: &'a mut Wire,
        cx: &'a mut Context<'b>,
        kept: &'a mut Bytes,
        room: &'a mut Room,
        whole: &'a mut u64,
    ) -> Self {
        Self { wire, cx, kept, read: ReadBuf::uninit(room), taken: 0, whole }
    }

    /// A whole frame was read. All that came so far is said to belong to it.
    pub(super) fn finished(&mut self) {
        *self.whole = self.wire.received();
    }

    /// Nothing more is read in this poll: keeps what the library did not want.
    pub(super) fn end(self) {
        if let Some(rest @ [_, ..]) = self.read.filled().get(self.taken..) {
            *self.kept = Bytes::copy_from_slice(rest);
        }
    }

    /// What is read already, as far as it fits.
    fn at_hand(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if !self.kept.is_empty() {
            let some = self.kept.as_ref().read(bytes)?;
            self.kept.advance(some);
            return Ok(some);
        }
        let some = self.read.filled().get(self.taken..).unwrap_or_default().read(bytes)?;
        self.taken += some;
        Ok(some)
    }
}

impl Read for Ahead<'_, '_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let at_hand = self.at_hand(bytes)?;
        if at_hand > 0 {
            return Ok(at_hand);
        }
        // Most messages come whole with their first bytes.
        if self.wire.received() == *self.whole {
            return self.wire.at_once(self.cx).read(bytes);
        }
        self.read.clear();
        self.taken = 0;
        self.wire.at_once(self.cx).read_into(&mut self.read)?;
        self.at_hand(bytes)
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
