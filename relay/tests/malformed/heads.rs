//! Requests to open a tunnel. The verdict is 101 or not.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::case::{Dice, answer, request};
use super::support::soon;

/// The largest head that the relay reads.
const MOST: usize = 8 * 1024;

pub(super) async fn judge(addr: SocketAddr, number: u64) {
    let mut dice = Dice(number);
    let mut head = request(&format!("/cable/new/{}", dice.id())).into_bytes();
    for _ in 0..dice.below(4) {
        mutate(&mut head, &mut dice);
    }
    put(addr, head, &number.to_string()).await;
}

/// Says this to the relay, and judges the answer.
pub(crate) async fn put(addr: SocketAddr, head: Vec<u8>, which: &str) {
    let mut tcp = TcpStream::connect(addr).await.unwrap();
    let _ = tcp.write_all(&head).await;
    let expected = verdict(&head);
    if expected == Verdict::Waits {
        let _ = tcp.shutdown().await;
    }
    let answered = answer(&mut tcp).await;
    // Once the relay has ended it, the tunnel's id is free again.
    let mut rest = Vec::new();
    let _ = tcp.shutdown().await;
    let _ = soon(tcp.read_to_end(&mut rest)).await;
    let (agreed, said) = (answered.starts_with(b"HTTP/1.1 101 "), answered.escape_ascii());
    if expected != Verdict::Unknown {
        let expected = expected == Verdict::Agrees;
        assert_eq!(agreed, expected, "head {which}:\n{}\nanswer: {said}", head.escape_ascii());
    }
    // Whoever speaks HTTP/1.0 is answered so.
    let status = answered.strip_prefix(b"HTTP/1.").and_then(|rest| rest.get(2));
    let asks = ["/healthz", "/readyz"].map(|path| format!("GET {path} "));
    let well = asks.iter().any(|line| head.starts_with(line.as_bytes())) && status == Some(&b'2');
    let refused = answered.is_empty() || status == Some(&b'4');
    assert!(agreed || refused || well, "head {which}: {said}");
}

fn mutate(head: &mut Vec<u8>, dice: &mut Dice) {
    if head.is_empty() {
        return;
    }
    let at = dice.below(head.len());
    match dice.below(10) {
        0..=3 => head[at] = dice.byte(),
        4 => drop(head.remove(at)),
        5 => head.insert(at, dice.byte()),
        6 => head[at] ^= 0x20,
        7 => {
            // One line again, or no more.
            let mut lines: Vec<Vec<u8>> =
                head.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
            let line = dice.below(lines.len());
            if dice.below(2) == 0 {
                lines.insert(line, lines[line].clone());
            } else {
                lines.remove(line);
            }
            *head = lines.concat();
        }
        8 => head.truncate(at),
        _ => {
            let end = head.windows(2).position(|pair| pair == b"\r\n").map_or(at, |end| end + 2);
            let long = [&b"X-Long: "[..], &vec![b'x'; 3 * MOST], b"\r\n"].concat();
            head.splice(end..end, long);
        }
    }
}

/// Headers that say more than these rules know: how a body is framed, and
/// whose page it is.
const UNKNOWN: [&str; 5] = ["content-length", "transfer-encoding", "expect", "origin", "http2-settings"];

/// What a relay has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Agrees,
    Refuses,
    /// For the rest of the head.
    Waits,
    /// These rules do not say.
    Unknown,
}

fn verdict(head: &[u8]) -> Verdict {
    let mut headers = [httparse::EMPTY_HEADER; 100];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(head) {
        Ok(httparse::Status::Complete(length)) if length > MOST => return Verdict::Refuses,
        Ok(httparse::Status::Complete(_)) => {}
        Ok(httparse::Status::Partial) if head.len() > MOST => return Verdict::Refuses,
        Ok(httparse::Status::Partial) => return Verdict::Waits,
        Err(_) => return Verdict::Refuses,
    }
    let all = |name: &str| -> Vec<&[u8]> {
        let headers = request.headers.iter().filter(|header| header.name.eq_ignore_ascii_case(name));
        headers.map(|header| header.value).collect()
    };
    let once = |name: &str| <[&[u8]; 1]>::try_from(all(name)).ok().map(|[value]| value);
    let has = |name: &str, token: &str, exactly: bool| {
        let values = all(name).into_iter().filter_map(|value| visible(value));
        values.flat_map(|value| value.split(',').map(str::trim)).any(|found| match exactly {
            true => found == token,
            false => found.eq_ignore_ascii_case(token),
        })
    };
    // Nor are requests as a forward proxy has them.
    if !request.path.unwrap_or_default().starts_with('/') || UNKNOWN.iter().any(|name| !all(name).is_empty())
    {
        return Verdict::Unknown;
    }
    let path = request.path.unwrap_or_default().split('#').next().unwrap_or_default();
    let id = path.strip_prefix("/cable/new/").unwrap_or_default();
    let key = once("sec-websocket-key").and_then(visible).and_then(|key| key.strip_suffix("=="));
    let good = request.method == Some("GET")
        && request.version == Some(1)
        && id.len() == 32
        && id.bytes().all(|byte| byte.is_ascii_hexdigit())
        && once("host").and_then(visible).is_some()
        && once("sec-websocket-version") == Some(b"13")
        && has("connection", "upgrade", false)
        && has("upgrade", "websocket", false)
        && has("sec-websocket-protocol", "fido.cable", true)
        && key.is_some_and(|key| {
            key.len() == 22 && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(&byte))
        });
    if good { Verdict::Agrees } else { Verdict::Refuses }
}

/// As text, if all of it is visible ASCII.
fn visible(value: &[u8]) -> Option<&str> {
    let printable = value.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\t'));
    std::str::from_utf8(value).ok().filter(|_| printable)
}
