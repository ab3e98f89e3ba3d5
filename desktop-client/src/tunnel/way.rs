//! The way to a relay, step by step: name, TCP, proxy, TLS. Each step has an
//! end in time and a name for its own failure.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use cablecar_protocol::tunnel::ConnectTo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use url::Url;

use super::Network;
use super::proxy::Proxy;
use super::trust::Trust;
use crate::error::Error;

/// What a websocket runs on: TCP, or TLS on top of it.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// How to get to one relay.
#[derive(Debug)]
pub(crate) struct Way {
    /// The relay's name, to which its certificate is made out.
    pub(crate) host: String,
    /// Where it is reached: name or address, and port.
    to: (String, u16),
    proxy: Option<Proxy>,
    trust: Option<Trust>,
}

impl Way {
    /// The way to the host of this URL.
    ///
    /// # Errors
    /// [`Error::Usage`] for a proxy that cannot be used.
    pub(crate) fn to(url: &Url, network: &Network) -> Result<Self, Error> {
        let host = host_of(url);
        let port = url.port_or_known_default().unwrap_or(443);
        let to = ConnectTo::resolve(&network.connect_to, &host, port);
        let proxy = network.proxies.toward(url)?;
        let trust = (url.scheme() == "wss").then(|| network.trust.clone());
        Ok(Self { host, to, proxy, trust })
    }

    /// The proxy's name and port, if one is on the way.
    pub(crate) fn proxy(&self) -> Option<String> {
        self.proxy.as_ref().map(Proxy::to_string)
    }

    /// Whether the relay has to prove who it is.
    pub(crate) fn has_tls(&self) -> bool {
        self.trust.is_some()
    }

    /// Looks up the name of what is connected to first: the proxy, or else
    /// the relay.
    ///
    /// # Errors
    /// [`Error::RelayName`], or [`Error::RelayProxy`].
    pub(crate) async fn look_up(&self, until: Instant) -> Result<Vec<SocketAddr>, Error> {
        let (host, port) = match &self.proxy {
            Some(proxy) => (proxy.host.as_str(), proxy.port),
            None => (self.to.0.as_str(), self.to.1),
        };
        let failed = |cause: String| match &self.proxy {
            Some(proxy) => broken(proxy, format!("its name cannot be found: {cause}")),
            None => Error::RelayName { host: self.host.clone(), cause },
        };
        let found = async { tokio::net::lookup_host((host, port)).await.map_err(|cause| cause.to_string()) };
        let addresses: Vec<_> = by(until, found).await.map_err(failed)?.collect();
        if addresses.is_empty() { Err(failed("it has no address".into())) } else { Ok(addresses) }
    }

    /// Connects to one of these addresses. A proxy is asked for the way to
    /// the relay.
    ///
    /// # Errors
    /// [`Error::RelayUnreachable`], or [`Error::RelayProxy`].
    pub(crate) async fn connect(&self, addresses: &[SocketAddr], until: Instant) -> Result<TcpStream, Error> {
        let connected = by(until, async {
            let tcp = TcpStream::connect(addresses).await.map_err(|cause| cause.to_string())?;
            // Small messages that wait for each other: never Nagle.
            tcp.set_nodelay(true).map_err(|cause| cause.to_string())?;
            Ok(tcp)
        });
        match (&self.proxy, connected.await) {
            (None, connected) => {
                connected.map_err(|cause| Error::RelayUnreachable { host: self.host.clone(), cause })
            }
            (Some(proxy), Err(cause)) => Err(broken(proxy, format!("it cannot be reached: {cause}"))),
            (Some(proxy), Ok(mut tcp)) => {
                let asked = by(until, proxy.ask(&mut tcp, &self.to.0, self.to.1)).await;
                asked.map(|()| tcp).map_err(|cause| broken(proxy, cause))
            }
        }
    }

    /// Speaks TLS, where the relay's URL demands it.
    ///
    /// # Errors
    /// [`Error::RelayTls`].
    pub(crate) async fn secure(&self, tcp: TcpStream, until: Instant) -> Result<Box<dyn Stream>, Error> {
        let Some(trust) = &self.trust else { return Ok(Box::new(tcp)) };
        let failed = |cause: String| Error::RelayTls { host: self.host.clone(), cause };
        if let Some(cause) = &trust.nobody {
            return Err(failed(cause.clone()));
        }
        let name = ServerName::try_from(self.host.clone()).map_err(|cause| failed(cause.to_string()))?;
        let handshake = TlsConnector::from(Arc::clone(&trust.tls)).connect(name, tcp);
        let secured = by(until, async { handshake.await.map_err(|cause| cause.to_string()) }).await;
        Ok(Box::new(secured.map_err(failed)?))
    }
}

pub(super) fn host_of(url: &Url) -> String {
    url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned()
}

fn broken(proxy: &Proxy, cause: String) -> Error {
    Error::RelayProxy { proxy: proxy.to_string(), cause }
}

/// What comes of it by then, or in words that nothing did.
pub(super) async fn by<T>(
    until: Instant,
    work: impl Future<Output = Result<T, String>>,
) -> Result<T, String> {
    timeout_at(until, work).await.unwrap_or_else(|_| Err("no answer in time".into()))
}
