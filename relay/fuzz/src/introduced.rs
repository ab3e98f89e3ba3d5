//! Whom a proxy brings: the rules of the PROXY protocol and of
//! `X-Forwarded-For` once more, slowly.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Networks that the relay lets not in.
pub(crate) const BLOCKED: [&str; 2] = ["192.0.2.0/24", "2001:db8::/32"];

/// Whether the relay lets this one not in.
pub(crate) fn blocked(client: IpAddr) -> bool {
    match client {
        IpAddr::V4(v4) => v4.octets()[..3] == [192, 0, 2],
        IpAddr::V6(v6) => v6.segments()[..2] == [0x2001, 0xdb8],
    }
}

fn trusted(peer: IpAddr) -> bool {
    matches!(peer, IpAddr::V4(v4) if matches!(v4.octets()[0], 10 | 127))
}

/// Whom the header brings, `None` of whom if the proxy speaks for itself, and
/// what stands behind it. `None` if it is no header, or has no end.
pub(crate) fn header(data: &[u8]) -> (Option<Option<IpAddr>>, &[u8]) {
    if let Some(rest) = data.strip_prefix(b"\r\n\r\n\0\r\nQUIT\n") {
        let (Some(&[command, family]), Some(length)) = (rest.first_chunk(), rest.get(2..4)) else {
            return (None, &[]);
        };
        let length = usize::from(length[0]) << 8 | usize::from(length[1]);
        let Some(payload) = rest.get(4..4 + length).filter(|_| length <= 2048) else { return (None, &[]) };
        let source = match (command, family >> 4) {
            (0x20, _) | (0x21, 0 | 3) => Some(None),
            (0x21, 1) if length >= 12 => {
                Some(Some(IpAddr::from(<[u8; 4]>::try_from(&payload[..4]).unwrap())))
            }
            (0x21, 2) if length >= 36 => {
                Some(Some(IpAddr::from(<[u8; 16]>::try_from(&payload[..16]).unwrap())))
            }
            _ => None,
        };
        return (source.map(|source| source.map(|ip| ip.to_canonical())), &rest[4 + length..]);
    }
    let Some(end) = data.windows(2).position(|pair| pair == b"\r\n").filter(|end| (13..=105).contains(end))
    else {
        return (None, &[]);
    };
    (std::str::from_utf8(&data[..end]).ok().and_then(line), &data[end + 2..])
}

fn line(line: &str) -> Option<Option<IpAddr>> {
    let fields: Vec<&str> = line.split(' ').collect();
    match fields[..] {
        ["PROXY", "UNKNOWN", ..] => Some(None),
        ["PROXY", kind @ ("TCP4" | "TCP6"), source, destination, from, to] => {
            let address = |text: &str| -> Option<IpAddr> {
                match kind {
                    "TCP4" => text.parse::<Ipv4Addr>().ok().map(IpAddr::from),
                    _ => text.parse::<Ipv6Addr>().ok().map(IpAddr::from),
                }
            };
            let _ = (address(destination)?, from.parse::<u16>().ok()?, to.parse::<u16>().ok()?);
            Some(Some(address(source)?.to_canonical()))
        }
        _ => None,
    }
}

/// Who asks, by these values of the header; the last proxy is this machine.
pub(crate) fn forwarded<'a>(values: impl Iterator<Item = &'a str>) -> IpAddr {
    let mut client = IpAddr::from(Ipv4Addr::LOCALHOST);
    let hops: Vec<&str> = values.flat_map(|value| value.split(',')).collect();
    for hop in hops.iter().rev().map(|hop| hop.trim()) {
        let inner = hop.strip_prefix('[').and_then(|hop| hop.strip_suffix(']')).unwrap_or(hop);
        let address = inner.parse::<IpAddr>().or_else(|_| hop.parse::<SocketAddr>().map(|addr| addr.ip()));
        match address {
            Ok(address) if trusted(client) => client = address.to_canonical(),
            _ => break,
        }
    }
    client
}
