//! What puts back, when dropped, what a connection has taken.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::{Desk, lock, wide};
use crate::meter::{Account, Arrival};
use crate::observer::{Ending, Event, Serial, Side};
use crate::switchboard::{Standing, Ticket};
use crate::tunnel::Party;

/// A tunnel of which only the entry exists: its party has yet to be told.
pub(crate) struct Opened {
    pub(crate) open: Open,
    pub(crate) arriving: oneshot::Receiver<Box<Party>>,
    pub(crate) wait: Wait,
}

/// An open tunnel. Dropped, it is closed: whatever happens to its first party
/// before, during or after the upgrade, the id becomes free.
pub(crate) struct Open {
    pub(super) desk: Arc<Desk>,
    pub(super) ticket: Ticket,
    pub(super) _here: Here,
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
        self.close(self.desk.ending().unwrap_or(vanished));
    }
}

/// One tunnel, counted as long as this lives.
pub(crate) struct Here(Arc<Desk>);

impl Here {
    pub(crate) fn new(desk: &Arc<Desk>) -> Self {
        desk.tunnels.enter();
        Self(Arc::clone(desk))
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        self.0.tunnels.leave();
    }
}

/// One connection, counted as long as this lives.
pub(crate) struct Visit {
    pub(super) desk: Arc<Desk>,
    pub(super) arrival: Arrival,
    pub(super) account: Account,
}

impl Visit {
    /// Whom it is counted against.
    pub(crate) fn account(&self) -> Account {
        self.account
    }

    /// Says for whom a proxy has brought this connection. Once.
    pub(crate) fn introduce(&mut self, client: IpAddr) {
        let account = self.desk.account(client);
        (self.arrival, self.account) =
            lock(&self.desk.meter).introduce(self.arrival, account, Instant::now());
    }

    pub(crate) fn arrival(&self) -> Arrival {
        self.arrival
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        lock(&self.desk.meter).leave(self.arrival, self.account);
        self.desk.visits.leave();
    }
}

/// One waiting tunnel, counted as long as this lives.
pub(crate) struct Wait {
    pub(super) desk: Arc<Desk>,
    pub(super) account: Account,
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
