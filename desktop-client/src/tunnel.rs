//! Joining a tunnel: the computer's websocket client.

pub mod proxy;
mod trust;
mod way;

use std::future::Future;
use std::path::Path;
use std::time::Duration;

use cablecar_protocol::tunnel::{ConnectTo, Dial, MAX_MESSAGE, SUBPROTOCOL};
use futures_util::{SinkExt, StreamExt};
use http::{HeaderMap, Response, StatusCode, Uri};
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use url::Url;

use crate::defaults;
use crate::error::Error;

use proxy::Proxies;
use trust::Trust;
pub(crate) use way::{Stream, Way};

/// Something that joins tunnels.
pub trait Dialer: Send + Sync {
    /// What joining one gives.
    type Line: Line;

    /// Joins the tunnel.
    ///
    /// # Errors
    /// The `Relay…` variants of [`Error`].
    fn dial(&self, dial: &Dial) -> impl Future<Output = Result<Self::Line, Error>> + Send;
}

/// One tunnel: whole messages, in order, both ways.
pub trait Line: Send {
    /// Sends one message.
    ///
    /// # Errors
    /// [`Error::TunnelBroke`].
    fn send(&mut self, message: Vec<u8>) -> impl Future<Output = Result<(), Error>> + Send;

    /// The next message, or nothing once the other side has closed. Dropping
    /// the future loses nothing.
    ///
    /// # Errors
    /// [`Error::TunnelBroke`].
    fn receive(&mut self) -> impl Future<Output = Result<Option<Vec<u8>>, Error>> + Send;

    /// Says goodbye and hangs up.
    fn close(self) -> impl Future<Output = ()> + Send;
}

/// Dials through the network.
#[derive(Debug, Clone)]
pub struct Network {
    trust: Trust,
    connect_to: Vec<ConnectTo>,
    relay: Option<Url>,
    proxies: Proxies,
}

impl Network {
    /// Trusts the system's certificate authorities, or those of `ca_file`
    /// alone. `relay` is used in place of whatever host the phone names.
    ///
    /// # Errors
    /// [`Error::Usage`] for a `ca_file` that cannot be read or holds no
    /// certificate.
    pub fn new(
        ca_file: Option<&Path>,
        connect_to: Vec<ConnectTo>,
        relay: Option<Url>,
    ) -> Result<Self, Error> {
        Ok(Self { trust: Trust::of(ca_file)?, connect_to, relay, proxies: Proxies::default() })
    }

    /// Goes through these proxies.
    #[must_use]
    pub fn through(self, proxies: Proxies) -> Self {
        Self { proxies, ..self }
    }

    /// The URL of a tunnel: the relay that was set, or the host of the domain.
    pub(crate) fn url(&self, dial: &Dial) -> Result<Url, Error> {
        let base = match &self.relay {
            Some(relay) => relay.as_str().trim_end_matches('/').to_owned(),
            None => format!("wss://{}", dial.domain.host()),
        };
        let url = Url::parse(&format!("{base}{}", dial.route.path()));
        url.map_err(|cause| Error::Usage(format!("{base}: {cause}")))
    }

    async fn dial_once(&self, url: &Url, until: Instant) -> Result<Dialled, Error> {
        let way = Way::to(url, self)?;
        let began = Instant::now();
        let tcp = way.connect(&way.look_up(until).await?, until).await?;
        let connected = Instant::now();
        let stream = way.secure(tcp, until).await?;
        let secured = Instant::now();
        match upgrade(stream, url, &way.host, until).await {
            Ok((websocket, _)) => {
                let joining =
                    Joining { tcp: connected - began, tls: secured - connected, upgrade: secured.elapsed() };
                Ok(Dialled::Line(Box::new(Socket { websocket, joining })))
            }
            Err((Refusal::Elsewhere(next), _)) => Ok(Dialled::Elsewhere(next)),
            Err((Refusal::Error(error), _)) => Err(error),
        }
    }
}

enum Dialled {
    Line(Box<Socket>),
    Elsewhere(Url),
}

impl Dialer for Network {
    type Line = Socket;

    async fn dial(&self, dial: &Dial) -> Result<Socket, Error> {
        let until = Instant::now() + defaults::DIAL;
        let mut url = self.url(dial)?;
        for _ in 0..=defaults::REDIRECTS {
            match self.dial_once(&url, until).await? {
                Dialled::Line(line) => return Ok(*line),
                Dialled::Elsewhere(next) => url = next,
            }
        }
        Err(Error::RelayAnswer { host: way::host_of(&url), answer: "one redirect after the other".into() })
    }
}

/// What joining took, leg by leg; each is one exchange with the relay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Joining {
    /// Name look-up and TCP.
    pub tcp: Duration,
    /// TLS; zero without.
    pub tls: Duration,
    /// The websocket's upgrade.
    pub upgrade: Duration,
}

/// A tunnel through the network.
pub struct Socket {
    websocket: Fresh,
    joining: Joining,
}

impl Socket {
    /// What joining took.
    pub fn joining(&self) -> Joining {
        self.joining
    }
}

impl std::fmt::Debug for Socket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Socket(..)")
    }
}

impl Line for Socket {
    async fn send(&mut self, message: Vec<u8>) -> Result<(), Error> {
        self.websocket.send(Message::Binary(message.into())).await.map_err(broke)
    }

    async fn receive(&mut self) -> Result<Option<Vec<u8>>, Error> {
        loop {
            match self.websocket.next().await {
                None | Some(Ok(Message::Close(_)) | Err(WsError::ConnectionClosed)) => return Ok(None),
                Some(Ok(Message::Binary(message))) => return Ok(Some(message.into())),
                Some(Ok(Message::Text(_))) => {
                    return Err(Error::TunnelBroke("a text message came through".into()));
                }
                Some(Ok(_)) => {}
                Some(Err(cause)) => return Err(broke(cause)),
            }
        }
    }

    async fn close(mut self) {
        // The session is over either way.
        let _ = self.websocket.close(None).await;
    }
}

fn broke(cause: WsError) -> Error {
    Error::TunnelBroke(cause.to_string())
}

fn websocket_config() -> WebSocketConfig {
    // The library's own read buffer is 128 KiB, cleared at every read.
    WebSocketConfig::default()
        .read_buffer_size(4096)
        .write_buffer_size(0)
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE))
}

/// The upgrade request, with the origin that Chromium sends: the URL's own.
fn request(url: &Url) -> Result<http::Request<()>, Error> {
    let bad = |cause: &dyn std::fmt::Display| Error::Usage(format!("{url}: {cause}"));
    let uri: Uri = url.as_str().parse().map_err(|cause: http::uri::InvalidUri| bad(&cause))?;
    let mut request = uri.into_client_request().map_err(|cause| bad(&cause))?;
    let mut origin = format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default());
    if let Some(port) = url.port() {
        origin.push_str(&format!(":{port}"));
    }
    let origin = origin.parse().map_err(|cause: http::header::InvalidHeaderValue| bad(&cause))?;
    request.headers_mut().insert(http::header::ORIGIN, origin);
    let protocol = http::HeaderValue::from_static(SUBPROTOCOL);
    request.headers_mut().insert(http::header::SEC_WEBSOCKET_PROTOCOL, protocol);
    Ok(request)
}

/// A websocket that nobody has spoken on yet.
pub(crate) type Fresh = WebSocketStream<Box<dyn Stream>>;

/// Why there is no websocket.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// It is to be had there.
    Elsewhere(Url),
    /// It is not to be had.
    Error(Error),
}

/// Asks for the websocket. The headers of the answer come either way, if
/// there was one.
pub(crate) async fn upgrade(
    stream: Box<dyn Stream>,
    url: &Url,
    host: &str,
    until: Instant,
) -> Result<(Fresh, HeaderMap), (Refusal, HeaderMap)> {
    let no_answer = |error| (Refusal::Error(error), HeaderMap::new());
    let told = |answer| no_answer(Error::RelayAnswer { host: host.to_owned(), answer });
    let request = request(url).map_err(no_answer)?;
    let asked = client_async_with_config(request, stream, Some(websocket_config()));
    match timeout_at(until, asked).await {
        Err(_) => Err(told("nothing in time".into())),
        Ok(Ok((websocket, response))) => Ok((websocket, response.into_parts().0.headers)),
        Ok(Err(WsError::Http(response))) => {
            let refusal = refusal(url, host, &response);
            Err((refusal, response.into_parts().0.headers))
        }
        Ok(Err(cause)) => Err(told(cause.to_string())),
    }
}

/// What an answer other than 101 means.
fn refusal(url: &Url, host: &str, response: &Response<Option<Vec<u8>>>) -> Refusal {
    let host = host.to_owned();
    let status = response.status();
    if status == StatusCode::NOT_FOUND {
        return Refusal::Error(Error::RelayNotFound { host });
    }
    let location = response.headers().get(http::header::LOCATION).and_then(|value| value.to_str().ok());
    let next = location.filter(|_| status.is_redirection()).and_then(|location| url.join(location).ok());
    let Some(mut next) = next else {
        return Refusal::Error(Error::RelayAnswer { host, answer: status.to_string() });
    };
    // A relay may spell its websocket as https; never leave TLS.
    if next.scheme() == "https" {
        let _ = next.set_scheme("wss");
    }
    if next.scheme() == "wss" || next.scheme() == url.scheme() {
        Refusal::Elsewhere(next)
    } else {
        Refusal::Error(Error::RelayAnswer { host, answer: "a redirect away from TLS".into() })
    }
}
