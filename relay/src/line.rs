//! One party's end of a tunnel: a websocket that costs nothing until its
//! first byte.
//!
//! A phone that waits sends nothing but pongs, so the websocket's state and
//! its read buffer are made when anything else comes, or must go out.

mod ahead;

use std::io::{self, Read, Write};
use std::mem::MaybeUninit;
use std::task::{Context, Poll};
use std::{future, mem};

use cablecar_protocol::tunnel::CloseReason;
use hyper::body::Bytes;
use tokio_tungstenite::tungstenite::protocol::frame::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig, WebSocketContext};
use tokio_tungstenite::tungstenite::{self, Message, error::ProtocolError};

use self::ahead::Ahead;
use crate::defaults;
use crate::observer::Fault;
use crate::wire::Wire;

/// One party's websocket.
#[derive(Debug)]
pub(crate) struct Line {
    wire: Wire,
    /// What came before anybody asked for it: behind the request's head, then
    /// behind a message.
    early: Bytes,
    websocket: Option<Box<WebSocketContext>>,
    max_message: usize,
    unflushed: bool,
    /// How much had come when the last whole frame was read.
    whole: u64,
    /// What comes makes no sense any more and must not be parsed.
    broken: bool,
}

/// What came in.
#[derive(Debug)]
pub(crate) enum Received {
    /// A whole binary message.
    Message(Bytes),
    /// The side says that it is done.
    Closed,
    /// The side is gone.
    Vanished,
    /// The side broke a rule.
    Fault(Fault),
}

/// The side is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gone;

const EMPTY_PING: [u8; 2] = [0x89, 0x00];

impl Line {
    /// `early` is what came behind the request's head. Copied, because even
    /// an empty rest would keep the HTTP library's whole buffer alive.
    pub(crate) fn new(wire: Wire, early: &[u8], max_message: usize) -> Self {
        let (early, whole) = (Bytes::copy_from_slice(early), wire.received());
        Self { wire, early, websocket: None, max_message, unflushed: false, whole, broken: false }
    }

    pub(crate) fn wire(&self) -> &Wire {
        &self.wire
    }

    /// Bytes of all whole frames, and of what was read along with them. What
    /// came beyond is part of a message that has begun.
    pub(crate) fn whole(&self) -> u64 {
        self.whole
    }

    /// Bytes that came behind the last message and wait to be asked for.
    pub(crate) fn ahead(&self) -> usize {
        self.early.len()
    }

    /// Whether something is ready for this side that it has not taken.
    pub(crate) fn full(&self) -> bool {
        self.unflushed || self.wire.full()
    }

    /// The next thing that this side has to say. Pings are answered on the
    /// way, and fragments joined.
    pub(crate) fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Received> {
        let websocket = match self.websocket.take() {
            Some(websocket) => websocket,
            None => match self.first_bytes(cx) {
                Ok(bytes) => new_websocket(bytes, self.max_message),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Poll::Pending,
                Err(_) => return Poll::Ready(Received::Vanished),
            },
        };
        let websocket = self.websocket.insert(websocket);
        let mut room = [MaybeUninit::uninit(); defaults::READ_AHEAD];
        let mut ahead = Ahead::new(&mut self.wire, cx, &mut self.early, &mut room, &mut self.whole);
        let received = loop {
            let read = websocket.read(&mut ahead);
            if read.is_ok() {
                ahead.finished();
            }
            break Poll::Ready(match read {
                Ok(Message::Binary(bytes)) if bytes.is_empty() => Received::Fault(Fault::Empty),
                Ok(Message::Binary(bytes)) => Received::Message(bytes),
                Ok(Message::Text(_)) => Received::Fault(Fault::NotBinary),
                Ok(Message::Close(_)) => Received::Closed,
                Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => continue,
                Err(tungstenite::Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => {
                    break Poll::Pending;
                }
                Err(error) => failed(&error, &mut self.broken),
            });
        };
        ahead.end();
        received
    }

    /// Everything that was sent has been taken.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        let Some(websocket) = self.websocket.as_mut().filter(|_| self.unflushed) else {
            return Poll::Ready(Ok(()));
        };
        let flushed = settle(websocket.flush(&mut self.wire.at_once(cx)));
        self.unflushed = flushed.is_pending();
        flushed
    }

    /// Sends a message. Only after [`Line::poll_flush`] was ready: so there
    /// is never more than one in here.
    pub(crate) fn send(&mut self, message: Bytes, cx: &mut Context<'_>) -> Result<(), Gone> {
        self.write(Message::Binary(message), cx)
    }

    /// Asks whether the side is there.
    pub(crate) fn ping(&mut self, cx: &mut Context<'_>) -> Result<(), Gone> {
        if self.websocket.is_none() {
            let mut wire = self.wire.at_once(cx);
            match wire.write(&EMPTY_PING) {
                // A TLS layer may still hold it back; the next write takes it along.
                Ok(2) => return so_far(wire.flush().map_err(Into::into)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // Half a ping cannot be repaired.
                Ok(_) | Err(_) => return Err(Gone),
            }
        }
        self.write(Message::Ping(Bytes::new()), cx)?;
        match self.poll_flush(cx) {
            Poll::Ready(flushed) => flushed,
            Poll::Pending => Ok(()),
        }
    }

    /// Sends a close frame, or the answer to one, waits for the other side to
    /// close and ends the connection. The caller limits how long.
    pub(crate) async fn farewell(mut self, reason: CloseReason) {
        let said = future::poll_fn(|cx| self.poll_close(reason, cx)).await;
        if said.is_ok() {
            let enough = self.wire.received() + defaults::LAST_WORDS;
            while !self.broken && self.wire.received() < enough && self.still_talks().await {}
            self.wire.hang_up().await;
        }
    }

    async fn still_talks(&mut self) -> bool {
        let received = future::poll_fn(|cx| self.poll_receive(cx)).await;
        matches!(received, Received::Message(_) | Received::Fault(_))
    }

    fn poll_close(&mut self, reason: CloseReason, cx: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        let begin = || new_websocket(mem::take(&mut self.early).into(), self.max_message);
        let websocket = self.websocket.get_or_insert_with(begin);
        let frame = CloseFrame { code: reason.code().into(), reason: "".into() };
        settle(websocket.close(&mut self.wire.at_once(cx), Some(frame)))
    }

    fn write(&mut self, message: Message, cx: &mut Context<'_>) -> Result<(), Gone> {
        let begin = || new_websocket(mem::take(&mut self.early).into(), self.max_message);
        let websocket = self.websocket.get_or_insert_with(begin);
        self.unflushed = true;
        match websocket.write(&mut self.wire.at_once(cx), message) {
            // A ping for which there is no room: whoever takes nothing needs no ping.
            Err(tungstenite::Error::WriteBufferFull(_)) => Ok(()),
            other => so_far(other),
        }
    }

    /// The first bytes that are not the answer to a ping of ours.
    fn first_bytes(&mut self, cx: &mut Context<'_>) -> io::Result<Vec<u8>> {
        if !self.early.is_empty() {
            return Ok(mem::take(&mut self.early).into());
        }
        loop {
            // Most messages whole, by one call; what is kept is as long as what came.
            let mut bytes = [0; 512];
            let length = self.wire.at_once(cx).read(&mut bytes)?;
            match bytes.get(..length).unwrap_or_default() {
                [] => return Err(io::ErrorKind::UnexpectedEof.into()),
                // FIN and pong, masked and empty, the four bytes of the mask
                [0x8a, 0x80, _, _, _, _] => self.whole = self.wire.received(),
                other => return Ok(other.to_vec()),
            }
        }
    }
}

impl From<Fault> for CloseReason {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::NotBinary => CloseReason::NotBinary,
            Fault::Empty | Fault::Protocol => CloseReason::ProtocolError,
            Fault::TooBig => CloseReason::TooBig,
            Fault::TooManyMessages | Fault::TooManyBytes => CloseReason::Policy,
        }
    }
}

fn new_websocket(read: Vec<u8>, max_message: usize) -> Box<WebSocketContext> {
    let config = WebSocketConfig::default()
        .read_buffer_size(defaults::READ_BUFFER)
        // We flush after every message, so gathering would only cost memory.
        .write_buffer_size(0)
        .max_write_buffer_size(max_message + defaults::WRITE_MARGIN)
        .max_message_size(Some(max_message))
        .max_frame_size(Some(max_message));
    Box::new(WebSocketContext::from_partially_read(read, Role::Server, Some(config)))
}

/// Why reading failed for good, and whether what follows can be parsed.
fn failed(error: &tungstenite::Error, broken: &mut bool) -> Received {
    use tungstenite::Error;
    let fault = match error {
        Error::ConnectionClosed | Error::AlreadyClosed => return Received::Closed,
        Error::Capacity(_) => Fault::TooBig,
        Error::Utf8(_) => Fault::NotBinary,
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => return Received::Vanished,
        Error::Protocol(_) => Fault::Protocol,
        _ => return Received::Vanished,
    };
    *broken = true;
    Received::Fault(fault)
}

/// "Would block" as pending; the end of a close handshake is no failure.
fn settle(result: tungstenite::Result<()>) -> Poll<Result<(), Gone>> {
    match result {
        Ok(()) | Err(tungstenite::Error::ConnectionClosed) => Poll::Ready(Ok(())),
        Err(tungstenite::Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
        Err(_) => Poll::Ready(Err(Gone)),
    }
}

/// "Would block" as good: what was not taken yet waits to be flushed.
fn so_far(result: tungstenite::Result<()>) -> Result<(), Gone> {
    match settle(result) {
        Poll::Ready(result) => result,
        Poll::Pending => Ok(()),
    }
}
