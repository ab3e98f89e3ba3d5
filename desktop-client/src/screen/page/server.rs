//! As much of HTTP/1.1 as one page needs: one request and one answer a
//! connection. Whatever is not asked in the one right way gets an empty 404.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rand_core::CryptoRngCore;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use zeroize::Zeroizing;

use super::caller;
use super::view::View;
use crate::defaults;

/// The paths of one page, in the order in which they answer:
/// `/` and the first 128 bits of SHA-256(seed ‖ number), in hexadecimal.
pub(super) struct Paths {
    seed: Zeroizing<[u8; 32]>,
}

impl Paths {
    pub(super) fn draw(rng: &mut (dyn CryptoRngCore + Send)) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        rng.fill_bytes(&mut *seed);
        Self { seed }
    }

    pub(super) fn path(&self, number: u64) -> Zeroizing<String> {
        let digest =
            Sha256::new().chain_update(self.seed.as_slice()).chain_update(number.to_be_bytes()).finalize();
        let hex = digest.iter().take(16).map(|byte| format!("{byte:02x}"));
        Zeroizing::new(std::iter::once("/".to_owned()).chain(hex).collect())
    }
}

/// How much of it the browser has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// It has not come yet.
    Nothing,
    /// It has come, and does not have the last page yet.
    Something,
    /// The last page.
    All,
}

/// What a path is worth.
enum Ticket {
    /// It answers now, and never again: the page of this number.
    Good(u64),
    /// It has answered.
    Spent,
    /// Nobody ever had it from us.
    Unknown,
}

/// What all connections share.
pub(super) struct Server {
    address: SocketAddr,
    paths: Paths,
    view: watch::Receiver<View>,
    told: watch::Sender<Told>,
    progress: Mutex<Progress>,
}

#[derive(Default)]
struct Progress {
    /// The number of the page that answers next.
    next: u64,
    /// The version of the view that was sent last.
    sent: Option<u64>,
}

impl Server {
    pub(super) fn new(
        address: SocketAddr,
        paths: Paths,
        view: watch::Receiver<View>,
        told: watch::Sender<Told>,
    ) -> Self {
        Self { address, paths, view, told, progress: Mutex::default() }
    }

    /// Takes the ticket: whoever comes second with it is late.
    fn take(&self, path: &str) -> Ticket {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        if path == *self.paths.path(progress.next) {
            progress.next += 1;
            return Ticket::Good(progress.next - 1);
        }
        // Few enough to be looked through: one for each thing that was new.
        match (0..progress.next).any(|number| path == *self.paths.path(number)) {
            true => Ticket::Spent,
            false => Ticket::Unknown,
        }
    }

    fn sent(&self) -> Option<u64> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).sent
    }

    /// The page of this number, once there is something new; after a while it
    /// comes without news, because browsers do not wait for ever.
    async fn page(&self, number: u64) -> (Zeroizing<String>, bool) {
        let mut view = self.view.clone();
        let is_new = |view: &View| Some(view.version()) != self.sent();
        let _ = timeout(defaults::PAGE_NEWS, view.wait_for(is_new)).await;
        let next = self.paths.path(number + 1);
        let view = view.borrow();
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).sent = Some(view.version());
        (view.to_html(&next, Instant::now()), view.has_ended())
    }
}

/// Answers until it is dropped, and all its connections with it.
pub(super) async fn serve(listener: TcpListener, server: Arc<Server>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if connections.len() < defaults::PAGE_CONNECTIONS => match accepted {
                Ok((stream, peer)) => {
                    connections.spawn(answer(stream, peer, Arc::clone(&server)));
                }
                // Short of descriptors; a moment later there may be one.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// One connection, to its end.
async fn answer(mut stream: TcpStream, peer: SocketAddr, server: Arc<Server>) {
    if caller::is_another_user(peer, server.address) {
        return;
    }
    // Whoever says too little, as browsers do that connect beforehand, hears
    // nothing either.
    let Ok(path) = timeout(defaults::PAGE_HEAD, read_path(&mut stream, server.address)).await else { return };
    match path.map_or(Ticket::Unknown, |path| server.take(&path)) {
        Ticket::Unknown => send(stream, NOTHING).await,
        Ticket::Spent => send(stream, &whole("410 Gone", &View::spent())).await,
        Ticket::Good(number) => {
            server.told.send_replace(Told::Something);
            let (page, is_last) = server.page(number).await;
            send(stream, &whole("200 OK", &page)).await;
            if is_last {
                server.told.send_replace(Told::All);
            }
        }
    }
}

/// No page, and no word about why.
const NOTHING: &[u8] = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// Reads the head of a request. None if it is not a GET for this very address:
/// a name that a stranger's page made lead here (DNS rebinding) is in `Host`.
async fn read_path(stream: &mut TcpStream, address: SocketAddr) -> Option<String> {
    let mut head = Vec::with_capacity(1024);
    loop {
        if stream.read_buf(&mut head).await.ok()? == 0 || head.len() > defaults::PAGE_HEAD_BYTES {
            return None;
        }
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut request = httparse::Request::new(&mut headers);
        if request.parse(&head).ok()?.is_partial() {
            continue;
        }
        let mut hosts = request.headers.iter().filter(|header| header.name.eq_ignore_ascii_case("host"));
        let is_for_us = hosts.next().is_some_and(|host| host.value == address.to_string().as_bytes())
            && hosts.next().is_none();
        let path = request.path.filter(|_| request.method == Some("GET") && is_for_us);
        return path.map(str::to_owned);
    }
}

/// A page with all that keeps it here: nobody stores it, frames it, learns its
/// address from it, or runs another script in it than ours.
fn whole(status: &str, page: &str) -> Zeroizing<Vec<u8>> {
    let policy = super::view::policy();
    let head = format!(
        "HTTP/1.1 {status}\r\n\
         Content-Type: text/html; charset=utf-8\r\n\
         Content-Length: {}\r\n\
         Cache-Control: no-store\r\n\
         Content-Security-Policy: {policy}\r\n\
         Cross-Origin-Opener-Policy: same-origin\r\n\
         Cross-Origin-Resource-Policy: same-origin\r\n\
         Referrer-Policy: no-referrer\r\n\
         X-Content-Type-Options: nosniff\r\n\
         X-Frame-Options: DENY\r\n\
         Connection: close\r\n\r\n",
        page.len()
    );
    let mut whole = Zeroizing::new(Vec::with_capacity(head.len() + page.len()));
    whole.extend_from_slice(head.as_bytes());
    whole.extend_from_slice(page.as_bytes());
    whole
}

/// Sends, unless nobody takes it, and hangs up.
async fn send(mut stream: TcpStream, bytes: &[u8]) {
    let sent = async {
        stream.write_all(bytes).await?;
        stream.shutdown().await?;
        // Until the other side has taken all of it: what it still says is
        // nothing to us.
        let mut rest = [0; 256];
        while stream.read(&mut rest).await? != 0 {}
        Ok::<_, std::io::Error>(())
    };
    let _ = timeout(defaults::PAGE_HEAD, sent).await;
}
