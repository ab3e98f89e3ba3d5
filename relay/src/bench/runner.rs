//! Doing the same thing again and again: by a schedule, or so many at once.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::figures::Figures;
use super::schedule::{Schedule, Shape};
use crate::caller::Fault;

/// At once, in an open loop, unless something else is said: more means that
/// the relay has long stopped.
const MOST_AT_ONCE: usize = 8192;

/// At once, in a closed loop, unless something else is said.
const CONCURRENCY: usize = 64;

/// How long and how densely.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Runner {
    pub(crate) rate: Option<(f64, Shape)>,
    pub(crate) concurrency: Option<usize>,
    pub(crate) count: Option<u64>,
    pub(crate) lasts: Option<Duration>,
    pub(crate) patience: Duration,
    pub(crate) seed: u64,
}

impl Runner {
    /// Does it until the count is reached or the time is over; ten seconds if
    /// neither is given. `each` is told the how-manieth it is.
    pub(crate) async fn run<F>(&self, figures: &Arc<Figures>, each: impl Fn(u64) -> F)
    where
        F: Future<Output = Result<(), Fault>> + Send + 'static,
    {
        let lasts = match (self.count, self.lasts) {
            (None, None) => Some(Duration::from_secs(10)),
            (_, lasts) => lasts,
        };
        let count = self.count.unwrap_or(u64::MAX);
        let start = Instant::now();
        match self.rate {
            Some((rate, shape)) => {
                let moments = Schedule::new(rate, shape, self.seed);
                let due = moments.take_while(|at| lasts.is_none_or(|lasts| *at < lasts));
                self.open_loop(figures, start, due.zip(0..count), each).await;
            }
            None => {
                let over = lasts.map(|lasts| start + lasts);
                self.closed_loop(figures, over, count, each).await;
            }
        }
    }

    async fn open_loop<F>(
        &self,
        figures: &Arc<Figures>,
        start: Instant,
        due: impl Iterator<Item = (Duration, u64)>,
        each: impl Fn(u64) -> F,
    ) where
        F: Future<Output = Result<(), Fault>> + Send + 'static,
    {
        let room = Arc::new(Semaphore::new(self.concurrency.unwrap_or(MOST_AT_ONCE)));
        let mut going = JoinSet::new();
        for (at, number) in due {
            let moment = start + at;
            sleep_until(moment).await;
            figures.late(moment.elapsed());
            let Ok(place) = Arc::clone(&room).try_acquire_owned() else {
                let full = std::io::Error::other("too many at once");
                figures.done(&Err(Fault::Own(full)), Duration::ZERO);
                continue;
            };
            let (figures, patience, doing) = (Arc::clone(figures), self.patience, each(number));
            going.spawn(async move {
                let result = timeout_at(moment + patience, doing).await.unwrap_or(Err(Fault::Silent));
                figures.done(&result, moment.elapsed());
                drop(place);
            });
            while going.try_join_next().is_some() {}
        }
        while going.join_next().await.is_some() {}
    }

    async fn closed_loop<F>(
        &self,
        figures: &Arc<Figures>,
        over: Option<Instant>,
        count: u64,
        each: impl Fn(u64) -> F,
    ) where
        F: Future<Output = Result<(), Fault>> + Send + 'static,
    {
        let mut going = JoinSet::new();
        for number in 0..count {
            if over.is_some_and(|over| Instant::now() >= over) {
                break;
            }
            if going.len() >= self.concurrency.unwrap_or(CONCURRENCY) {
                going.join_next().await;
            }
            let (figures, patience, doing) = (Arc::clone(figures), self.patience, each(number));
            going.spawn(async move {
                let began = Instant::now();
                let result = timeout_at(began + patience, doing).await.unwrap_or(Err(Fault::Silent));
                figures.done(&result, began.elapsed());
            });
        }
        while going.join_next().await.is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runner(rate: Option<f64>) -> Runner {
        Runner {
            rate: rate.map(|rate| (rate, Shape::Fixed)),
            concurrency: None,
            count: Some(50),
            lasts: None,
            patience: Duration::from_secs(60),
            seed: 1,
        }
    }

    async fn of(runner: Runner) -> serde_json::Value {
        let figures = Arc::new(Figures::new());
        // A server with one place that stands still for five seconds once.
        let server = Arc::new(tokio::sync::Mutex::new(()));
        let each = |number| {
            let server = Arc::clone(&server);
            async move {
                let _place = server.lock().await;
                let pause = if number == 0 { 5_000 } else { 1 };
                tokio::time::sleep(Duration::from_millis(pause)).await;
                Ok(())
            }
        };
        runner.run(&figures, each).await;
        serde_json::from_str(&figures.report("test").json()).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn an_open_loop_does_not_wait_for_a_server_that_stands_still() {
        let report = of(runner(Some(10.0))).await;
        assert_eq!(report["succeeded"], 50);
        // The first waits for 5 s, and the last, begun at 4.9 s, for 0.1 s.
        assert!(report["latency_ms"]["p50"].as_f64().unwrap() > 2_000.0, "{report}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_closed_loop_of_one_is_silent_about_it() {
        let report = of(Runner { concurrency: Some(1), ..runner(None) }).await;
        assert!(report["latency_ms"]["p50"].as_f64().unwrap() < 10.0, "{report}");
        assert!(report["latency_ms"]["max"].as_f64().unwrap() > 4_900.0, "{report}");
    }

    #[tokio::test(start_paused = true)]
    async fn patience_ends_and_time_ends() {
        let report = of(Runner { patience: Duration::from_millis(100), ..runner(Some(10.0)) }).await;
        assert!(report["failures"]["silent"].as_u64().unwrap() >= 1, "{report}");
        let report =
            of(Runner { count: None, lasts: Some(Duration::from_secs(2)), ..runner(Some(10.0)) }).await;
        assert_eq!(report["succeeded"], 20, "{report}");
    }
}
