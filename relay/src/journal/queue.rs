//! Lines on their way to standard error, and the thread that takes them there.

use std::cell::Cell;
use std::io::Write;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, channel, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use super::trouble::{Kind, Trouble};
use crate::error::Error;
use crate::refusal::Why;
use crate::source::Source;

/// Lines that may wait for a slow reader, less than a megabyte of them.
const BACKLOG: usize = 4096;

/// What waits to be written.
#[derive(Debug)]
pub(super) struct Queue {
    items: SyncSender<Item>,
    trouble: Trouble,
}

#[derive(Debug)]
enum Item {
    Line(Vec<u8>),
    /// There is trouble to be told.
    Look,
    /// All that came before is written; dropped to say so.
    Flush(#[expect(dead_code, reason = "its end is the message")] std::sync::mpsc::Sender<()>),
}

thread_local! {
    /// The thread that empties the queue must not wait for room in it.
    static WRITES: Cell<bool> = const { Cell::new(false) };
}

impl Queue {
    /// Starts the thread. It ends with the process.
    pub(super) fn start() -> Result<Arc<Self>, Error> {
        let (items, waiting) = sync_channel(BACKLOG);
        let queue = Arc::new(Self { items, trouble: Trouble::default() });
        let writer = Arc::clone(&queue);
        let write = move || writer.write(&waiting);
        let thread = thread::Builder::new().name("journal".into()).spawn(write);
        thread.map(|_| queue).map_err(|error| Error::System(error.to_string()))
    }

    /// One line, whole.
    pub(super) fn line(&self, line: &[u8]) {
        if WRITES.get() {
            out(line);
        } else if self.items.try_send(Item::Line(line.to_vec())).is_err() {
            self.trouble.raise(Kind::Lost, None);
        }
    }

    /// Somebody was refused. Told at once, or within a second together with
    /// all others of this kind.
    pub(super) fn raise(&self, why: Why, from: Option<Source>) {
        if self.trouble.raise(Kind::Refused(why), from) {
            // If it does not fit, the thread is awake, and looks when it is done.
            let _ = self.items.try_send(Item::Look);
        }
    }

    /// Waits until all that was said is written, but at most so long.
    pub(super) fn flush(&self, at_most: Duration) {
        let (said, all) = channel();
        let until = Instant::now() + at_most;
        let mut flush = Item::Flush(said);
        while let Err(std::sync::mpsc::TrySendError::Full(again)) = self.items.try_send(flush) {
            if Instant::now() >= until {
                return;
            }
            flush = again;
            thread::sleep(Duration::from_millis(5));
        }
        let _ = all.recv_timeout(until.saturating_duration_since(Instant::now()));
    }

    fn write(&self, waiting: &Receiver<Item>) {
        WRITES.set(true);
        let mut next: Option<Instant> = None;
        loop {
            let item = match next {
                None => waiting.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(next) => waiting.recv_timeout(next.saturating_duration_since(Instant::now())),
            };
            let flushed = match item {
                Ok(Item::Line(line)) => {
                    out(&line);
                    false
                }
                Ok(Item::Flush(_)) => true,
                Ok(Item::Look) | Err(RecvTimeoutError::Timeout) => false,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            next = self.trouble.tell(Instant::now(), flushed, |kind, count, from| match kind {
                Kind::Refused(why) => super::refused(why, count, from),
                Kind::Lost => super::lost(count),
            });
        }
    }
}

/// A reader that has gone is no reason to stop anything.
fn out(line: &[u8]) {
    let _ = std::io::stderr().lock().write_all(line);
}
