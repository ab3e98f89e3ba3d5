//! The sockets that a relay listens on: TCP, unix, or opened by the service
//! manager.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
#[cfg(unix)]
use std::os::fd::{AsFd, OwnedFd};
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
use crate::upgrade::Inheritance;
#[cfg(unix)]
use crate::upgrade::Named;

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
    /// As it was configured.
    name: String,
}

#[derive(Debug)]
enum Kind {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix {
        socket: UnixListener,
        /// Takes the file away that we have made.
        made: Option<Footprint>,
    },
}

/// Listens at all of these addresses. Must be called within a tokio runtime.
///
/// # Errors
/// [`Error::Listen`], naming the first that cannot be had.
pub(crate) fn bind(addresses: &[Address], inheritance: &mut Inheritance) -> Result<Vec<Listener>, Error> {
    let mut listeners = Vec::new();
    for address in addresses {
        let failed = |cause| Error::Listen { addr: address.clone(), cause };
        let before = listeners.len();
        #[cfg(unix)]
        while let Some(inherited) = inheritance.take(&address.to_string()) {
            listeners.push(Listener::inherited(inherited, *address != Address::Systemd).map_err(failed)?);
            // A service manager may have given several under one word.
            if *address != Address::Systemd {
                break;
            }
        }
        match address {
            _ if listeners.len() > before => {}
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
        let new = listeners.iter_mut().skip(before);
        new.for_each(|listener| listener.name = address.to_string());
    }
    Ok(listeners)
}

/// Listens for the operator: a loopback address, or a unix socket of this
/// user's own. Must be called within a tokio runtime.
///
/// # Errors
/// [`Error::Listen`] if it cannot be had.
pub(crate) fn bind_admin(address: &Address, inheritance: &mut Inheritance) -> Result<Listener, Error> {
    // Not the name of any address that clients are served at.
    let name = format!("admin {address}");
    #[cfg(unix)]
    let inherited = inheritance.take(&name).map(|descriptor| Listener::inherited(descriptor, true));
    #[cfg(not(unix))]
    let inherited = None;
    let listener = inherited.unwrap_or_else(|| match address {
        Address::Tcp(addr) => Listener::tcp(*addr, false),
        #[cfg(unix)]
        Address::Unix(path) => Listener::unix(path, OWNER),
        _ => Err(io::ErrorKind::Unsupported.into()),
    });
    let listener = listener.map_err(|cause| Error::Listen { addr: address.clone(), cause })?;
    Ok(Listener { name, ..listener })
}

/// Who may connect to a unix socket of the operator's.
#[cfg(unix)]
const OWNER: u32 = 0o600;

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
        // Inherited here too, where the kernel does that, which saves a call
        // for each connection.
        #[cfg(target_os = "linux")]
        socket2::SockRef::from(&socket).set_tcp_nodelay(true)?;
        let socket = TcpListener::from_std(socket)?;
        let address = socket.local_addr()?.into();
        Ok(Self { kind: Kind::Tcp(socket), address, name: String::new() })
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
        Ok(Self {
            kind: Kind::Unix { socket, made: Some(made) },
            address: Address::Unix(path.into()),
            name: String::new(),
        })
    }

    #[cfg(unix)]
    fn of_unix(socket: std::os::unix::net::UnixListener) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        let path = socket.local_addr()?.as_pathname().map(Path::to_owned);
        let address = path.map_or(Address::Systemd, Address::Unix);
        Ok(Self {
            kind: Kind::Unix { socket: UnixListener::from_std(socket)?, made: None },
            address,
            name: String::new(),
        })
    }

    /// One that another process of ours listened on before; `ours` is a file
    /// to be taken away in the end.
    #[cfg(unix)]
    fn inherited(descriptor: OwnedFd, ours: bool) -> io::Result<Self> {
        let socket = RawSocket::from(descriptor);
        if !socket.local_addr()?.is_unix() {
            return Self::of_tcp(socket.into());
        }
        let mut listener = Self::of_unix(socket.into())?;
        if let (true, Address::Unix(path), Kind::Unix { made, .. }) =
            (ours, &listener.address, &mut listener.kind)
        {
            *made = Some(Footprint::of(path)?);
        }
        Ok(listener)
    }

    /// The name under which another process of ours can take it over.
    #[cfg(unix)]
    pub(crate) fn named(&self) -> Named<'_> {
        let descriptor = match &self.kind {
            Kind::Tcp(socket) => socket.as_fd(),
            Kind::Unix { socket, .. } => socket.as_fd(),
        };
        (self.name.clone(), descriptor)
    }

    /// Leaves its file to the process that took it over.
    #[cfg(unix)]
    pub(crate) fn hand_over(&self) {
        if let Kind::Unix { made: Some(footprint), .. } = &self.kind {
            footprint.leave();
        }
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
                #[cfg(not(target_os = "linux"))]
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

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_accepted_is_ended_by_the_kernel_when_nothing_is_acknowledged() {
        let addresses = [Address::Tcp(([127, 0, 0, 1], 0).into())];
        let listener = bind(&addresses, &mut Inheritance::default()).unwrap().remove(0);
        let Address::Tcp(addr) = listener.address() else { panic!("no address") };
        let _client = std::net::TcpStream::connect(addr).unwrap();
        let (Socket::Tcp(tcp), _) = listener.accept().await.unwrap() else { panic!("no TCP") };
        assert_eq!(rustix::net::sockopt::tcp_user_timeout(&tcp).unwrap(), defaults::UNACKNOWLEDGED_MS);
        assert!(tcp.nodelay().unwrap());
    }
}
