//! The folder in which a relay keeps what outlives its process: how often it
//! was started, and the sockets by which processes of one node reach each
//! other.
//!
//! ```text
//!   starts              "513 17\n": the node, if it was drawn, and the count
//!   starts.lock         held while the count goes up
//!   generation-NN.sock  the process of this generation, as long as it lives
//! ```

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::routing::{self, GENERATIONS, NODES};

/// The folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StateDir(PathBuf);

/// This start among all starts of the node. Its socket goes with it.
#[derive(Debug)]
pub(crate) struct Start {
    pub(crate) node: u16,
    pub(crate) generation: u8,
    /// Where processes of other generations pass on whom they cannot serve.
    pub(crate) socket: UnixListener,
    pub(crate) door: Door,
}

/// Takes the socket out of the folder when dropped.
#[derive(Debug)]
pub(crate) struct Door(PathBuf);

impl Drop for Door {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

impl StateDir {
    pub(crate) fn new(path: &Path) -> Self {
        Self(path.into())
    }

    /// The socket of a generation, whether it lives or not.
    pub(crate) fn socket(&self, generation: u8) -> PathBuf {
        self.0.join(format!("generation-{generation:02}.sock"))
    }

    /// Counts one more start, and takes the next generation that no process
    /// has. `node` is the configured one; else one is drawn, once for all.
    pub(crate) fn start(&self, node: Option<u16>) -> Result<Start, Error> {
        let failed = |cause| Error::State { path: self.0.clone(), cause };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.0).map_err(failed)?;
        let lock = self.open("starts.lock").map_err(failed)?;
        // Given up by the system when the file is closed.
        lock.lock().map_err(failed)?;
        let (drawn, starts) = match self.read().map_err(failed)? {
            Some(before) => before,
            None => (routing::random()?.0, 0),
        };
        for generation in (1..=u64::from(GENERATIONS)).map(|next| starts.wrapping_add(next)) {
            let number = u8::try_from(generation % u64::from(GENERATIONS)).unwrap_or(0);
            let path = self.socket(number);
            if let Some(socket) = listen(&path).map_err(failed)? {
                let door = Door(path);
                self.write(drawn, generation).map_err(failed)?;
                return Ok(Start { node: node.unwrap_or(drawn), generation: number, socket, door });
            }
        }
        Err(failed(ErrorKind::AddrInUse.into()))
    }

    fn read(&self) -> io::Result<Option<(u16, u64)>> {
        let text = match fs::read_to_string(self.0.join("starts")) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut words = text.split_whitespace();
        let mut word = || words.next();
        // A count that somebody spoilt is begun anew: it is no reason not to serve.
        let node = word().and_then(|node| node.parse().ok()).filter(|node| *node < NODES);
        Ok(node.zip(word().and_then(|starts| starts.parse().ok())))
    }

    /// Whole or not at all, and on the disk before anybody hears of it.
    fn write(&self, node: u16, starts: u64) -> io::Result<()> {
        let new = self.0.join("starts.new");
        let mut file = File::create(&new)?;
        writeln!(file, "{node} {starts}")?;
        file.sync_all()?;
        fs::rename(new, self.0.join("starts"))?;
        File::open(&self.0)?.sync_all()
    }

    fn open(&self, name: &str) -> io::Result<File> {
        OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(self.0.join(name))
    }
}

/// Listens there, unless somebody does. What a dead process left is removed.
fn listen(path: &Path) -> io::Result<Option<UnixListener>> {
    match UnixStream::connect(path) {
        Ok(_) => return Ok(None),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path)?,
        Err(error) => return Err(error),
    }
    let socket = UnixListener::bind(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    socket.set_nonblocking(true)?;
    Ok(Some(socket))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, StateDir) {
        let folder = tempfile::TempDir::new().unwrap();
        let state = StateDir::new(&folder.path().join("new"));
        (folder, state)
    }

    #[test]
    fn every_start_is_one_generation_on() {
        let (_folder, state) = folder();
        let first = state.start(None).unwrap();
        assert_eq!(first.generation, 1);
        let (node, path) = (first.node, state.socket(1));
        assert!(path.exists());
        drop(first);
        assert!(!path.exists());
        for n in 2..=130 {
            let start = state.start(None).unwrap();
            assert_eq!((start.node, start.generation), (node, n % GENERATIONS));
        }
        assert_eq!(state.start(Some(7)).unwrap().node, 7);
        // and the drawn one is not forgotten over it
        assert_eq!(state.start(None).unwrap().node, node);
    }

    #[test]
    fn a_generation_that_lives_is_passed_over_and_a_dead_one_is_not() {
        let (_folder, state) = folder();
        let living = state.start(None).unwrap();
        for n in 2..=64 {
            assert_eq!(state.start(None).unwrap().generation, n % GENERATIONS);
        }
        assert_eq!(state.start(None).unwrap().generation, 2);
        drop(living);
        // as kill -9 leaves it
        drop(UnixListener::bind(state.socket(3)).unwrap());
        assert_eq!(state.start(None).unwrap().generation, 3);
    }

    #[test]
    fn a_spoilt_count_begins_anew() {
        let (_folder, state) = folder();
        for spoilt in ["", "x", "5000 1\n", "12\n", "1 -1"] {
            drop(state.start(None).unwrap());
            fs::write(state.0.join("starts"), spoilt).unwrap();
            assert_eq!(state.start(None).unwrap().generation, 1, "{spoilt:?}");
        }
    }

    #[test]
    fn no_start_without_a_folder_of_its_own() {
        let (folder, _) = folder();
        fs::write(folder.path().join("file"), "").unwrap();
        let error = StateDir::new(&folder.path().join("file")).start(None).unwrap_err();
        assert_eq!(error.id(), "relay.state");
    }

    #[test]
    fn starts_at_the_same_time_are_different_ones() {
        let (_folder, state) = folder();
        let starts: Vec<_> = std::thread::scope(|scope| {
            let start = || state.start(None).unwrap();
            let threads: Vec<_> = (0..16).map(|_| scope.spawn(start)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let mut generations: Vec<u8> = starts.iter().map(|start| start.generation).collect();
        generations.sort_unstable();
        assert_eq!(generations, (1..=16).collect::<Vec<u8>>());
    }
}
