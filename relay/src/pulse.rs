//! Whether a side is still there: does it answer, does it take what it is
//! sent. No clock: `now` is an argument.

use std::time::{Duration, Instant};

use crate::defaults;

/// Asks a side from time to time and counts the silences. Any byte is an
/// answer, so neither pongs nor their contents have to be looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pulse {
    every: Duration,
    allowed: u32,
    next: Instant,
    missed: u32,
    seen: u64,
    /// Nothing has been asked yet, so silence means nothing.
    asked: bool,
}

/// What a [`Pulse`] wants when its time has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beat {
    /// Not yet.
    Rest,
    /// Send a ping.
    Ask,
    /// Too many went unanswered.
    Gone,
}

impl Pulse {
    pub(crate) fn new(every: Duration, allowed: u32, now: Instant) -> Self {
        Self { every, allowed, next: now + every, missed: 0, seen: 0, asked: false }
    }

    /// When to call [`Pulse::beat`] next.
    pub(crate) fn next(&self) -> Instant {
        self.next
    }

    /// `received` counts all bytes that ever came; `listening` is false while
    /// we ourselves do not read, when silence is not the side's doing.
    pub(crate) fn beat(&mut self, received: u64, listening: bool, now: Instant) -> Beat {
        if now < self.next {
            return Beat::Rest;
        }
        self.next = now + self.every;
        if received != self.seen || !listening || !self.asked {
            self.missed = 0;
        } else {
            self.missed += 1;
        }
        self.seen = received;
        self.asked = true;
        if self.missed >= self.allowed { Beat::Gone } else { Beat::Ask }
    }
}

/// Bears with a side that does not take what it is sent, for a while.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    lasts: Duration,
    since: Option<(Instant, u64)>,
}

impl Patience {
    pub(crate) const fn new(lasts: Duration) -> Self {
        Self { lasts, since: None }
    }

    /// `full` says that something is ready and was not taken; `sent` counts
    /// all bytes that ever were. Gives the moment at which patience ends.
    pub(crate) fn watch(&mut self, full: bool, sent: u64, now: Instant) -> Option<Instant> {
        self.since = match self.since {
            _ if !full => None,
            Some((since, at)) if at == sent => Some((since, at)),
            _ => Some((now, sent)),
        };
        self.since.map(|(since, _)| since + self.lasts)
    }
}

/// Bears with a message that takes its time, for a while; and for longer the
/// more of it comes, so that a slow network is borne and a drip is not.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Haste {
    lasts: Duration,
    /// When the message began, and after how many bytes.
    since: Option<(Instant, u64)>,
}

impl Haste {
    pub(crate) const fn new(lasts: Duration) -> Self {
        Self { lasts, since: None }
    }

    /// `whole` counts the bytes of all that is finished, and `received` all
    /// that ever came. Gives the moment at which the message must be whole.
    pub(crate) fn watch(&mut self, whole: u64, received: u64, now: Instant) -> Option<Instant> {
        self.since = match self.since {
            _ if received <= whole => None,
            Some((since, at)) if at == whole => Some((since, at)),
            _ => Some((now, whole)),
        };
        let (since, at) = self.since?;
        Some(since + self.lasts + Duration::from_secs((received - at) / defaults::SLOWEST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn two_unanswered_pings_are_the_end() {
        let start = Instant::now();
        let mut pulse = Pulse::new(20 * SECOND, 2, start);
        assert_eq!(pulse.beat(0, true, start + 19 * SECOND), Beat::Rest);
        assert_eq!(pulse.beat(0, true, start + 20 * SECOND), Beat::Ask);
        assert_eq!(pulse.beat(0, true, start + 40 * SECOND), Beat::Ask);
        assert_eq!(pulse.beat(0, true, start + 60 * SECOND), Beat::Gone);
    }

    #[test]
    fn any_byte_is_an_answer() {
        let start = Instant::now();
        let mut pulse = Pulse::new(20 * SECOND, 2, start);
        for n in 1..10 {
            // answers every second ping only
            assert_eq!(pulse.beat(u64::from(n / 2), true, start + 20 * n * SECOND), Beat::Ask, "{n}");
        }
    }

    #[test]
    fn a_side_that_is_not_read_is_not_silent() {
        let start = Instant::now();
        let mut pulse = Pulse::new(20 * SECOND, 2, start);
        for n in 1..10 {
            assert_eq!(pulse.beat(0, false, start + 20 * n * SECOND), Beat::Ask);
        }
    }

    #[test]
    fn patience_starts_again_with_every_byte_taken() {
        let start = Instant::now();
        let mut patience = Patience::new(10 * SECOND);
        assert_eq!(patience.watch(false, 0, start), None);
        assert_eq!(patience.watch(true, 5, start), Some(start + 10 * SECOND));
        assert_eq!(patience.watch(true, 5, start + 9 * SECOND), Some(start + 10 * SECOND));
        assert_eq!(patience.watch(true, 6, start + 9 * SECOND), Some(start + 19 * SECOND));
        assert_eq!(patience.watch(false, 6, start + 18 * SECOND), None);
        assert_eq!(patience.watch(true, 6, start + 20 * SECOND), Some(start + 30 * SECOND));
    }

    #[test]
    fn a_drip_is_not_borne_and_a_slow_network_is() {
        let start = Instant::now();
        let (mut drip, mut slow) = (Haste::new(10 * SECOND), Haste::new(10 * SECOND));
        assert_eq!(drip.watch(500, 500, start), None);
        for n in 0..20 {
            let now = start + SECOND * n;
            let (dripped, came) = (500 + 1 + u64::from(n), 500 + 8_000 * (1 + u64::from(n)));
            assert_eq!(drip.watch(500, dripped, now), Some(start + 10 * SECOND));
            assert!(slow.watch(500, came, now) > Some(now), "8 kB a second, after {n} s");
        }
        // The next message has its own time.
        assert_eq!(drip.watch(521, 522, start + 9 * SECOND), Some(start + 19 * SECOND));
        assert_eq!(drip.watch(530, 530, start + 9 * SECOND), None);
    }
}
