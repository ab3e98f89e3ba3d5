//! What comes a thousand times is said once, with the number. No clock: `now`
//! is an argument.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::refusal::Why;
use crate::source::Source;

/// How often one kind may be told.
const PAUSE: Duration = Duration::from_secs(1);

/// What is told together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Connections that were refused for this reason.
    Refused(Why),
    /// Lines that did not fit in the queue.
    Lost,
}

/// Counts each kind until it may be told.
#[derive(Debug)]
pub(super) struct Trouble {
    counts: Vec<(Kind, Count)>,
}

#[derive(Debug, Default)]
struct Count {
    pending: AtomicU64,
    /// Where the first of them came from, and when the last line was.
    rest: Mutex<(Option<Source>, Option<Instant>)>,
}

impl Default for Trouble {
    fn default() -> Self {
        let kinds = Why::ALL.iter().map(|why| Kind::Refused(*why)).chain([Kind::Lost]);
        Self { counts: kinds.map(|kind| (kind, Count::default())).collect() }
    }
}

impl Trouble {
    /// One more. True if it is the first since the kind was told.
    pub(super) fn raise(&self, kind: Kind, from: Option<Source>) -> bool {
        let Some((_, count)) = self.counts.iter().find(|(known, _)| *known == kind) else { return false };
        let first = count.pending.fetch_add(1, Ordering::Relaxed) == 0;
        if let Some(from) = from.filter(|_| first) {
            count.rest.lock().unwrap_or_else(PoisonError::into_inner).0 = Some(from);
        }
        first
    }

    /// Tells every kind that may be told now, or, at the end, all. Gives the
    /// moment at which one more may be.
    pub(super) fn tell(
        &self,
        now: Instant,
        all: bool,
        tell: impl Fn(Kind, u64, Option<Source>),
    ) -> Option<Instant> {
        let mut next: Option<Instant> = None;
        for (kind, count) in &self.counts {
            if count.pending.load(Ordering::Relaxed) == 0 {
                continue;
            }
            let mut rest = count.rest.lock().unwrap_or_else(PoisonError::into_inner);
            let (from, last) = &mut *rest;
            if let Some(due) = last.map(|last| last + PAUSE).filter(|due| now < *due && !all) {
                next = Some(next.map_or(due, |next| next.min(due)));
                continue;
            }
            *last = Some(now);
            let from = from.take();
            drop(rest);
            tell(*kind, count.pending.swap(0, Ordering::Relaxed), from);
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    const FULL: Kind = Kind::Refused(Why::Full);

    #[test]
    fn a_flood_is_one_line_a_second_and_none_of_it_is_forgotten() {
        let (trouble, start) = (Trouble::default(), Instant::now());
        let told = RefCell::new(Vec::new());
        let tell = |now| trouble.tell(now, false, |kind, count, _| told.borrow_mut().push((kind, count)));
        assert!(trouble.raise(FULL, None));
        assert_eq!(tell(start), None);
        for n in 0..1000 {
            assert_eq!(trouble.raise(FULL, None), n == 0);
            assert_eq!(tell(start + Duration::from_micros(n)), Some(start + PAUSE));
        }
        // Another kind does not wait for this one.
        trouble.raise(Kind::Lost, None);
        assert_eq!(tell(start + PAUSE / 2), Some(start + PAUSE));
        assert_eq!(tell(start + PAUSE), None);
        assert_eq!(told.into_inner(), [(FULL, 1), (Kind::Lost, 1), (FULL, 1000)]);
    }

    #[test]
    fn at_the_end_nothing_waits() {
        let (trouble, now) = (Trouble::default(), Instant::now());
        let told = RefCell::new(0);
        for all in [false, true] {
            trouble.raise(FULL, None);
            trouble.tell(now, all, |_, count, _| *told.borrow_mut() += count);
        }
        assert_eq!(told.into_inner(), 2);
    }

    #[test]
    fn the_first_of_many_is_the_example() {
        let (trouble, now) = (Trouble::default(), Instant::now());
        let source = |text: &str| Some(Source::of(text.parse().unwrap()));
        trouble.raise(FULL, source("192.0.2.1"));
        trouble.raise(FULL, source("198.51.100.1"));
        let found = RefCell::new(None);
        trouble.tell(now, false, |_, _, from| *found.borrow_mut() = from);
        assert!(found.into_inner() == source("192.0.2.1"));
    }
}
