//! Listening, accepting, and ending.
//!
//! Structured: [`Relay::run`] owns every task it starts. When it ends, or is
//! dropped, all of them end.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use cablecar_protocol::ids::RoutingId;
use rustls::ServerConfig;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use crate::address::Address;
use crate::admin::Admin;
use crate::config::{self, Config, Security};
use crate::control::{Board, Control};
use crate::defaults;
use crate::desk::Desk;
use crate::error::Error;
use crate::listeners::{self, Listener};
use crate::observer::{Event, Observer};
use crate::reception::{self, Accepted};
use crate::refusal::Why;
use crate::reload::{Reload, Reloader};
use crate::roll_call::{Called, RollCall};
use crate::socket::Socket;
use crate::source::Source;

/// A relay that is bound to its addresses and not running yet.
#[derive(Debug)]
pub struct Relay {
    listeners: Vec<Listener>,
    routing_id: RoutingId,
    reloader: Arc<Reloader>,
    roll_call: RollCall,
    tls: Option<Arc<ServerConfig>>,
    config: Config,
    board: Arc<Board>,
    admin: Option<Admin>,
}

impl Relay {
    /// Binds the addresses of `config`. From here on clients can connect; they
    /// are served once it runs.
    ///
    /// # Errors
    /// [`Error::Setting`] for limits that contradict each other,
    /// [`Error::Listen`] if an address cannot be had. Must be called within
    /// a tokio runtime.
    pub fn bind(config: Config) -> Result<Self, Error> {
        config.check()?;
        let routing_id = config.routing_id.map_or_else(config::random_routing_id, Ok)?;
        let listeners = listeners::bind(&config.listen)?;
        let mut files: Vec<Arc<dyn Reload>> = Vec::new();
        let tls = match &config.security {
            Security::Tls(tls) => Some(Arc::clone(tls)),
            Security::Files(certificates) => {
                files.push(Arc::clone(certificates) as Arc<dyn Reload>);
                Some(certificates.server()?)
            }
            Security::Plain => None,
        };
        let reloader = Arc::new(Reloader::new(files));
        let board = Arc::new(Board::new(&config, &reloader));
        let admin = config.admin.listen.as_ref().map(Admin::bind).transpose()?;
        let roll_call = RollCall::new();
        Ok(Self { listeners, routing_id, reloader, roll_call, tls, config, board, admin })
    }

    /// The first bound IP address, with the port that was really taken;
    /// `0.0.0.0:0` if it listens at none.
    pub fn local_addr(&self) -> SocketAddr {
        let mut addresses = self.listeners.iter().filter_map(|listener| match listener.address() {
            Address::Tcp(addr) => Some(*addr),
            _ => None,
        });
        addresses.next().unwrap_or_else(|| (std::net::Ipv4Addr::UNSPECIFIED, 0).into())
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

    /// Reads its files again. While it runs, it does so by itself whenever
    /// they change.
    pub fn reloader(&self) -> Arc<Reloader> {
        Arc::clone(&self.reloader)
    }

    /// Asks whether it still accepts.
    pub fn roll_call(&self) -> RollCall {
        self.roll_call.clone()
    }

    /// Serves until `shutdown` ends; then closes every tunnel and waits for
    /// the last, for at most two seconds.
    pub async fn run(self, shutdown: impl Future<Output = ()>, observer: impl Observer) {
        let control = self.control();
        let Self { listeners, routing_id, reloader, roll_call, tls, config, board, admin } = self;
        let (hosts, tls) = (config.hosts(), tls.map(TlsAcceptor::from));
        let connections = config.limits.connections.unwrap_or_else(connections_by_descriptors);
        let observer = Box::new(observer);
        let board_of_desk = Arc::clone(&board);
        let desk =
            Desk::new(config.limits, config.proxy, hosts, routing_id, connections, board_of_desk, observer);
        let house = House { desk: Arc::new(desk) };
        board.attach(&house.desk);
        let desk = Arc::downgrade(&house.desk);
        reloader.tell(move |event| {
            if let Some(desk) = desk.upgrade() {
                desk.notice(event);
            }
        });

        let (alive, mut last) = mpsc::channel::<()>(1);
        // Aborted with this set, whatever happens.
        let mut loops = JoinSet::new();
        for listener in listeners {
            house.desk.notice(Event::Listening { addr: listener.address().clone() });
            let door = Door { desk: Arc::clone(&house.desk), tls: tls.clone(), alive: alive.clone() };
            loops.spawn(door.accept_all(listener, roll_call.enrol()));
        }
        drop(alive);
        board.accepting(true);
        tokio::select! {
            biased;
            () = pin!(shutdown) => {}
            never = answer(admin, control) => match never {},
            never = reloader.watch() => match never {},
        }
        board.accepting(false);
        roll_call.dismiss();
        loops.shutdown().await;
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
}

impl Drop for House {
    fn drop(&mut self) {
        self.desk.stop();
    }
}

/// Where connections come in.
struct Door {
    desk: Arc<Desk>,
    tls: Option<TlsAcceptor>,
    alive: mpsc::Sender<()>,
}

impl Door {
    async fn accept_all(self, listener: Listener, mut called: Called) {
        let mut complaint = Complaint::default();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = called.answer() => continue,
            };
            match accepted {
                Ok((socket, peer)) => self.admit(socket, peer),
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

    fn admit(&self, socket: Socket, peer: IpAddr) {
        let Some(visit) = self.desk.arrive(peer, &self.alive) else {
            return self.desk.refused(None, Why::Crowded, Some(Source::of(peer)));
        };
        let accepted = Accepted { socket, peer, visit };
        tokio::spawn(reception::attend(Arc::clone(&self.desk), self.tls.clone(), accepted));
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
