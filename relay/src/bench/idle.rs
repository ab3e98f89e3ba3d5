//! Tunnels that wait, as those of phones whose people look for the phone.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cablecar_protocol::ids::{RoutingId, TunnelId};
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::figures::{Figures, Report};
use super::runner::Runner;
use super::schedule::Dice;
use super::sign_in::part;
use super::site::{MASK, Site};
use crate::caller::{Fault, Heard, Socket, frame};

/// What is said in a tunnel to see whether it carries anything.
const MESSAGE: [u8; 200] = [0x5A; 200];

/// Opens so many, holds them, and joins a share of them.
///
/// People are told on standard error when all are there and when the joining
/// begins, so that a program can look at the relay meanwhile.
pub(crate) async fn load(site: Site, runner: &Runner, tunnels: u64, percent: f64) -> Report {
    let site = Arc::new(site);
    let (held, lost) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let opening = Arc::new(Figures::new());
    let (opened, mut waiting) = mpsc::unbounded_channel();
    let ramp = Runner { rate: None, count: Some(tunnels), lasts: None, ..*runner };
    let each = |_| {
        let (site, held, lost) = (Arc::clone(&site), Arc::clone(&held), Arc::clone(&lost));
        let opened = opened.clone();
        async move {
            let id = site.id();
            let (socket, routing_id) = site.open(site.dial().await?, id).await?;
            held.fetch_add(1, Ordering::Relaxed);
            let _ = opened.send((id, routing_id));
            tokio::spawn(async move {
                if wait(socket).await.is_err() {
                    lost.fetch_add(1, Ordering::Relaxed);
                }
            });
            Ok(())
        }
    };
    ramp.run(&opening, each).await;
    drop(opened);
    let held = held.load(Ordering::Relaxed);
    say(&format!("holding {held} tunnels"));
    sleep(runner.lasts.unwrap_or(Duration::ZERO)).await;
    let lost = lost.load(Ordering::Relaxed);

    let mut all: Vec<(TunnelId, RoutingId)> = Vec::new();
    waiting.recv_many(&mut all, usize::try_from(held).unwrap_or(usize::MAX)).await;
    let share = all.len().saturating_mul(hundredths(percent)) / 10_000;
    let chosen = Dice(runner.seed).choose(all, share);
    say(&format!("joining {share} of them"));
    let joining = Arc::new(Figures::new());
    let join = Runner { count: u64::try_from(share).ok(), lasts: None, ..*runner };
    let each = |number| {
        let site = Arc::clone(&site);
        let which = usize::try_from(number).ok().and_then(|index| chosen.get(index)).copied();
        async move {
            let Some((id, routing_id)) = which else { return Ok(()) };
            let mut socket = site.join(site.dial().await?, routing_id, id).await?;
            socket.send(&frame(0x2, MASK, &MESSAGE)).await?;
            if socket.message().await? != MESSAGE {
                return Err(Fault::Frame("other bytes than were sent"));
            }
            socket.close().await?;
            socket.gone(true).await.map(drop)
        }
    };
    if share > 0 {
        join.run(&joining, each).await;
    }
    let not_opened = tunnels.saturating_sub(held);
    joining.report("idle").with("held", held).with("not_opened", not_opened).with("lost", lost)
}

/// A first party that says everything back.
async fn wait(mut socket: Socket) -> Result<(), Fault> {
    loop {
        match socket.hear().await? {
            Heard::Message(range) => {
                let echo = frame(0x2, MASK, socket.bytes(range));
                socket.send(&echo).await?;
            }
            Heard::Closed(1000) => return socket.close().await,
            Heard::Closed(code) => return Err(Fault::Closed(code)),
        }
    }
}

/// Both ends of so many tunnels.
pub(crate) async fn ends(site: &Arc<Site>, tunnels: u64, runner: &Runner) -> (Vec<(Socket, Socket)>, Report) {
    let (figures, (made, mut pairs)) = (Arc::new(Figures::new()), mpsc::unbounded_channel());
    let each = |_| {
        let (site, made) = (Arc::clone(site), made.clone());
        async move {
            let _ = made.send(site.pair().await?);
            Ok(())
        }
    };
    Runner { rate: None, count: Some(tunnels), lasts: None, ..*runner }.run(&figures, each).await;
    drop(made);
    let mut all = Vec::new();
    while let Some(pair) = pairs.recv().await {
        all.push(pair);
    }
    (all, figures.report("echo"))
}

/// Closes both ends.
pub(crate) async fn end((first, second): (Socket, Socket)) -> Result<(), Fault> {
    part(first, second).await
}

fn hundredths(percent: f64) -> usize {
    let text = format!("{:.0}", (percent * 100.0).clamp(0.0, 10_000.0));
    text.parse().unwrap_or(0)
}

fn say(words: &str) {
    let _ = writeln!(std::io::stderr(), "{words}");
}
