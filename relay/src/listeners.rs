//! The sockets that a relay listens on: TCP, unix, or opened by the service
//! manager.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
#[cfg(unix)]
use std::path::Path;

use socket2::{Domain, Protocol, Socket as RawSocket, Type};
use tokio::net::TcpListener;
#[cfg(unix)]
use tokio::net::UnixListener;

use crate::address::Address;
use crate::defaults;
use crate::error::Error;
use crate::socket::Socket;

#[cfg(unix)]
mod activated;
#[cfg(unix)]
mod footprint;

#[cfg(unix)]
pub(crate) use activated::claim;
#[cfg(unix)]
use footprint::Footprint;

/// One socket that is listened on.
#[derive(Debug)]
pub(crate) struct Listener {
    kind: Kind,
    address: Address,
}

#[derive(Debug)]
enum Kind {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix {
        socket: UnixListener,
        /// Takes the file away that we have made.
        _made: Option<Footprint>,
    },
}

/// Listens at all of these addresses. Must be called within a tokio runtime.
///
/// # Errors
/// [`Error::Listen`], naming the first that cannot be had.
pub(crate) fn bind(addresses: &[Address]) -> Result<Vec<Listener>, Error> {
    let mut listeners = Vec::new();
    for address in addresses {
        let failed = |cause| Error::Listen { addr: address.clone(), cause };
        match address {
            Address::Tcp(addr) => {
                let beside_v4 = addresses.contains(&any_v4(addr.port()));
                listeners.push(Listener::tcp(*addr, beside_v4 && addr.port() != 0).map_err(failed)?);
            }
            #[cfg(unix)]
            Address::Unix(path) => listeners.push(Listener::unix(path, PUBLIC).map_err(failed)?),
            #[cfg(unix)]
            Address::Systemd => listeners.extend(activated::listeners().map_err(failed)?),
            #[cfg(not(unix))]
            Address::Unix(_) | Address::Systemd => {
                return Err(failed(io::Error::from(io::ErrorKind::Unsupported)));
            }
        }
    }
    Ok(listeners)
}

/// Who may connect to a unix socket: whom its folder lets through, as with
/// the service manager's own.
#[cfg(unix)]
const PUBLIC: u32 = 0o666;

fn any_v4(port: u16) -> Address {
    Address::Tcp((Ipv4Addr::UNSPECIFIED, port).into())
}

impl Listener {
    /// A new socket. An IPv6 one is IPv4 as well, unless `only_v6` because
    /// another listens there.
    fn tcp(addr: SocketAddr, only_v6: bool) -> io::Result<Self> {
        let socket = RawSocket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
        if addr.is_ipv6() {
            // The system's own default differs from machine to machine.
            socket.set_only_v6(only_v6)?;
        }
        // A restart must not wait for the connections of the last run to be forgotten.
        #[cfg(unix)]
        socket.set_reuse_address(true)?;
        // Inherited by what is accepted; the receive window is negotiated from it.
        #[cfg(target_os = "linux")]
        rustix::net::sockopt::set_tcp_user_timeout(&socket, defaults::UNACKNOWLEDGED_MS)?;
        socket.set_recv_buffer_size(defaults::SOCKET_BUFFER)?;
        socket.set_send_buffer_size(defaults::SOCKET_BUFFER)?;
        socket.set_nonblocking(true)?;
        socket.bind(&addr.into())?;
        socket.listen(defaults::BACKLOG)?;
        Self::of_tcp(socket.into())
    }

    fn of_tcp(socket: std::net::TcpListener) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        let socket = TcpListener::from_std(socket)?;
        let address = socket.local_addr()?.into();
        Ok(Self { kind: Kind::Tcp(socket), address })
    }

    /// A new unix socket with these permissions. A file of one that nobody
    /// listens on any more is replaced.
    #[cfg(unix)]
    pub(crate) fn unix(path: &Path, mode: u32) -> io::Result<Self> {
        use std::os::unix::fs::PermissionsExt;

        footprint::remove_stale(path)?;
        let socket = RawSocket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        socket.bind(&socket2::SockAddr::unix(path)?)?;
        let made = Footprint::of(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))?;
        socket.listen(defaults::BACKLOG)?;
        let socket = UnixListener::from_std(socket.into())?;
        Ok(Self { kind: Kind::Unix { socket, _made: Some(made) }, address: Address::Unix(path.into()) })
    }

    #[cfg(unix)]
    fn of_unix(socket: std::os::unix::net::UnixListener) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        let path = socket.local_addr()?.as_pathname().map(Path::to_owned);
        let address = path.map_or(Address::Systemd, Address::Unix);
        Ok(Self { kind: Kind::Unix { socket: UnixListener::from_std(socket)?, _made: None }, address })
    }

    /// Where it listens, with the port that was really taken.
    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    /// The next connection, and whom it comes from. Who comes through a unix
    /// socket is on this machine, and counts as its loopback address.
    pub(crate) async fn accept(&self) -> io::Result<(Socket, IpAddr)> {
        match &self.kind {
            Kind::Tcp(socket) => {
                let (tcp, peer) = socket.accept().await?;
                // Handshake messages are small and wait for each other: 44 ms each with Nagle.
                tcp.set_nodelay(true).map_err(|_| io::ErrorKind::ConnectionAborted)?;
                Ok((Socket::Tcp(tcp), peer.ip().to_canonical()))
            }
            #[cfg(unix)]
            Kind::Unix { socket, .. } => {
                let (unix, _) = socket.accept().await?;
                Ok((Socket::Unix(unix), IpAddr::V4(Ipv4Addr::LOCALHOST)))
            }
        }
    }
}
