//! A relay in memory, and whoever sits in it: it carries every message to a
//! [`Meddler`] first, which may change, drop, repeat, delay, swap or invent.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use cablecar::error::Error as ComputerError;
use cablecar_phone::error::Error as PhoneError;
use cablecar_protocol::ids::{RoutingId, TunnelId};
use cablecar_protocol::tunnel::{Dial, Route};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Who sends a message, and who is to get one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Party {
    /// The client platform.
    Computer,
    /// The authenticator.
    Phone,
}

/// Decides what becomes of a message: what is to be delivered now, in order,
/// and to whom.
pub trait Meddler: Send {
    /// `nth` counts the messages of this sender from 0.
    fn carry(&mut self, from: Party, nth: usize, message: Vec<u8>) -> Vec<(Party, Vec<u8>)>;
}

/// The other party.
impl Party {
    /// The one at the far end.
    pub fn other(self) -> Self {
        match self {
            Party::Computer => Party::Phone,
            Party::Phone => Party::Computer,
        }
    }
}

impl<F: FnMut(Party, usize, Vec<u8>) -> Vec<(Party, Vec<u8>)> + Send> Meddler for F {
    fn carry(&mut self, from: Party, nth: usize, message: Vec<u8>) -> Vec<(Party, Vec<u8>)> {
        self(from, nth, message)
    }
}

/// Carries everything as it is.
pub fn honest() -> impl Meddler {
    |from: Party, _: usize, message: Vec<u8>| vec![(from.other(), message)]
}

/// One message that somebody gave to the relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    /// Who.
    pub from: Party,
    /// What.
    pub message: Vec<u8>,
}

/// A tunnel service in memory. Clones are the same one.
#[derive(Clone)]
pub struct Relay(Arc<Mutex<Inner>>);

struct Inner {
    tunnels: HashMap<TunnelId, Arc<Mutex<Tunnel>>>,
    meddler: Arc<Mutex<dyn Meddler>>,
    carried: Vec<Carried>,
    joined: usize,
    routing_id: RoutingId,
}

/// One tunnel: the ways to its two parties, while they are there.
#[derive(Default)]
struct Tunnel {
    to_computer: Option<UnboundedSender<Vec<u8>>>,
    to_phone: Option<UnboundedSender<Vec<u8>>>,
    /// Messages for a computer that has not come yet.
    early: Vec<Vec<u8>>,
    sent: [usize; 2],
}

impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Relay(..)")
    }
}

impl Relay {
    /// A relay with somebody in it.
    pub fn with(meddler: impl Meddler + 'static) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            tunnels: HashMap::new(),
            meddler: Arc::new(Mutex::new(meddler)),
            carried: Vec::new(),
            joined: 0,
            routing_id: RoutingId::new([0xa1, 0xb2, 0xc3]),
        })))
    }

    /// All that was ever given to it, in order.
    pub fn carried(&self) -> Vec<Carried> {
        self.0.lock().unwrap().carried.clone()
    }

    /// How many computers ever joined a tunnel here.
    pub fn joined(&self) -> usize {
        self.0.lock().unwrap().joined
    }

    /// The computer's way in.
    pub fn for_computers(&self) -> ComputerDialer {
        ComputerDialer(self.clone())
    }

    /// The phone's way in.
    pub fn for_phones(&self) -> PhoneDialer {
        PhoneDialer(self.clone())
    }

    fn line(&self, tunnel: Arc<Mutex<Tunnel>>, party: Party) -> Line {
        let (to_us, inbox) = unbounded_channel();
        {
            let mut tunnel = tunnel.lock().unwrap();
            match party {
                Party::Computer => {
                    for message in std::mem::take(&mut tunnel.early) {
                        let _ = to_us.send(message);
                    }
                    tunnel.to_computer = Some(to_us);
                }
                Party::Phone => tunnel.to_phone = Some(to_us),
            }
        }
        Line { relay: self.clone(), tunnel, party, inbox }
    }
}

/// One party's end of a tunnel.
pub struct Line {
    relay: Relay,
    tunnel: Arc<Mutex<Tunnel>>,
    party: Party,
    inbox: UnboundedReceiver<Vec<u8>>,
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Line({:?})", self.party)
    }
}

impl Line {
    fn give(&self, message: Vec<u8>) {
        let meddler = {
            let mut relay = self.relay.0.lock().unwrap();
            relay.carried.push(Carried { from: self.party, message: message.clone() });
            Arc::clone(&relay.meddler)
        };
        let mut tunnel = self.tunnel.lock().unwrap();
        let slot = usize::from(self.party == Party::Phone);
        let nth = tunnel.sent[slot];
        tunnel.sent[slot] += 1;
        for (to, message) in meddler.lock().unwrap().carry(self.party, nth, message) {
            match (to, &tunnel.to_computer, &tunnel.to_phone) {
                (Party::Computer, Some(computer), _) => drop(computer.send(message)),
                (Party::Computer, None, _) => tunnel.early.push(message),
                (Party::Phone, _, Some(phone)) => drop(phone.send(message)),
                (Party::Phone, _, None) => {}
            }
        }
    }
}

/// A relay ends a tunnel when either party leaves.
impl Drop for Line {
    fn drop(&mut self) {
        let mut tunnel = self.tunnel.lock().unwrap();
        (tunnel.to_computer, tunnel.to_phone) = (None, None);
    }
}

impl cablecar::tunnel::Line for Line {
    async fn send(&mut self, message: Vec<u8>) -> Result<(), ComputerError> {
        self.give(message);
        Ok(())
    }

    async fn receive(&mut self) -> Result<Option<Vec<u8>>, ComputerError> {
        Ok(self.inbox.recv().await)
    }

    async fn close(self) {}
}

impl cablecar_phone::transaction::Line for Line {
    async fn send(&mut self, message: Vec<u8>) -> Result<(), PhoneError> {
        self.give(message);
        Ok(())
    }

    async fn receive(&mut self) -> Result<Option<Vec<u8>>, PhoneError> {
        Ok(self.inbox.recv().await)
    }

    async fn close(self) {}
}

/// Joins tunnels.
#[derive(Debug, Clone)]
pub struct ComputerDialer(Relay);

impl cablecar::tunnel::Dialer for ComputerDialer {
    type Line = Line;

    async fn dial(&self, dial: &Dial) -> Result<Line, ComputerError> {
        let not_found = || ComputerError::RelayNotFound { host: "relay in memory".into() };
        let Route::Connect(routing, tunnel) = &dial.route else { return Err(not_found()) };
        let tunnel = {
            let mut relay = self.0.0.lock().unwrap();
            relay.joined += 1;
            if *routing != relay.routing_id {
                return Err(not_found());
            }
            relay.tunnels.get(tunnel).cloned().ok_or_else(not_found)?
        };
        {
            let tunnel = tunnel.lock().unwrap();
            if tunnel.to_computer.is_some() || tunnel.to_phone.is_none() {
                return Err(not_found());
            }
        }
        Ok(self.0.line(tunnel, Party::Computer))
    }
}

/// Opens tunnels.
#[derive(Debug, Clone)]
pub struct PhoneDialer(Relay);

impl cablecar_phone::transaction::Dialer for PhoneDialer {
    type Line = Line;

    async fn open(&mut self, dial: &Dial) -> Result<(Line, RoutingId), PhoneError> {
        let Route::New(id) = &dial.route else { panic!("a phone opens tunnels, it does not join them") };
        let (tunnel, routing) = {
            let mut relay = self.0.0.lock().unwrap();
            let free = relay.tunnels.get(id).is_none_or(|old| old.lock().unwrap().to_phone.is_none());
            if !free {
                return Err(PhoneError::CodeInUse);
            }
            let tunnel = Arc::new(Mutex::new(Tunnel::default()));
            relay.tunnels.insert(*id, Arc::clone(&tunnel));
            (tunnel, relay.routing_id)
        };
        Ok((self.0.line(tunnel, Party::Phone), routing))
    }
}
