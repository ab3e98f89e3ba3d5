use std::ops::Range;

use cablecar_protocol::pipe::{Incoming, Reader};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use crate::defaults;
use crate::error::Error;

/// Whole frames, both ways.
pub(super) struct Line<R, W> {
    input: R,
    output: W,
    reader: Reader,
    buffer: Box<[u8]>,
    /// Where in the buffer is what was not taken apart yet.
    left: Range<usize>,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Line<R, W> {
    pub(super) fn new(input: R, output: W) -> Self {
        let reader = Reader::new(defaults::MAX_REQUEST);
        Self { input, output, reader, buffer: vec![0; defaults::PIPE_BUFFER].into(), left: 0..0 }
    }

    /// The next frame, or nothing at the end. Dropping the future loses nothing.
    pub(super) async fn receive(&mut self) -> Result<Option<Incoming>, Error> {
        loop {
            let mut bytes = self.buffer.get(self.left.clone()).unwrap_or_default();
            let incoming = self.reader.read(&mut bytes);
            self.left.start = self.left.end - bytes.len();
            if incoming.is_some() {
                return Ok(incoming);
            }
            match self.input.read(&mut self.buffer).await {
                Ok(0) => return self.reader.end().map(|()| None).map_err(|_| Error::FrameCut),
                Ok(read) => self.left = 0..read,
                Err(cause) => return Err(Error::PipeBroke(cause.to_string())),
            }
        }
    }

    /// Sends a frame, in one write where the system takes it whole.
    pub(super) async fn send(&mut self, frame: &[u8]) -> Result<(), Error> {
        let sent = async {
            self.output.write_all(frame).await?;
            self.output.flush().await
        };
        // Who reads nothing would keep the phone from everybody else.
        match timeout(defaults::SEND, sent).await {
            Ok(sent) => sent.map_err(|cause: std::io::Error| Error::PipeBroke(cause.to_string())),
            Err(_) => Err(Error::PipeBroke("nobody reads what is sent".into())),
        }
    }

    /// Whether the input ends, too, within a moment.
    pub(super) async fn ends(&mut self) -> bool {
        let end = async { while let Ok(Some(_)) = self.receive().await {} };
        timeout(defaults::KEEPALIVE, end).await.is_ok()
    }
}
