//! What all connections of a relay share, and, in `guards`, what puts back
//! what one of them has taken.

use std::net::IpAddr;
#[cfg(unix)]
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use cablecar_protocol::ids::{RoutingId, TunnelId};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::access::Access;
use crate::config::{Limits, Proxy};
use crate::control::{Board, Snapshot};
use crate::drain::{Drain, Presence, Stage};
use crate::handshakes::Handshakes;
use crate::meter::{Account, Arrival, Meter};
use crate::observer::{Ending, Event, Observer};
use crate::pressure::Pressure;
use crate::refusal::Why;
#[cfg(unix)]
use crate::routing::Parts;
use crate::source::Source;
#[cfg(unix)]
use crate::state::StateDir;
use crate::switchboard::Switchboard;
use crate::tunnel::Party;

mod guards;

pub(crate) use guards::{Closing, Here, Open, Opened, Share, Visit, Wait};

/// What whoever joins a tunnel needs in order to reach it.
pub(crate) type Seat = oneshot::Sender<Box<Party>>;

/// How to reach the other processes of this node.
#[cfg(unix)]
#[derive(Debug)]
pub(crate) struct Siblings {
    pub(crate) own: Parts,
    pub(crate) state: StateDir,
}

/// What all connections of one relay share.
pub(crate) struct Desk {
    pub(crate) limits: Limits,
    pub(crate) proxy: Proxy,
    /// Host names whose pages may connect, lower case.
    pub(crate) hosts: Vec<String>,
    pub(crate) routing_id: RoutingId,
    pub(crate) access: Arc<Access>,
    pub(crate) handshakes: Handshakes,
    pressure: Pressure,
    switchboard: Mutex<Switchboard<Seat>>,
    meter: Mutex<Meter>,
    observer: Box<dyn Observer>,
    pub(crate) board: Arc<Board>,
    /// Tunnels that are forgotten and not gone.
    closing: AtomicU64,
    /// Bytes that all tunnels hold.
    held: AtomicU64,
    /// Other processes of this node, if it has a place to meet them.
    #[cfg(unix)]
    siblings: Option<Siblings>,
    pub(crate) drain: Drain,
    /// Connections.
    pub(crate) visits: Presence,
    /// Tunnels, from the first party's request to the last close frame.
    pub(crate) tunnels: Presence,
}

/// On whose behalf, as whom and for whom a relay serves.
pub(crate) struct Terms {
    pub(crate) proxy: Proxy,
    pub(crate) hosts: Vec<String>,
    pub(crate) routing_id: RoutingId,
    pub(crate) access: Arc<Access>,
}

impl Desk {
    pub(crate) fn new(
        limits: Limits,
        terms: Terms,
        connections: u64,
        board: Arc<Board>,
        observer: Box<dyn Observer>,
    ) -> Self {
        let switchboard = Switchboard::new(terms.routing_id, limits.waiting, limits.life);
        let meter = Meter::new(limits.per_source, connections);
        let (handshakes, pressure) = (Handshakes::new(limits.handshakes), Pressure::new(limits.memory));
        Self {
            limits,
            proxy: terms.proxy,
            hosts: terms.hosts,
            routing_id: terms.routing_id,
            access: terms.access,
            handshakes,
            pressure,
            switchboard: Mutex::new(switchboard),
            meter: Mutex::new(meter),
            observer,
            drain: board.drain(),
            board,
            closing: AtomicU64::new(0),
            held: AtomicU64::new(0),
            visits: Presence::default(),
            tunnels: Presence::default(),
            #[cfg(unix)]
            siblings: None,
        }
    }

    /// The same desk, among other processes of its node.
    #[cfg(unix)]
    pub(crate) fn among(self, siblings: Siblings) -> Self {
        Self { siblings: Some(siblings), ..self }
    }

    pub(crate) fn notice(&self, event: Event) {
        self.notice_from(event, None);
    }

    fn notice_from(&self, event: Event, from: Account) {
        self.board.metrics.count(&event);
        self.observer.notice_from(event, from);
    }

    pub(crate) fn refused(&self, status: Option<http::StatusCode>, why: Why, from: Account) {
        self.notice_from(Event::Refused { status: status.map(|status| status.as_u16()), why }, from);
    }

    /// How things stand here at this moment.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let (all, paired) = {
            let switchboard = lock(&self.switchboard);
            (switchboard.len(), switchboard.paired())
        };
        let (connections, connections_limit) = {
            let meter = lock(&self.meter);
            (meter.connections(), meter.connections_limit())
        };
        Snapshot {
            waiting: wide(all.saturating_sub(paired)),
            paired: wide(paired),
            closing: self.closing.load(Ordering::Relaxed),
            connections,
            connections_limit,
            held_bytes: self.held.load(Ordering::Relaxed),
            ..Snapshot::default()
        }
    }

    /// Under which account a client is counted.
    fn account(&self, client: IpAddr) -> Account {
        let exempt = self.limits.exempt.iter().any(|network| network.contains(client));
        (!exempt).then(|| Source::of(client))
    }

    /// Counts a connection in; `None` to drop it at once. One that a proxy
    /// brings is counted against its source later, by [`Visit::introduce`].
    pub(crate) fn arrive(self: &Arc<Self>, peer: IpAddr) -> Option<Visit> {
        self.board.metrics.accepted();
        let account = if self.proxy.trusts(peer) { None } else { self.account(peer) };
        self.count_in(account)
    }

    /// The same for a client that another process of ours brings.
    #[cfg(unix)]
    pub(crate) fn arrive_passed(self: &Arc<Self>, client: IpAddr) -> Option<Visit> {
        self.count_in(self.account(client))
    }

    fn count_in(self: &Arc<Self>, account: Account) -> Option<Visit> {
        let (arrival, account) = lock(&self.meter).arrive(account, Instant::now());
        (arrival != Arrival::Drop).then(|| {
            self.visits.enter();
            Visit { desk: Arc::clone(self), arrival, account }
        })
    }

    /// Opens a tunnel on this account.
    pub(crate) fn open(self: &Arc<Self>, id: TunnelId, account: Account) -> Result<Opened, Why> {
        // Counted before the question: whoever drains either sees this tunnel
        // or is seen here.
        let here = Here::new(self);
        if self.drain.draining() {
            return Err(Why::Draining);
        }
        if self.pressure.high(Instant::now()) {
            return Err(Why::Memory);
        }
        if !lock(&self.meter).wait(account) {
            return Err(Why::Throttled);
        }
        let wait = Wait { desk: Arc::clone(self), account };
        let (seat, arriving) = oneshot::channel();
        let ticket = lock(&self.switchboard).open(id, seat, Instant::now()).map_err(|_| Why::Taken)?;
        self.notice_from(Event::Opened { tunnel: ticket.serial() }, account);
        let open = Open { desk: Arc::clone(self), ticket, _here: here };
        Ok(Opened { open, arriving, wait })
    }

    /// The socket of the process of this node that gave this routing id.
    #[cfg(unix)]
    pub(crate) fn sibling(&self, routing_id: RoutingId) -> Option<PathBuf> {
        let siblings = self.siblings.as_ref()?;
        siblings.own.sibling(routing_id).map(|generation| siblings.state.socket(generation))
    }

    /// Joins a tunnel.
    pub(crate) fn join(&self, routing_id: RoutingId, id: TunnelId) -> Option<Seat> {
        lock(&self.switchboard).join(routing_id, id, Instant::now()).map(|(_, seat)| seat)
    }

    /// Ends when the relay was made to drain or has handed over, and nothing
    /// is left, or the last have had their time.
    pub(crate) async fn drained(&self) {
        let draining = async {
            self.drain.reached(Stage::Draining).await;
            self.notice(Event::Draining { tunnels: self.tunnels.count() });
            timeout(self.limits.drain(), self.tunnels.nobody()).await
        };
        let handed_over = async {
            self.drain.reached(Stage::HandedOver).await;
            // Whoever was accepted before may still open a tunnel.
            timeout(self.limits.longest(), self.visits.nobody()).await
        };
        let left = tokio::select! {
            biased;
            left = draining => left,
            left = handed_over => left,
        };
        if left.is_err() {
            self.drain.advance(Stage::Overdue);
        }
    }

    /// Closes whatever is open.
    pub(crate) fn stop(&self) {
        // What is overdue already is being told so.
        if self.ending().is_none() {
            self.drain.advance(Stage::Stopped);
        }
    }

    /// Why a tunnel ends that the relay itself ends; `None` while it serves.
    pub(crate) fn ending(&self) -> Option<Ending> {
        match self.drain.stage() {
            Stage::Serving | Stage::HandedOver | Stage::Draining => None,
            Stage::Overdue => Some(Ending::Overdue),
            Stage::Stopped => Some(Ending::Stopping),
        }
    }

    /// Ends when the relay closes what is open.
    pub(crate) async fn stopping(&self) -> Ending {
        self.drain.reached(Stage::Overdue).await;
        self.ending().unwrap_or(Ending::Stopping)
    }
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// A panic elsewhere ends its own tunnel; the tables are whole after every
/// statement, so the others go on.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
