//! What of all that a radio hears is worth a trial, and in which order.
//!
//! A trial is one look with the code's key whether an advert is ours. Anybody
//! near can forge adverts, so trials are rationed, and the order in which they
//! are spent decides whether the true phone is found:
//!
//! 1. What was heard most often goes first.
//! 2. Among equals, the address that has come with the fewest different data.
//! 3. Then the newest.
//!
//! The first rule carries the weight, because nobody can talk without taking
//! time on the air. An advert of this length lasts 376 µs, so the one channel
//! that a radio listens to at a time carries at most about 2,600 a second. A
//! phone repeats its advert about ten times a second. So at most about 260
//! forgeries can be heard as often as the true one, whatever addresses they
//! claim, and 192 trials a second are through with them in 1.4 s. Who forges
//! new data each time is heard once with each, and is behind at the phone's
//! first repetition. The second rule finds the true one at once if all the
//! noise comes from one address, also if nobody repeats anything. The price of
//! a lead grows with every repetition: who owns the channel for himself, and
//! hoards repetitions before the phone comes, can stretch those 1.4 s to some
//! five. Nobody else is heard on such a channel anyway.
//!
//! What was tried once is never tried again: it was not ours under a key that
//! existed, and an advert that was made before a key cannot open under it.
//!
//! Nothing here waits. `now` is an argument.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::{Duration, Instant};

use cablecar_protocol::eid::{Advert, ServiceData};

use crate::defaults;

/// A device address, as it claims to be: 6 bytes.
pub type Address = [u8; 6];

/// What is sealed, and so all that a trial looks at. A suffix is not: who
/// varies it says nothing new.
type Content = [u8; Advert::LENGTH];

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// Try this.
    Try(ServiceData),
    /// There is something, but its turn comes then.
    NotBefore(Instant),
    /// There is nothing.
    Nothing,
}

/// Adverts that wait for their trial. Bounded, whatever is heard.
#[derive(Debug, Default)]
pub struct Sieve {
    known: HashMap<Content, Known>,
    /// The first is tried next.
    queue: BTreeMap<Rank, Content>,
    /// The first goes if there is no room.
    weakest: BTreeMap<Weakness, Content>,
    /// In the order of their trials. Whoever is forgotten costs one more.
    tried: VecDeque<Content>,
    /// How many different contents an address has come with.
    claims: HashMap<Address, u32>,
    arrivals: u64,
    pace: Pace,
}

#[derive(Debug)]
enum Known {
    Tried,
    Waiting { data: ServiceData, heard: u32, claim: u32, arrival: u64 },
}

/// The order of trials: heard (32 bits, most first), claim (32 bits, fewest
/// first), arrival (64 bits, newest first). One number, because it is compared
/// some thousand times for each millisecond of a flood.
type Rank = u128;

/// The order of leaving: heard (fewest first), arrival (oldest first).
type Weakness = u128;

fn rank(heard: u32, claim: u32, arrival: u64) -> Rank {
    u128::from(!heard) << 96 | u128::from(claim) << 64 | u128::from(!arrival)
}

fn weakness(heard: u32, arrival: u64) -> Weakness {
    u128::from(heard) << 64 | u128::from(arrival)
}

impl Sieve {
    /// Takes what the radio gave: service data of one of our UUIDs, and the
    /// address that it says it came from.
    pub fn hear(&mut self, address: Address, data: &[u8]) {
        let Some(&content) = data.first_chunk() else { return };
        if data.len() > defaults::LONGEST_SERVICE_DATA {
            return;
        }
        match self.known.entry(content) {
            Entry::Occupied(known) => {
                if let Known::Waiting { heard, claim, arrival, .. } = known.into_mut() {
                    self.queue.remove(&rank(*heard, *claim, *arrival));
                    self.weakest.remove(&weakness(*heard, *arrival));
                    *heard = heard.saturating_add(1);
                    self.queue.insert(rank(*heard, *claim, *arrival), content);
                    self.weakest.insert(weakness(*heard, *arrival), content);
                }
            }
            Entry::Vacant(unknown) => {
                let Some(data) = ServiceData::new(data) else { return };
                self.arrivals += 1;
                let (heard, claim, arrival) = (1, claim(&mut self.claims, address), self.arrivals);
                unknown.insert(Known::Waiting { data, heard, claim, arrival });
                self.queue.insert(rank(heard, claim, arrival), content);
                self.weakest.insert(weakness(heard, arrival), content);
                self.make_room();
            }
        }
    }

    fn make_room(&mut self) {
        if self.queue.len() <= defaults::MOST_WAITING {
            return;
        }
        let weakest = self.weakest.pop_first().and_then(|(_, content)| self.known.remove(&content));
        if let Some(Known::Waiting { heard, claim, arrival, .. }) = weakest {
            self.queue.remove(&rank(heard, claim, arrival));
        }
    }

    /// The next to try, if it is time. What it gives is gone.
    pub fn next(&mut self, now: Instant) -> Next {
        if self.queue.is_empty() {
            return Next::Nothing;
        }
        if let Err(turn) = self.pace.take(now) {
            return Next::NotBefore(turn);
        }
        let first = self.queue.pop_first();
        match first.and_then(|(_, content)| self.known.insert(content, Known::Tried).zip(Some(content))) {
            Some((Known::Waiting { data, heard, arrival, .. }, content)) => {
                self.weakest.remove(&weakness(heard, arrival));
                self.tried.push_back(content);
                if self.tried.len() > defaults::MOST_TRIED
                    && let Some(oldest) = self.tried.pop_front()
                {
                    self.known.remove(&oldest);
                }
                Next::Try(data)
            }
            _ => Next::Nothing,
        }
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }
}

/// One more claim of this address: how many that makes.
fn claim(claims: &mut HashMap<Address, u32>, address: Address) -> u32 {
    if claims.len() >= defaults::MOST_WAITING {
        // So many addresses are a flood of its own, in which who said what no
        // longer means anything.
        claims.clear();
    }
    let claims = claims.entry(address).or_default();
    *claims = claims.saturating_add(1);
    *claims
}

/// A few at once, then one at a time.
#[derive(Debug, Default)]
struct Pace {
    /// When as much time has passed as was used up.
    even: Option<Instant>,
}

impl Pace {
    /// Takes a turn, or says when there will be one.
    fn take(&mut self, now: Instant) -> Result<(), Instant> {
        let credit = defaults::TRIAL_GAP * (defaults::TRIALS_AT_ONCE - 1);
        let even = self.even.map_or(now, |even| even.max(now));
        let ahead = even.saturating_duration_since(now);
        if ahead > credit {
            return Err(now + (ahead - credit).max(Duration::from_micros(1)));
        }
        self.even = Some(even + defaults::TRIAL_GAP);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
