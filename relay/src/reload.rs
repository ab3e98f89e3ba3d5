//! Files that are read again while the relay runs: when it is told to, and
//! when they change.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

use tokio::time::sleep;

use crate::defaults;
use crate::error::Error;
use crate::observer::Event;

/// Puts into effect what was prepared. Cannot fail.
pub(crate) type Commit = Box<dyn FnOnce() + Send>;

/// Something of the relay that lives in files.
pub(crate) trait Reload: fmt::Debug + Send + Sync {
    /// Which.
    fn files(&self) -> Vec<PathBuf>;

    /// Reads and checks them, without changing anything yet.
    fn prepare(&self, now: SystemTime) -> Result<Commit, Error>;
}

/// Reads all those files again: all of them, or none if one is wrong.
pub struct Reloader {
    parts: Vec<Arc<dyn Reload>>,
    /// The files as they were when they were read, or tried, last.
    tried: Mutex<Vec<Stamp>>,
    tell: OnceLock<Tell>,
}

type Tell = Box<dyn Fn(Event) + Send + Sync>;

/// By what a file that was written anew differs. A renamed one has another
/// inode even if time and size are the same.
type Stamp = Option<(SystemTime, u64, u64)>;

impl Reloader {
    pub(crate) fn new(parts: Vec<Arc<dyn Reload>>) -> Self {
        let reloader = Self { parts, tried: Mutex::default(), tell: OnceLock::new() };
        *reloader.tried() = reloader.stamps();
        reloader
    }

    /// Reads everything again. What was in effect stays if anything is wrong.
    ///
    /// # Errors
    /// Of the first file that is wrong.
    pub fn reload(&self) -> Result<(), Error> {
        *self.tried() = self.stamps();
        let now = SystemTime::now();
        let prepared: Result<Vec<_>, _> = self.parts.iter().map(|part| part.prepare(now)).collect();
        let result = prepared.map(|commits| commits.into_iter().for_each(|commit| commit()));
        if let Some(tell) = self.tell.get() {
            tell(match &result {
                Ok(()) => Event::Reloaded,
                Err(error) => Event::NotReloaded { error: error.id(), reason: error.to_string() },
            });
        }
        result
    }

    /// Whom to tell of it from now on.
    pub(crate) fn tell(&self, tell: impl Fn(Event) + Send + Sync + 'static) {
        let _ = self.tell.set(Box::new(tell));
    }

    /// Reloads whenever a file has changed and has come to rest: certificate
    /// and key are two files, and nobody writes both at once.
    pub(crate) async fn watch(self: Arc<Self>) -> std::convert::Infallible {
        if self.parts.is_empty() {
            return std::future::pending().await;
        }
        let mut seen = self.tried().clone();
        loop {
            sleep(defaults::RELOAD_POLL).await;
            let watching = Arc::clone(&self);
            // A file system can be slow; connections must not wait for it.
            let looked = tokio::task::spawn_blocking(move || {
                let now = watching.stamps();
                let changed = now != *watching.tried();
                if changed && now == seen {
                    let _ = watching.reload();
                }
                now
            });
            match looked.await {
                Ok(now) => seen = now,
                Err(_) => seen = Vec::new(),
            }
        }
    }

    fn stamps(&self) -> Vec<Stamp> {
        let stamp = |path: PathBuf| {
            let file = std::fs::metadata(path).ok()?;
            Some((file.modified().ok()?, file.len(), inode(&file)))
        };
        self.parts.iter().flat_map(|part| part.files()).map(stamp).collect()
    }

    fn tried(&self) -> std::sync::MutexGuard<'_, Vec<Stamp>> {
        self.tried.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(unix)]
fn inode(file: &std::fs::Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt;
    file.ino()
}

#[cfg(not(unix))]
fn inode(_: &std::fs::Metadata) -> u64 {
    0
}

impl fmt::Debug for Reloader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reloader").field("parts", &self.parts).finish_non_exhaustive()
    }
}
