//! Where processes cannot hand over sockets: nothing is inherited, and nobody
//! is put in place of the running program.

use serde::Serialize;

use crate::error::Error;

/// Why a relay was not replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, thiserror::Error)]
#[non_exhaustive]
pub enum NotUpgraded {}

/// Asks a relay to put a new program in its place, which it cannot.
#[derive(Debug, Clone, Default)]
pub struct Upgrade(());

/// What a process takes over from the one that started it: nothing.
#[derive(Debug, Default)]
pub struct Inheritance(());

impl Inheritance {
    /// Nothing.
    ///
    /// # Errors
    /// None.
    pub fn of_this_process() -> Result<Self, Error> {
        Ok(Self::default())
    }

    pub(crate) async fn begin(self) {
        std::future::ready(()).await;
    }
}
