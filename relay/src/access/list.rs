//! A file of lines that is read again while the relay runs.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use super::ListFile;
use crate::error::Error;
use crate::reload::Commit;
use crate::source::Network;

/// What a file of lines says, as of when it was read last.
#[derive(Debug)]
pub(super) struct List<T> {
    what: ListFile,
    path: PathBuf,
    parse: Parse<T>,
    now: Arc<RwLock<Arc<T>>>,
}

type Parse<T> = fn(Vec<&str>) -> Result<T, String>;

/// Bytes of such a file: ten thousand tokens, or networks, and their comments.
const LARGEST: u64 = 1 << 20;

impl<T: Send + Sync + 'static> List<T> {
    pub(super) fn read(what: ListFile, path: PathBuf, parse: Parse<T>) -> Result<Self, Error> {
        let now = read(what, &path, parse)?;
        Ok(Self { what, path, parse, now: Arc::new(RwLock::new(Arc::new(now))) })
    }

    pub(super) fn path(&self) -> PathBuf {
        self.path.clone()
    }

    pub(super) fn get(&self) -> Arc<T> {
        Arc::clone(&self.now.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads it again. A file that cannot be used leaves the old lines in force.
    pub(super) fn prepare(&self) -> Result<Commit, Error> {
        let new = Arc::new(read(self.what, &self.path, self.parse)?);
        let now = Arc::clone(&self.now);
        Ok(Box::new(move || *now.write().unwrap_or_else(PoisonError::into_inner) = new))
    }
}

fn read<T>(what: ListFile, path: &Path, parse: Parse<T>) -> Result<T, Error> {
    let failed = |problem: String| Error::List { what, path: path.into(), problem };
    let unreadable = |cause: std::io::Error| failed(format!("cannot be read: {cause}"));
    let mut text = String::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(LARGEST + 1).read_to_string(&mut text).map_err(unreadable)?;
    if u64::try_from(text.len()).is_ok_and(|length| length > LARGEST) {
        return Err(failed("is larger than 1 MiB".into()));
    }
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    parse(lines.collect()).map_err(failed)
}

/// A network a line.
pub(super) fn networks(lines: Vec<&str>) -> Result<Vec<Network>, String> {
    let network = |line: &&str| line.parse().map_err(|problem| format!("holds {line:?}, which is {problem}"));
    lines.iter().map(network).collect()
}
