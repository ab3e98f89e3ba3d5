//! What stands in for the world: a relay of one answer, with or without TLS,
//! and a proxy with a will of its own.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime};

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// Something that listens, and remembers the head of each request.
pub(crate) struct StandIn {
    pub(crate) address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl StandIn {
    /// Meets each connection with this.
    pub(crate) fn new(meet: impl Fn(TcpStream, &dyn Fn(String)) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, heads) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(Vec::new())));
        let (meet, remembered) = (Arc::new(meet), Arc::clone(&heads));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (meet, remembered) = (Arc::clone(&meet), Arc::clone(&remembered));
                thread::spawn(move || meet(stream, &|head| remembered.lock().unwrap().push(head)));
            }
        });
        Self { address, heads }
    }

    /// The heads of the requests that came.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    pub(crate) fn ws(&self) -> String {
        format!("ws://{}", self.address)
    }

    /// The rule that leads from a host to here.
    pub(crate) fn instead_of(&self, host: &str) -> String {
        format!("{host}:443:{}", self.address)
    }
}

/// A relay that answers so, in the clear. `{accept}` and `{date}` are filled in.
pub(crate) fn relay(answer: &'static str) -> StandIn {
    StandIn::new(move |stream, remember| serve(stream, answer, remember))
}

/// The same with TLS.
pub(crate) fn tls_relay(config: Arc<ServerConfig>, answer: &'static str) -> StandIn {
    StandIn::new(move |stream, remember| {
        let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
        serve(StreamOwned::new(connection, stream), answer, remember);
    })
}

/// What a relay answers that opens the tunnel.
pub(crate) const OPENED: &str = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\
    connection: upgrade\r\nsec-websocket-accept: {accept}\r\nsec-websocket-protocol: fido.cable\r\n\
    x-cable-routing-id: 010203\r\ndate: {date}\r\n\r\n";

/// The same without a routing id.
pub(crate) const NO_ROUTING_ID: &str = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\
    connection: upgrade\r\nsec-websocket-accept: {accept}\r\nsec-websocket-protocol: fido.cable\r\n\r\n";

/// The same without the subprotocol.
pub(crate) const NO_SUBPROTOCOL: &str = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\
    connection: upgrade\r\nsec-websocket-accept: {accept}\r\nx-cable-routing-id: 010203\r\n\r\n";

/// The same, an hour behind everybody else.
pub(crate) const WRONG_DATE: &str = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\
    connection: upgrade\r\nsec-websocket-accept: {accept}\r\nsec-websocket-protocol: fido.cable\r\n\
    x-cable-routing-id: 010203\r\ndate: {hour ago}\r\n\r\n";

pub(crate) const NOT_FOUND: &str = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\ndate: {date}\r\n\r\n";
pub(crate) const CONFLICT: &str = "HTTP/1.1 409 Conflict\r\ncontent-length: 0\r\n\r\n";

fn serve(mut stream: impl Read + Write, answer: &str, remember: &dyn Fn(String)) {
    let Some(head) = head_of(&mut stream) else { return };
    let key = field(&head, "sec-websocket-key");
    remember(head);
    let now = SystemTime::now();
    let answer = answer
        .replace("{accept}", &derive_accept_key(key.as_bytes()))
        .replace("{date}", &httpdate::fmt_http_date(now))
        .replace("{hour ago}", &httpdate::fmt_http_date(now - Duration::from_secs(3600)));
    let _ = stream.write_all(answer.as_bytes());
    let _ = stream.flush();
    // Until the other side has gone.
    let mut rest = [0; 512];
    while stream.read(&mut rest).is_ok_and(|length| length > 0) {}
}

/// What a proxy does about a `CONNECT`.
#[derive(Clone, Copy)]
pub(crate) enum Proxying {
    /// Leads there.
    Willing,
    /// Leads there if it is asked with these, and answers 407 otherwise.
    For(&'static str),
    /// Answers so.
    Says(&'static str),
    /// Says nothing.
    Silent,
}

pub(crate) fn proxy(will: Proxying) -> StandIn {
    StandIn::new(move |mut stream, remember| {
        let Some(head) = head_of(&mut stream) else { return };
        let credentials = field(&head, "proxy-authorization");
        let to = head.split(' ').nth(1).unwrap().to_owned();
        remember(head);
        match will {
            Proxying::Says(answer) => drop(stream.write_all(answer.as_bytes())),
            Proxying::Silent => thread::sleep(Duration::from_secs(120)),
            Proxying::For(expected) if credentials != expected => {
                let answer = "HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n";
                let _ = stream.write_all(answer.as_bytes());
            }
            Proxying::Willing | Proxying::For(_) => lead(stream, &to),
        }
    })
}

fn lead(mut near: TcpStream, to: &str) {
    let mut far = TcpStream::connect(to).unwrap();
    near.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").unwrap();
    let (mut from_near, mut to_far) = (near.try_clone().unwrap(), far.try_clone().unwrap());
    thread::spawn(move || std::io::copy(&mut from_near, &mut to_far));
    let _ = std::io::copy(&mut far, &mut near);
}

fn head_of(stream: &mut impl Read) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    String::from_utf8(head).ok()
}

fn field(head: &str, name: &str) -> String {
    let fields = head.lines().filter_map(|line| line.split_once(": "));
    let mut found = fields.filter(|(field, _)| field.eq_ignore_ascii_case(name));
    found.next().map(|(_, value)| value.to_owned()).unwrap_or_default()
}
