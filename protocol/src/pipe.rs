//! Frames on a local pipe, between a program that needs an authenticator and
//! one that is or reaches an authenticator.
//!
//! ```text
//! u8 command | u32 big-endian length | payload
//! ```
//!
//! The commands are CTAPHID's, without its packets and channels: the pipe is
//! whole and belongs to one client. Payloads pass unparsed.
//!
//! | command | from the client | from the authenticator |
//! |---|---|---|
//! | 10 CBOR | a request: command byte and parameters | the answer: status byte and map |
//! | 3b KEEPALIVE | | one byte, [`Keepalive`], while a request waits |
//! | 11 CANCEL | ends the wait; no payload | |
//! | 3f ERROR | | one byte, [`Fault`], in the place of an answer |
//! | 01 PING | any bytes | the same bytes |

use crate::error::{Error, What};

/// Command byte and length.
pub const HEADER: usize = 5;

/// The command byte of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Command {
    /// 01: the same bytes back.
    Ping,
    /// 10: a CTAP request or its answer.
    Cbor,
    /// 11: the client takes its request back.
    Cancel,
    /// 3b: the request still waits.
    Keepalive,
    /// 3f: a frame that could not be served.
    Error,
    /// Any other byte.
    Other(u8),
}

/// Why a request still waits: the payload of a [`Command::Keepalive`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Keepalive {
    /// 1: for the authenticator itself.
    Processing,
    /// 2: for a person.
    UserPresenceNeeded,
}

/// What was wrong with a frame: the payload of a [`Command::Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// 01: no such command.
    InvalidCommand,
    /// 03: a payload too long, or missing.
    InvalidLength,
    /// 06: another request is under way, or another client is served.
    Busy,
}

impl Command {
    /// The byte.
    pub const fn byte(self) -> u8 {
        match self {
            Command::Ping => 0x01,
            Command::Cbor => 0x10,
            Command::Cancel => 0x11,
            Command::Keepalive => 0x3b,
            Command::Error => 0x3f,
            Command::Other(byte) => byte,
        }
    }

    /// The command with this byte.
    pub const fn of(byte: u8) -> Self {
        match byte {
            0x01 => Command::Ping,
            0x10 => Command::Cbor,
            0x11 => Command::Cancel,
            0x3b => Command::Keepalive,
            0x3f => Command::Error,
            other => Command::Other(other),
        }
    }

    /// The whole frame with this payload, to be written at once.
    ///
    /// A payload of 4 GiB or more does not fit the length; the frame then has
    /// none. No caller has one: payloads are bounded by [`Reader::new`]'s limit.
    pub fn frame(self, payload: &[u8]) -> Vec<u8> {
        let (length, payload) = match u32::try_from(payload.len()) {
            Ok(length) => (length, payload),
            Err(_) => (0, &[][..]),
        };
        let mut frame = Vec::with_capacity(HEADER + payload.len());
        frame.push(self.byte());
        frame.extend_from_slice(&length.to_be_bytes());
        frame.extend_from_slice(payload);
        frame
    }
}

impl Keepalive {
    /// The whole frame.
    pub fn frame(self) -> Vec<u8> {
        let status = match self {
            Keepalive::Processing => 1,
            Keepalive::UserPresenceNeeded => 2,
        };
        Command::Keepalive.frame(&[status])
    }
}

impl Fault {
    /// CTAPHID's byte for it.
    pub const fn byte(self) -> u8 {
        match self {
            Fault::InvalidCommand => 0x01,
            Fault::InvalidLength => 0x03,
            Fault::Busy => 0x06,
        }
    }

    /// The whole frame.
    pub fn frame(self) -> Vec<u8> {
        Command::Error.frame(&[self.byte()])
    }
}

/// One frame as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    /// A whole frame.
    Frame(Command, Vec<u8>),
    /// The beginning of a frame whose payload is longer than the limit. Told
    /// once its header is there; the payload is then passed over as it comes
    /// and never held.
    TooLong(Command, u32),
}

/// What a client says with a frame, to an authenticator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// A request: command byte and parameters, at least one byte.
    Request(Vec<u8>),
    /// It takes its request back.
    Cancel,
    /// Neither: this frame is the answer, at any time.
    Aside(Vec<u8>),
}

impl Incoming {
    /// What a client says with it. PING is answered by the same bytes, a CBOR
    /// frame that is empty or too long by [`Fault::InvalidLength`], what is for
    /// clients or for nobody by [`Fault::InvalidCommand`].
    pub fn said(self) -> Said {
        match self {
            Incoming::Frame(Command::Cbor, request) if !request.is_empty() => Said::Request(request),
            Incoming::Frame(Command::Cancel, _) => Said::Cancel,
            Incoming::Frame(Command::Ping, payload) => Said::Aside(Command::Ping.frame(&payload)),
            Incoming::Frame(Command::Cbor, _) | Incoming::TooLong(..) => {
                Said::Aside(Fault::InvalidLength.frame())
            }
            Incoming::Frame(..) => Said::Aside(Fault::InvalidCommand.frame()),
        }
    }
}

/// Takes a stream apart. Holds one payload, of the limit at most.
#[derive(Debug)]
pub struct Reader {
    limit: usize,
    state: State,
}

#[derive(Debug)]
enum State {
    Header(Vec<u8>),
    Payload { command: Command, wanted: usize, payload: Vec<u8> },
    Skip(usize),
}

impl Reader {
    /// A reader of payloads up to this many bytes.
    pub fn new(limit: usize) -> Self {
        Self { limit, state: State::Header(Vec::new()) }
    }

    /// Takes bytes off the front of `input` up to the end of one frame, and
    /// gives that frame; nothing once the input is used up. Called again with
    /// what is left of the input, it gives the next.
    pub fn read(&mut self, input: &mut &[u8]) -> Option<Incoming> {
        loop {
            match &mut self.state {
                State::Header(header) => {
                    header.extend_from_slice(take(input, HEADER - header.len()));
                    let [command, length @ ..] = <[u8; HEADER]>::try_from(header.as_slice()).ok()?;
                    let (command, length) = (Command::of(command), u32::from_be_bytes(length));
                    let wanted = usize::try_from(length).unwrap_or(usize::MAX);
                    if wanted > self.limit {
                        self.state = State::Skip(wanted);
                        return Some(Incoming::TooLong(command, length));
                    }
                    // Grown as it comes: a length is a promise, not a payload.
                    self.state = State::Payload { command, wanted, payload: Vec::new() };
                }
                State::Payload { command, wanted, payload } => {
                    payload.extend_from_slice(take(input, *wanted - payload.len()));
                    if payload.len() < *wanted {
                        return None;
                    }
                    let frame = Incoming::Frame(*command, std::mem::take(payload));
                    self.state = State::Header(Vec::new());
                    return Some(frame);
                }
                State::Skip(left) => {
                    *left -= take(input, *left).len();
                    if *left > 0 {
                        return None;
                    }
                    self.state = State::Header(Vec::new());
                }
            }
        }
    }

    /// Whether the stream may end here.
    ///
    /// # Errors
    /// [`What::Frame`] in the middle of a frame.
    pub fn end(&self) -> Result<(), Error> {
        match &self.state {
            State::Header(header) if header.is_empty() => Ok(()),
            _ => Err(Error::Malformed(What::Frame)),
        }
    }
}

/// Takes up to this many bytes off the front.
fn take<'a>(input: &mut &'a [u8], most: usize) -> &'a [u8] {
    let (taken, rest) = input.split_at(most.min(input.len()));
    *input = rest;
    taken
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use proptest::prelude::*;

    const LIMIT: usize = 20;

    /// What a stream in these pieces is read as, and what its end is.
    fn read(pieces: &[&[u8]]) -> (Vec<Incoming>, Result<(), Error>) {
        let mut reader = Reader::new(LIMIT);
        let mut incoming = Vec::new();
        for mut piece in pieces.iter().copied() {
            while let Some(frame) = reader.read(&mut piece) {
                incoming.push(frame);
            }
            assert!(piece.is_empty());
        }
        (incoming, reader.end())
    }

    #[test]
    fn a_frame_is_command_length_and_payload() {
        assert_eq!(Command::Cbor.frame(&[4]), [0x10, 0, 0, 0, 1, 4]);
        assert_eq!(Command::Cancel.frame(&[]), [0x11, 0, 0, 0, 0]);
        assert_eq!(Keepalive::Processing.frame(), [0x3b, 0, 0, 0, 1, 1]);
        assert_eq!(Keepalive::UserPresenceNeeded.frame(), [0x3b, 0, 0, 0, 1, 2]);
        assert_eq!(Fault::Busy.frame(), [0x3f, 0, 0, 0, 1, 6]);
        assert_eq!(Command::Ping.frame(&[7; 300])[..7], [0x01, 0, 0, 1, 44, 7, 7]);
    }

    #[test]
    fn every_byte_is_one_command() {
        assert!((0..=255).all(|byte| Command::of(byte).byte() == byte));
        assert_eq!(Command::of(0x03), Command::Other(0x03));
    }

    #[test]
    fn every_frame_says_something() {
        let said = |command, payload: &[u8]| Incoming::Frame(command, payload.to_vec()).said();
        assert_eq!(said(Command::Cbor, &[4]), Said::Request(vec![4]));
        assert_eq!(said(Command::Cancel, &[]), Said::Cancel);
        assert_eq!(said(Command::Ping, &[1, 2]), Said::Aside(Command::Ping.frame(&[1, 2])));
        assert_eq!(said(Command::Cbor, &[]), Said::Aside(Fault::InvalidLength.frame()));
        for command in [Command::Keepalive, Command::Error, Command::Other(3)] {
            assert_eq!(said(command, &[1]), Said::Aside(Fault::InvalidCommand.frame()), "{command:?}");
        }
        for command in [Command::Cbor, Command::Cancel, Command::Ping, Command::Other(3)] {
            assert_eq!(Incoming::TooLong(command, 21).said(), Said::Aside(Fault::InvalidLength.frame()));
        }
    }

    #[test]
    fn what_is_too_long_is_told_at_its_header_and_passed_over() {
        let long = Command::Cbor.frame(&[9; LIMIT + 1]);
        let told = Incoming::TooLong(Command::Cbor, 21);
        let (header, payload) = long.split_at(HEADER);
        assert_eq!(read(&[header]), (vec![told.clone()], Err(Error::Malformed(What::Frame))));
        let next = Command::Ping.frame(b"x");
        let after = vec![told, Incoming::Frame(Command::Ping, b"x".to_vec())];
        assert_eq!(read(&[header, payload, &next]), (after.clone(), Ok(())));
        assert_eq!(read(&[&long, &next]), (after, Ok(())));
        // The longest length there is takes no room.
        let bomb = [0x10, 0xff, 0xff, 0xff, 0xff];
        assert_eq!(read(&[&bomb, &[0; 4096]]).0, [Incoming::TooLong(Command::Cbor, u32::MAX)]);
        assert_eq!(
            read(&[&Command::Cbor.frame(&[9; LIMIT])]).0,
            [Incoming::Frame(Command::Cbor, vec![9; LIMIT])]
        );
    }

    #[test]
    fn an_end_within_a_frame_is_told() {
        let frame = Command::Cbor.frame(&[1, 2]);
        for end in 1..frame.len() {
            assert_eq!(read(&[frame.get(..end).unwrap()]), (vec![], Err(Error::Malformed(What::Frame))));
        }
        assert_eq!(read(&[]), (vec![], Ok(())));
        assert_eq!(read(&[&frame]).1, Ok(()));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_however_it_is_cut(
            frames in prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..2 * LIMIT)), 0..8),
            size in 1..64_usize,
        ) {
            let stream: Vec<u8> =
                frames.iter().flat_map(|(byte, payload)| Command::of(*byte).frame(payload)).collect();
            let expected: Vec<Incoming> = frames.into_iter().map(|(byte, payload)| {
                let command = Command::of(byte);
                match u32::try_from(payload.len()) {
                    Ok(length) if payload.len() > LIMIT => Incoming::TooLong(command, length),
                    _ => Incoming::Frame(command, payload),
                }
            }).collect();
            let pieces: Vec<&[u8]> = stream.chunks(size).collect();
            prop_assert_eq!(read(&pieces), (expected, Ok(())));
        }
    }
}
