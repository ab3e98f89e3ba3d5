use std::io;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

use cablecar_protocol::tunnel::ConnectTo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio_rustls::TlsConnector;

use super::{Fault, Stream, Trust, whose};
use crate::error::Error;

/// Where a relay is: `wss://HOST[:PORT]` or `ws://HOST[:PORT]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Url {
    /// `wss://`
    pub(crate) tls: bool,
    /// The host, without brackets.
    pub(crate) host: String,
    /// 443 or 80 if it is not spelled out.
    pub(crate) port: u16,
}

impl FromStr for Url {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let uri: http::Uri = text.parse().map_err(|_| "not a URL")?;
        let tls = match uri.scheme_str() {
            Some("wss" | "https") => true,
            Some("ws" | "http") => false,
            _ => return Err("neither wss:// nor ws://"),
        };
        if uri.path_and_query().is_some_and(|rest| rest.as_str() != "/") {
            return Err("a relay has no path: give scheme, host and port alone");
        }
        let host = uri.host().filter(|host| !host.is_empty()).ok_or("no host in it")?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self { tls, host, port: uri.port_u16().unwrap_or(if tls { 443 } else { 80 }) })
    }
}

impl Url {
    /// As a `Host` header says it.
    pub(crate) fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        match (self.tls, self.port) {
            (true, 443) | (false, 80) => host,
            (_, port) => format!("{host}:{port}"),
        }
    }
}

impl std::fmt::Display for Url {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}://{}", if self.tls { "wss" } else { "ws" }, self.authority())
    }
}

/// How to get there.
#[derive(Debug, Clone)]
pub(crate) struct Way {
    pub(crate) url: Url,
    connect_to: Vec<ConnectTo>,
    tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
}

impl Way {
    /// # Errors
    /// [`Error::Usage`] for a host that no certificate can have, and those of
    /// [`Trust::tls`].
    pub(crate) fn new(url: Url, connect_to: Vec<ConnectTo>, trust: &Trust) -> Result<Self, Error> {
        let tls = if url.tls {
            let name = ServerName::try_from(url.host.clone());
            let name = name.map_err(|_| Error::Usage(format!("{} is not a host name", url.host)))?;
            Some((trust.tls()?, name))
        } else {
            None
        };
        Ok(Self { url, connect_to, tls })
    }

    /// The first address of the host.
    pub(crate) async fn resolve(&self) -> Result<SocketAddr, Fault> {
        let (host, port) = ConnectTo::resolve(&self.connect_to, &self.url.host, self.url.port);
        let mut found = lookup_host((host, port)).await.map_err(Fault::Name)?;
        found.next().ok_or_else(|| Fault::Name(io::ErrorKind::NotFound.into()))
    }

    /// A TCP connection, from this address if one is given.
    pub(crate) async fn tcp(relay: SocketAddr, from: Option<IpAddr>) -> Result<TcpStream, Fault> {
        let socket = if relay.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
        let socket = socket.map_err(whose)?;
        if let Some(from) = from {
            socket.bind(SocketAddr::new(from, 0)).map_err(whose)?;
        }
        let tcp = socket.connect(relay).await.map_err(whose)?;
        tcp.set_nodelay(true)?;
        Ok(tcp)
    }

    /// With TLS around it, if the URL says so.
    pub(crate) async fn secure(&self, tcp: TcpStream) -> Result<Stream, Fault> {
        let Some((config, name)) = &self.tls else { return Ok(Stream::Plain(tcp)) };
        let tls = TlsConnector::from(Arc::clone(config)).connect(name.clone(), tcp).await;
        tls.map(|tls| Stream::Tls(Box::new(tls))).map_err(Fault::Tls)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_is_scheme_host_and_port() {
        let url = |text: &str| text.parse::<Url>();
        assert_eq!(
            url("wss://cable.ua5v.com"),
            Ok(Url { tls: true, host: "cable.ua5v.com".into(), port: 443 })
        );
        assert_eq!(url("ws://[::1]:80/").unwrap().authority(), "[::1]");
        assert_eq!(url("wss://localhost:8443").unwrap().to_string(), "wss://localhost:8443");
        for bad in ["", "localhost:1", "ftp://a", "ws://a/cable/new/", "wss://"] {
            assert!(url(bad).is_err(), "{bad}");
        }
    }
}
