//! What carries CTAPHID's reports: the kernel, or a socket in its place.

use std::future::Future;
use std::net::Shutdown;
use std::os::fd::{AsFd, OwnedFd};

use tokio::net::UnixDatagram;

use super::packet::{REPORT, Report};
use crate::error::Error;

/// What comes over a wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// A report of the host's.
    Report(Report),
    /// All programs have let go of the key; others may take it up.
    Left,
    /// The wire is cut.
    End,
}

/// A wire between the key and its hosts.
pub trait Wire: Send {
    /// What comes next. Dropping the future loses nothing.
    ///
    /// # Errors
    /// Those of the system.
    fn receive(&mut self) -> impl Future<Output = Result<Heard, Error>> + Send;

    /// Sends one report, whole or, if the future is dropped, not at all.
    ///
    /// # Errors
    /// Those of the system.
    fn send(&mut self, report: &Report) -> impl Future<Output = Result<(), Error>> + Send;

    /// Cuts it.
    fn close(self) -> impl Future<Output = ()> + Send;
}

/// A socket of packets (`SOCK_SEQPACKET`): one report each. For tests, and for
/// whoever brings reports by another way than this kernel's.
#[derive(Debug)]
pub struct Socket(UnixDatagram);

impl Socket {
    /// The socket that is standard input.
    ///
    /// # Errors
    /// [`Error::Usage`] if it is no socket.
    pub fn stdin() -> Result<Self, Error> {
        let stdin = std::io::stdin().as_fd().try_clone_to_owned();
        stdin.and_then(Self::over).map_err(|cause| {
            Error::Usage(format!(
                "--socket: standard input is no socket of packets (SOCK_SEQPACKET): {cause}"
            ))
        })
    }

    fn over(socket: OwnedFd) -> std::io::Result<Self> {
        // Of std's sockets, the one that keeps packets apart.
        let socket = std::os::unix::net::UnixDatagram::from(socket);
        socket.peer_addr()?;
        socket.set_nonblocking(true)?;
        UnixDatagram::from_std(socket).map(Self)
    }
}

fn broke(cause: &std::io::Error) -> Error {
    Error::Io { what: "the socket of the security key".into(), cause: cause.to_string() }
}

impl Wire for Socket {
    async fn receive(&mut self) -> Result<Heard, Error> {
        let mut report = [0; REPORT];
        match self.0.recv(&mut report).await {
            Ok(0) => Ok(Heard::End),
            // A short one ends in zeros, a long one is cut: reports have one size.
            Ok(_) => Ok(Heard::Report(report)),
            Err(cause) if cause.kind() == std::io::ErrorKind::ConnectionReset => Ok(Heard::End),
            Err(cause) => Err(broke(&cause)),
        }
    }

    async fn send(&mut self, report: &Report) -> Result<(), Error> {
        match self.0.send(report).await {
            // Nobody reads any more; what is left to hear tells the end.
            Err(cause) if cause.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            sent => sent.map(|_| ()).map_err(|cause| broke(&cause)),
        }
    }

    async fn close(self) {
        let _ = self.0.shutdown(Shutdown::Both);
    }
}
