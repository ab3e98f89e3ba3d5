//! Mutated requests and frames at a live relay, each with a verdict that is
//! known beforehand, by rules that are written down here once more.
//!
//! `CABLECAR_MUTATIONS=1000000` takes longer. A failure names the number of
//! its case, which makes the same bytes again.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests stop where they fail"
)]

#[path = "malformed/frames.rs"]
mod frames;
#[path = "malformed/heads.rs"]
mod heads;
mod support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use support::{roomy, soon, start_with};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// The same again from the same number (SplitMix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound).unwrap()).unwrap()
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }
}

fn request(path: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: fido.cable\r\n\r\n"
    )
}

/// The head of an answer, or what came before the end.
async fn answer(tcp: &mut TcpStream) -> Vec<u8> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match soon(tcp.read_u8()).await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    head
}

/// All the cases of one kind, some at the same time.
async fn each<F>(addr: SocketAddr, count: u64, case: impl Fn(SocketAddr, u64) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut going = JoinSet::new();
    for number in 0..count {
        if going.len() >= 16 {
            going.join_next().await.unwrap().unwrap();
        }
        going.spawn(case(addr, number));
    }
    while let Some(done) = going.join_next().await {
        done.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mutated_requests_and_frames_get_the_verdict_that_they_deserve() {
    let count: u64 = std::env::var("CABLECAR_MUTATIONS").map_or(2_000, |count| count.parse().unwrap());
    let panics = Arc::new(AtomicU64::new(0));
    let before = std::panic::take_hook();
    let counter = Arc::clone(&panics);
    std::panic::set_hook(Box::new(move |panic| {
        counter.fetch_add(1, Ordering::SeqCst);
        before(panic);
    }));
    let mut config = roomy();
    config.limits.message = frames::MOST;
    let relay = start_with(config);
    each(relay.addr, count / 2, heads::judge).await;
    each(relay.addr, count - count / 2, frames::judge).await;
    assert_eq!(panics.load(Ordering::SeqCst), 0, "something panicked");
    // It lives, and carries.
    let (mut first, mut second) = relay.pair(&support::id(u32::MAX)).await;
    support::say(&mut first, b"still there").await;
    assert_eq!(support::hear(&mut second).await, b"still there");
    println!("{count} judged, 0 wrong");
}
