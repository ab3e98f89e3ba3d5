//! Who waits, who may join, who has expired. No sockets and no clock: every
//! method takes `now` and returns a decision.
//!
//! ```text
//!            open                     join
//!   free ----------> waiting until ----------> paired until
//!    ^                    |                         |
//!    +--------------------+------ close ------------+
//! ```
//!
//! A tunnel is forgotten at its first close and its id is free at once. What
//! was opened is closed by [`Ticket`], which names this very tunnel: the
//! belated end of an old one cannot remove a newer one of the same id.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::{Duration, Instant};

use cablecar_protocol::ids::{RoutingId, TunnelId};

use crate::observer::Serial;

/// The tunnels of one process. `Seat` is what the joining party takes away in
/// order to reach the first one.
#[derive(Debug)]
pub struct Switchboard<Seat> {
    routing_id: RoutingId,
    waiting: Duration,
    life: Duration,
    tunnels: HashMap<TunnelId, Tunnel<Seat>>,
    opened: u64,
    /// How many of the tunnels somebody has joined.
    paired: usize,
}

/// Proof of having opened a tunnel; closes it and no other.
#[derive(Debug, PartialEq, Eq)]
pub struct Ticket {
    id: TunnelId,
    serial: Serial,
}

impl Ticket {
    /// The number of this tunnel in this process.
    pub fn serial(&self) -> Serial {
        self.serial
    }
}

/// A tunnel of this id lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken;

/// How an opened tunnel stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nobody has joined, and may until then.
    Waiting(Instant),
    /// Somebody has joined; it may live until then.
    Paired(Instant),
    /// Nobody joined in time.
    NobodyCame,
    /// It has lived as long as it may.
    LifeOver,
    /// It was closed before.
    Forgotten,
}

#[derive(Debug)]
struct Tunnel<Seat> {
    serial: Serial,
    until: Instant,
    /// Taken away by whoever joins: the first, for there is one seat.
    seat: Option<Seat>,
}

impl<Seat> Switchboard<Seat> {
    /// A switchboard without tunnels, that answers to this routing id.
    pub fn new(routing_id: RoutingId, waiting: Duration, life: Duration) -> Self {
        Self { routing_id, waiting, life, tunnels: HashMap::new(), opened: 0, paired: 0 }
    }

    /// The routing id of this process.
    pub fn routing_id(&self) -> RoutingId {
        self.routing_id
    }

    /// Opens a tunnel. Expired ones that nobody has closed yet still live:
    /// their party has not been told.
    ///
    /// # Errors
    /// [`Taken`] if the id has a tunnel; that one stays as it is.
    pub fn open(&mut self, id: TunnelId, seat: Seat, now: Instant) -> Result<Ticket, Taken> {
        match self.tunnels.entry(id) {
            Entry::Occupied(_) => Err(Taken),
            Entry::Vacant(free) => {
                self.opened += 1;
                let serial = Serial(self.opened);
                free.insert(Tunnel { serial, until: now + self.waiting, seat: Some(seat) });
                Ok(Ticket { id, serial })
            }
        }
    }

    /// Joins a tunnel and starts its second life. `None` for an unknown
    /// tunnel, a foreign routing id, one that somebody has joined, and one
    /// that has expired: the same answer after the same work.
    pub fn join(&mut self, routing_id: RoutingId, id: TunnelId, now: Instant) -> Option<(Serial, Seat)> {
        let tunnel = self.tunnels.get_mut(&id);
        let ours = routing_id == self.routing_id;
        let tunnel = tunnel.filter(|tunnel| ours && now < tunnel.until)?;
        let seat = tunnel.seat.take()?;
        tunnel.until = now + self.life;
        self.paired += 1;
        Some((tunnel.serial, seat))
    }

    /// How the tunnel of this ticket stands.
    pub fn standing(&self, ticket: &Ticket, now: Instant) -> Standing {
        match self.tunnels.get(&ticket.id).filter(|tunnel| tunnel.serial == ticket.serial) {
            None => Standing::Forgotten,
            Some(Tunnel { until, seat: Some(_), .. }) if now < *until => Standing::Waiting(*until),
            Some(Tunnel { until, seat: None, .. }) if now < *until => Standing::Paired(*until),
            Some(Tunnel { seat: Some(_), .. }) => Standing::NobodyCame,
            Some(Tunnel { seat: None, .. }) => Standing::LifeOver,
        }
    }

    /// Forgets the tunnel of this ticket. `false` if that had happened; a
    /// newer tunnel of the same id stays.
    pub fn close(&mut self, ticket: &Ticket) -> bool {
        match self.tunnels.entry(ticket.id) {
            Entry::Occupied(tunnel) if tunnel.get().serial == ticket.serial => {
                if tunnel.remove().seat.is_none() {
                    self.paired = self.paired.saturating_sub(1);
                }
                true
            }
            _ => false,
        }
    }

    /// How many tunnels live.
    pub fn len(&self) -> usize {
        self.tunnels.len()
    }

    /// How many of them somebody has joined.
    pub fn paired(&self) -> usize {
        self.paired
    }

    /// Whether no tunnel lives.
    pub fn is_empty(&self) -> bool {
        self.tunnels.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: RoutingId = RoutingId::new([0, 1, 2]);
    const FOREIGN: RoutingId = RoutingId::new([0, 1, 3]);
    const ID: TunnelId = TunnelId::new([7; 16]);
    const OTHER: TunnelId = TunnelId::new([8; 16]);
    const SECOND: Duration = Duration::from_secs(1);

    fn board() -> (Switchboard<&'static str>, Instant) {
        (Switchboard::new(OURS, 90 * SECOND, 180 * SECOND), Instant::now())
    }

    #[test]
    fn the_first_to_connect_takes_the_seat() {
        let (mut board, now) = board();
        let ticket = board.open(ID, "seat", now).unwrap();
        assert_eq!(board.join(OURS, ID, now), Some((ticket.serial(), "seat")));
        assert_eq!(board.join(OURS, ID, now), None);
        assert_eq!(board.standing(&ticket, now), Standing::Paired(now + 180 * SECOND));
    }

    #[test]
    fn unknown_foreign_and_expired_are_one_answer() {
        let (mut board, now) = board();
        let ticket = board.open(ID, "seat", now).unwrap();
        assert_eq!(board.join(OURS, OTHER, now), None);
        assert_eq!(board.join(FOREIGN, ID, now), None);
        assert_eq!(board.join(OURS, ID, now + 90 * SECOND), None);
        // and none of them changed anything
        assert_eq!(board.standing(&ticket, now), Standing::Waiting(now + 90 * SECOND));
        assert!(board.join(OURS, ID, now + 89 * SECOND).is_some());
    }

    #[test]
    fn a_live_id_is_taken_in_both_of_its_lives() {
        let (mut board, now) = board();
        board.open(ID, "seat", now).unwrap();
        assert_eq!(board.open(ID, "squatter", now), Err(Taken));
        assert_eq!(board.join(OURS, ID, now).map(|(_, seat)| seat), Some("seat"));
        assert_eq!(board.open(ID, "squatter", now), Err(Taken));
    }

    #[test]
    fn an_old_ticket_does_not_close_a_newer_tunnel() {
        let (mut board, now) = board();
        let old = board.open(ID, "old", now).unwrap();
        assert!(board.close(&old));
        let new = board.open(ID, "new", now).unwrap();
        assert!(!board.close(&old));
        assert_eq!(board.standing(&old, now), Standing::Forgotten);
        assert_eq!(board.join(OURS, ID, now), Some((new.serial(), "new")));
        assert!(board.close(&new) && board.is_empty());
    }

    #[test]
    fn each_life_ends_at_its_own_time() {
        let (mut board, now) = board();
        let ticket = board.open(ID, "seat", now).unwrap();
        assert_eq!(board.standing(&ticket, now + 90 * SECOND), Standing::NobodyCame);
        let joined = now + 60 * SECOND;
        assert!(board.join(OURS, ID, joined).is_some());
        assert_eq!(board.standing(&ticket, now + 90 * SECOND), Standing::Paired(joined + 180 * SECOND));
        assert_eq!(board.standing(&ticket, joined + 180 * SECOND), Standing::LifeOver);
        assert_eq!(board.len(), 1);
    }

    #[test]
    fn who_has_been_joined_is_counted_until_the_close() {
        let (mut board, now) = board();
        let (ticket, other) = (board.open(ID, "", now).unwrap(), board.open(OTHER, "", now).unwrap());
        assert_eq!((board.len(), board.paired()), (2, 0));
        assert!(board.join(OURS, ID, now).is_some() && board.join(OURS, ID, now).is_none());
        assert_eq!((board.len(), board.paired()), (2, 1));
        assert!(board.close(&other));
        assert_eq!((board.len(), board.paired()), (1, 1));
        assert!(board.close(&ticket) && !board.close(&ticket));
        assert_eq!((board.len(), board.paired()), (0, 0));
    }
}
