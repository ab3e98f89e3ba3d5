//! What keeps the memory of this program from others, as far as it can.
//!
//! The vault's memory is not locked against swapping: argon2 alone takes
//! 64 MiB of it, and the usual limit (`RLIMIT_MEMLOCK`) is 8 MiB or less. A
//! lock that fails for everybody but the administrator would be a promise and
//! no protection. Swap wants to be encrypted.

/// No core dump of this process, and no debugger of the same user attached to
/// it, from now on: whoever crashes it learns nothing from what is left. What
/// the system refuses is not done; nothing depends on it.
#[cfg(target_os = "linux")]
pub fn keep_memory_private() {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

/// Elsewhere the system's own settings hold.
#[cfg(not(target_os = "linux"))]
pub fn keep_memory_private() {}
