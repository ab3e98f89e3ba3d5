//! Opening a tunnel: the phone's websocket client.

use std::path::Path;
use std::sync::Arc;

use cablecar_protocol::ids::RoutingId;
use cablecar_protocol::tunnel::{
    ConnectTo, Dial, MAX_MESSAGE, ROUTING_ID_HEADER, SUBPROTOCOL, routing_id_from_headers,
};
use futures_util::{SinkExt, StreamExt};
use http::{HeaderValue, StatusCode, header};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use url::Url;

use crate::defaults;
use crate::error::Error;
use crate::transaction::{Dialer, Line};

/// Dials through the network.
#[derive(Debug, Clone)]
pub struct Network {
    tls: Arc<rustls::ClientConfig>,
    connect_to: Vec<ConnectTo>,
    relay: Option<Url>,
}

impl Network {
    /// Trusts the system's certificate authorities, or those of `ca_file`
    /// alone. `relay` is used in place of the host that the domain names.
    ///
    /// # Errors
    /// [`Error::Usage`] for a `ca_file` that cannot be read or holds no
    /// certificate.
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
                let bad = |cause: &dyn std::fmt::Display| {
                    Error::Usage(format!("--ca-file {}: {cause}", file.display()))
                };
                for certificate in CertificateDer::pem_file_iter(file).map_err(|cause| bad(&cause))? {
                    roots.add(certificate.map_err(|cause| bad(&cause))?).map_err(|cause| bad(&cause))?;
                }
                if roots.is_empty() {
                    return Err(bad(&"no certificate in it"));
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

    /// The relay that was set, or the host of the domain, and the path.
    fn url(&self, dial: &Dial) -> Result<Url, Error> {
        let base = match &self.relay {
            Some(relay) => relay.as_str().trim_end_matches('/').to_owned(),
            None => format!("wss://{}", dial.domain.host()),
        };
        let url = Url::parse(&format!("{base}{}", dial.route.path()));
        url.map_err(|cause| Error::Usage(format!("{base}: {cause}")))
    }

    async fn connect(&self, url: &Url, host: &str) -> Result<Box<dyn Stream>, Error> {
        let port = url.port_or_known_default().unwrap_or(443);
        let (to_host, to_port) = ConnectTo::resolve(&self.connect_to, host, port);
        let unreachable =
            |cause: std::io::Error| Error::RelayUnreachable { host: host.into(), cause: cause.to_string() };
        let addresses: Vec<_> = tokio::net::lookup_host((to_host.as_str(), to_port))
            .await
            .map_err(|cause| Error::RelayName { host: host.into(), cause: cause.to_string() })?
            .collect();
        let tcp = TcpStream::connect(addresses.as_slice()).await.map_err(unreachable)?;
        // Small messages that wait for each other: never Nagle.
        tcp.set_nodelay(true).map_err(unreachable)?;
        if url.scheme() != "wss" {
            return Ok(Box::new(tcp));
        }
        let bad_tls = |cause: String| Error::RelayTls { host: host.into(), cause };
        let name = ServerName::try_from(host.to_owned()).map_err(|cause| bad_tls(cause.to_string()))?;
        let connected = TlsConnector::from(Arc::clone(&self.tls)).connect(name, tcp).await;
        Ok(Box::new(connected.map_err(|cause| bad_tls(cause.to_string()))?))
    }

    async fn open_at(&self, url: &Url, host: &str) -> Result<(Socket, RoutingId), Error> {
        let stream = self.connect(url, host).await?;
        let opened = client_async_with_config(request(url)?, stream, Some(websocket_config())).await;
        let (socket, response) = opened.map_err(|cause| match cause {
            WsError::Http(response) if response.status() == StatusCode::CONFLICT => Error::CodeInUse,
            WsError::Http(response) => {
                Error::RelayAnswer { host: host.into(), answer: response.status().to_string() }
            }
            cause => Error::RelayAnswer { host: host.into(), answer: cause.to_string() },
        })?;
        let values = response.headers().get_all(ROUTING_ID_HEADER);
        Ok((Socket(socket), routing_id_from_headers(values.iter().map(HeaderValue::as_bytes))?))
    }
}

impl Dialer for Network {
    type Line = Socket;

    async fn open(&mut self, dial: &Dial) -> Result<(Socket, RoutingId), Error> {
        let url = self.url(dial)?;
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        match tokio::time::timeout(defaults::DIAL, self.open_at(&url, &host)).await {
            Ok(opened) => opened,
            Err(_) => Err(Error::RelayUnreachable { host, cause: "no answer in time".into() }),
        }
    }
}

/// What a websocket runs on: TCP, or TLS on top of it.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A tunnel through the network.
pub struct Socket(WebSocketStream<Box<dyn Stream>>);

impl std::fmt::Debug for Socket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Socket(..)")
    }
}

impl Line for Socket {
    async fn send(&mut self, message: Vec<u8>) -> Result<(), Error> {
        self.0.send(Message::Binary(message.into())).await.map_err(broke)
    }

    async fn receive(&mut self) -> Result<Option<Vec<u8>>, Error> {
        loop {
            match self.0.next().await {
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
        let _ = self.0.close(None).await;
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

/// The upgrade request. No `Origin`: this is no page.
fn request(url: &Url) -> Result<http::Request<()>, Error> {
    let mut request =
        url.as_str().into_client_request().map_err(|cause| Error::Usage(format!("{url}: {cause}")))?;
    let protocol = HeaderValue::from_static(SUBPROTOCOL);
    request.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, protocol);
    Ok(request)
}
