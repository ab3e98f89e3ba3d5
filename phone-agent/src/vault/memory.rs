use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Ends, Error, Exclusive, Medium, VaultId, Withdrawal};

/// A vault in memory, for tests and demos.
#[derive(Default)]
pub(super) struct MemoryMedium {
    bytes: Mutex<Option<Vec<u8>>>,
    anchors: Mutex<HashMap<VaultId, u64>>,
    writer: Mutex<()>,
}

impl Medium for MemoryMedium {
    fn read(&self) -> Result<Vec<u8>, Error> {
        locked(&self.bytes).clone().ok_or(Error::NotFound)
    }

    fn ends(&self) -> Result<Ends, Error> {
        locked(&self.bytes).as_deref().map(Ends::of).ok_or(Error::NotFound)
    }

    fn lock(&self, _: &Withdrawal) -> Result<Box<dyn Exclusive + '_>, Error> {
        Ok(Box::new(Writing { medium: self, _turn: locked(&self.writer) }))
    }

    fn anchor(&self, vault: &VaultId) -> Option<u64> {
        locked(&self.anchors).get(vault).copied()
    }
}

struct Writing<'a> {
    medium: &'a MemoryMedium,
    _turn: MutexGuard<'a, ()>,
}

impl Exclusive for Writing<'_> {
    fn exists(&self) -> bool {
        locked(&self.medium.bytes).is_some()
    }

    fn replace(&mut self, bytes: &[u8]) -> Result<(), Error> {
        *locked(&self.medium.bytes) = Some(bytes.to_vec());
        Ok(())
    }

    fn set_anchor(&mut self, vault: &VaultId, generation: u64) {
        locked(&self.medium.anchors).insert(*vault, generation);
    }
}

impl std::fmt::Debug for MemoryMedium {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MemoryMedium(..)")
    }
}

/// A panic elsewhere leaves these values whole: each is replaced at once.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
