//! Joining a tunnel: the computer's websocket client.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cablecar_protocol::tunnel::{ConnectTo, Dial, MAX_MESSAGE, SUBPROTOCOL};
use futures_util::{SinkExt, StreamExt};
use http::{Response, StatusCode, Uri};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use url::Url;

use crate::defaults;
use crate::error::Error;

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
    tls: Arc<rustls::ClientConfig>,
    connect_to: Vec<ConnectTo>,
    relay: Option<Url>,
}

impl Network {
    /// Trusts the system's certificate authorities, or those of `ca_file`
    /// alone. `relay` is used in place of whatever host the phone names.
    ///
    /// # Errors
    /// [`Error::Usage`] for a `ca_file` without certificates, [`Error::Io`]
    /// for one that cannot be read.
    pub fn new(
        ca_file: Option<&Path>,
        connect_to: Vec<ConnectTo>,
        relay: Option<Url>,
    ) -> Result<Self, Error> {
        let mut roots = rustls::RootCertStore::empty();
        match ca_file {
            None => {
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
            Some(file) => {
                let unreadable = |cause: &dyn std::fmt::Display| {
                    Error::Usage(format!("--ca-file {}: {cause}", file.display()))
                };
                for certificate in CertificateDer::pem_file_iter(file).map_err(|cause| unreadable(&cause))? {
                    let certificate = certificate.map_err(|cause| unreadable(&cause))?;
                    roots.add(certificate).map_err(|cause| unreadable(&cause))?;
                }
                if roots.is_empty() {
                    return Err(unreadable(&"no certificate in it"));
                }
            }
        }
        // Both versions: some tunnel services speak only one of them.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .map_err(|cause| Error::Io { what: "TLS".into(), cause: cause.to_string() })?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { tls: Arc::new(tls), connect_to, relay })
    }

    /// The URL of a tunnel: the relay that was set, or the host of the domain.
    fn url(&self, dial: &Dial) -> Result<Url, Error> {
        let base = match &self.relay {
            Some(relay) => relay.as_str().trim_end_matches('/').to_owned(),
            None => format!("wss://{}", dial.domain.host()),
        };
        let url = Url::parse(&format!("{base}{}", dial.route.path()));
        url.map_err(|cause| Error::Usage(format!("{base}: {cause}")))
    }

    async fn dial_url(&self, mut url: Url) -> Result<Socket, Error> {
        for _ in 0..=defaults::REDIRECTS {
            match self.dial_once(&url).await? {
                Dialled::Line(line) => return Ok(*line),
                Dialled::Elsewhere(next) => url = next,
            }
        }
        Err(Error::RelayAnswer { host: host_of(&url), answer: "one redirect after the other".into() })
    }

    async fn dial_once(&self, url: &Url) -> Result<Dialled, Error> {
        let host = host_of(url);
        let port = url.port_or_known_default().unwrap_or(443);
        let (to_host, to_port) = ConnectTo::resolve(&self.connect_to, &host, port);
        let unreachable =
            |cause: std::io::Error| Error::RelayUnreachable { host: host.clone(), cause: cause.to_string() };
        let began = Instant::now();
        let addresses = tokio::net::lookup_host((to_host.as_str(), to_port)).await;
        let addresses: Vec<_> = addresses
            .map_err(|cause| Error::RelayName { host: host.clone(), cause: cause.to_string() })?
            .collect();
        let tcp = TcpStream::connect(addresses.as_slice()).await.map_err(unreachable)?;
        // Small messages that wait for each other: never Nagle.
        tcp.set_nodelay(true).map_err(unreachable)?;
        let connected = Instant::now();
        let stream: Box<dyn Stream> = if url.scheme() == "wss" {
            let bad_tls = |cause: String| Error::RelayTls { host: host.clone(), cause };
            let name = ServerName::try_from(host.clone()).map_err(|cause| bad_tls(cause.to_string()))?;
            let secured = TlsConnector::from(Arc::clone(&self.tls)).connect(name, tcp).await;
            Box::new(secured.map_err(|cause| bad_tls(cause.to_string()))?)
        } else {
            Box::new(tcp)
        };
        let secured = Instant::now();
        let request = request(url)?;
        match client_async_with_config(request, stream, Some(websocket_config())).await {
            Ok((websocket, _)) => {
                let joining =
                    Joining { tcp: connected - began, tls: secured - connected, upgrade: secured.elapsed() };
                Ok(Dialled::Line(Box::new(Socket { websocket, joining })))
            }
            Err(WsError::Http(response)) => refusal(url, &response),
            Err(cause) => Err(Error::RelayAnswer { host, answer: cause.to_string() }),
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
        let url = self.url(dial)?;
        let host = host_of(&url);
        match tokio::time::timeout(defaults::DIAL, self.dial_url(url)).await {
            Ok(line) => line,
            Err(_) => Err(Error::RelayUnreachable { host, cause: "no answer in time".into() }),
        }
    }
}

/// What a websocket runs on: TCP, or TLS on top of it.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

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
    websocket: WebSocketStream<Box<dyn Stream>>,
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

fn host_of(url: &Url) -> String {
    url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned()
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

/// What an answer other than 101 means.
fn refusal(url: &Url, response: &Response<Option<Vec<u8>>>) -> Result<Dialled, Error> {
    let host = host_of(url);
    let status = response.status();
    if status == StatusCode::NOT_FOUND {
        return Err(Error::RelayNotFound { host });
    }
    let location = response.headers().get(http::header::LOCATION).and_then(|value| value.to_str().ok());
    let next = location.filter(|_| status.is_redirection()).and_then(|location| url.join(location).ok());
    match next {
        Some(mut next) => {
            // A relay may spell its websocket as https; never leave TLS.
            if next.scheme() == "https" {
                let _ = next.set_scheme("wss");
            }
            if next.scheme() == "wss" || next.scheme() == url.scheme() {
                Ok(Dialled::Elsewhere(next))
            } else {
                Err(Error::RelayAnswer { host, answer: "a redirect away from TLS".into() })
            }
        }
        None => Err(Error::RelayAnswer { host, answer: status.to_string() }),
    }
}
