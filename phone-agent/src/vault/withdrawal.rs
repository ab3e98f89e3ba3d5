use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The word of whoever asked for a change that it is not wanted any more.
/// Copies are one and the same. Heeded while a change waits for other writers
/// and once more before it is written; what is written stays.
#[derive(Debug, Clone, Default)]
pub struct Withdrawal(Arc<AtomicBool>);

impl Withdrawal {
    /// Takes the change back, for good.
    pub fn withdraw(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether it was taken back.
    pub fn is_withdrawn(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// The same, as a failure.
    ///
    /// # Errors
    /// [`super::Error::Withdrawn`].
    pub(super) fn check(&self) -> Result<(), super::Error> {
        if self.is_withdrawn() { Err(super::Error::Withdrawn) } else { Ok(()) }
    }
}
