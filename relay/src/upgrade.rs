//! A new program in place of the running one, without a refused connection.
//!
//! ```text
//!   old                                  new
//!    | starts it, standard input is a      |
//!    | unix socket: listeners ------------>| makes itself ready
//!    |<------------------------------ R ---|
//!    | accepts no more                     |
//!    |--- G ------------------------------>| accepts
//!    | serves whom it has, then exits 0    |
//! ```
//!
//! Between R and G nobody accepts, and the kernel keeps who connects. If the
//! new program does not say R in time, or ends, the old one goes on as if
//! nothing had been asked.

use std::ffi::OsString;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream as StdStream;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};
use serde::Serialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::Notify;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::defaults;
use crate::error::Error;

/// Tells a program that its standard input is the socket of another one.
const VARIABLE: &str = "CABLECAR_SUCCEEDS";

/// Listeners that can be handed over; Linux carries no more than 253 at once.
const MOST: usize = 64;

const READY: u8 = b'R';
const GO: u8 = b'G';

/// Why a relay was not replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum NotUpgraded {
    /// There is no folder through which the two could reach each other.
    #[error("it needs --state-dir")]
    NoStateDir,
    /// Both would have the same routing id.
    #[error("it needs a routing id of its own for each start, so --region and --node, not --routing-id")]
    FixedRoutingId,
    /// The program could not be started.
    #[error("the new program cannot be started")]
    NotStarted,
    /// The new program ended before it was ready.
    #[error("the new program ended before it was ready")]
    Ended,
    /// The new program was not ready in time.
    #[error("the new program was not ready in time")]
    TooSlow,
}

/// Asks a relay to put a new program in its place. Clones are of the same
/// relay.
#[derive(Debug, Clone, Default)]
pub struct Upgrade(Arc<Notify>);

impl Upgrade {
    /// Once more, if one is under way.
    pub fn ask(&self) {
        self.0.notify_one();
    }

    pub(crate) async fn asked(&self) {
        self.0.notified().await;
    }
}

/// A listener by the address under which it was configured, so that the new
/// program recognises what it is given.
pub(crate) type Named<'a> = (String, BorrowedFd<'a>);

/// A new program that is ready and waits.
#[derive(Debug)]
pub(crate) struct Successor {
    way: UnixStream,
    process: u32,
}

impl Successor {
    /// Starts the program of this process again, as it is on the disk now.
    pub(crate) async fn start(listeners: &[Named<'_>]) -> Result<Self, NotUpgraded> {
        let (ours, theirs) = StdStream::pair().map_err(|_| NotUpgraded::NotStarted)?;
        send(&ours, listeners).map_err(|_| NotUpgraded::NotStarted)?;
        let mut child = spawn_blocking(move || spawn(theirs.into()))
            .await
            .map_err(io::Error::other)
            .flatten()
            .map_err(|_| NotUpgraded::NotStarted)?;
        let process = child.id();
        match answer(ours).await {
            Ok(way) => {
                // It outlives us, so its end is not waited for.
                Ok(Self { way, process })
            }
            Err(why) => {
                let _ = child.kill();
                let _ = spawn_blocking(move || child.wait()).await;
                Err(why)
            }
        }
    }

    pub(crate) fn process(&self) -> u32 {
        self.process
    }

    /// From here on it accepts.
    pub(crate) async fn go(mut self) {
        let _ = self.way.write_all(&[GO]).await;
    }
}

fn spawn(standard_input: OwnedFd) -> io::Result<Child> {
    let mut arguments = std::env::args_os();
    let program: OsString = arguments.next().unwrap_or_else(|| "cablecar-relay".into());
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::from(standard_input))
        .env(VARIABLE, "1")
        // Said to the old process alone, by number.
        .env_remove("LISTEN_PID")
        .env_remove("LISTEN_FDS")
        .env_remove("LISTEN_FDNAMES")
        .env_remove("WATCHDOG_PID")
        .spawn()
}

/// Waits for the word that it is ready.
async fn answer(way: StdStream) -> Result<UnixStream, NotUpgraded> {
    let turned = way.set_nonblocking(true).and_then(|()| UnixStream::from_std(way));
    let mut way = turned.map_err(|_| NotUpgraded::NotStarted)?;
    match timeout(defaults::UPGRADE, way.read_u8()).await {
        Ok(Ok(READY)) => Ok(way),
        Ok(_) => Err(NotUpgraded::Ended),
        Err(_) => Err(NotUpgraded::TooSlow),
    }
}

/// One message: the names, each on its line, and the descriptors beside it.
fn send(way: &StdStream, listeners: &[Named<'_>]) -> io::Result<()> {
    let names: String = listeners.iter().map(|(name, _)| format!("{name}\n")).collect();
    let descriptors: Vec<BorrowedFd<'_>> = listeners.iter().map(|(_, descriptor)| *descriptor).collect();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
    let mut beside = SendAncillaryBuffer::new(&mut space);
    if !beside.push(SendAncillaryMessage::ScmRights(&descriptors)) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let length = u32::try_from(names.len()).unwrap_or(u32::MAX).to_be_bytes();
    let message = [IoSlice::new(&length), IoSlice::new(names.as_bytes())];
    let sent = sendmsg(way, &message, &mut beside, SendFlags::empty())?;
    if sent == length.len() + names.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
}

/// What a process takes over from the one that started it: listeners, and the
/// duty to say when it is ready.
#[derive(Debug, Default)]
pub struct Inheritance {
    listeners: Vec<(String, OwnedFd)>,
    way: Option<StdStream>,
}

impl Inheritance {
    /// Takes over, if this process was started by another relay for that.
    ///
    /// # Errors
    /// [`Error::System`] if the other one does not hand over as it should.
    pub fn of_this_process() -> Result<Self, Error> {
        if std::env::var_os(VARIABLE).is_none() {
            return Ok(Self::default());
        }
        let way = StdStream::from(io::stdin().as_fd().try_clone_to_owned().map_err(Error::system)?);
        let received = way.set_read_timeout(Some(Duration::from_secs(5))).and_then(|()| receive(&way));
        match received {
            Ok(listeners) => Ok(Self { listeners, way: Some(way) }),
            // Somebody else's variable, or a program started by hand from the
            // environment of a relay.
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::NOTSOCK.raw_os_error()) => {
                Ok(Self::default())
            }
            Err(error) => Err(Error::system(error)),
        }
    }

    /// The listener of this configured address, if there is one.
    pub(crate) fn take(&mut self, name: &str) -> Option<OwnedFd> {
        let found = self.listeners.iter().position(|(held, _)| held == name)?;
        Some(self.listeners.swap_remove(found).1)
    }

    /// Says that this process is ready, and waits until the other one accepts
    /// no more. Listeners that nobody took are closed.
    pub(crate) async fn begin(self) {
        drop(self.listeners);
        let way = self.way.map(|way| way.set_nonblocking(true).and_then(|()| UnixStream::from_std(way)));
        if let Some(Ok(mut way)) = way {
            // If the other one is gone by now, there is nobody to wait for.
            let _ = way.write_all(&[READY]).await;
            let _ = timeout(defaults::UPGRADE, way.read_u8()).await;
        }
    }
}

fn receive(way: &StdStream) -> io::Result<Vec<(String, OwnedFd)>> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
    let mut beside = RecvAncillaryBuffer::new(&mut space);
    let mut bytes = vec![0; 64 * 1024];
    let received = recvmsg(way, &mut [IoSliceMut::new(&mut bytes)], &mut beside, RecvFlags::CMSG_CLOEXEC)?;
    let mut descriptors = Vec::new();
    for message in beside.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            descriptors.extend(rights);
        }
    }
    let text = bytes.get(4..received.bytes).unwrap_or_default();
    let names: Vec<String> = String::from_utf8_lossy(text).lines().map(str::to_owned).collect();
    if names.len() != descriptors.len() {
        return Err(io::ErrorKind::InvalidData.into());
    }
    Ok(names.into_iter().zip(descriptors).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn listeners_arrive_under_their_names() {
        let (ours, theirs) = StdStream::pair().unwrap();
        let listeners =
            [TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap()];
        let named: Vec<Named<'_>> =
            listeners.iter().map(|l| (l.local_addr().unwrap().to_string(), l.as_fd())).collect();
        send(&ours, &named).unwrap();
        let mut inheritance = Inheritance { listeners: receive(&theirs).unwrap(), way: None };
        let addr = listeners[1].local_addr().unwrap();
        drop(named);
        drop(listeners);
        let taken = TcpListener::from(inheritance.take(&addr.to_string()).unwrap());
        assert!(inheritance.take(&addr.to_string()).is_none());
        let _client = TcpStream::connect(addr).unwrap();
        taken.accept().unwrap();
    }

    #[test]
    fn names_without_descriptors_are_no_inheritance() {
        let (ours, theirs) = StdStream::pair().unwrap();
        std::io::Write::write_all(&mut &ours, b"\0\0\0\x04a:1\n").unwrap();
        assert!(receive(&theirs).is_err());
    }
}
