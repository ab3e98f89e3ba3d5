//! What all connections of a relay share, and the guards that put back what
//! one of them has taken.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use cablecar_protocol::ids::{RoutingId, TunnelId};
use tokio::sync::{mpsc, oneshot, watch};

use crate::config::{Limits, Proxy};
use crate::control::{Board, Snapshot};
use crate::meter::{Account, Arrival, Meter};
use crate::observer::{Ending, Event, Observer, Serial, Side};
use crate::refusal::Why;
use crate::source::Source;
use crate::switchboard::{Standing, Switchboard, Ticket};
use crate::tunnel::Party;

/// What whoever joins a tunnel needs in order to reach it.
pub(crate) type Seat = oneshot::Sender<Party>;

/// What all connections of one relay share.
pub(crate) struct Desk {
    pub(crate) limits: Limits,
    pub(crate) proxy: Proxy,
    /// Host names whose pages may connect, lower case.
    pub(crate) hosts: Vec<String>,
    pub(crate) routing_id: RoutingId,
    switchboard: Mutex<Switchboard<Seat>>,
    meter: Mutex<Meter>,
    observer: Box<dyn Observer>,
    pub(crate) board: Arc<Board>,
    /// Tunnels that are forgotten and not gone.
    closing: AtomicU64,
    /// Bytes that all tunnels hold.
    held: AtomicU64,
    stop: watch::Sender<bool>,
}

impl Desk {
    pub(crate) fn new(
        limits: Limits,
        proxy: Proxy,
        hosts: Vec<String>,
        routing_id: RoutingId,
        connections: u64,
        board: Arc<Board>,
        observer: Box<dyn Observer>,
    ) -> Self {
        let switchboard = Switchboard::new(routing_id, limits.waiting, limits.life);
        let meter = Meter::new(limits.per_source, connections);
        Self {
            limits,
            proxy,
            hosts,
            routing_id,
            switchboard: Mutex::new(switchboard),
            meter: Mutex::new(meter),
            observer,
            board,
            closing: AtomicU64::new(0),
            held: AtomicU64::new(0),
            stop: watch::Sender::new(false),
        }
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

    /// How things stand at this moment.
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
            draining: self.board.draining(),
            certificate_expiry: self.board.certificate_expiry(),
        }
    }

    /// Under which account a client is counted.
    fn account(&self, client: IpAddr) -> Account {
        let exempt = self.limits.exempt.iter().any(|network| network.contains(client));
        (!exempt).then(|| Source::of(client))
    }

    /// Counts a connection in; `None` to drop it at once. One that a proxy
    /// brings is counted against its source later, by [`Visit::introduce`].
    pub(crate) fn arrive(self: &Arc<Self>, peer: IpAddr, alive: &mpsc::Sender<()>) -> Option<Visit> {
        self.board.metrics.accepted();
        let account = if self.proxy.trusts(peer) { None } else { self.account(peer) };
        let (arrival, account) = lock(&self.meter).arrive(account, Instant::now());
        (arrival != Arrival::Drop).then(|| Visit {
            desk: Arc::clone(self),
            arrival,
            account,
            _alive: alive.clone(),
        })
    }

    /// Opens a tunnel for this visitor.
    pub(crate) fn open(self: &Arc<Self>, id: TunnelId, visit: &Visit) -> Result<Opened, Why> {
        if !lock(&self.meter).wait(visit.account) {
            return Err(Why::Throttled);
        }
        let wait = Wait { desk: Arc::clone(self), account: visit.account };
        let (seat, arriving) = oneshot::channel();
        let ticket = lock(&self.switchboard).open(id, seat, Instant::now()).map_err(|_| Why::Taken)?;
        self.notice_from(Event::Opened { tunnel: ticket.serial() }, visit.account);
        let open = Open { desk: Arc::clone(self), ticket };
        Ok(Opened { open, arriving, wait })
    }

    /// Joins a tunnel.
    pub(crate) fn join(&self, routing_id: RoutingId, id: TunnelId) -> Option<Seat> {
        lock(&self.switchboard).join(routing_id, id, Instant::now()).map(|(_, seat)| seat)
    }

    pub(crate) fn stop(&self) {
        self.stop.send_replace(true);
    }

    pub(crate) fn stopped(&self) -> bool {
        *self.stop.borrow()
    }

    /// Ends when the relay stops.
    pub(crate) async fn stopping(&self) {
        // The sender is ours, so it cannot be gone.
        let _ = self.stop.subscribe().wait_for(|stop| *stop).await;
    }
}

/// A tunnel of which only the entry exists: its party has yet to be told.
pub(crate) struct Opened {
    pub(crate) open: Open,
    pub(crate) arriving: oneshot::Receiver<Party>,
    pub(crate) wait: Wait,
}

/// An open tunnel. Dropped, it is closed: whatever happens to its first party
/// before, during or after the upgrade, the id becomes free.
pub(crate) struct Open {
    desk: Arc<Desk>,
    ticket: Ticket,
}

impl Open {
    pub(crate) fn serial(&self) -> Serial {
        self.ticket.serial()
    }

    pub(crate) fn standing(&self, now: Instant) -> Standing {
        lock(&self.desk.switchboard).standing(&self.ticket, now)
    }

    /// Forgets it: from here on its id is free. True the first time.
    pub(crate) fn forget(&mut self) -> bool {
        lock(&self.desk.switchboard).close(&self.ticket)
    }

    /// Forgets it and tells why. The first reason counts.
    pub(crate) fn close(&mut self, reason: Ending) {
        if self.forget() {
            self.told(reason, None);
        }
    }

    /// Tells why it ended, and how long after its second party came, if one did.
    pub(crate) fn told(&self, reason: Ending, lived: Option<Duration>) {
        self.desk.notice(Event::Closed { tunnel: self.ticket.serial(), reason, lived });
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let vanished = Ending::Vanished { side: Side::First };
        self.close(if self.desk.stopped() { Ending::Stopping } else { vanished });
    }
}

/// One connection, counted as long as this lives.
pub(crate) struct Visit {
    desk: Arc<Desk>,
    arrival: Arrival,
    account: Account,
    /// The relay waits for the last of these before it ends.
    _alive: mpsc::Sender<()>,
}

impl Visit {
    /// Says for whom a proxy has brought this connection. Once.
    pub(crate) fn introduce(&mut self, client: IpAddr) {
        let account = self.desk.account(client);
        (self.arrival, self.account) =
            lock(&self.desk.meter).introduce(self.arrival, account, Instant::now());
    }

    pub(crate) fn arrival(&self) -> Arrival {
        self.arrival
    }

    /// Whom it is counted against.
    pub(crate) fn account(&self) -> Account {
        self.account
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        lock(&self.desk.meter).leave(self.arrival, self.account);
    }
}

/// One waiting tunnel, counted as long as this lives.
pub(crate) struct Wait {
    desk: Arc<Desk>,
    account: Account,
}

impl Drop for Wait {
    fn drop(&mut self) {
        lock(&self.desk.meter).waited(self.account);
    }
}

/// What one tunnel holds, in the sum as long as this lives.
pub(crate) struct Share {
    desk: Arc<Desk>,
    bytes: usize,
}

impl Share {
    pub(crate) fn new(desk: &Arc<Desk>) -> Self {
        Self { desk: Arc::clone(desk), bytes: 0 }
    }

    /// The tunnel holds so much now. Mostly nothing, as before, which costs
    /// nothing.
    pub(crate) fn set(&mut self, bytes: usize) {
        if bytes != self.bytes {
            // Wraps when it shrinks, and the sum comes out right all the same.
            let change = wide(bytes).wrapping_sub(wide(self.bytes));
            self.desk.held.fetch_add(change, Ordering::Relaxed);
            self.bytes = bytes;
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.set(0);
    }
}

/// One tunnel that is forgotten and not gone, counted as long as this lives.
pub(crate) struct Closing(Arc<Desk>);

impl Closing {
    pub(crate) fn new(desk: &Arc<Desk>) -> Self {
        desk.closing.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(desk))
    }
}

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.closing.fetch_sub(1, Ordering::Relaxed);
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
