use std::io;
use std::ops::Range;

use cablecar_protocol::ids::RoutingId;
use cablecar_protocol::tunnel::{ROUTING_ID_HEADER, SUBPROTOCOL, routing_id_from_headers};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::{Fault, Stream};

/// The key of every request. It proves nothing about anybody.
const KEY: &str = "Y2FibGVjYXItcmVsYXktMQ==";

/// The longest answer that is read.
const MOST_HEAD: usize = 16 * 1024;

/// The longest frame that is read: what clients themselves read.
const MOST_FRAME: usize = 1 << 20;

/// One party's end of a tunnel.
#[derive(Debug)]
pub(crate) struct Socket {
    stream: Stream,
    inbox: Vec<u8>,
    /// What of the inbox was read already.
    read: usize,
    /// With which frames are masked.
    mask: [u8; 4],
}

/// What a relay said when it agreed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answer {
    /// There unless the header was missing, twice, or no routing id.
    pub(crate) routing_id: Option<RoutingId>,
}

/// What came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Heard {
    /// A binary message: where it is in the inbox, see [`Socket::bytes`].
    Message(Range<usize>),
    /// The other end closes, with this code; 1005 if it says none.
    Closed(u16),
}

/// The request for this path.
pub(crate) fn request(authority: &str, path: &str, token: Option<&str>) -> Vec<u8> {
    let token = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    format!(
        "GET {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Protocol: {SUBPROTOCOL}\r\n\
         {token}\r\n"
    )
    .into_bytes()
}

/// A masked frame with FIN and this opcode.
pub(crate) fn frame(opcode: u8, mask: [u8; 4], payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(payload.len() + 14);
    frame.push(0x80 | opcode);
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(length @ ..126), _) => frame.push(0x80 | length),
        (_, Ok(length)) => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&length.to_be_bytes());
        }
        _ => {
            frame.push(0x80 | 127);
            frame.extend_from_slice(&u64::try_from(payload.len()).unwrap_or(u64::MAX).to_be_bytes());
        }
    }
    frame.extend_from_slice(&mask);
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

impl Socket {
    /// Asks for this path over a fresh connection.
    pub(crate) async fn upgrade(
        mut stream: Stream,
        request: &[u8],
        mask: [u8; 4],
    ) -> Result<(Self, Answer), Fault> {
        stream.write_all(request).await?;
        stream.flush().await?;
        let mut inbox = Vec::with_capacity(1024);
        loop {
            if stream.read_buf(&mut inbox).await? == 0 {
                return Err(Fault::Broken(io::ErrorKind::UnexpectedEof.into()));
            }
            if let Some((length, answer)) = answer(&inbox)? {
                inbox.drain(..length);
                // A waiting tunnel keeps nothing.
                inbox.shrink_to_fit();
                return Ok((Self { stream, inbox, read: 0, mask }, answer));
            }
            if inbox.len() > MOST_HEAD {
                return Err(Fault::Answer("a head without an end"));
            }
        }
    }

    /// Sends a binary message.
    pub(crate) async fn say(&mut self, message: &[u8]) -> Result<(), Fault> {
        self.send(&frame(0x2, self.mask, message)).await
    }

    /// Sends these bytes as they are.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.stream.write_all(bytes).await?;
        Ok(self.stream.flush().await?)
    }

    /// Waits for what comes next. Pings are answered on the way.
    pub(crate) async fn hear(&mut self) -> Result<Heard, Fault> {
        loop {
            match self.next().await? {
                (0x2, payload) => return Ok(Heard::Message(payload)),
                (0x8, payload) => {
                    let code = match self.bytes(payload) {
                        [high, low, ..] => u16::from_be_bytes([*high, *low]),
                        _ => 1005,
                    };
                    return Ok(Heard::Closed(code));
                }
                (0x9, payload) => {
                    let pong = frame(0xA, self.mask, self.bytes(payload));
                    self.send(&pong).await?;
                }
                (0xA, _) => {}
                _ => return Err(Fault::Frame("an opcode that no relay sends")),
            }
        }
    }

    /// The bytes of what was heard last.
    pub(crate) fn bytes(&self, heard: Range<usize>) -> &[u8] {
        self.inbox.get(heard).unwrap_or_default()
    }

    /// Waits for a message, and for nothing else.
    pub(crate) async fn message(&mut self) -> Result<&[u8], Fault> {
        match self.hear().await? {
            Heard::Message(range) => Ok(self.bytes(range)),
            Heard::Closed(code) => Err(Fault::Closed(code)),
        }
    }

    /// Says that it is done. The other end's answer is for [`Socket::gone`].
    pub(crate) async fn close(&mut self) -> Result<(), Fault> {
        let close = frame(0x8, self.mask, &1000u16.to_be_bytes());
        self.send(&close).await
    }

    /// Waits for the other end's close, answers it if it came first, and then
    /// for the end of the connection. Gives the code.
    pub(crate) async fn gone(mut self, answered: bool) -> Result<u16, Fault> {
        let Heard::Closed(code) = self.hear().await? else {
            return Err(Fault::Frame("a message instead of a close"));
        };
        if !answered {
            self.close().await?;
        }
        let mut rest = [0; 64];
        // A peer that has what it wants may cut the line; that is no fault.
        while matches!(self.stream.read(&mut rest).await, Ok(1..)) {}
        Ok(code)
    }

    /// The bare connection.
    #[cfg(feature = "bench")]
    pub(crate) fn into_stream(self) -> Stream {
        self.stream
    }

    /// The next frame: its opcode and where its payload is.
    async fn next(&mut self) -> Result<(u8, Range<usize>), Fault> {
        loop {
            let unread = self.inbox.get(self.read..).unwrap_or_default();
            if let Some((opcode, head, length)) = head(unread)? {
                let begin = self.read + head;
                if self.inbox.len() >= begin + length {
                    self.read = begin + length;
                    return Ok((opcode, begin..self.read));
                }
            }
            if self.read > 0 {
                self.inbox.drain(..self.read);
                self.read = 0;
            }
            if self.stream.read_buf(&mut self.inbox).await? == 0 {
                return Err(Fault::Broken(io::ErrorKind::UnexpectedEof.into()));
            }
        }
    }
}

/// Opcode, length of the head and of the payload, once the head is there.
fn head(bytes: &[u8]) -> Result<Option<(u8, usize, usize)>, Fault> {
    let (first, second, rest) = match bytes {
        [first, second, rest @ ..] => (*first, *second, rest),
        _ => return Ok(None),
    };
    if first & 0xF0 != 0x80 {
        return Err(Fault::Frame("a fragment, or reserved bits"));
    }
    let (head, length) = match (second, rest) {
        (length @ ..126, _) => (2, usize::from(length)),
        (126, [a, b, ..]) => (4, usize::from(u16::from_be_bytes([*a, *b]))),
        (127, [a, b, c, d, e, f, g, h, ..]) => {
            let length = u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]);
            (10, usize::try_from(length).unwrap_or(usize::MAX))
        }
        (128.., _) => return Err(Fault::Frame("masked, as no server may")),
        _ => return Ok(None),
    };
    if length > MOST_FRAME {
        return Err(Fault::Frame("too long"));
    }
    Ok(Some((first & 0x0F, head, length)))
}

/// Reads an answer once it is whole: its length, and what it says.
fn answer(bytes: &[u8]) -> Result<Option<(usize, Answer)>, Fault> {
    let mut headers = [httparse::EMPTY_HEADER; 48];
    let mut response = httparse::Response::new(&mut headers);
    let length = match response.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err(Fault::Answer("not HTTP")),
    };
    match response.code {
        Some(101) => {}
        status => return Err(Fault::Status(status.unwrap_or(0))),
    }
    let values = |name: &'static str| {
        let headers = response.headers.iter().filter(move |header| header.name.eq_ignore_ascii_case(name));
        headers.map(|header| header.value)
    };
    let only = |name| {
        let mut values = values(name);
        values.next().filter(|_| values.next().is_none())
    };
    if only("Sec-WebSocket-Accept") != Some(derive_accept_key(KEY.as_bytes()).as_bytes()) {
        return Err(Fault::Answer("Sec-WebSocket-Accept is not the answer to the key"));
    }
    if only("Sec-WebSocket-Protocol") != Some(SUBPROTOCOL.as_bytes()) {
        return Err(Fault::Answer("the subprotocol fido.cable was not selected"));
    }
    let routing_id = routing_id_from_headers(values(ROUTING_ID_HEADER)).ok();
    Ok(Some((length, Answer { routing_id })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_read_as_it_was_made() {
        for length in [0, 1, 125, 126, 65_535, 65_536] {
            let payload = vec![7; length];
            let made = frame(2, [1, 2, 3, 4], &payload);
            let head = made.len() - length;
            let unmasked: Vec<u8> = made[head..]
                .iter()
                .zip([1, 2, 3, 4].iter().cycle())
                .map(|(byte, mask)| byte ^ mask)
                .collect();
            assert_eq!(unmasked, payload);
            // As a server sends it: without the mask and its bit.
            let mut bare = made[..head - 4].to_vec();
            bare[1] &= 0x7F;
            assert_eq!(super::head(&bare).unwrap(), Some((2, head - 4, length)));
        }
        assert!(matches!(super::head(&[0x82]), Ok(None)));
        for bad in [&[0x02, 0][..], &[0xC2, 0], &[0x82, 0x80], &[0x82, 127, 0, 0, 0, 0, 1, 0, 0, 0]] {
            assert!(super::head(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_answer_must_fit_the_request() {
        let accept = derive_accept_key(KEY.as_bytes());
        let good = format!(
            "HTTP/1.1 101 Switching Protocols\r\nsec-websocket-accept: {accept}\r\n\
             Sec-WebSocket-Protocol: fido.cable\r\nX-caBLE-Routing-ID: 0A0B0C\r\n\r\n"
        );
        let read = |text: &str| answer(text.as_bytes());
        let routing_id = RoutingId::from_hex("0A0B0C").ok();
        assert_eq!(read(&good).unwrap(), Some((good.len(), Answer { routing_id })));
        assert!(read(&good[..40]).unwrap().is_none());
        assert!(matches!(read("HTTP/1.1 404 Not Found\r\n\r\n"), Err(Fault::Status(404))));
        assert!(matches!(read("SSH-2.0-OpenSSH\r\n\r\n"), Err(Fault::Answer(_))));
        for (from, to) in [(accept.as_str(), "AAAA"), ("fido.cable", "chat")] {
            assert!(matches!(read(&good.replace(from, to)), Err(Fault::Answer(_))), "{to}");
        }
        let twice = good.replace("0A0B0C\r\n", "0A0B0C\r\nX-cable-routing-id: 0A0B0C\r\n");
        assert_eq!(read(&twice).unwrap().unwrap().1.routing_id, None);
    }
}
