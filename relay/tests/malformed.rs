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

#[path = "malformed/case.rs"]
mod case;
#[path = "malformed/frames.rs"]
mod frames;
#[path = "malformed/heads.rs"]
mod heads;
mod support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use support::{roomy, start_with};
use tokio::task::JoinSet;

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

/// What the fuzzer begins with, without a fuzzer.
#[tokio::test]
async fn the_corpus_of_the_fuzz_targets_gets_its_verdicts_too() {
    let mut config = roomy();
    config.limits.message = frames::MOST;
    config.limits.messages = u32::MAX;
    let relay = start_with(config);
    let corpus = |name: &str| {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
        let files = std::fs::read_dir(folder).unwrap();
        let all: Vec<_> = files.map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect();
        assert!(all.len() >= 5, "{name}: {}", all.len());
        all
    };
    for head in corpus("head") {
        heads::put(relay.addr, head, "of the corpus").await;
    }
    for (number, bytes) in corpus("frames").into_iter().enumerate() {
        frames::put(relay.addr, frames::certain(bytes), &support::id(u32::try_from(number).unwrap())).await;
    }
}
