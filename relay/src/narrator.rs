//! Events as lines of text, for programs and for people.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread;
use std::time::Duration;

use serde::Serialize;

use crate::error::Error;
use crate::observer::{Event, Observer};

/// Who reads the relay's standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    /// One JSON object a line, for every event.
    Program,
    /// Where it listens; the rest is in the log.
    People,
}

/// Lines that may wait for a slow reader. What does not fit is counted, and
/// the count is told: the relay itself never waits.
const BACKLOG: usize = 4096;

/// Writes events from a thread of its own.
#[derive(Debug)]
pub(crate) struct Narrator {
    audience: Audience,
    events: SyncSender<Event>,
    lost: Arc<AtomicU64>,
}

/// Waits for the last line.
#[derive(Debug)]
pub(crate) struct Told(Receiver<()>);

impl Told {
    /// Waits, but not for a reader who does not read.
    pub(crate) fn wait(self) {
        let _ = self.0.recv_timeout(Duration::from_millis(250));
    }
}

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Missing {
    Lost { events: u64 },
}

impl Narrator {
    /// Starts writing, until the narrator is dropped.
    pub(crate) fn start(audience: Audience) -> Result<(Self, Told), Error> {
        let (told, all) = channel::<()>();
        let (events, queue) = sync_channel(BACKLOG);
        let lost = Arc::new(AtomicU64::new(0));
        let missing = Arc::clone(&lost);
        let write = move || {
            let _told = told;
            for event in queue {
                match audience {
                    Audience::People => tell_people(event),
                    Audience::Program => {
                        match missing.swap(0, Ordering::Relaxed) {
                            0 => {}
                            events => json_line(&Missing::Lost { events }),
                        }
                        json_line(&event);
                    }
                }
            }
        };
        let thread = thread::Builder::new().name("narrator".into()).spawn(write);
        thread
            .map(|_| (Self { audience, events, lost }, Told(all)))
            .map_err(|error| Error::System(error.to_string()))
    }
}

impl Observer for Narrator {
    fn notice(&self, event: Event) {
        if self.audience == Audience::People && !matches!(event, Event::Listening { .. }) {
            return;
        }
        if self.events.try_send(event).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

// A reader that has gone is no reason to stop carrying messages, so what
// cannot be written is let go.

fn json_line(line: &impl Serialize) {
    if let Ok(json) = serde_json::to_string(line) {
        let mut out = std::io::stdout().lock();
        let _ = writeln!(out, "{json}").and_then(|()| out.flush());
    }
}

fn tell_people(event: Event) {
    if let Event::Listening { addr } = event {
        let mut out = std::io::stdout().lock();
        let _ = writeln!(out, "listening on {addr}").and_then(|()| out.flush());
    }
}
