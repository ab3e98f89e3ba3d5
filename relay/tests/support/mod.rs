//! A relay on a free port, and clients that say what they want.

#![allow(dead_code, reason = "each test file uses its own part of this")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests stop where they fail"
)]

pub(crate) mod needles;
pub(crate) mod serving;
pub(crate) mod trust;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use cablecar_relay::{Config, Control, Drain, Event, Limits, Relay, Security};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::{Error, Message};

/// Longer than anything takes, shorter than anybody waits for a hung test.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) const ROUTING: &str = "0A0B0C";

pub(crate) type Socket = WebSocketStream<TcpStream>;

pub(crate) struct Running {
    pub(crate) addr: SocketAddr,
    pub(crate) control: Control,
    pub(crate) events: Mutex<Receiver<Event>>,
    pub(crate) drain: Drain,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

/// The head of a good request for this path, as bytes on the wire. These
/// headers, each with its line's end, stand beside what it takes.
pub(crate) fn head(path: &str, headers: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: fido.cable\r\n{headers}\r\n"
    )
}

/// A relay whose limits no test meets by accident.
pub(crate) fn roomy() -> Config {
    let mut config = Config::new(([127, 0, 0, 1], 0).into(), Security::Plain);
    config.routing_id = Some(cablecar_protocol::ids::RoutingId::from_hex(ROUTING).unwrap());
    config.limits.exempt = vec!["127.0.0.0/8".parse().unwrap()];
    config
}

pub(crate) fn start(change: impl FnOnce(&mut Limits)) -> Running {
    let mut config = roomy();
    change(&mut config.limits);
    start_with(config)
}

pub(crate) fn start_with(config: Config) -> Running {
    let relay = Relay::bind(config).unwrap();
    let (addr, control) = (relay.local_addr(), relay.control());
    let drain = relay.drain();
    let (stop, stopped) = oneshot::channel::<()>();
    let (told, events) = channel();
    let observer = move |event| {
        let _ = told.send(event);
    };
    let shutdown = async {
        let _ = stopped.await;
    };
    let task = tokio::spawn(relay.run(shutdown, observer));
    Running { addr, control, events: Mutex::new(events), drain, stop: Some(stop), task }
}

impl Running {
    /// Stops it and waits until it has.
    pub(crate) async fn stop(mut self) -> Vec<Event> {
        drop(self.stop.take());
        soon(&mut self.task).await.unwrap();
        let events: MutexGuard<'_, Receiver<Event>> = self.events.lock().unwrap();
        events.try_iter().collect()
    }

    /// Waits until it has ended, without asking it to.
    pub(crate) async fn ends_by_itself(mut self) -> Vec<Event> {
        soon(&mut self.task).await.unwrap();
        let events: MutexGuard<'_, Receiver<Event>> = self.events.lock().unwrap();
        events.try_iter().collect()
    }

    pub(crate) fn ended(&self) -> bool {
        self.task.is_finished()
    }

    /// Waits for an event like this, and passes over the others.
    pub(crate) async fn until(&self, wanted: impl Fn(&Event) -> bool) -> Event {
        let found = async {
            loop {
                let next = self.events.lock().unwrap().try_recv();
                match next {
                    Ok(event) if wanted(&event) => return event,
                    Ok(_) => {}
                    Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
                }
            }
        };
        soon(found).await
    }

    /// Drops it in the middle of its work.
    pub(crate) fn drop_it(&self) {
        self.task.abort();
    }

    pub(crate) async fn tcp(&self) -> TcpStream {
        let tcp = TcpStream::connect(self.addr).await.unwrap();
        tcp.set_nodelay(true).unwrap();
        tcp
    }

    pub(crate) fn request(&self, path: &str) -> Request {
        let mut request = format!("ws://{}{path}", self.addr).into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", "fido.cable".parse().unwrap());
        request
    }

    /// A websocket for this path, or the status of the refusal.
    pub(crate) async fn dial(&self, path: &str) -> Result<Socket, u16> {
        upgrade(self.request(path), self.tcp().await).await.map(|(socket, _)| socket)
    }

    pub(crate) async fn open(&self, id: &str) -> Socket {
        self.dial(&format!("/cable/new/{id}")).await.unwrap()
    }

    pub(crate) async fn join(&self, id: &str) -> Socket {
        self.dial(&format!("/cable/connect/{ROUTING}/{id}")).await.unwrap()
    }

    pub(crate) async fn pair(&self, id: &str) -> (Socket, Socket) {
        (self.open(id).await, self.join(id).await)
    }

    /// Everything that the relay answers to these bytes.
    pub(crate) async fn raw(&self, request: &str) -> String {
        let mut tcp = self.tcp().await;
        tcp.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let _ = soon(tcp.read_to_end(&mut answer)).await;
        String::from_utf8(answer).unwrap()
    }
}

/// The socket and the answer's headers, or the status of the refusal.
pub(crate) async fn upgrade(request: Request, tcp: TcpStream) -> Result<(Socket, http::HeaderMap), u16> {
    match soon(tokio_tungstenite::client_async(request, tcp)).await {
        Ok((socket, answer)) => Ok((socket, answer.headers().clone())),
        Err(Error::Http(answer)) => Err(answer.status().as_u16()),
        // The connection was dropped unread.
        Err(_) => Err(0),
    }
}

pub(crate) fn id(number: u32) -> String {
    format!("{number:032X}")
}

pub(crate) async fn say(socket: &mut Socket, bytes: &[u8]) {
    soon(socket.send(Message::binary(bytes.to_vec()))).await.unwrap();
}

/// The next binary message. On a slow machine a ping can come before it.
pub(crate) async fn hear(socket: &mut Socket) -> Vec<u8> {
    loop {
        match soon(socket.next()).await {
            Some(Ok(Message::Binary(bytes))) => return bytes.to_vec(),
            Some(Ok(Message::Ping(_))) => {}
            other => panic!("no binary message but {other:?}"),
        }
    }
}

/// The code of the close frame that comes next, messages passed over.
pub(crate) async fn close_code(socket: &mut Socket) -> u16 {
    loop {
        match soon(socket.next()).await {
            Some(Ok(Message::Close(Some(frame)))) => return frame.code.into(),
            Some(Ok(Message::Binary(_) | Message::Ping(_) | Message::Pong(_))) => {}
            other => panic!("no close frame but {other:?}"),
        }
    }
}

/// Fails a test that hangs.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("this takes too long")
}
