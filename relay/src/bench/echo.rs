//! Messages through tunnels that are there already.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::figures::{Figures, Report};
use super::idle::{end, ends};
use super::runner::Runner;
use super::schedule::{Dice, Schedule};
use super::site::{MASK, Site};
use crate::caller::{Fault, Socket, frame};

/// Of the count and of the rate each tunnel does its share. Without a rate it
/// goes back and forth, one message at a time.
pub(crate) async fn load(site: Site, runner: &Runner, tunnels: u64, size: usize, per_tunnel: u64) -> Report {
    let site = Arc::new(site);
    let (pairs, opening) = ends(&site, tunnels, runner).await;
    let figures = Arc::new(Figures::new());
    let share = runner.count.map(|count| count.div_ceil(tunnels));
    let lasts = match (share, runner.lasts) {
        (None, None) => Some(Duration::from_secs(10)),
        (_, lasts) => lasts,
    };
    let start = Instant::now();
    let opened = pairs.len();
    let (mut going, mut dice) = (JoinSet::new(), Dice(runner.seed));
    for pair in pairs {
        // A share of a random process is one; of a fixed one, begun at random.
        let schedule = runner.rate.map(|(rate, shape)| {
            let rate = rate / f64::from(u32::try_from(tunnels).unwrap_or(u32::MAX));
            (start + Duration::from_secs_f64(dice.share() / rate), Schedule::new(rate, shape, dice.next()))
        });
        let message = vec![0x5A; size];
        let tunnel = Tunnel {
            site: Arc::clone(&site),
            figures: Arc::clone(&figures),
            frame: frame(0x2, MASK, &message),
            message,
            patience: runner.patience,
            per_tunnel,
        };
        let over = lasts.map(|lasts| start + lasts);
        going.spawn(async move { tunnel.talk(pair, schedule, share.unwrap_or(u64::MAX), over).await });
    }
    while going.join_next().await.is_some() {}
    let missing = tunnels.saturating_sub(u64::try_from(opened).unwrap_or(u64::MAX));
    let report = figures.report("echo").with("not_opened", missing);
    drop(opening);
    report
}

struct Tunnel {
    site: Arc<Site>,
    figures: Arc<Figures>,
    frame: Vec<u8>,
    message: Vec<u8>,
    patience: Duration,
    per_tunnel: u64,
}

impl Tunnel {
    async fn talk(
        self,
        mut pair: (Socket, Socket),
        mut schedule: Option<(Instant, Schedule)>,
        count: u64,
        over: Option<Instant>,
    ) {
        // Each side may say so much; they take turns.
        let turns = self.per_tunnel.saturating_mul(2);
        for number in 0..count {
            let due = schedule.as_mut().and_then(|(start, moments)| Some(*start + moments.next()?));
            if let Some(due) = due {
                sleep_until(due).await;
                self.figures.late(due.elapsed());
            }
            let moment = due.unwrap_or_else(Instant::now);
            if over.is_some_and(|over| moment >= over) {
                break;
            }
            let said = timeout_at(moment + self.patience, self.say(&mut pair, number.is_multiple_of(2)));
            let result = said.await.unwrap_or(Err(Fault::Silent));
            self.figures.done(&result, moment.elapsed());
            if result.is_err() || number % turns == turns - 1 {
                let Ok(next) = self.site.pair().await else { return };
                let before = std::mem::replace(&mut pair, next);
                if result.is_ok() {
                    let _ = end(before).await;
                }
            }
        }
        let _ = end(pair).await;
    }

    async fn say(&self, (first, second): &mut (Socket, Socket), forth: bool) -> Result<(), Fault> {
        let (speaker, listener) = if forth { (first, second) } else { (second, first) };
        let (said, heard) = tokio::join!(speaker.send(&self.frame), listener.message());
        said?;
        if heard? == self.message { Ok(()) } else { Err(Fault::Frame("other bytes than were sent")) }
    }
}
