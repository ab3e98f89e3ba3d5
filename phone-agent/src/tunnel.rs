//! Opening a tunnel: the phone's websocket client.

pub mod proxy;
pub mod token;
mod trust;
mod way;

use std::path::Path;

use cablecar_protocol::ids::RoutingId;
use cablecar_protocol::tunnel::{
    ConnectTo, Dial, MAX_MESSAGE, ROUTING_ID_HEADER, SUBPROTOCOL, routing_id_from_headers,
};
use futures_util::{SinkExt, StreamExt};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use url::Url;

use crate::defaults;
use crate::error::Error;
use crate::transaction::{Dialer, Line};

use proxy::Proxies;
use token::RelayToken;
use trust::Trust;
pub(crate) use way::{Stream, Way};

/// Dials through the network.
#[derive(Debug, Clone)]
pub struct Network {
    trust: Trust,
    connect_to: Vec<ConnectTo>,
    relay: Option<Url>,
    proxies: Proxies,
    token: Option<RelayToken>,
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
        let proxies = Proxies::default();
        Ok(Self { trust: Trust::of(ca_file)?, connect_to, relay, proxies, token: None })
    }

    /// Goes through these proxies.
    #[must_use]
    pub fn through(self, proxies: Proxies) -> Self {
        Self { proxies, ..self }
    }

    /// Shows this token to the relay. Not to those of the ids 0 and 1, which
    /// everybody may use and which never asked for one.
    #[must_use]
    pub fn with_token(self, token: Option<RelayToken>) -> Self {
        Self { token, ..self }
    }

    /// What to show to the relay of this dial.
    pub(crate) fn token(&self, dial: &Dial) -> Option<&RelayToken> {
        let public = self.relay.is_none() && dial.domain.id() < 2;
        self.token.as_ref().filter(|_| !public)
    }

    /// The relay that was set, or the host of the domain, and the path.
    pub(crate) fn url(&self, dial: &Dial) -> Result<Url, Error> {
        let base = match &self.relay {
            Some(relay) => relay.as_str().trim_end_matches('/').to_owned(),
            None => format!("wss://{}", dial.domain.host()),
        };
        let url = Url::parse(&format!("{base}{}", dial.route.path()));
        url.map_err(|cause| Error::Usage(format!("{base}: {cause}")))
    }
}

impl Dialer for Network {
    type Line = Socket;

    async fn open(&mut self, dial: &Dial) -> Result<(Socket, RoutingId), Error> {
        let until = Instant::now() + defaults::DIAL;
        let url = self.url(dial)?;
        let way = Way::to(&url, self)?;
        let tcp = way.connect(&way.look_up(until).await?, until).await?;
        let stream = way.secure(tcp, until).await?;
        let asked = upgrade(stream, &url, &way.host, self.token(dial), until);
        asked.await.map_err(|(error, _)| error).map(|(opened, _)| opened)
    }
}

/// What a relay gave, or why not; and the headers of its answer either way,
/// if there was one.
type Upgraded = Result<((Socket, RoutingId), HeaderMap), (Error, HeaderMap)>;

/// Asks the relay for a tunnel.
///
/// # Errors
/// [`Error::CodeInUse`], [`Error::NoTunnels`], [`Error::RelayRefused`],
/// [`Error::RelayAnswer`], and [`Error::Protocol`] for an answer without a routing id.
pub(crate) async fn upgrade(
    stream: Box<dyn Stream>,
    url: &Url,
    host: &str,
    token: Option<&RelayToken>,
    until: Instant,
) -> Upgraded {
    let request = request(url, token).map_err(|error| (error, HeaderMap::new()))?;
    let host = host.to_owned();
    let asked = client_async_with_config(request, stream, Some(websocket_config()));
    let answer = match timeout_at(until, asked).await {
        Ok(answer) => answer,
        Err(_) => {
            let answer = "nothing in time".into();
            return Err((Error::RelayAnswer { host, answer }, HeaderMap::new()));
        }
    };
    let (socket, response) = answer.map_err(|cause| match cause {
        WsError::Http(response) => {
            let error = match response.status() {
                StatusCode::CONFLICT => Error::CodeInUse,
                StatusCode::NOT_FOUND => Error::NoTunnels { host },
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Error::RelayRefused { host },
                other => Error::RelayAnswer { host, answer: other.to_string() },
            };
            (error, response.into_parts().0.headers)
        }
        cause => (Error::RelayAnswer { host, answer: cause.to_string() }, HeaderMap::new()),
    })?;
    let headers = response.into_parts().0.headers;
    let values = headers.get_all(ROUTING_ID_HEADER);
    match routing_id_from_headers(values.iter().map(HeaderValue::as_bytes)) {
        Ok(routing) => Ok(((Socket(socket), routing), headers)),
        Err(error) => Err((error.into(), headers)),
    }
}

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
fn request(url: &Url, token: Option<&RelayToken>) -> Result<http::Request<()>, Error> {
    let mut request =
        url.as_str().into_client_request().map_err(|cause| Error::Usage(format!("{url}: {cause}")))?;
    let protocol = HeaderValue::from_static(SUBPROTOCOL);
    request.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, protocol);
    if let Some(value) = token.and_then(RelayToken::header) {
        request.headers_mut().insert(header::AUTHORIZATION, value);
    }
    Ok(request)
}
