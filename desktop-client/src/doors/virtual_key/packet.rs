//! CTAPHID's packets (CTAP 2.2, 11.2.4): a message in reports of 64 bytes.
//!
//! ```text
//! first   u32 channel | 80 + command | u16 length of the message | 57 bytes
//! others  u32 channel | 00 + their number, from 0                | 59 bytes
//! ```
//!
//! All numbers are big-endian; what a message leaves of its last report is zero.

/// Bytes of a report, in both directions.
pub const REPORT: usize = 64;

/// Bytes of a message: what one first report and 128 others hold.
pub const MOST: usize = 57 + 128 * 59;

/// The channel of whoever has none yet.
pub const BROADCAST: u32 = 0xffff_ffff;

/// A report, as it goes over the wire.
pub type Report = [u8; REPORT];

/// Marks the first packet of a message.
const FIRST: u8 = 0x80;

/// The command of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Command {
    /// 01: the same bytes back.
    Ping,
    /// 03: a U2F message, which is not served.
    Msg,
    /// 04: nobody else for some seconds.
    Lock,
    /// 06: a channel, or a new beginning on one.
    Init,
    /// 08: shows the person which key is meant.
    Wink,
    /// 10: a CTAP request or its answer.
    Cbor,
    /// 11: takes a request back.
    Cancel,
    /// 3b: a request still waits.
    Keepalive,
    /// 3f: a message could not be served.
    Error,
    /// Any other, seven bits.
    Other(u8),
}

impl Command {
    /// Its seven bits.
    pub const fn byte(self) -> u8 {
        match self {
            Command::Ping => 0x01,
            Command::Msg => 0x03,
            Command::Lock => 0x04,
            Command::Init => 0x06,
            Command::Wink => 0x08,
            Command::Cbor => 0x10,
            Command::Cancel => 0x11,
            Command::Keepalive => 0x3b,
            Command::Error => 0x3f,
            Command::Other(byte) => byte & !FIRST,
        }
    }

    /// The command of these seven bits; the eighth is passed over.
    pub const fn of(byte: u8) -> Self {
        match byte & !FIRST {
            0x01 => Command::Ping,
            0x03 => Command::Msg,
            0x04 => Command::Lock,
            0x06 => Command::Init,
            0x08 => Command::Wink,
            0x10 => Command::Cbor,
            0x11 => Command::Cancel,
            0x3b => Command::Keepalive,
            0x3f => Command::Error,
            other => Command::Other(other),
        }
    }
}

/// A report, read. Every report is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packet<'a> {
    /// Begins a message.
    First {
        /// Whose.
        channel: u32,
        /// What it is.
        command: Command,
        /// Bytes of the whole message; may be more than there can be.
        length: usize,
        /// The first of them.
        data: &'a [u8],
    },
    /// Continues a message.
    Next {
        /// Whose.
        channel: u32,
        /// Its number, 0 to 127.
        sequence: u8,
        /// The next bytes.
        data: &'a [u8],
    },
}

impl<'a> Packet<'a> {
    /// Takes a report apart.
    pub fn read(report: &'a Report) -> Self {
        let [c0, c1, c2, c3, kind, rest @ ..] = report;
        let channel = u32::from_be_bytes([*c0, *c1, *c2, *c3]);
        if kind & FIRST == 0 {
            return Packet::Next { channel, sequence: *kind, data: rest };
        }
        let [high, low, data @ ..] = rest;
        let length = u16::from_be_bytes([*high, *low]).into();
        Packet::First { channel, command: Command::of(*kind), length, data }
    }
}

/// The reports of a message. None if it is longer than [`MOST`].
pub fn reports(channel: u32, command: Command, message: &[u8]) -> Option<Vec<Report>> {
    if message.len() > MOST {
        return None;
    }
    let length = u16::try_from(message.len()).ok()?;
    let (first, others) = message.split_at(message.len().min(57));
    let mut head = channel.to_be_bytes().to_vec();
    head.push(FIRST | command.byte());
    head.extend(length.to_be_bytes());
    let mut reports = vec![padded(&head, first)];
    for (data, sequence) in others.chunks(59).zip(0u8..) {
        let mut head = channel.to_be_bytes().to_vec();
        head.push(sequence);
        reports.push(padded(&head, data));
    }
    Some(reports)
}

fn padded(head: &[u8], data: &[u8]) -> Report {
    let mut report = [0; REPORT];
    for (to, from) in report.iter_mut().zip(head.iter().chain(data)) {
        *to = *from;
    }
    report
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_message_fills_reports() {
        let one = reports(0x0102_0304, Command::Cbor, &[4]).unwrap();
        assert_eq!(one.len(), 1);
        assert_eq!(one.first().unwrap().get(..8).unwrap(), [1, 2, 3, 4, 0x90, 0, 1, 4]);
        assert!(one.first().unwrap().iter().skip(8).all(|byte| *byte == 0));
        for (length, count) in [(0, 1), (57, 1), (58, 2), (57 + 59, 2), (57 + 60, 3), (MOST, 129)] {
            assert_eq!(reports(1, Command::Ping, &vec![7; length]).unwrap().len(), count, "{length}");
        }
        assert_eq!(MOST, 7609);
        assert_eq!(reports(1, Command::Ping, &[0; MOST + 1]), None);
    }

    #[test]
    fn every_byte_is_one_command() {
        assert!((0..0x80).all(|byte| Command::of(byte).byte() == byte));
        assert_eq!(Command::of(0x90), Command::Cbor);
    }

    proptest! {
        #[test]
        fn what_is_cut_is_read_again(channel: u32, byte in 0..0x80_u8, message in prop::collection::vec(any::<u8>(), 0..MOST)) {
            let mut whole: Vec<u8> = Vec::new();
            for (number, report) in reports(channel, Command::of(byte), &message).unwrap().iter().enumerate() {
                match Packet::read(report) {
                    Packet::First { channel: to, command, length, data } => {
                        prop_assert_eq!((number, to, command, length), (0, channel, Command::of(byte), message.len()));
                        whole.extend(data);
                    }
                    Packet::Next { channel: to, sequence, data } => {
                        prop_assert_eq!((number, to), (usize::from(sequence) + 1, channel));
                        whole.extend(data);
                    }
                }
            }
            whole.truncate(message.len());
            prop_assert_eq!(whole, message);
        }
    }
}
