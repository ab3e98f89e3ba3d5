//! Sockets that the service manager has opened for this process: socket
//! activation by `LISTEN_FDS` and `LISTEN_PID`.

use std::io;
use std::sync::{LazyLock, Mutex, PoisonError};

use listenfd::ListenFd;

use super::Listener;

/// Taken once: the variables are struck out then, so that no child of ours
/// takes them for its own.
static SOCKETS: LazyLock<Mutex<ListenFd>> = LazyLock::new(|| Mutex::new(ListenFd::from_env()));

/// Takes the sockets over. A program does it before it has a second thread,
/// because the environment changes.
pub(crate) fn claim() {
    LazyLock::force(&SOCKETS);
}

/// All of them that are listening streams.
pub(super) fn listeners() -> io::Result<Vec<Listener>> {
    let mut sockets = SOCKETS.lock().unwrap_or_else(PoisonError::into_inner);
    let mut listeners = Vec::new();
    for index in 0..sockets.len() {
        let listener = match sockets.take_tcp_listener(index) {
            Ok(Some(tcp)) => Listener::of_tcp(tcp),
            Ok(None) => continue,
            Err(_) => sockets.take_unix_listener(index).and_then(|unix| {
                unix.ok_or_else(|| io::ErrorKind::NotFound.into()).and_then(Listener::of_unix)
            }),
        };
        listeners.push(listener?);
    }
    if listeners.is_empty() {
        return Err(io::Error::other("no sockets were given to this process in LISTEN_FDS"));
    }
    Ok(listeners)
}
