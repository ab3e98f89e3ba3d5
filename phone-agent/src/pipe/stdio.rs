//! Standard input and output, without a thread between them and the engine
//! where the system allows it: a pipe or a socket is waited for, anything
//! else (a file, a terminal) is read and written in a thread.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{self, AsyncRead, AsyncWrite, ReadBuf};
#[cfg(unix)]
use tokio::net::unix::pipe::{Receiver, Sender};

/// Standard input.
pub enum Input {
    /// A pipe.
    #[cfg(unix)]
    Pipe(Receiver),
    /// Anything else.
    Other(Box<dyn AsyncRead + Unpin + Send>),
}

/// Standard output. Past std's own buffer, which would cut a frame in two
/// where it holds a line end.
pub enum Output {
    /// A pipe.
    #[cfg(unix)]
    Pipe(Sender),
    /// Anything else.
    Other(Box<dyn AsyncWrite + Unpin + Send>),
}

/// Standard input and output, to be used within a runtime, once.
///
/// # Errors
/// Whatever the system says.
#[cfg(unix)]
pub fn open() -> io::Result<(Input, Output)> {
    use std::os::fd::AsFd;

    let (input, output) = (std::io::stdin(), std::io::stdout());
    let (input, output) = (input.as_fd(), output.as_fd());
    let input = match (Receiver::from_owned_fd(input.try_clone_to_owned()?), socket(input)?) {
        (Ok(pipe), _) => Input::Pipe(pipe),
        (_, Some(socket)) => Input::Other(Box::new(socket)),
        _ => Input::Other(Box::new(io::stdin())),
    };
    let file = std::fs::File::from(output.try_clone_to_owned()?);
    let output = match (Sender::from_owned_fd(output.try_clone_to_owned()?), socket(output)?) {
        (Ok(pipe), _) => Output::Pipe(pipe),
        (_, Some(socket)) => Output::Other(Box::new(socket)),
        _ => Output::Other(Box::new(tokio::fs::File::from_std(file))),
    };
    Ok((input, output))
}

/// Standard input and output, to be used within a runtime, once.
///
/// # Errors
/// None here.
#[cfg(not(unix))]
pub fn open() -> io::Result<(Input, Output)> {
    Ok((Input::Other(Box::new(io::stdin())), Output::Other(Box::new(io::stdout()))))
}

/// The descriptor as a socket, if it is one.
#[cfg(unix)]
fn socket(descriptor: std::os::fd::BorrowedFd<'_>) -> io::Result<Option<tokio::net::UnixStream>> {
    let socket = std::os::unix::net::UnixStream::from(descriptor.try_clone_to_owned()?);
    if socket.local_addr().is_err() {
        return Ok(None);
    }
    socket.set_nonblocking(true)?;
    tokio::net::UnixStream::from_std(socket).map(Some)
}

/// Gives both back as they were: whoever else has the same pipe expects to
/// wait for it, and not to be told that there is nothing.
pub fn close(input: Input, output: Output) {
    #[cfg(unix)]
    {
        if let Input::Pipe(pipe) = input {
            let _ = pipe.into_blocking_fd();
        }
        if let Output::Pipe(pipe) = output {
            let _ = pipe.into_blocking_fd();
        }
    }
    #[cfg(not(unix))]
    drop((input, output));
}

impl AsyncRead for Input {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            #[cfg(unix)]
            Input::Pipe(pipe) => Pin::new(pipe).poll_read(context, into),
            Input::Other(other) => Pin::new(other).poll_read(context, into),
        }
    }
}

impl AsyncWrite for Output {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            #[cfg(unix)]
            Output::Pipe(pipe) => Pin::new(pipe).poll_write(context, bytes),
            Output::Other(other) => Pin::new(other).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            #[cfg(unix)]
            Output::Pipe(pipe) => Pin::new(pipe).poll_flush(context),
            Output::Other(other) => Pin::new(other).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            #[cfg(unix)]
            Output::Pipe(pipe) => Pin::new(pipe).poll_shutdown(context),
            Output::Other(other) => Pin::new(other).poll_shutdown(context),
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
