//! How much memory there is, and how near the process is to it. Whoever opens
//! a tunnel then is sent away, so that those who talk are not.

use std::fmt;
use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::defaults;
use crate::process::{kibibytes, resident_bytes};

/// Whether memory is short. Looks at most once a second.
pub(crate) struct Pressure {
    limit: Option<u64>,
    resident: fn() -> Option<u64>,
    seen: Mutex<Option<(Instant, bool)>>,
}

impl Pressure {
    /// Against this many bytes; what the system allows if absent.
    pub(crate) fn new(limit: Option<u64>) -> Self {
        Self::measured(limit.or_else(allowed), resident_bytes)
    }

    fn measured(limit: Option<u64>, resident: fn() -> Option<u64>) -> Self {
        Self { limit, resident, seen: Mutex::new(None) }
    }

    /// Whether nine tenths are in use. Not where neither can be learnt.
    pub(crate) fn high(&self, now: Instant) -> bool {
        let Some(limit) = self.limit else { return false };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match *seen {
            Some((at, high)) if now < at + defaults::MEMORY_LOOK => high,
            _ => {
                let full = limit / 10 * defaults::MEMORY_TENTHS;
                let high = (self.resident)().is_some_and(|resident| resident >= full);
                *seen = Some((now, high));
                high
            }
        }
    }
}

impl fmt::Debug for Pressure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pressure").field("limit", &self.limit).finish_non_exhaustive()
    }
}

/// What it may hold: the least of its control groups' limits and the
/// machine's memory.
fn allowed() -> Option<u64> {
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| kibibytes(&text, "MemTotal:"));
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let group = groups.lines().find_map(|line| line.strip_prefix("0::")).unwrap_or("/");
    let root = Path::new("/sys/fs/cgroup");
    least_of_groups(root, group.trim_start_matches('/')).into_iter().chain(machine).min()
}

/// The least `memory.max` from this group up to the root of all.
fn least_of_groups(root: &Path, group: &str) -> Option<u64> {
    let inside = root.join(group);
    let groups = inside.ancestors().take_while(|folder| folder.starts_with(root));
    let limit = |folder: &Path| fs::read_to_string(folder.join("memory.max")).ok()?.trim().parse().ok();
    groups.filter_map(limit).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    #[test]
    fn nine_tenths_are_high_and_it_looks_once_a_second() {
        static HELD: AtomicU64 = AtomicU64::new(0);
        let pressure = Pressure::measured(Some(1000), || Some(HELD.load(Ordering::Relaxed)));
        let start = Instant::now();
        let after = |held: u64, milliseconds: u64| {
            HELD.store(held, Ordering::Relaxed);
            pressure.high(start + Duration::from_millis(milliseconds))
        };
        assert!(!after(899, 0));
        assert!(!after(900, 999), "not yet looked again");
        assert!(after(900, 1000));
        assert!(after(0, 1999));
        assert!(!after(0, 2000));
    }

    #[test]
    fn what_cannot_be_learnt_is_not_short() {
        assert!(!Pressure::measured(None, || Some(u64::MAX)).high(Instant::now()));
        assert!(!Pressure::measured(Some(1), || None).high(Instant::now()));
    }

    #[test]
    fn the_least_limit_of_all_groups_counts() {
        let root = tempfile::TempDir::new().unwrap();
        let inner = root.path().join("a/b");
        fs::create_dir_all(&inner).unwrap();
        assert_eq!(least_of_groups(root.path(), "a/b"), None);
        fs::write(inner.join("memory.max"), "max\n").unwrap();
        assert_eq!(least_of_groups(root.path(), "a/b"), None);
        fs::write(root.path().join("a/memory.max"), "4096\n").unwrap();
        assert_eq!(least_of_groups(root.path(), "a/b"), Some(4096));
        fs::write(inner.join("memory.max"), "1024\n").unwrap();
        assert_eq!(least_of_groups(root.path(), "a/b"), Some(1024));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_holds_something_and_less_than_there_is() {
        let (resident, allowed) = (resident_bytes().unwrap(), allowed().unwrap());
        assert!(resident > 1 << 20 && resident < allowed, "{resident} of {allowed}");
    }
}
