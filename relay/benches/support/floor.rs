//! The least that a legal relay does: parses the request's head, tells the
//! first party a routing id, unmasks each frame in place and passes it on in
//! one write. No limits, no times, no pings, no log, and nobody's mistakes are
//! looked for.
//!
//! What our relay is compared with. It has the same runtime, TLS library,
//! kernel buffers and certificate, so that what differs is the relay.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use socket2::{Domain, Socket, Type};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

type Waiting<S> = Mutex<HashMap<String, oneshot::Sender<S>>>;

/// Serves for ever. The address goes to standard output first.
pub(crate) fn serve(tls: Option<Arc<rustls::ServerConfig>>) -> ! {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(64 * 1024).unwrap();
        socket.set_send_buffer_size(64 * 1024).unwrap();
        socket.set_nonblocking(true).unwrap();
        socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        socket.listen(1024).unwrap();
        let listener = TcpListener::from_std(socket.into()).unwrap();
        println!("listening on {}", listener.local_addr().unwrap());
        match tls.map(TlsAcceptor::from) {
            None => {
                let waiting = Arc::new(Waiting::default());
                loop {
                    let (tcp, _) = listener.accept().await.unwrap();
                    tcp.set_nodelay(true).unwrap();
                    tokio::spawn(attend(tcp, Arc::clone(&waiting)));
                }
            }
            Some(acceptor) => {
                let waiting = Arc::new(Waiting::default());
                loop {
                    let (tcp, _) = listener.accept().await.unwrap();
                    tcp.set_nodelay(true).unwrap();
                    let (acceptor, waiting) = (acceptor.clone(), Arc::clone(&waiting));
                    tokio::spawn(secure(acceptor, tcp, waiting));
                }
            }
        }
    })
}

async fn secure(
    acceptor: TlsAcceptor,
    tcp: TcpStream,
    waiting: Arc<Waiting<tokio_rustls::server::TlsStream<TcpStream>>>,
) -> Option<()> {
    attend(acceptor.accept(tcp).await.ok()?, waiting).await
}

async fn attend<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, waiting: Arc<Waiting<S>>) -> Option<()> {
    let mut head = Vec::with_capacity(1024);
    let (route, accept) = loop {
        if stream.read_buf(&mut head).await.ok()? == 0 {
            return None;
        }
        if let Some(parsed) = parse(&head) {
            break parsed;
        }
    };
    drop(head);
    let mut answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-accept: {accept}\r\nsec-websocket-protocol: fido.cable\r\n"
    );
    if let Some(id) = route.strip_prefix("/cable/new/") {
        let (seat, arriving) = oneshot::channel();
        waiting.lock().unwrap().insert(id.to_owned(), seat);
        answer += "x-cable-routing-id: 000000\r\n\r\n";
        stream.write_all(answer.as_bytes()).await.ok()?;
        let second = arriving.await.ok()?;
        carry(stream, second).await;
    } else {
        let id = route.strip_prefix("/cable/connect/000000/")?;
        let seat = waiting.lock().unwrap().remove(id)?;
        answer += "\r\n";
        stream.write_all(answer.as_bytes()).await.ok()?;
        seat.send(stream).ok()?;
    }
    Some(())
}

/// The path, and the answer to the key.
fn parse(head: &[u8]) -> Option<(String, String)> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut request = httparse::Request::new(&mut headers);
    if !request.parse(head).ok()?.is_complete() {
        return None;
    }
    let key = request.headers.iter().find(|header| header.name.eq_ignore_ascii_case("sec-websocket-key"))?;
    Some((request.path?.to_owned(), derive_accept_key(key.value)))
}

/// Both directions in one task, until both sides have closed.
async fn carry<S: AsyncRead + AsyncWrite + Unpin>(mut first: S, mut second: S) {
    let (mut forth, mut back) = (Direction::default(), Direction::default());
    let both = std::future::poll_fn(|cx| {
        let forth = forth.poll(cx, &mut first, &mut second);
        let back = back.poll(cx, &mut second, &mut first);
        if forth.is_ready() && back.is_ready() { Poll::Ready(()) } else { Poll::Pending }
    });
    both.await;
    let (_, _) = tokio::join!(first.shutdown(), second.shutdown());
    let mut rest = [0; 64];
    while matches!(first.read(&mut rest).await, Ok(1..)) {}
    while matches!(second.read(&mut rest).await, Ok(1..)) {}
}

/// What one side says to the other.
#[derive(Default)]
struct Direction {
    bytes: Vec<u8>,
    /// The unmasked frame that is being written: where it begins and ends.
    writing: Option<(usize, usize)>,
    /// It is the close frame, behind which nothing comes.
    last: bool,
    over: bool,
}

impl Direction {
    /// Ready once this side has closed, or is gone. The other answers the
    /// close by its own, which is passed on in turn.
    fn poll<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut S,
        to: &mut S,
    ) -> Poll<()> {
        while !self.over {
            if let Some((begin, end)) = self.writing {
                match ready!(Pin::new(&mut *to).poll_write(cx, &self.bytes[begin..end])) {
                    Ok(written) if begin + written < end => self.writing = Some((begin + written, end)),
                    Ok(_) => {
                        self.writing = None;
                        self.bytes.drain(..end);
                        self.over = self.last;
                    }
                    Err(_) => self.over = true,
                }
            } else if let Some((begin, end, opcode)) = unmask(&mut self.bytes) {
                self.writing = Some((begin, end));
                self.last = opcode == 8;
            } else {
                self.over = !matches!(ready!(self.fill(cx, from)), Ok(1..));
            }
        }
        Poll::Ready(())
    }

    fn fill<S: AsyncRead + Unpin>(&mut self, cx: &mut Context<'_>, from: &mut S) -> Poll<io::Result<usize>> {
        let before = self.bytes.len();
        // As large as ours reads at once, and more while a frame is large.
        let room = (self.bytes.capacity() - before).max(4096);
        self.bytes.resize(before + room, 0);
        let mut buffer = ReadBuf::new(&mut self.bytes[before..]);
        let polled = Pin::new(from).poll_read(cx, &mut buffer);
        let read = buffer.filled().len();
        self.bytes.truncate(before + read);
        polled.map_ok(|()| read)
    }
}

/// Unmasks the frame at the front, once it is whole. Its head is put right
/// before its payload: where the frame as a server sends it begins and ends.
fn unmask(bytes: &mut [u8]) -> Option<(usize, usize, u8)> {
    let (head, length) = match bytes {
        [_, length, ..] if length & 0x7F < 126 => (2, usize::from(length & 0x7F)),
        [_, length, a, b, ..] if length & 0x7F == 126 => (4, usize::from(u16::from_be_bytes([*a, *b]))),
        [_, _, 0, 0, 0, 0, a, b, c, d, ..] => {
            (10, usize::try_from(u32::from_be_bytes([*a, *b, *c, *d])).unwrap())
        }
        _ => return None,
    };
    let (payload, end) = (head + 4, head + 4 + length);
    if bytes.len() < end {
        return None;
    }
    let mask: [u8; 4] = bytes[head..payload].try_into().unwrap();
    let wide = u64::from_ne_bytes([mask[0], mask[1], mask[2], mask[3], mask[0], mask[1], mask[2], mask[3]]);
    let mut words = bytes[payload..end].chunks_exact_mut(8);
    for word in &mut words {
        let value = u64::from_ne_bytes((&*word).try_into().unwrap()) ^ wide;
        word.copy_from_slice(&value.to_ne_bytes());
    }
    for (byte, mask) in words.into_remainder().iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
    bytes[1] &= 0x7F;
    bytes.copy_within(..head, 4);
    Some((4, end, bytes[4] & 0x0F))
}
