//! Where a radio puts what it hears, and where the transaction takes it from:
//! the sieve, with time.

use std::sync::{Mutex, MutexGuard, PoisonError};

use cablecar_protocol::eid::ServiceData;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::fault::Fault;
use super::sieve::{Address, Next, Sieve};

/// What was heard and not yet tried, and whether anything more can be heard.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    state: Mutex<State>,
    arrived: Notify,
    failed: Notify,
}

#[derive(Debug, Default)]
struct State {
    sieve: Sieve,
    fault: Option<Fault>,
}

impl Inbox {
    /// Something was on the air, under one of our UUIDs.
    pub(super) fn heard(&self, address: Address, data: &[u8]) {
        let mut state = self.lock();
        let was_empty = state.sieve.is_empty();
        state.sieve.hear(address, data);
        // Whoever waits for a turn need not know that there is more to wait for.
        if was_empty && !state.sieve.is_empty() {
            self.arrived.notify_one();
        }
    }

    /// Nothing more will be heard. The first reason stays.
    pub(super) fn failed(&self, fault: Fault) {
        self.lock().fault.get_or_insert(fault);
        self.arrived.notify_one();
        self.failed.notify_one();
    }

    /// The next to try. Dropping the future loses nothing: what it takes, it
    /// returns at once.
    ///
    /// # Errors
    /// The fault, as soon as there is one.
    pub(super) async fn next(&self) -> Result<ServiceData, Fault> {
        loop {
            let turn = {
                let mut state = self.lock();
                if let Some(fault) = &state.fault {
                    return Err(fault.clone());
                }
                match state.sieve.next(Instant::now().into_std()) {
                    Next::Try(data) => return Ok(data),
                    Next::NotBefore(turn) => Some(Instant::from_std(turn)),
                    Next::Nothing => None,
                }
            };
            match turn {
                None => self.arrived.notified().await,
                Some(turn) => tokio::select! {
                    () = sleep_until(turn) => {}
                    () = self.failed.notified() => {}
                },
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    fn forged(number: u32) -> [u8; 20] {
        let mut data = [0xee; 20];
        data.iter_mut().zip(number.to_be_bytes()).for_each(|(to, from)| *to = from);
        data
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_is_let_through_at_its_pace_and_nothing_is_lost_to_a_dropped_future() {
        let inbox = Inbox::default();
        (0..1_000).for_each(|number| inbox.heard([0; 6], &forged(number)));
        let began = Instant::now();
        let mut taken = 0;
        while taken < 1_000 {
            // Dropped again and again before its turn comes.
            if let Ok(data) = timeout(Duration::from_millis(2), inbox.next()).await {
                data.unwrap();
                taken += 1;
            }
        }
        let seconds = began.elapsed().as_secs_f64();
        assert!((5.0..6.0).contains(&seconds), "{seconds}");
        assert!(timeout(Duration::from_secs(9), inbox.next()).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_while_somebody_waits_is_had_at_once() {
        let inbox = Arc::new(Inbox::default());
        let waiting = tokio::spawn({
            let inbox = Arc::clone(&inbox);
            async move { inbox.next().await }
        });
        tokio::time::sleep(Duration::from_secs(60)).await;
        let began = Instant::now();
        inbox.heard([1; 6], &forged(7));
        assert_eq!(waiting.await.unwrap(), Ok(ServiceData::new(&forged(7)).unwrap()));
        assert!(began.elapsed() < Duration::from_millis(2), "{:?}", began.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_fault_is_told_at_once_and_stays() {
        for crowded in [false, true] {
            let inbox = Arc::new(Inbox::default());
            (0..if crowded { 100 } else { 0 }).for_each(|number| inbox.heard([0; 6], &forged(number)));
            let waiting = tokio::spawn({
                let inbox = Arc::clone(&inbox);
                async move {
                    loop {
                        if let Err(fault) = inbox.next().await {
                            return fault;
                        }
                    }
                }
            });
            tokio::time::sleep(Duration::from_millis(50)).await;
            inbox.failed(Fault::Off("hci0".into()));
            inbox.failed(Fault::NoService("later".into()));
            let began = Instant::now();
            assert_eq!(waiting.await.unwrap(), Fault::Off("hci0".into()));
            assert!(began.elapsed() < Duration::from_millis(2), "{:?}", began.elapsed());
            assert_eq!(inbox.next().await, Err(Fault::Off("hci0".into())));
        }
    }
}
