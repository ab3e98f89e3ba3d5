//! TLS handshakes that are begun and left.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::drip::hello;
use super::figures::{Figures, Report};
use super::runner::Runner;
use super::site::Site;
use crate::error::Error;

/// Sends a hello, waits for the first bytes of the answer, which have cost
/// the relay its signature, and leaves.
pub(crate) async fn load(site: Site, runner: &Runner) -> Result<Report, Error> {
    let (site, hello) = (Arc::new(site), Arc::new(hello()?));
    let figures = Arc::new(Figures::new());
    let each = |_| {
        let (site, hello) = (Arc::clone(&site), Arc::clone(&hello));
        async move {
            let mut tcp = site.tcp().await?;
            tcp.write_all(&hello).await?;
            let mut answer = [0; 64];
            match tcp.read(&mut answer).await? {
                0 => Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into()),
                _ => Ok(()),
            }
        }
    };
    runner.run(&figures, each).await;
    Ok(figures.report("flood"))
}
