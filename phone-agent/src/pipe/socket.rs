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
use tokio::time::timeout;

use super::Authenticator;
use crate::consent::Consent;
use crate::ctap2::Moment;
use crate::defaults;
use crate::error::Error;
use crate::screen::{Notice, Screen};
use crate::verification::Verifier;

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
    pub async fn serve<C, V, S, N>(&self, authenticator: &mut Authenticator<C, V, S, N>) -> Result<(), Error>
    where
        C: Consent,
        V: Verifier,
        S: Screen,
        N: Fn() -> Moment,
    {
        loop {
            let (input, output) = self.accept().await?.into_split();
            let served = tokio::select! {
                biased;
                served = authenticator.serve(input, output) => served,
                broken = self.turn_away() => return Err(broken),
            };
            if let Err(error) = served {
                authenticator.screen.notice(Notice::NotServed(&error));
            }
        }
    }

    async fn accept(&self) -> Result<UnixStream, Error> {
        let accepted = self.listener.accept().await;
        accepted.map(|(stream, _)| stream).map_err(|cause| Error::Io {
            what: format!("nobody can be let in at {}", self.path.display()),
            cause: cause.to_string(),
        })
    }

    /// Tells whoever comes that another client is served. Ends only if
    /// nobody can come any more.
    async fn turn_away(&self) -> Error {
        loop {
            match self.accept().await {
                Ok(mut stream) => {
                    // Six bytes into an empty socket; whoever takes none has left.
                    let _ = timeout(defaults::KEEPALIVE, stream.write_all(&Fault::Busy.frame())).await;
                }
                Err(error) => return error,
            }
        }
    }
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
    fn beside(path: &Path) -> io::Result<Self> {
        let mut name = std::ffi::OsString::from(".");
        name.push(path.file_name().ok_or(io::ErrorKind::InvalidInput)?);
        name.push(format!(".{}", std::process::id()));
        let folder = path.with_file_name(name);
        fs::DirBuilder::new().mode(0o700).create(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.0.join("s"));
        let _ = fs::remove_dir(&self.0);
    }
}
