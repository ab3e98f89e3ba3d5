//! Listening, accepting, and ending.
//!
//! Structured: [`Relay::run`] owns every task it starts. When it ends, or is
//! dropped, all of them end.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use cablecar_protocol::ids::RoutingId;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use crate::address::Address;
use crate::admin::Admin;
use crate::config::{self, Config, Security};
use crate::control::{Board, Control};
use crate::defaults;
use crate::desk::Desk;
use crate::error::Error;
use crate::observer::{Event, Observer};
use crate::reception;
use crate::refusal::Why;
use crate::source::Source;

/// A relay that is bound to its address and not running yet.
#[derive(Debug)]
pub struct Relay {
    listener: TcpListener,
    addr: SocketAddr,
    routing_id: RoutingId,
    config: Config,
    board: Arc<Board>,
    admin: Option<Admin>,
}

impl Relay {
    /// Binds the address of `config`. From here on clients can connect; they
    /// are served once it runs.
    ///
    /// # Errors
    /// [`Error::Setting`] for limits that contradict each other,
    /// [`Error::Listen`] if the address cannot be had. Must be called within
    /// a tokio runtime.
    pub fn bind(config: Config) -> Result<Self, Error> {
        config.check()?;
        let routing_id = config.routing_id.map_or_else(config::random_routing_id, Ok)?;
        let first = config.listen.iter().find_map(|address| match address {
            Address::Tcp(addr) => Some(*addr),
            _ => None,
        });
        let first = first.ok_or(Error::Setting { setting: "--listen", problem: "must be an IP address" })?;
        let failed = |cause| Error::Listen { addr: first.into(), cause };
        let listener = listen(first).map_err(failed)?;
        let addr = listener.local_addr().map_err(failed)?;
        let board = Arc::new(Board::new(config.limits.clone()));
        let admin = config.admin.listen.as_ref().map(Admin::bind).transpose()?;
        Ok(Self { listener, addr, routing_id, config, board, admin })
    }

    /// The bound address, with the port that was really taken.
    pub fn local_addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where its admin listener is, if it has one.
    pub fn admin_addr(&self) -> Option<Address> {
        self.admin.as_ref().and_then(Admin::address)
    }

    /// The routing id that it gives and answers to.
    pub fn routing_id(&self) -> RoutingId {
        self.routing_id
    }

    /// What shows how it is, and steers it.
    pub fn control(&self) -> Control {
        Control::new(Arc::clone(&self.board))
    }

    /// Serves until `shutdown` ends; then closes every tunnel and waits for
    /// the last, for at most two seconds.
    pub async fn run(self, shutdown: impl Future<Output = ()>, observer: impl Observer) {
        let control = self.control();
        let Self { listener, addr, routing_id, config, board, admin } = self;
        let hosts = config.hosts();
        let tls = match config.security {
            Security::Tls(tls) => Some(TlsAcceptor::from(tls)),
            Security::Plain => None,
        };
        let connections = config.limits.connections.unwrap_or_else(connections_by_descriptors);
        let observer = Box::new(observer);
        let desk = Desk::new(config.limits, hosts, routing_id, connections, Arc::clone(&board), observer);
        let house = House { desk: Arc::new(desk), tls };
        board.attach(&house.desk);
        board.accepting(true);
        house.desk.notice(Event::Listening { addr: addr.into() });

        let (alive, mut last) = mpsc::channel::<()>(1);
        tokio::select! {
            biased;
            () = pin!(shutdown) => {}
            never = answer(admin, control) => match never {},
            never = house.accept_all(&listener, &alive) => match never {},
        }
        board.accepting(false);
        drop((listener, alive));
        house.desk.notice(Event::Stopping);
        house.desk.stop();
        // Ends when the last connection has dropped its sender.
        let _ = timeout(defaults::DRAIN, last.recv()).await;
    }
}

/// Answers the operator, if there is a door for that.
async fn answer(admin: Option<Admin>, control: Control) -> std::convert::Infallible {
    match admin {
        Some(admin) => admin.serve(control).await,
        None => std::future::pending().await,
    }
}

/// Stops everybody when dropped, so that no task outlives [`Relay::run`].
struct House {
    desk: Arc<Desk>,
    tls: Option<TlsAcceptor>,
}

impl Drop for House {
    fn drop(&mut self) {
        self.desk.stop();
    }
}

impl House {
    async fn accept_all(&self, listener: &TcpListener, alive: &mpsc::Sender<()>) -> std::convert::Infallible {
        let mut complaint = Complaint::default();
        loop {
            match listener.accept().await {
                Ok((tcp, peer)) => self.admit(tcp, peer, alive),
                Err(error) if concerns_one_connection(&error) => {}
                Err(_) => {
                    self.desk.board.metrics.accept_failed();
                    if let Some(failures) = complaint.raise(Instant::now()) {
                        self.desk.notice(Event::Struggling { failures });
                    }
                    sleep(defaults::ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn admit(&self, tcp: TcpStream, peer: SocketAddr, alive: &mpsc::Sender<()>) {
        let exempt = self.desk.limits.exempt.iter().any(|network| network.contains(peer.ip()));
        let account = (!exempt).then(|| Source::of(peer.ip()));
        let Some(visit) = self.desk.arrive(account, alive) else {
            return self.desk.refused(None, Why::Crowded, account);
        };
        // Handshake messages are small and wait for each other: 44 ms each with Nagle.
        if tcp.set_nodelay(true).is_ok() {
            tokio::spawn(reception::attend(Arc::clone(&self.desk), self.tls.clone(), tcp, visit));
        }
    }
}

/// Says once in a while that something keeps failing.
#[derive(Debug, Default)]
struct Complaint {
    failures: u64,
    last: Option<Instant>,
}

impl Complaint {
    /// One more failure; gives their number when it is time to say so.
    fn raise(&mut self, now: Instant) -> Option<u64> {
        self.failures += 1;
        if self.last.is_some_and(|last| now < last + defaults::ACCEPT_NOTICE) {
            return None;
        }
        self.last = Some(now);
        Some(std::mem::take(&mut self.failures))
    }
}

fn listen(addr: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    // A restart must not wait for the connections of the last run to be forgotten.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    // Inherited by what is accepted; the receive window is negotiated from it.
    socket.set_recv_buffer_size(defaults::SOCKET_BUFFER)?;
    socket.set_send_buffer_size(defaults::SOCKET_BUFFER)?;
    socket.set_nonblocking(true)?;
    socket.bind(&addr.into())?;
    socket.listen(defaults::BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Whether only the connection that was about to be accepted failed, so that
/// the next may be tried at once.
fn concerns_one_connection(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// 0.9 × (descriptor limit − 64), raising the limit to what is allowed; at
/// least one, for a relay that refuses everybody helps nobody to find out why.
fn connections_by_descriptors() -> u64 {
    let Some(limit) = descriptor_limit() else { return defaults::CONNECTIONS_UNKNOWN };
    let spare = limit.saturating_sub(defaults::SPARE_DESCRIPTORS);
    (spare / 10).saturating_mul(defaults::CONNECTIONS_TENTHS).max(1)
}

/// The descriptor limit, raised to what is allowed.
#[cfg(unix)]
pub(crate) fn descriptor_limit() -> Option<u64> {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Refused where the hard limit is above what the kernel allows; then the
    // soft one stays.
    let _ = setrlimit(Resource::Nofile, limit);
    getrlimit(Resource::Nofile).current
}

#[cfg(not(unix))]
pub(crate) fn descriptor_limit() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn complaints_come_once_a_second_and_count_what_was_kept_back() {
        let (mut complaint, now) = (Complaint::default(), Instant::now());
        assert_eq!(complaint.raise(now), Some(1));
        for n in 1..10 {
            assert_eq!(complaint.raise(now + Duration::from_millis(100 * n)), None);
        }
        assert_eq!(complaint.raise(now + Duration::from_secs(1)), Some(10));
    }
}
