//! Whom a proxy brings: the PROXY header in both its versions, and the
//! header `X-Forwarded-For`.
//!
//! Believed only from the networks that the operator names. Anybody can send
//! either.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use http::HeaderMap;
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::config::{Proxy, ProxyProtocol};

/// What begins version 2, and can begin nothing else.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

/// The longest line of version 1, with its end.
const LINE: usize = 107;

/// The shortest header of all, `PROXY UNKNOWN`; version 2 has one byte more.
const SHORTEST: usize = 15;

/// Version 2 behind its first 16 bytes: addresses, and what else the proxy
/// wants to say. No proxy says more than a few hundred bytes.
const PAYLOAD: usize = 2048;

impl Proxy {
    /// Whether this peer is one of the proxies in front.
    pub(crate) fn trusts(&self, peer: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(peer))
    }

    /// Whether connections of this peer begin with a PROXY header.
    pub(crate) fn introduces(&self, peer: IpAddr) -> bool {
        self.protocol == ProxyProtocol::ProxyHeader && self.trusts(peer)
    }

    /// Whether requests of this peer have the header `X-Forwarded-For`.
    pub(crate) fn forwards(&self, peer: IpAddr) -> bool {
        self.protocol == ProxyProtocol::ForwardedFor && self.trusts(peer)
    }

    /// The client on whose behalf this peer asks: the right-most address that
    /// is no proxy's. What stands left of it was written by the client.
    pub(crate) fn forwarded_for(&self, headers: &HeaderMap, peer: IpAddr) -> IpAddr {
        let mut client = peer;
        let values = headers.get_all("x-forwarded-for").iter().rev();
        for value in values {
            let Ok(list) = value.to_str() else { return client };
            for hop in list.rsplit(',') {
                if !self.trusts(client) {
                    return client;
                }
                match hop_address(hop.trim()) {
                    Some(address) => client = address,
                    None => return client,
                }
            }
        }
        client
    }
}

/// An address, as some proxies write it: also in brackets, also with a port.
fn hop_address(hop: &str) -> Option<IpAddr> {
    let bare = hop.strip_prefix('[').and_then(|hop| hop.strip_suffix(']')).unwrap_or(hop);
    let address = bare.parse().or_else(|_| hop.parse::<SocketAddr>().map(|addr| addr.ip()));
    address.ok().map(|address| address.to_canonical())
}

/// Reads the PROXY header that a connection begins with, and not a byte of
/// what follows. `None` if the proxy speaks for itself.
///
/// # Errors
/// Of the connection, and [`io::ErrorKind::InvalidData`] for anything else
/// than a header.
pub(crate) async fn header(socket: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<IpAddr>> {
    let mut start = [0; SHORTEST];
    socket.read_exact(&mut start).await?;
    if start.starts_with(&SIGNATURE) {
        let [.., command, family, high] = start;
        let length = usize::from(u16::from_be_bytes([high, socket.read_u8().await?]));
        if length > PAYLOAD {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut payload = vec![0; length];
        socket.read_exact(&mut payload).await?;
        return version_2(command, family, &payload).ok_or_else(|| io::ErrorKind::InvalidData.into());
    }
    let mut line = start.to_vec();
    // Byte by byte: there is no way back for what belongs to TLS.
    while !line.ends_with(b"\r\n") {
        if !line.starts_with(b"PROXY ") || line.len() >= LINE {
            return Err(io::ErrorKind::InvalidData.into());
        }
        line.push(socket.read_u8().await?);
    }
    version_1(&line).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// `PROXY TCP4 source destination port port`, or `PROXY UNKNOWN` and anything.
fn version_1(line: &[u8]) -> Option<Option<IpAddr>> {
    let line = std::str::from_utf8(line.strip_suffix(b"\r\n")?).ok()?;
    let rest = line.strip_prefix("PROXY ")?;
    let fields: Vec<&str> = rest.split(' ').collect();
    let port = |text: &str| text.parse::<u16>().is_ok();
    match fields[..] {
        ["UNKNOWN", ..] => Some(None),
        ["TCP4", source, destination, from, to] if port(from) && port(to) => {
            destination.parse::<Ipv4Addr>().ok()?;
            Some(Some(IpAddr::V4(source.parse().ok()?)))
        }
        ["TCP6", source, destination, from, to] if port(from) && port(to) => {
            destination.parse::<Ipv6Addr>().ok()?;
            Some(Some(IpAddr::V6(source.parse().ok()?).to_canonical()))
        }
        _ => None,
    }
}

/// version (4 bits, 2) ‖ command (4 bits) ‖ family (4 bits) ‖ transport
/// (4 bits) ‖ length (16 bits) ‖ source ‖ destination ‖ …
fn version_2(command: u8, family: u8, payload: &[u8]) -> Option<Option<IpAddr>> {
    match (command, family >> 4) {
        // LOCAL: the proxy itself, for example asking whether we live
        (0x20, _) => Some(None),
        (0x21, 1) if payload.len() >= 12 => {
            let source: [u8; 4] = *payload.first_chunk()?;
            Some(Some(IpAddr::from(source)))
        }
        (0x21, 2) if payload.len() >= 36 => {
            let source: [u8; 16] = *payload.first_chunk()?;
            Some(Some(IpAddr::from(source).to_canonical()))
        }
        // unspecified, or a unix socket at the proxy's
        (0x21, 0 | 3) => Some(None),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
