//! The pipe on a unix socket of this user's alone: one client after the
//! other, and a word for whoever comes meanwhile.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream as Probe;
use std::path::{Path, PathBuf};

use cablecar_protocol::pipe::Fault;
use tokio::io::AsyncWriteExt;
use tokio::net::{UnixListener, UnixStream};
use tokio::time::{sleep, timeout};

use super::{Pipe, Surface};
use crate::defaults;
use crate::doors::Phone;
use crate::error::Error;

/// A socket that is listened on. Removed on drop.
#[derive(Debug)]
pub struct Socket {
    listener: UnixListener,
    path: PathBuf,
    /// Device and inode, by which it is known again.
    identity: (u64, u64),
}

impl Socket {
    /// Listens at this path, for this user alone. A socket that nobody
    /// listens on any more is replaced; nothing else is.
    ///
    /// # Errors
    /// [`Error::SocketTaken`] if somebody listens there or something else is
    /// there, [`Error::Io`].
    pub fn listen(path: &Path) -> Result<Self, Error> {
        let failed = |cause: io::Error| Error::Io {
            what: format!("cannot listen at {}", path.display()),
            cause: cause.to_string(),
        };
        refuse_what_lives(path)?;
        // Made in a folder of our own and then moved: nobody else can reach
        // it before it is closed to others.
        let folder = Folder::beside(path).map_err(failed)?;
        let made = folder.0.join("s");
        let listener = UnixListener::bind(&made).map_err(failed)?;
        fs::set_permissions(&made, fs::Permissions::from_mode(0o600)).map_err(failed)?;
        let metadata = fs::symlink_metadata(&made).map_err(failed)?;
        fs::rename(&made, path).map_err(failed)?;
        Ok(Self { listener, path: path.to_owned(), identity: (metadata.dev(), metadata.ino()) })
    }

    /// Serves one client after the other, without end. What is wrong with a
    /// client ends that client's turn.
    ///
    /// # Errors
    /// [`Error::Io`] if nobody can be let in any more.
    pub async fn serve<P: Phone, S: Surface>(&self, pipe: &mut Pipe<P, S>) -> Result<(), Error> {
        loop {
            let told = |error: Error| pipe.surface.failed(&error);
            let (input, output) = self.next_client(told).await?.into_split();
            let served = tokio::select! {
                biased;
                served = pipe.serve(input, output) => served,
                broken = self.turn_away() => return Err(broken),
            };
            if let Err(error) = served {
                pipe.surface.failed(&error);
            }
        }
    }

    /// The next client.
    async fn next_client(&self, told: impl FnMut(Error)) -> Result<UnixStream, Error> {
        let what = format!("nobody can be let in at {}", self.path.display());
        let accept = async || self.listener.accept().await.map(|(stream, _)| stream);
        patiently(accept, &what, told).await
    }

    /// Tells whoever comes that another client is served. Ends only if
    /// nobody can come any more.
    async fn turn_away(&self) -> Error {
        loop {
            // What is in the way now is told when it is there at the next turn.
            match self.next_client(drop).await {
                Ok(mut stream) => {
                    // Six bytes into an empty socket; whoever takes none has left.
                    let _ = timeout(defaults::KEEPALIVE, stream.write_all(&Fault::Busy.frame())).await;
                }
                Err(error) => return error,
            }
        }
    }
}

/// Accepts, again and again where that fails for a reason that goes by: a
/// client that is gone, a process or a system without descriptors or memory.
/// Such trouble is told once, until it is over.
async fn patiently<T>(
    mut accept: impl AsyncFnMut() -> io::Result<T>,
    what: &str,
    mut told: impl FnMut(Error),
) -> Result<T, Error> {
    let mut troubled = false;
    loop {
        let cause = match accept().await {
            Ok(accepted) => return Ok(accepted),
            Err(cause) => cause,
        };
        let failed = |what| Error::Io { what, cause: cause.to_string() };
        if !goes_by(&cause) {
            return Err(failed(what.to_owned()));
        }
        if !std::mem::replace(&mut troubled, true) {
            told(failed(format!("{what} for now")));
        }
        sleep(defaults::ACCEPT_PAUSE).await;
    }
}

/// Whether accepting may work again. The numbers have no name in std, and are
/// the same on every Unix.
fn goes_by(cause: &io::Error) -> bool {
    const ENFILE: i32 = 23;
    const EMFILE: i32 = 24;
    use io::ErrorKind::{ConnectionAborted, Interrupted, OutOfMemory};
    matches!(cause.kind(), ConnectionAborted | Interrupted | OutOfMemory)
        || matches!(cause.raw_os_error(), Some(ENFILE | EMFILE))
}

impl Drop for Socket {
    fn drop(&mut self) {
        // Unless another took the place meanwhile.
        let there = fs::symlink_metadata(&self.path).map(|there| (there.dev(), there.ino()));
        if there.is_ok_and(|there| there == self.identity) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn refuse_what_lives(path: &Path) -> Result<(), Error> {
    let taken = |why: &str| Err(Error::SocketTaken { path: path.to_owned(), why: why.to_owned() });
    match fs::symlink_metadata(path) {
        Err(_) => Ok(()),
        Ok(there) if !there.file_type().is_socket() => taken("there is something else"),
        Ok(_) => match Probe::connect(path) {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
            Err(error) => taken(&error.to_string()),
            Ok(_) => taken("another program listens there"),
        },
    }
}

/// A folder for this user alone, removed on drop.
struct Folder(PathBuf);

impl Folder {
    /// Named after this process. One that is there already was left by a kill,
    /// or is that of a process which has the same number elsewhere: it is left
    /// alone, and the next name taken.
    fn beside(path: &Path) -> io::Result<Self> {
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
        let process = std::process::id();
        let mut taken = io::Error::from(io::ErrorKind::AlreadyExists);
        for number in 0..defaults::FOLDER_NAMES {
            let folder = path.with_file_name(format!(".{name}.{process}.{number}"));
            match fs::DirBuilder::new().mode(0o700).create(&folder) {
                Ok(()) => return Ok(Self(folder)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => taken = error,
                Err(error) => return Err(error),
            }
        }
        Err(taken)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.0.join("s"));
        let _ = fs::remove_dir(&self.0);
    }
}

#[cfg(test)]
mod tests;
