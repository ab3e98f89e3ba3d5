//! Taking a connection to the process that has its tunnel, on the same node.
//!
//! In an upgrade two generations of a relay live side by side, and only the
//! younger accepts. TLS cannot be given to another process, so whoever
//! accepted stays in between and carries bytes; the other serves them as a
//! connection without TLS.
//!
//! ```text
//!   client --TLS--> younger --unix socket--> elder
//!                     who it is (20 bytes), the request, and all that follows
//! ```

use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

use http::Request;
use hyper::body::{Bytes, Incoming};
use socket2::{Domain, SockAddr, Type};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional_with_sizes};
use tokio::net::UnixStream;
use tokio::time::timeout;

use crate::defaults;
use crate::desk::{Desk, Here, Visit};
use crate::reception::{self, Accepted};
use crate::refusal::Why;
use crate::socket::Socket;
use crate::source::Source;
use crate::wire::Wire;

/// First word of a passed connection; its last digit is the form's version.
const MAGIC: [u8; 4] = *b"CCP1";

/// A connection that another process serves.
pub(crate) struct Passed {
    /// Who connected, whatever carries the bytes.
    pub(crate) from: IpAddr,
    /// The way to that process.
    pub(crate) to: UnixStream,
    /// The request as it came, but for the spelling of its headers' names.
    pub(crate) head: Vec<u8>,
}

impl Passed {
    /// The way to a process, if it lives.
    pub(crate) fn to(socket: &Path, from: IpAddr, head: Vec<u8>) -> Option<Self> {
        // Done at once or not at all: only a full queue would have to be waited for.
        let way = socket2::Socket::new(Domain::UNIX, Type::STREAM, None).ok()?;
        way.set_nonblocking(true).ok()?;
        way.connect(&SockAddr::unix(socket).ok()?).ok()?;
        let to = UnixStream::from_std(OwnedFd::from(way).into()).ok()?;
        Some(Self { from, to, head })
    }

    /// Carries bytes until one of the two ends. `early` came behind the head.
    pub(crate) async fn carry(mut self, desk: Arc<Desk>, mut wire: Wire, early: Bytes, visit: Visit) {
        // Counts as a tunnel: a relay that drains must not cut it off.
        let _here = Here::new(&desk);
        let carried = async {
            let address = match self.from {
                IpAddr::V4(v4) => v4.to_ipv6_mapped(),
                IpAddr::V6(v6) => v6,
            };
            self.to.write_all(&[&MAGIC[..], &address.octets(), &self.head, &early].concat()).await?;
            let buffer = defaults::READ_BUFFER;
            copy_bidirectional_with_sizes(&mut wire, &mut self.to, buffer, buffer).await
        };
        // The other process ends it in time; this is for a client that takes
        // nothing of its last words.
        let longest = desk.limits.longest();
        tokio::select! {
            _ = desk.stopping() => {}
            _ = timeout(longest, carried) => {}
        }
        drop(visit);
    }
}

/// Serves one connection that another process passes on.
pub(crate) async fn take_in(desk: Arc<Desk>, mut stream: UnixStream) {
    let from = tokio::select! {
        _ = desk.stopping() => return,
        from = timeout(desk.limits.opening, introduced(&mut stream)) => from,
    };
    let Ok(Ok(from)) = from else { return desk.refused(None, Why::Malformed, None) };
    match desk.arrive_passed(from) {
        Some(visit) => {
            let accepted = Accepted { socket: Socket::Unix(stream), peer: from, passed: true, visit };
            reception::attend(desk, None, accepted).await;
        }
        None => desk.refused(None, Why::Crowded, Some(Source::of(from))),
    }
}

/// Who it is that another process passes on.
async fn introduced(stream: &mut UnixStream) -> io::Result<IpAddr> {
    let (mut magic, mut address) = ([0; 4], [0; 16]);
    stream.read_exact(&mut magic).await?;
    stream.read_exact(&mut address).await?;
    match magic {
        MAGIC => Ok(IpAddr::V6(Ipv6Addr::from(address)).to_canonical()),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// The request's head, to be said again.
pub(crate) fn head(request: &Request<Incoming>) -> Vec<u8> {
    let mut head = format!("GET {} HTTP/1.1\r\n", request.uri().path()).into_bytes();
    for (name, value) in request.headers() {
        head.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    head.extend(b"\r\n");
    head
}
