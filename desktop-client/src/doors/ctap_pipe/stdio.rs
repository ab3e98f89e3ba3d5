//! Standard input and output, without a thread between them and the engine
//! where the system allows it: a pipe or a socket is waited for, anything
//! else (a file, a terminal) is read and written in a thread.

use std::fmt;
#[cfg(unix)]
use std::os::fd::{BorrowedFd, OwnedFd};
use std::pin::Pin;
use std::task::{Context, Poll};

#[cfg(unix)]
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use tokio::io::{self, AsyncRead, AsyncWrite, ReadBuf};
#[cfg(unix)]
use tokio::net::unix::pipe::{Receiver, Sender};

/// Standard input.
pub struct Input {
    from: From,
    /// Dropped after it.
    #[cfg(unix)]
    _as_it_was: Option<AsItWas>,
}

enum From {
    /// A pipe.
    #[cfg(unix)]
    Pipe(Receiver),
    /// Anything else.
    Other(Box<dyn AsyncRead + Unpin + Send>),
}

/// Standard output. Past std's own buffer, which would cut a frame in two
/// where it holds a line end.
pub struct Output {
    to: To,
    /// Dropped after it.
    #[cfg(unix)]
    _as_it_was: Option<AsItWas>,
}

enum To {
    /// A pipe.
    #[cfg(unix)]
    Pipe(Sender),
    /// Anything else.
    Other(Box<dyn AsyncWrite + Unpin + Send>),
}

/// Standard input and output, to be used within a runtime, once. Dropped, they
/// are as they were: whoever else has the same pipe or socket expects to wait
/// for it, and not to be told that there is nothing.
///
/// # Errors
/// Whatever the system says.
#[cfg(unix)]
pub fn open() -> io::Result<(Input, Output)> {
    use std::os::fd::AsFd as _;

    let (input, output) = (std::io::stdin(), std::io::stdout());
    let (input, output) = (input.as_fd(), output.as_fd());
    // Both before anything is changed: they may be one and the same.
    let as_they_were = (AsItWas::of(input)?, AsItWas::of(output)?);
    let from = match (Receiver::from_owned_fd(input.try_clone_to_owned()?), socket(input)?) {
        (Ok(pipe), _) => From::Pipe(pipe),
        (_, Some(socket)) => From::Other(Box::new(socket)),
        _ => From::Other(Box::new(io::stdin())),
    };
    let file = std::fs::File::from(output.try_clone_to_owned()?);
    let to = match (Sender::from_owned_fd(output.try_clone_to_owned()?), socket(output)?) {
        (Ok(pipe), _) => To::Pipe(pipe),
        (_, Some(socket)) => To::Other(Box::new(socket)),
        _ => To::Other(Box::new(tokio::fs::File::from_std(file))),
    };
    Ok((Input { from, _as_it_was: as_they_were.0 }, Output { to, _as_it_was: as_they_were.1 }))
}

/// Standard input and output, to be used within a runtime, once.
///
/// # Errors
/// None here.
#[cfg(not(unix))]
pub fn open() -> io::Result<(Input, Output)> {
    let (from, to) = (From::Other(Box::new(io::stdin())), To::Other(Box::new(io::stdout())));
    Ok((Input { from }, Output { to }))
}

/// The descriptor as a socket, if it is one.
#[cfg(unix)]
fn socket(descriptor: BorrowedFd<'_>) -> io::Result<Option<tokio::net::UnixStream>> {
    let socket = std::os::unix::net::UnixStream::from(descriptor.try_clone_to_owned()?);
    if socket.local_addr().is_err() {
        return Ok(None);
    }
    socket.set_nonblocking(true)?;
    tokio::net::UnixStream::from_std(socket).map(Some)
}

/// Makes a descriptor that is waited for one again, on drop. Whether it is
/// waited for belongs to the pipe or socket, and so to all who share it.
#[cfg(unix)]
struct AsItWas(OwnedFd);

#[cfg(unix)]
impl AsItWas {
    /// Nothing for one that was not waited for before.
    fn of(descriptor: BorrowedFd<'_>) -> io::Result<Option<Self>> {
        let waited_for = !fcntl_getfl(descriptor)?.contains(OFlags::NONBLOCK);
        waited_for.then(|| descriptor.try_clone_to_owned().map(Self)).transpose()
    }
}

#[cfg(unix)]
impl Drop for AsItWas {
    fn drop(&mut self) {
        if let Ok(flags) = fcntl_getfl(&self.0) {
            let _ = fcntl_setfl(&self.0, flags - OFlags::NONBLOCK);
        }
    }
}

impl AsyncRead for Input {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.get_mut().from {
            #[cfg(unix)]
            From::Pipe(pipe) => Pin::new(pipe).poll_read(context, into),
            From::Other(other) => Pin::new(other).poll_read(context, into),
        }
    }
}

impl AsyncWrite for Output {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().to {
            #[cfg(unix)]
            To::Pipe(pipe) => Pin::new(pipe).poll_write(context, bytes),
            To::Other(other) => Pin::new(other).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().to {
            #[cfg(unix)]
            To::Pipe(pipe) => Pin::new(pipe).poll_flush(context),
            To::Other(other) => Pin::new(other).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().to {
            #[cfg(unix)]
            To::Pipe(pipe) => Pin::new(pipe).poll_shutdown(context),
            To::Other(other) => Pin::new(other).poll_shutdown(context),
        }
    }
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Input(..)")
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Output(..)")
    }
}
