//! The relay under load, and everybody's way to it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use cablecar_protocol::ids::{RoutingId, TunnelId};
use cablecar_protocol::tunnel::Route;

use crate::caller::{Fault, Socket, Stream, Way, request};

/// With which all frames are masked. No secret here, and the work is the same.
pub(crate) const MASK: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];

/// The first of the addresses of `--sources`.
const FIRST_SOURCE: Ipv4Addr = Ipv4Addr::new(127, 1, 0, 1);

/// The relay under load.
#[derive(Debug)]
pub(crate) struct Site {
    way: Way,
    relay: SocketAddr,
    authority: String,
    token: Option<String>,
    sources: u32,
    next_source: AtomicU32,
    /// The first half of every tunnel id, so that two generators do not meet.
    run: u64,
    next_id: AtomicU64,
}

impl Site {
    pub(crate) fn new(way: Way, relay: SocketAddr, sources: u32, token: Option<String>, run: u64) -> Self {
        let (next_source, next_id) = (AtomicU32::new(0), AtomicU64::new(0));
        Self { authority: way.url.authority(), way, relay, token, sources, next_source, run, next_id }
    }

    /// A new connection, ready for its request.
    pub(crate) async fn dial(&self) -> Result<Stream, Fault> {
        self.way.secure(self.tcp().await?).await
    }

    /// A new connection, ready for TLS.
    pub(crate) async fn tcp(&self) -> Result<tokio::net::TcpStream, Fault> {
        Way::tcp(self.relay, self.source()).await
    }

    /// An id that nobody has used.
    pub(crate) fn id(&self) -> TunnelId {
        let number = self.next_id.fetch_add(1, Ordering::Relaxed);
        TunnelId::new(((u128::from(self.run) << 64) | u128::from(number)).to_be_bytes())
    }

    /// The request that opens this tunnel.
    pub(crate) fn new_request(&self, id: TunnelId) -> Vec<u8> {
        request(&self.authority, &Route::New(id).path(), self.token.as_deref())
    }

    /// Opens a tunnel over this connection.
    pub(crate) async fn open(&self, stream: Stream, id: TunnelId) -> Result<(Socket, RoutingId), Fault> {
        let (socket, answer) = Socket::upgrade(stream, &self.new_request(id), MASK).await?;
        let routing_id = answer.routing_id.ok_or(Fault::Answer("no routing id"))?;
        Ok((socket, routing_id))
    }

    /// Joins a tunnel over this connection.
    pub(crate) async fn join(
        &self,
        stream: Stream,
        routing_id: RoutingId,
        id: TunnelId,
    ) -> Result<Socket, Fault> {
        let path = Route::Connect(routing_id, id).path();
        let (socket, _) = Socket::upgrade(stream, &request(&self.authority, &path, None), MASK).await?;
        Ok(socket)
    }

    /// Both ends of a new tunnel, the first party's in front.
    pub(crate) async fn pair(&self) -> Result<(Socket, Socket), Fault> {
        let id = self.id();
        let (first, routing_id) = self.open(self.dial().await?, id).await?;
        let second = self.join(self.dial().await?, routing_id, id).await?;
        Ok((first, second))
    }

    fn source(&self) -> Option<IpAddr> {
        let which = self.next_source.fetch_add(1, Ordering::Relaxed).checked_rem(self.sources)?;
        Some(Ipv4Addr::from_bits(FIRST_SOURCE.to_bits().saturating_add(which)).into())
    }
}
