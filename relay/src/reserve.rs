//! One descriptor kept back, so that a relay that has none left can still
//! close the door to those who knock instead of letting them stand there.

use std::fs::File;
use std::future::{Future, ready};
use std::io;
use std::net::IpAddr;

use crate::defaults;
use crate::listeners::Listener;
use crate::socket::Socket;

/// One descriptor kept back.
#[derive(Debug)]
pub(crate) struct Reserve(Option<File>);

impl Reserve {
    pub(crate) fn new() -> Self {
        Self(spare())
    }

    /// Closes connections that wait in the kernel unread, some of them.
    /// Gives how many.
    pub(crate) async fn shed(&mut self, listener: &Listener) -> u64 {
        let mut shed = 0;
        while shed < defaults::SHED {
            // Each needs the descriptor for a moment; somebody else may get it.
            self.0 = None;
            let accepted: Option<io::Result<(Socket, IpAddr)>> = at_once(listener.accept()).await;
            let Some(Ok(unread)) = accepted else { break };
            drop(unread);
            shed += 1;
        }
        self.0 = spare();
        shed
    }
}

/// Whether an error means that there are no descriptors.
pub(crate) fn exhausted(error: &io::Error) -> bool {
    #[cfg(unix)]
    {
        use rustix::io::Errno;
        let none = [Errno::MFILE.raw_os_error(), Errno::NFILE.raw_os_error()];
        error.raw_os_error().is_some_and(|code| none.contains(&code))
    }
    #[cfg(not(unix))]
    {
        let _ = error;
        false
    }
}

#[cfg(unix)]
fn spare() -> Option<File> {
    File::open("/dev/null").ok()
}

#[cfg(not(unix))]
fn spare() -> Option<File> {
    None
}

/// What a future has already, without waiting for it.
async fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        done = future => Some(done),
        () = ready(()) => None,
    }
}
