//! What the system says about this process.

use std::fs;

/// What this process takes of its machine; nothing where the system does not
/// say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) open_descriptors: Option<u64>,
    pub(crate) resident_bytes: Option<u64>,
}

impl Process {
    /// Asks the system. With ten thousand descriptors that takes milliseconds.
    pub(crate) fn now() -> Self {
        Self { open_descriptors: open_descriptors(), resident_bytes: resident_bytes() }
    }
}

fn open_descriptors() -> Option<u64> {
    // One of them is the folder that is being read.
    let names = fs::read_dir("/proc/self/fd").ok()?.count();
    u64::try_from(names.saturating_sub(1)).ok()
}

/// What this process holds of the machine's memory.
pub(crate) fn resident_bytes() -> Option<u64> {
    kibibytes(&fs::read_to_string("/proc/self/status").ok()?, "VmRSS:")
}

/// A line such as `VmRSS:    1234 kB`, in bytes.
pub(crate) fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn descriptors_and_memory_are_counted() {
        let before = Process::now();
        let files: Vec<fs::File> = (0..300).map(|_| fs::File::open("/dev/null").unwrap()).collect();
        let after = Process::now();
        let more = after.open_descriptors.unwrap() - before.open_descriptors.unwrap();
        // other tests open some, and close them
        assert!((200..400).contains(&more), "{more} more with {} files", files.len());
        assert!(after.resident_bytes.unwrap() > 1 << 20);
    }
}
