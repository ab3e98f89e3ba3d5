//! Listening, accepting, and ending.
//!
//! Structured: [`Relay::run`] owns every task it starts. When it ends, or is
//! dropped, all of them end.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
#[cfg(unix)]
use std::os::fd::AsFd;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use cablecar_protocol::ids::RoutingId;
use socket2::{Domain, Protocol, Socket, Type};
#[cfg(unix)]
use tokio::net::UnixListener;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use crate::access::Access;
use crate::address::Address;
use crate::config::{Config, Security};
use crate::defaults;
use crate::desk::Desk;
use crate::drain::Drain;
#[cfg(unix)]
use crate::drain::Stage;
use crate::error::Error;
use crate::identity::Identity;
#[cfg(unix)]
use crate::identity::Place;
use crate::observer::{Event, Observer};
#[cfg(unix)]
use crate::passing;
use crate::reception::{self, Coming};
use crate::refusal::Why;
#[cfg(unix)]
use crate::upgrade::{Inheritance, Named, NotUpgraded, Successor, Upgrade};

/// A relay that is bound to its address and not running yet.
#[derive(Debug)]
pub struct Relay {
    listener: TcpListener,
    addr: SocketAddr,
    identity: Identity,
    access: Access,
    drain: Drain,
    #[cfg(unix)]
    upgrade: Upgrade,
    #[cfg(unix)]
    inheritance: Inheritance,
    config: Config,
}

impl Relay {
    /// Binds the address of `config`. From here on clients can connect; they
    /// are served once it runs.
    ///
    /// # Errors
    /// [`Error::Setting`] for limits that contradict each other,
    /// [`Error::Listen`] if the address cannot be had, [`Error::State`] if
    /// starts cannot be counted. Must be called within a tokio runtime.
    #[cfg(unix)]
    pub fn bind(config: Config) -> Result<Self, Error> {
        Self::bind_with(config, Inheritance::default())
    }

    /// The same for a process that takes the place of another one: what that
    /// one listens on is not bound again.
    ///
    /// # Errors
    /// As of [`Relay::bind`].
    #[cfg(unix)]
    pub fn bind_with(config: Config, mut inheritance: Inheritance) -> Result<Self, Error> {
        config.check()?;
        let first = first_of(&config)?;
        let failed = |cause| Error::Listen { addr: first.into(), cause };
        let listener = match inheritance.take(&first.to_string()) {
            Some(inherited) => TcpListener::from_std(inherited.into()),
            None => listen(first),
        };
        let listener = listener.map_err(failed)?;
        let addr = listener.local_addr().map_err(failed)?;
        let (identity, access) = (Identity::of(&config)?, Access::new(&config.access)?);
        let (drain, upgrade) = (Drain::default(), Upgrade::default());
        Ok(Self { listener, addr, identity, access, drain, upgrade, inheritance, config })
    }

    /// Binds the address of `config`. From here on clients can connect; they
    /// are served once it runs.
    ///
    /// # Errors
    /// [`Error::Setting`] for limits that contradict each other,
    /// [`Error::Listen`] if the address cannot be had. Must be called within
    /// a tokio runtime.
    #[cfg(not(unix))]
    pub fn bind(config: Config) -> Result<Self, Error> {
        config.check()?;
        let first = first_of(&config)?;
        let listener = listen(first).map_err(|cause| Error::Listen { addr: first.into(), cause })?;
        let failed = |cause| Error::Listen { addr: first.into(), cause };
        let addr = listener.local_addr().map_err(failed)?;
        let (identity, access) = (Identity::of(&config)?, Access::new(&config.access)?);
        Ok(Self { listener, addr, identity, access, drain: Drain::default(), config })
    }

    /// The bound address, with the port that was really taken.
    pub fn local_addr(&self) -> SocketAddr {
        self.addr
    }

    /// The routing id that it gives and answers to.
    pub fn routing_id(&self) -> RoutingId {
        self.identity.routing_id
    }

    /// What makes it drain.
    pub fn drain(&self) -> Drain {
        self.drain.clone()
    }

    /// What puts a new program in its place.
    #[cfg(unix)]
    pub fn upgrade(&self) -> Upgrade {
        self.upgrade.clone()
    }

    /// Serves until `shutdown` ends; then closes every tunnel and waits for
    /// the last, for at most two seconds. Ends by itself once it has been
    /// made to [`Drain`], or another process has taken its place, and no
    /// tunnel is left.
    pub async fn run(self, shutdown: impl Future<Output = ()>, observer: impl Observer) {
        let hosts = self.config.hosts();
        let name = first_of(&self.config).map(|addr| addr.to_string()).unwrap_or_default();
        let Config { limits, security, .. } = self.config;
        let tls = match security {
            Security::Tls(tls) => Some(TlsAcceptor::from(tls)),
            Security::Plain => None,
        };
        let connections = limits.connections.unwrap_or_else(connections_by_descriptors);
        let routing_id = self.identity.routing_id;
        let mut desk =
            Desk::new(limits, hosts, routing_id, connections, self.access, self.drain, Box::new(observer));
        #[cfg(unix)]
        let (_door, passed, possible) = match self.identity.place {
            Ok(Place { socket, siblings, door }) => {
                desk.siblings = Some(siblings);
                (Some(door), Some(socket), Ok(()))
            }
            Err(why) => (None, None, Err(why)),
        };
        #[cfg(not(unix))]
        let passed: Option<Infallible> = None;
        let house = House { desk: Arc::new(desk), tls };
        #[cfg(unix)]
        self.inheritance.begin().await;
        house.desk.notice(Event::Listening { addr: self.addr.into() });

        let mut ended = pin!(async {
            tokio::select! {
                biased;
                () = shutdown => {}
                () = house.desk.drained() => {}
                never = house.take_in_passed(passed.as_ref()) => match never {},
                never = house.look_at_lists() => match never {},
            }
        });
        let listener = self.listener;
        #[cfg(unix)]
        tokio::select! {
            biased;
            () = &mut ended => {}
            successor = house.succession(&self.upgrade, possible, vec![(name, listener.as_fd())]) => {
                // Only now: nobody is to find two processes at the door.
                let process = successor.process();
                successor.go().await;
                drop(listener);
                house.desk.notice(Event::HandedOver { process });
                house.desk.drain.advance(Stage::HandedOver);
                ended.await;
            }
            never = house.accept_all(&listener) => match never {},
        }
        #[cfg(not(unix))]
        tokio::select! {
            biased;
            () = &mut ended => {}
            never = house.accept_all(&listener) => match never {},
        }
        house.desk.notice(Event::Stopping);
        house.desk.stop();
        let _ = timeout(defaults::STOP, house.desk.visits.nobody()).await;
    }
}

fn first_of(config: &Config) -> Result<SocketAddr, Error> {
    let first = config.listen.iter().find_map(|address| match address {
        Address::Tcp(addr) => Some(*addr),
        _ => None,
    });
    first.ok_or(Error::Setting { setting: "--listen", problem: "must be an IP address" })
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
    /// Waits until a new program is ready that was asked for.
    #[cfg(unix)]
    async fn succession(
        &self,
        upgrade: &Upgrade,
        possible: Result<(), NotUpgraded>,
        listeners: Vec<Named<'_>>,
    ) -> Successor {
        loop {
            upgrade.asked().await;
            let started = match possible {
                Ok(()) => Successor::start(&listeners).await,
                Err(why) => Err(why),
            };
            match started {
                Ok(successor) => return successor,
                Err(why) => self.desk.notice(Event::NotUpgraded { why }),
            }
        }
    }

    /// Serves whom other processes of this node pass on.
    #[cfg(unix)]
    async fn take_in_passed(&self, socket: Option<&UnixListener>) -> Infallible {
        let Some(socket) = socket else { return std::future::pending().await };
        loop {
            match socket.accept().await {
                Ok((stream, _)) => drop(tokio::spawn(passing::take_in(Arc::clone(&self.desk), stream))),
                Err(_) => sleep(defaults::ACCEPT_PAUSE).await,
            }
        }
    }

    #[cfg(not(unix))]
    async fn take_in_passed(&self, _: Option<&Infallible>) -> Infallible {
        std::future::pending().await
    }

    /// Reads the files of tokens and networks again when they change.
    async fn look_at_lists(&self) -> Infallible {
        loop {
            sleep(defaults::LIST_LOOK).await;
            for file in self.desk.access.reload_changed() {
                self.desk.notice(Event::NotReread { file });
            }
        }
    }

    async fn accept_all(&self, listener: &TcpListener) -> Infallible {
        let mut complaint = Complaint::default();
        loop {
            match listener.accept().await {
                Ok((tcp, peer)) => self.admit(tcp, peer),
                Err(error) if concerns_one_connection(&error) => {}
                Err(_) => {
                    if let Some(failures) = complaint.raise(Instant::now()) {
                        self.desk.notice(Event::Struggling { failures });
                    }
                    sleep(defaults::ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn admit(&self, tcp: TcpStream, peer: SocketAddr) {
        if self.desk.access.blocks(peer.ip()) {
            return self.desk.refused(None, Why::Blocked);
        }
        let Some(visit) = self.desk.arrive(self.desk.account(peer.ip())) else {
            return self.desk.refused(None, Why::Crowded);
        };
        // Handshake messages are small and wait for each other: 44 ms each with Nagle.
        if tcp.set_nodelay(true).is_ok() {
            let coming = Coming::Tcp(tcp, self.tls.clone());
            tokio::spawn(reception::attend(Arc::clone(&self.desk), coming, peer.ip(), visit));
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

#[cfg(unix)]
fn descriptor_limit() -> Option<u64> {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Refused where the hard limit is above what the kernel allows; then the
    // soft one stays.
    let _ = setrlimit(Resource::Nofile, limit);
    getrlimit(Resource::Nofile).current
}

#[cfg(not(unix))]
fn descriptor_limit() -> Option<u64> {
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
