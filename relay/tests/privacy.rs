//! Nothing personal comes out: the program at its most talkative, good and
//! bad requests, and then a search through all that it said, on both outputs
//! and to the operator, for every id, address and payload that was used.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests stop where they fail"
)]

mod support;

use std::net::{Ipv4Addr, SocketAddr};

use futures_util::{SinkExt, StreamExt};
use rustls::pki_types::ServerName;
use support::needles::Needles;
use support::serving::{Serving, run};
use support::{ROUTING, soon, trust};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

type Socket = WebSocketStream<Box<dyn Stream>>;

/// Where they come from. No other figure begins like these.
const PHONE: Ipv4Addr = Ipv4Addr::new(127, 143, 201, 87);
const COMPUTER: Ipv4Addr = Ipv4Addr::new(127, 157, 219, 93);
const FLOOD: Ipv4Addr = Ipv4Addr::new(127, 171, 233, 79);

/// A length that tells a message apart from all others.
const LENGTH: usize = 7919;

/// People at this relay.
struct People {
    relay: SocketAddr,
    tls: Option<TlsConnector>,
    needles: Needles,
}

impl People {
    async fn connect(&self, from: Ipv4Addr) -> Box<dyn Stream> {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((from, 0).into()).unwrap();
        let tcp = soon(socket.connect(self.relay)).await.unwrap();
        let name = ServerName::try_from("relay.example").unwrap();
        match &self.tls {
            None => Box::new(tcp),
            Some(tls) => Box::new(soon(tls.connect(name, tcp)).await.unwrap()),
        }
    }

    async fn dial(
        &self,
        from: Ipv4Addr,
        path: &str,
        header: Option<(&'static str, &str)>,
    ) -> Result<Socket, u16> {
        let mut request = format!("ws://relay.example{path}").into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", "fido.cable".parse().unwrap());
        if let Some((name, value)) = header {
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        match soon(tokio_tungstenite::client_async(request, self.connect(from).await)).await {
            Ok((socket, _)) => Ok(socket),
            Err(Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(_) => Err(0),
        }
    }

    /// These bytes, and whatever comes back.
    async fn raw(&self, bytes: &[u8]) {
        let mut stream = self.connect(PHONE).await;
        let _ = stream.write_all(bytes).await;
        let _ = soon(stream.read_to_end(&mut Vec::new())).await;
    }

    fn id(&mut self, what: &str) -> String {
        let id: [u8; 16] = rand_bytes(what);
        self.needles.add(what, &id);
        hex(&id)
    }

    /// A sign-in, with ids written as `phone` and `computer` write them.
    async fn sign_in(&mut self, what: &str, phone: fn(&str) -> String, computer: fn(&str) -> String) {
        let id = self.id(what);
        let mut first = self.dial(PHONE, &format!("/cable/new/{}", phone(&id)), None).await.unwrap();
        let joining = format!("/cable/connect/{ROUTING}/{}", computer(&id));
        let mut second = self.dial(COMPUTER, &joining, None).await.unwrap();
        // somebody else has seen the id, and comes too late
        assert_eq!(self.dial(COMPUTER, &joining, None).await.err(), Some(404));
        assert_eq!(self.dial(PHONE, &format!("/cable/new/{id}"), None).await.err(), Some(409));
        for (n, length) in [81, LENGTH].into_iter().enumerate() {
            let payload: Vec<u8> = rand_bytes::<32>(&format!("{what} {n}")).repeat(length.div_ceil(32));
            self.needles.add(&format!("payload {n} of {what}"), &payload[..32]);
            let message = Message::binary(payload[..length].to_vec());
            soon(second.send(message.clone())).await.unwrap();
            assert_eq!(soon(first.next()).await.unwrap().unwrap(), message);
            soon(first.send(message.clone())).await.unwrap();
            assert_eq!(soon(second.next()).await.unwrap().unwrap(), message);
        }
        soon(first.close(None)).await.unwrap();
        while let Some(Ok(_)) = soon(second.next()).await {}
    }

    async fn misbehave(&mut self) {
        let id = self.id("the id of bad requests");
        let contact = self.id("a contact id");
        for path in [
            format!("/cable/connect/{ROUTING}/{id}"),
            format!("/cable/connect/FFFFFF/{id}"),
            format!("/cable/contact/{contact}{contact}"),
            format!("/cable/new/{id}?{id}"),
            format!("/cable/new/{id}{id}"),
            format!("/cable/new/{}", &id[1..]),
            format!("/{id}"),
        ] {
            assert_eq!(self.dial(PHONE, &path, None).await.err(), Some(404), "{path}");
        }
        let new = format!("/cable/new/{id}");
        let origin = format!("https://{id}.example");
        assert_eq!(self.dial(PHONE, &new, Some(("origin", &origin))).await.err(), Some(403));
        assert_eq!(self.dial(PHONE, &new, Some(("sec-websocket-protocol", &id))).await.err(), Some(400));
        let noise = "x".repeat(9000);
        for head in [
            format!("GET {new} HTTP/1.1\r\nHost: {id}\r\n\r\n"),
            format!("POST {new} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n{id}"),
            format!("GET {new} HTTP/1.1\r\nHost: x\r\nCookie: {id}{noise}\r\n\r\n"),
            format!("GET {new} HTTP/9.9\r\n{id}\r\n\r\n"),
            format!("{id} {id} {id}\r\n\r\n"),
            format!("\x16\x03\x01{id}\r\n\r\n"),
            format!("GET {new} HTTP/1.1\r\nHost: x\r\n{id}"),
        ] {
            self.raw(head.as_bytes()).await;
        }
        for (n, bad) in [
            Message::text(id.clone()),
            Message::binary(Vec::new()),
            Message::binary(vec![0; 200_000]),
            Message::Close(None),
        ]
        .into_iter()
        .enumerate()
        {
            let id = self.id(&format!("the id of fault {n}"));
            let mut phone = self.dial(PHONE, &format!("/cable/new/{id}"), None).await.unwrap();
            let _ = soon(phone.send(bad)).await;
            while let Some(Ok(_)) = soon(phone.next()).await {}
        }
        // frames that are no frames, with an id in them
        let broken = self.id("the id of a broken frame");
        let mut phone = self.dial(PHONE, &format!("/cable/new/{broken}"), None).await.unwrap();
        phone.get_mut().write_all(broken.repeat(8).as_bytes()).await.unwrap();
        let _ = soon(phone.get_mut().read_to_end(&mut Vec::new())).await;
        let vanishing = self.id("the id of one who vanishes");
        drop(self.dial(PHONE, &format!("/cable/new/{vanishing}"), None).await.unwrap());
    }

    /// More than a source may ask, until some of it is dropped unread.
    async fn flood(&mut self) {
        let mut refused = 0;
        for n in 0..200 {
            let id = self.id(&format!("the id of guess {n}"));
            let path = format!("/cable/connect/{ROUTING}/{id}");
            refused += usize::from(matches!(self.dial(FLOOD, &path, None).await, Err(429 | 0)));
        }
        assert!(refused > 0);
    }
}

/// Bytes that are everybody's own, and the same in every run.
fn rand_bytes<const N: usize>(what: &str) -> [u8; N] {
    let mut state = what.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    std::array::from_fn(|_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn mixed(id: &str) -> String {
    id.chars().enumerate().map(|(n, c)| if n % 2 == 0 { c.to_ascii_uppercase() } else { c }).collect()
}

/// What one run of the program said, and to whom.
struct Said {
    needles: Needles,
    outputs: Vec<(&'static str, Vec<u8>)>,
    log: String,
}

/// Runs the program with these flags, through everything.
async fn everything(flags: &[&str], tls: Option<TlsConnector>) -> Said {
    let limits = ["--opening", "2", "--routing-id", ROUTING, "--per-source-rate", "1"];
    let ours = [&["--log-level", "trace", "--admin-listen", "127.0.0.1:0"], &limits[..], flags].concat();
    let serving = Serving::start(&ours);
    let admin = serving.admin();
    let mut people = People { relay: serving.addr(), tls, needles: Needles::default() };
    for address in [PHONE, COMPUTER, FLOOD] {
        people.needles.add_text("an address", &address.to_string());
    }
    people.sign_in("upper and lower", str::to_uppercase, str::to_owned).await;
    people.sign_in("lower and upper", str::to_owned, str::to_uppercase).await;
    people.sign_in("mixed", mixed, mixed).await;
    people.misbehave().await;
    people.flood().await;
    let told = |what: &str| {
        let admin = admin.to_string();
        run(&["admin", what, "--format", "json", "--admin-listen", &admin]).out
    };
    let status = told("status");
    assert!(status.contains("\"uptime_seconds\""), "{status}");
    let metrics = page(admin, "/metrics").await;
    assert!(metrics.contains("cablecar_relay_refusals_total"), "{metrics}");
    serving.line(|line| line.contains("throttled"));
    let (code, out, log) = serving.signal("-TERM");
    assert_eq!(code, Some(0), "{log}");
    // The search means nothing unless all of it was talked about.
    for word in ["opened", "joined", "forwarded", "closed", "refused", "throttled", "not-found", "malformed"]
    {
        assert!(log.contains(word), "the log does not say {word}: {log}");
    }
    let outputs = vec![
        ("standard output", out.into_bytes()),
        ("the log", log.clone().into_bytes()),
        ("/metrics", metrics.into_bytes()),
        ("/status", status.into_bytes()),
    ];
    Said { needles: people.needles, outputs, log }
}

async fn page(admin: SocketAddr, path: &str) -> String {
    let mut tcp = tokio::net::TcpStream::connect(admin).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    tcp.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    soon(tcp.read_to_string(&mut answer)).await.unwrap();
    answer
}

fn nothing_in(said: &Said) {
    assert!(said.needles.len() > 200, "{}", said.needles.len());
    for (output, text) in &said.outputs {
        assert_eq!(said.needles.found_in(text), Vec::<String>::new(), "in {output}");
    }
    // The length of a message tells a sign-in from others. (Events, which are
    // asked for by themselves, have it.)
    let words = said.log.split(|c: char| !c.is_ascii_alphanumeric());
    assert_eq!(words.filter(|word| *word == LENGTH.to_string()).count(), 0);
}

#[tokio::test]
async fn nothing_personal_is_in_the_log_for_people() {
    let said = everything(&["--plain", "--log-format", "text"], None).await;
    nothing_in(&said);
    assert!(!said.log.contains("127.143.") && !said.log.contains("127.171."), "{}", said.log);
}

#[tokio::test]
async fn nothing_personal_is_in_the_log_for_programs_nor_in_the_events() {
    let flags = ["--plain", "--log-format", "json", "--log-addresses", "truncated", "--events", "json"];
    let said = everything(&flags, None).await;
    nothing_in(&said);
    // Networks were asked for, and no more than those.
    assert!(said.log.contains("127.143.201.0/24") && said.log.contains("127.171.233.0/24"), "{}", said.log);
    let mut tags = 0;
    for line in said.log.lines().filter(|line| !line.starts_with("warning")) {
        let line: serde_json::Value = serde_json::from_str(line).expect(line);
        assert!(line["timestamp"].is_string() && line["level"].is_string(), "{line}");
        if let Some(tag) = line["tunnel"].as_str() {
            assert!(tag.len() == 8 && tag.bytes().all(|digit| digit.is_ascii_hexdigit()), "{line}");
            tags += 1;
        }
    }
    assert!(tags > 10, "{}", said.log);
}

#[tokio::test]
async fn nothing_personal_comes_from_the_libraries_for_tls() {
    let folder = TempDir::new().unwrap();
    let (cert, key, root) = trust::files(folder.path());
    let said = everything(&["--tls-cert", &cert, "--tls-key", &key], Some(trust::trusting(root))).await;
    nothing_in(&said);
}

/// The same search finds an id that the program is made to log: as the name
/// of its admin socket, which it says.
#[test]
fn what_is_logged_on_purpose_is_found() {
    let mut needles = Needles::default();
    let id: [u8; 16] = rand_bytes("an id on purpose");
    needles.add("an id on purpose", &id);
    for (format, name) in [("text", hex(&id)), ("json", hex(&id).to_uppercase())] {
        let folder = TempDir::new().unwrap();
        let socket = format!("unix:{}/{name}", folder.path().display());
        let serving = Serving::start(&["--plain", "--log-format", format, "--admin-listen", &socket]);
        serving.line(|line| line.contains("admin listener"));
        let (_, log) = serving.said();
        assert_eq!(needles.found_in(log.as_bytes()).len(), 1, "{log}");
    }
}
