//! A socket, with or without TLS, that counts what goes through it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio_rustls::server::TlsStream;

use crate::defaults;
use crate::socket::Socket;

/// One connection.
#[derive(Debug)]
pub(crate) struct Wire {
    io: Io,
    received: u64,
    sent: u64,
    full: bool,
}

/// TLS state is three times the size of everything else about a waiting
/// tunnel, so a plain one must not carry room for it.
#[derive(Debug)]
enum Io {
    Plain(Socket),
    Tls(Box<TlsStream<Socket>>),
}

impl Wire {
    pub(crate) fn plain(socket: Socket) -> Self {
        Self { io: Io::Plain(socket), received: 0, sent: 0, full: false }
    }

    pub(crate) fn tls(tls: TlsStream<Socket>) -> Self {
        Self { io: Io::Tls(Box::new(tls)), received: 0, sent: 0, full: false }
    }

    /// Bytes that ever came.
    pub(crate) fn received(&self) -> u64 {
        self.received
    }

    /// Bytes that were ever taken.
    pub(crate) fn sent(&self) -> u64 {
        self.sent
    }

    /// Whether the last write was turned away.
    pub(crate) fn full(&self) -> bool {
        self.full
    }

    /// Ends our direction and waits for the end of the other, throwing away
    /// what still comes: closing with unread bytes would reset the connection
    /// and take our last words from the other side.
    pub(crate) async fn hang_up(mut self) {
        let mut rest = [0; 512];
        let enough = self.received + defaults::LAST_WORDS;
        if self.shutdown().await.is_ok() {
            while self.received < enough && matches!(self.read(&mut rest).await, Ok(1..)) {}
        }
    }

    /// This connection as the blocking kind that the websocket library wants;
    /// "would block" means that `cx` will be woken.
    pub(crate) fn at_once<'a, 'b>(&'a mut self, cx: &'a mut Context<'b>) -> AtOnce<'a, 'b> {
        AtOnce { wire: self, cx }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(match &mut self.io {
            Io::Plain(socket) => Pin::new(socket).poll_read(cx, buffer),
            Io::Tls(tls) => Pin::new(tls).poll_read(cx, buffer),
        })?;
        let read = buffer.filled().len() - before;
        self.received += u64::try_from(read).unwrap_or(0);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = match &mut self.io {
            Io::Plain(socket) => Pin::new(socket).poll_write(cx, bytes),
            Io::Tls(tls) => Pin::new(tls).poll_write(cx, bytes),
        };
        self.full = written.is_pending();
        let written = ready!(written)?;
        self.sent += u64::try_from(written).unwrap_or(0);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = match &mut self.io {
            Io::Plain(socket) => Pin::new(socket).poll_flush(cx),
            Io::Tls(tls) => Pin::new(tls).poll_flush(cx),
        };
        self.full = flushed.is_pending();
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.io {
            Io::Plain(socket) => Pin::new(socket).poll_shutdown(cx),
            Io::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
        }
    }
}

/// A [`Wire`] within one poll.
#[derive(Debug)]
pub(crate) struct AtOnce<'a, 'b> {
    wire: &'a mut Wire,
    cx: &'a mut Context<'b>,
}

impl AtOnce<'_, '_> {
    /// Reads behind what the buffer has.
    pub(crate) fn read_into(&mut self, buffer: &mut ReadBuf<'_>) -> io::Result<()> {
        match Pin::new(&mut *self.wire).poll_read(self.cx, buffer) {
            Poll::Ready(result) => result,
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

impl io::Read for AtOnce<'_, '_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let mut buffer = ReadBuf::new(bytes);
        self.read_into(&mut buffer)?;
        Ok(buffer.filled().len())
    }
}

impl io::Write for AtOnce<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match Pin::new(&mut *self.wire).poll_write(self.cx, bytes) {
            Poll::Ready(result) => result,
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match Pin::new(&mut *self.wire).poll_flush(self.cx) {
            Poll::Ready(result) => result,
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}
