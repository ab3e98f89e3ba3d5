//! Connections that never get to the point, one byte a second.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConnection, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::Stage;
use super::figures::{Figures, Report};
use super::runner::Runner;
use super::schedule::Shape;
use super::site::{MASK, Site};
use crate::caller::{Fault, Stream, frame};
use crate::error::Error;

/// Between two bytes.
const PAUSE: Duration = Duration::from_secs(1);

/// Begun a second, unless something else is said. All at once they overrun the
/// kernel's queue of new connections. It then answers with SYN cookies and
/// forgets: whoever connects believes to be connected, nobody else knows of it,
/// and who says nothing is never told. No relay could evict that one.
const A_SECOND: f64 = 500.0;

/// So many at the same time, each until it is evicted. Beyond the patience it
/// fails as `silent`: the relay bears with it.
pub(crate) async fn load(site: Site, runner: &Runner, connections: u64, stage: Stage) -> Report {
    let site = Arc::new(site);
    let figures = Arc::new(Figures::new());
    let (hello, refused) = (Arc::new(hello().unwrap_or_default()), Arc::new(AtomicU64::new(0)));
    let each = |_| {
        let (site, hello, refused) = (Arc::clone(&site), Arc::clone(&hello), Arc::clone(&refused));
        async move {
            match begin(&site, stage, &hello).await {
                Ok((stream, text)) => drip(stream, text).await,
                // Not let in at all: that is an eviction of its own.
                Err(Fault::Status(429 | 503) | Fault::Broken(_) | Fault::Tls(_)) => {
                    refused.fetch_add(1, Ordering::Relaxed);
                    Ok(())
                }
                Err(fault) => Err(fault),
            }
        }
    };
    let concurrency = runner.concurrency.or_else(|| usize::try_from(connections).ok());
    let rate = runner.rate.or(Some((A_SECOND, Shape::Fixed)));
    let all = Runner { rate, concurrency, count: Some(connections), lasts: None, ..*runner };
    all.run(&figures, each).await;
    figures.report("drip").with("turned_away", refused.load(Ordering::Relaxed))
}

/// A connection at this stage, and what it will drip.
async fn begin(site: &Site, stage: Stage, hello: &[u8]) -> Result<(Stream, Vec<u8>), Fault> {
    Ok(match stage {
        Stage::Tcp => (Stream::Plain(site.tcp().await?), Vec::new()),
        Stage::Hello => (Stream::Plain(site.tcp().await?), hello.to_vec()),
        Stage::Head => (site.dial().await?, site.new_request(site.id())),
        Stage::Frame => {
            let (socket, _) = site.open(site.dial().await?, site.id()).await?;
            (socket.into_stream(), frame(0x2, MASK, &[7; 1000]))
        }
    })
}

/// Until the relay ends it. Everything that it says meanwhile is fine.
async fn drip(mut stream: Stream, text: Vec<u8>) -> Result<(), Fault> {
    let mut bytes = text.into_iter();
    let mut heard = [0; 512];
    loop {
        if let Some(byte) = bytes.next()
            && (stream.write_all(&[byte]).await.is_err() || stream.flush().await.is_err())
        {
            return Ok(());
        }
        if let Ok(Ok(0) | Err(_)) = timeout(PAUSE, stream.read(&mut heard)).await {
            return Ok(());
        }
    }
}

/// TLS's first message, as a client of ours sends it.
pub(crate) fn hello() -> Result<Vec<u8>, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").map_err(|error| Error::System(error.to_string()))?;
    let mut hello = Vec::new();
    let written = ClientConnection::new(Arc::new(config), name)?.write_tls(&mut hello);
    written.map_err(|error: io::Error| Error::System(error.to_string()))?;
    Ok(hello)
}
