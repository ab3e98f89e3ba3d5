//! Frames of a first party. The verdict is what the second is given, and how
//! both are sent off.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::case::{Dice, answer, request};
use super::support::{ROUTING, soon};

/// The longest message that this relay carries.
pub(crate) const MOST: usize = 1000;

/// What must happen.
#[derive(Debug, PartialEq, Eq)]
struct Verdict {
    delivered: Vec<Vec<u8>>,
    /// The code by which the sender is told off; nothing for one that left.
    sender: Option<u16>,
    receiver: u16,
}

pub(super) async fn judge(addr: SocketAddr, number: u64) {
    let mut dice = Dice(!number);
    let id = format!("{:032X}", (u128::from(number) << 64) | 1);
    let bytes: Vec<u8> = (0..=dice.below(3)).flat_map(|_| frame(&mut dice)).collect();
    // A frame cut short may make a close with a reason of what follows it.
    put(addr, certain(bytes), &id).await;
}

/// Says this in a tunnel of this id, and judges what comes of it.
pub(crate) async fn put(addr: SocketAddr, bytes: Vec<u8>, id: &str) {
    let mut sender = join(addr, &format!("/cable/new/{id}")).await;
    let mut receiver = join(addr, &format!("/cable/connect/{ROUTING}/{id}")).await;
    let expected = verdict(&bytes);
    let _ = sender.write_all(&bytes).await;
    let told = async {
        if expected.sender.is_none() {
            let _ = sender.shutdown().await;
            return None;
        }
        hear(&mut sender).await.1
    };
    let (told, (delivered, code)) = tokio::join!(told, hear(&mut receiver));
    let found = Verdict { delivered, sender: told, receiver: code.unwrap_or(0) };
    assert_eq!(found, expected, "frames {id}: {bytes:02x?}");
}

/// Of any bytes those whose verdict is laid down: up to a close frame that
/// says why, for which of those are good is a long story.
pub(crate) fn certain(bytes: Vec<u8>) -> Vec<u8> {
    let mut at = 0;
    while let Some((first, _, length, head)) = head(bytes.get(at..).unwrap_or_default()) {
        if first & 0x0F == 8 && length > 0 {
            break;
        }
        at = at.saturating_add(head).saturating_add(length);
    }
    bytes.get(..at).map(<[u8]>::to_vec).unwrap_or(bytes)
}

async fn join(addr: SocketAddr, path: &str) -> TcpStream {
    let mut tcp = TcpStream::connect(addr).await.unwrap();
    tcp.set_nodelay(true).unwrap();
    tcp.write_all(request(path).as_bytes()).await.unwrap();
    let answered = answer(&mut tcp).await;
    assert!(answered.starts_with(b"HTTP/1.1 101 "), "{}", answered.escape_ascii());
    tcp
}

/// Messages until the close, and its code.
async fn hear(tcp: &mut TcpStream) -> (Vec<Vec<u8>>, Option<u16>) {
    let mut messages = Vec::new();
    loop {
        let mut head = [0; 2];
        if soon(tcp.read_exact(&mut head)).await.is_err() {
            return (messages, None);
        }
        let length = match head[1] {
            126 => usize::from(soon(tcp.read_u16()).await.unwrap()),
            short => usize::from(short),
        };
        let mut payload = vec![0; length];
        soon(tcp.read_exact(&mut payload)).await.unwrap();
        match head[0] {
            0x82 => messages.push(payload),
            0x88 => return (messages, payload.try_into().ok().map(u16::from_be_bytes)),
            0x89 | 0x8A => {}
            other => panic!("the relay sent a frame of {other:02x}"),
        }
    }
}

fn frame(dice: &mut Dice) -> Vec<u8> {
    let first = match dice.below(10) {
        0..=4 => 0x82,
        5 => [0x02, 0x00, 0x80][dice.below(3)],
        6 => [0x89, 0x8A, 0x81, 0x88][dice.below(4)],
        _ => dice.byte(),
    };
    let length = match (first, dice.below(12)) {
        // Of a close frame only the kinds whose answer is laid down.
        (0x88, _) => 0,
        (_, 0) => 0,
        (_, 1) => MOST + dice.below(50),
        (_, 2) => dice.below(MOST),
        _ => dice.below(130),
    };
    let masked = if dice.below(16) == 0 { 0 } else { 0x80 };
    let mut bytes = vec![first];
    match (length, dice.below(12)) {
        // Also where a shorter form would do.
        (_, 0) => {
            bytes.push(masked | 127);
            bytes.extend_from_slice(&u64::try_from(length).unwrap().to_be_bytes());
        }
        (126.., _) | (_, 1) => {
            bytes.push(masked | 126);
            bytes.extend_from_slice(&u16::try_from(length).unwrap().to_be_bytes());
        }
        _ => bytes.push(masked | u8::try_from(length).unwrap()),
    }
    let mask = if masked == 0 { [0; 4] } else { [dice.byte(), dice.byte(), dice.byte(), dice.byte()] };
    if masked != 0 {
        bytes.extend_from_slice(&mask);
    }
    // ASCII, so that a text is one.
    bytes.extend((0..length).map(|n| (b' ' + dice.byte() % 95) ^ mask[n % 4]));
    if dice.below(20) == 0 {
        bytes.truncate(dice.below(bytes.len()));
    }
    bytes
}

/// Goes through the frames as RFC 6455 and the relay's own rules have it.
fn verdict(mut bytes: &[u8]) -> Verdict {
    let mut delivered = Vec::new();
    // Opcode and content of a message of which fragments have come.
    let mut begun: Option<(u8, Vec<u8>)> = None;
    let code = loop {
        let Some((first, masked, length, head)) = head(bytes) else { break None };
        if first & 0x07 > 2 {
            break Some(1002);
        }
        if length > MOST {
            break Some(1009);
        }
        let Some(payload) = bytes.get(head..head + length) else { break None };
        let mask: [u8; 4] = if masked { bytes[head - 4..head].try_into().unwrap() } else { [0; 4] };
        let payload: Vec<u8> =
            payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
        bytes = &bytes[head + length..];
        let (last, opcode) = (first & 0x80 != 0, first & 0x0F);
        if first & 0x70 != 0 || !masked || (opcode >= 8 && (!last || length > 125)) {
            break Some(1002);
        }
        match (opcode, &mut begun) {
            (8, _) => break Some(if length == 1 { 1002 } else { 1000 }),
            (9 | 10, _) => continue,
            (0, None) | (1 | 2, Some(_)) => break Some(1002),
            (0, Some((_, content))) => content.extend(payload),
            (_, None) => begun = Some((opcode, payload)),
            _ => unreachable!("reserved opcodes were sorted out"),
        }
        if begun.as_ref().is_some_and(|(_, content)| content.len() > MOST) {
            break Some(1009);
        }
        // A cut frame takes its rest from the next one, which may be no text.
        let hopeless =
            |content: &[u8]| std::str::from_utf8(content).is_err_and(|no| no.error_len().is_some());
        if begun.as_ref().is_some_and(|(opcode, content)| *opcode == 1 && hopeless(content)) {
            break Some(1003);
        }
        if last && let Some((opcode, content)) = begun.take() {
            match opcode {
                1 => break Some(1003),
                _ if content.is_empty() => break Some(1002),
                _ => delivered.push(content),
            }
        }
    };
    let receiver = if code == Some(1000) { 1000 } else { 1001 };
    // A close without a code is answered by one without.
    Verdict { delivered, sender: code.filter(|code| *code != 1000), receiver }
}

/// First byte, whether masked, length of the payload and of the head, once
/// the head is whole.
fn head(bytes: &[u8]) -> Option<(u8, bool, usize, usize)> {
    let (first, second) = (*bytes.first()?, *bytes.get(1)?);
    let (length, head) = match second & 0x7F {
        126 => (u64::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().unwrap())), 4),
        127 => (u64::from_be_bytes(bytes.get(2..10)?.try_into().unwrap()), 10),
        short => (u64::from(short), 2),
    };
    let masked = second & 0x80 != 0;
    let head = if masked { head + 4 } else { head };
    (bytes.len() >= head).then(|| (first, masked, usize::try_from(length).unwrap_or(usize::MAX), head))
}
