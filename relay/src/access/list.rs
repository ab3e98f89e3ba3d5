//! A file of lines that is read again when it changes.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use super::ListFile;
use crate::error::Error;
use crate::source::Network;

/// What a file of lines says, as of when it was read last.
#[derive(Debug)]
pub(super) struct List<T> {
    what: ListFile,
    path: PathBuf,
    parse: fn(Vec<&str>) -> Result<T, String>,
    now: Mutex<Now<T>>,
}

#[derive(Debug)]
struct Now<T> {
    value: Arc<T>,
    stamp: Stamp,
}

/// What tells one state of a file from the next without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Stamp {
    written: Option<SystemTime>,
    length: u64,
}

/// Bytes of such a file: ten thousand tokens, or networks, and their comments.
const LARGEST: u64 = 1 << 20;

impl<T> List<T> {
    pub(super) fn read(
        what: ListFile,
        path: PathBuf,
        parse: fn(Vec<&str>) -> Result<T, String>,
    ) -> Result<Self, Error> {
        let now = read(what, &path, parse)?;
        Ok(Self { what, path, parse, now: Mutex::new(now) })
    }

    pub(super) fn get(&self) -> Arc<T> {
        Arc::clone(&self.lock().value)
    }

    pub(super) fn reload(&self) -> Result<(), Error> {
        let now = read(self.what, &self.path, self.parse)?;
        *self.lock() = now;
        Ok(())
    }

    /// Gives its name if it has changed and cannot be used: once, until it
    /// changes again.
    pub(super) fn reload_if_changed(&self) -> Result<(), ListFile> {
        let stamp = stamp(&self.path);
        if stamp == self.lock().stamp {
            return Ok(());
        }
        self.reload().map_err(|_| {
            self.lock().stamp = stamp;
            self.what
        })
    }

    fn lock(&self) -> MutexGuard<'_, Now<T>> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read<T>(
    what: ListFile,
    path: &PathBuf,
    parse: fn(Vec<&str>) -> Result<T, String>,
) -> Result<Now<T>, Error> {
    let failed = |problem: String| Error::List { what, path: path.clone(), problem };
    // Taken before: a change while it is read is seen the next time.
    let stamp = stamp(path);
    if stamp.length > LARGEST {
        return Err(failed("is larger than 1 MiB".into()));
    }
    let text = fs::read_to_string(path).map_err(|cause| failed(format!("cannot be read: {cause}")))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let value = parse(lines.collect()).map_err(failed)?;
    Ok(Now { value: Arc::new(value), stamp })
}

fn stamp(path: &PathBuf) -> Stamp {
    fs::metadata(path)
        .map(|found| Stamp { written: found.modified().ok(), length: found.len() })
        .unwrap_or_default()
}

/// A network a line.
pub(super) fn networks(lines: Vec<&str>) -> Result<Vec<Network>, String> {
    let network = |line: &&str| line.parse().map_err(|problem| format!("holds {line:?}, which is {problem}"));
    lines.iter().map(network).collect()
}
