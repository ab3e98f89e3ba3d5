//! How much a source and a side may use. No sockets and no clock: `now` is an
//! argument, decisions come back.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::defaults;
use crate::observer::Fault;
use crate::source::Source;

/// What one source may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceLimits {
    /// Tunnels that wait for their second party.
    pub waiting: u32,
    /// Connections in all.
    pub total: u32,
    /// New connections a second.
    pub rate: u32,
    /// New connections at once before the rate binds.
    pub burst: u32,
}

/// Counts connections, in all and by source, in memory that does not grow
/// with the number of sources.
#[derive(Debug)]
pub struct Meter {
    limits: SourceLimits,
    connections_limit: u64,
    connections: u64,
    refusals: u32,
    max_sources: usize,
    sources: HashMap<Source, Tally>,
}

/// What to do with a connection that has just been accepted. Whatever is not
/// dropped must [`Meter::leave`] when it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// Serve it.
    Welcome,
    /// Tell it that its source asks too much, and when to come again.
    Throttled(Duration),
    /// Tell it that the relay is full.
    Full,
    /// Close it unread: too many like it are being told already.
    Drop,
}

/// Who is counted: a source, or nobody, for the named networks.
pub type Account = Option<Source>;

#[derive(Debug)]
struct Tally {
    open: u32,
    refusals: u32,
    waiting: u32,
    /// Connections that may come at once, in billionths; as of `at`.
    tokens: u64,
    at: Instant,
}

const TOKEN: u64 = 1_000_000_000;

impl Meter {
    /// Counts nothing yet.
    pub fn new(limits: SourceLimits, connections_limit: u64) -> Self {
        Self {
            limits,
            connections_limit,
            connections: 0,
            refusals: 0,
            max_sources: defaults::MAX_SOURCES,
            sources: HashMap::new(),
        }
    }

    /// A connection has been accepted. Gives the account under which it is
    /// counted from now on beside the decision.
    pub fn arrive(&mut self, account: Account, now: Instant) -> (Arrival, Account) {
        let limits = self.limits;
        let account = account.map(|source| self.room_for(source, now));
        let full = self.connections >= self.connections_limit;
        let Some(source) = account else {
            return (if full { self.refuse() } else { self.welcome() }, None);
        };
        let tally = self.sources.entry(source).or_insert_with(|| Tally::new(&limits, now));
        if full {
            return match self.refuse() {
                Arrival::Drop => (Arrival::Drop, None),
                // Counted in all, and not against the source, whose fault it is not.
                other => (other, None),
            };
        }
        match tally.arrive(&limits, now) {
            Arrival::Drop => (Arrival::Drop, None),
            arrival => {
                self.connections += 1;
                (arrival, account)
            }
        }
    }

    /// A connection that arrived without an account, because a proxy brought
    /// it, turns out to come from this one. Gives what it is from now on, and
    /// under which account it is counted; [`Arrival::Drop`] has left already.
    pub fn introduce(&mut self, arrival: Arrival, account: Account, now: Instant) -> (Arrival, Account) {
        let (Arrival::Welcome, Some(source)) = (arrival, account) else { return (arrival, None) };
        let (limits, source) = (self.limits, self.room_for(source, now));
        let tally = self.sources.entry(source).or_insert_with(|| Tally::new(&limits, now));
        match tally.arrive(&limits, now) {
            Arrival::Drop => {
                self.leave(arrival, None);
                (Arrival::Drop, None)
            }
            arrival => (arrival, Some(source)),
        }
    }

    /// A connection has ended that arrived with this decision and account.
    pub fn leave(&mut self, arrival: Arrival, account: Account) {
        let tally = account.and_then(|source| self.sources.get_mut(&source));
        match arrival {
            Arrival::Drop => {}
            Arrival::Full => self.refusals = self.refusals.saturating_sub(1),
            Arrival::Welcome => {
                self.connections = self.connections.saturating_sub(1);
                if let Some(tally) = tally {
                    tally.open = tally.open.saturating_sub(1);
                }
            }
            Arrival::Throttled(_) => {
                self.connections = self.connections.saturating_sub(1);
                if let Some(tally) = tally {
                    tally.refusals = tally.refusals.saturating_sub(1);
                }
            }
        }
    }

    /// Whether one more tunnel may wait; if so it counts until
    /// [`Meter::waited`].
    pub fn wait(&mut self, account: Account) -> bool {
        let Some(tally) = account.and_then(|source| self.sources.get_mut(&source)) else {
            return true;
        };
        let may = tally.waiting < self.limits.waiting;
        tally.waiting += u32::from(may);
        may
    }

    /// A tunnel waits no longer.
    pub fn waited(&mut self, account: Account) {
        if let Some(tally) = account.and_then(|source| self.sources.get_mut(&source)) {
            tally.waiting = tally.waiting.saturating_sub(1);
        }
    }

    /// How many connections are open, those that are only told why they are
    /// refused among them.
    pub fn connections(&self) -> u64 {
        self.connections.saturating_add(u64::from(self.refusals))
    }

    /// How many may be open.
    pub fn connections_limit(&self) -> u64 {
        self.connections_limit
    }

    fn welcome(&mut self) -> Arrival {
        self.connections += 1;
        Arrival::Welcome
    }

    fn refuse(&mut self) -> Arrival {
        if self.refusals >= defaults::REFUSALS_IN_ALL {
            return Arrival::Drop;
        }
        self.refusals += 1;
        Arrival::Full
    }

    /// The source itself while there is room to count it, else the crowd.
    fn room_for(&mut self, source: Source, now: Instant) -> Source {
        if self.sources.len() < self.max_sources || self.sources.contains_key(&source) {
            return source;
        }
        let limits = self.limits;
        self.sources.retain(|_, tally| tally.matters(&limits, now));
        if self.sources.len() < self.max_sources { source } else { Source::crowd() }
    }
}

impl Tally {
    fn new(limits: &SourceLimits, now: Instant) -> Self {
        Self { open: 0, refusals: 0, waiting: 0, tokens: u64::from(limits.burst) * TOKEN, at: now }
    }

    /// Counts one more connection of this source.
    fn arrive(&mut self, limits: &SourceLimits, now: Instant) -> Arrival {
        self.refill(limits, now);
        if self.open < limits.total && self.tokens >= TOKEN {
            self.tokens -= TOKEN;
            self.open += 1;
            Arrival::Welcome
        } else if self.refusals < defaults::REFUSALS_PER_SOURCE {
            self.refusals += 1;
            Arrival::Throttled(self.until_token(limits))
        } else {
            Arrival::Drop
        }
    }

    fn refill(&mut self, limits: &SourceLimits, now: Instant) {
        let elapsed = now.saturating_duration_since(self.at);
        let gained = elapsed.as_nanos().saturating_mul(u128::from(limits.rate));
        let full = u64::from(limits.burst) * TOKEN;
        self.tokens = self.tokens.saturating_add(u64::try_from(gained).unwrap_or(u64::MAX)).min(full);
        self.at = self.at.max(now);
    }

    fn until_token(&self, limits: &SourceLimits) -> Duration {
        let missing = TOKEN.saturating_sub(self.tokens);
        Duration::from_nanos(missing.checked_div(u64::from(limits.rate)).unwrap_or(TOKEN))
    }

    /// Whether forgetting it would give its source anything.
    fn matters(&mut self, limits: &SourceLimits, now: Instant) -> bool {
        self.refill(limits, now);
        self.open > 0 || self.refusals > 0 || self.tokens < u64::from(limits.burst) * TOKEN
    }
}

/// What one side of a tunnel may still send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    messages: u32,
    bytes: u64,
}

impl Allowance {
    /// All of it.
    pub const fn new(messages: u32, bytes: u64) -> Self {
        Self { messages, bytes }
    }

    /// Takes one message of this length out of it.
    ///
    /// # Errors
    /// The [`Fault`] of a side that sends beyond it.
    pub fn spend(&mut self, length: usize) -> Result<(), Fault> {
        self.messages = self.messages.checked_sub(1).ok_or(Fault::TooManyMessages)?;
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        self.bytes = self.bytes.checked_sub(length).ok_or(Fault::TooManyBytes)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
