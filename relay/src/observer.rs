//! What the relay tells whoever watches it: that something happened, how
//! large it was, and never to whom.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::address::Address;
use crate::refusal::Why;
use crate::source::Source;
#[cfg(unix)]
use crate::upgrade::NotUpgraded;

/// Watches a relay. One way: it cannot fail, and must not block, for it is
/// called where the bytes flow.
pub trait Observer: Send + Sync + 'static {
    /// Something happened.
    fn notice(&self, event: Event);

    /// The same, where somebody's connection was the cause and their source is
    /// being counted. Whoever does not need that does not get it.
    fn notice_from(&self, event: Event, _from: Option<Source>) {
        self.notice(event);
    }
}

impl<F: Fn(Event) + Send + Sync + 'static> Observer for F {
    fn notice(&self, event: Event) {
        self(event);
    }
}

/// Looks away.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn notice(&self, _: Event) {}
}

/// The how-manieth tunnel of this process; says nothing to anybody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Serial(pub u64);

/// One of the two parties of a tunnel, in the order in which they came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// Opened the tunnel.
    First,
    /// Joined it.
    Second,
}

impl Side {
    /// The other one.
    pub const fn other(self) -> Self {
        match self {
            Side::First => Side::Second,
            Side::Second => Side::First,
        }
    }
}

impl Side {
    /// Its name in logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Side::First => "first",
            Side::Second => "second",
        }
    }
}

/// Something that happened. There are no identifiers and no addresses of
/// others in here, so there are none in any log made of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Event {
    /// The relay accepts connections at this address of its own.
    Listening {
        /// The bound address, with the port that was really taken.
        addr: Address,
    },
    /// Somebody opened a tunnel.
    Opened {
        /// Which.
        tunnel: Serial,
    },
    /// The second party joined.
    Joined {
        /// Which.
        tunnel: Serial,
        /// How long the first party waited. For sums alone: the time of a
        /// single tunnel is not told to anybody.
        #[serde(skip)]
        waited: Duration,
    },
    /// One message went through.
    Forwarded {
        /// Which.
        tunnel: Serial,
        /// Who sent it.
        from: Side,
        /// Its length.
        bytes: usize,
    },
    /// A tunnel ended, and is forgotten.
    Closed {
        /// Which.
        tunnel: Serial,
        /// Why.
        reason: Ending,
        /// How long ago the second party had joined, if one had. For sums alone.
        #[serde(skip)]
        lived: Option<Duration>,
    },
    /// Somebody was sent away.
    Refused {
        /// The HTTP status; absent where the connection ended without one.
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
        /// Why.
        why: Why,
    },
    /// Connections cannot be accepted at present, mostly for want of
    /// descriptors. At most once a second.
    Struggling {
        /// Failures since the last time this was said.
        failures: u64,
    },
    /// No tunnel is opened any more; the relay ends with the last.
    Draining {
        /// How many there are.
        tunnels: u64,
    },
    /// Another process accepts from here on; what is open goes on here.
    #[cfg(unix)]
    HandedOver {
        /// Its number.
        process: u32,
    },
    /// Somebody asked for an upgrade, and everything stays as it is.
    #[cfg(unix)]
    NotUpgraded {
        /// Why.
        why: NotUpgraded,
    },
    /// The files have been read again, and new connections go by them.
    Reloaded,
    /// The files have been read again, something is wrong with them, and
    /// everything stays as it was.
    NotReloaded {
        /// The stable name of the cause.
        error: &'static str,
        /// What it was.
        reason: String,
    },
    /// The relay stops; what is open is being closed.
    Stopping,
}

/// Why a tunnel ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Ending {
    /// A side said that it was done.
    Closed {
        /// Which.
        by: Side,
    },
    /// A side was gone without a word.
    Vanished {
        /// Which.
        side: Side,
    },
    /// A side broke a rule.
    Fault {
        /// Which.
        side: Side,
        /// The rule.
        fault: Fault,
    },
    /// A side took nothing for too long.
    Stuck {
        /// Which.
        side: Side,
    },
    /// Nobody joined in time.
    NobodyCame,
    /// It lived as long as it may.
    LifeOver,
    /// The relay drained, and this one took longer than that may take.
    Overdue,
    /// The relay stops.
    Stopping,
}

/// Which rule a side broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Fault {
    /// A text message.
    NotBinary,
    /// A message without content.
    Empty,
    /// Not the websocket protocol.
    Protocol,
    /// A message over the limit.
    TooBig,
    /// More messages than a side may send.
    TooManyMessages,
    /// More bytes than a side may send.
    TooManyBytes,
}

/// In a few words, for a log.
impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ending::Closed { by } => write!(f, "closed by the {}", by.name()),
            Ending::Vanished { side } => write!(f, "the {} vanished", side.name()),
            Ending::Fault { side, fault } => write!(f, "the {} broke a rule: {fault:?}", side.name()),
            Ending::Stuck { side } => write!(f, "the {} took nothing", side.name()),
            Ending::NobodyCame => f.write_str("nobody came"),
            Ending::LifeOver => f.write_str("life over"),
            Ending::Overdue => f.write_str("the relay drained for as long as it may"),
            Ending::Stopping => f.write_str("the relay stops"),
        }
    }
}
